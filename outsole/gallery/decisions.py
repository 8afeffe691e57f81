"""People's decisions about items: retire, restore, quarantine, release. They outlive editions and new crawls."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput
from outsole.gallery import journal
from outsole.gallery.layout import checked_name, editions_dir

DECISIONS = "decisions.jsonl"
REASON_LIMIT_CHARACTERS = 1_000


class DecisionKind(enum.Enum):
    """What was decided about an item."""

    RETIRE = "retire"
    RESTORE = "restore"
    QUARANTINE = "quarantine"
    RELEASE = "release"


# What a decision makes of an item's state, whatever a crawl or a check says about it. RESTORE and RELEASE only take
# back: of the other states they change nothing.
_DEMANDED = {DecisionKind.RETIRE: ItemState.RETIRED, DecisionKind.QUARANTINE: ItemState.QUARANTINED}
_TAKES_BACK = {
    DecisionKind.RESTORE: ItemState.RETIRED,
    DecisionKind.RELEASE: ItemState.QUARANTINED,
}


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        kind: What was decided.
        item_id: About which item.
        reason: Why, in words, 1 to 1,000 characters.
        by: Who decided; empty where it is not known.
        at: UTC time, ISO 8601.
    """

    kind: DecisionKind
    item_id: str
    reason: str
    by: str
    at: str

    def __post_init__(self) -> None:
        checked_name(self.item_id, field="item_id")
        if not 1 <= len(self.reason.strip()) <= REASON_LIMIT_CHARACTERS:
            raise InvalidInput(
                f"the reason has {len(self.reason.strip()):,} characters",
                field="reason",
                remedy=f"say why in 1 to {REASON_LIMIT_CHARACTERS:,}",
            )


def append_decision(root: Path, gallery: str, decision: Decision) -> None:
    """Write a decision down and wait until it is on the disk. Raises ``InvalidInput`` for a gallery's name."""
    journal.append(_path(root, gallery), {**asdict(decision), "kind": decision.kind.value})


def read_decisions(root: Path, gallery: str) -> tuple[Decision, ...]:
    """Every decision, oldest first; a line that was cut short is left out.

    Raises:
        DataCorrupt: A whole line that is no decision.
    """
    return tuple(_decision(record) for record in journal.read(_path(root, gallery)))


def decisions_in_force(root: Path, gallery: str) -> dict[str, Decision]:
    """The last decision about each item; errors as of `read_decisions`."""
    return {decision.item_id: decision for decision in read_decisions(root, gallery)}


def decided_states(items: pa.Table, decisions: Mapping[str, Decision]) -> dict[str, tuple[ItemState, str]]:
    """The items whose state is not what was decided, with the state and reason that they should have.

    Args:
        items: An edition's table.
        decisions: By item id; those about items that are not in the table change nothing.
    """
    wanted = {}
    for item_id, state, reason in zip(
        *(items[c].to_pylist() for c in ("item_id", "state", "state_reason")), strict=True
    ):
        decision = decisions.get(item_id)
        should = None if decision is None else _should_be(decision, ItemState(state))
        if should is not None and should != (ItemState(state), reason):
            wanted[item_id] = should
    return wanted


def _should_be(decision: Decision, state: ItemState) -> tuple[ItemState, str] | None:
    if decision.kind in _DEMANDED:
        return _DEMANDED[decision.kind], decision.reason
    return (ItemState.ACTIVE, "") if state is _TAKES_BACK[decision.kind] else None


def _path(root: Path, gallery: str) -> Path:
    return editions_dir(root, gallery).parent / DECISIONS


def _decision(record: dict[str, Any]) -> Decision:
    try:
        return Decision(**{**record, "kind": DecisionKind(record["kind"])})
    except (KeyError, TypeError, ValueError) as error:
        raise DataCorrupt(f"{DECISIONS} holds a line that is no decision: {str(record)[:200]}") from error
