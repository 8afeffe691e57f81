"""What people decided about items of a gallery: ``<root>/<gallery>/decisions.jsonl``, one decision a line.

The file is only ever appended to. There are two questions, and the last answer to each stands: is an item retired
(retire, restore), and is it in quarantine (quarantine, release). They are kept apart so that releasing an item does not
undo its retirement, and restoring one does not forget that it was released.
"""

from __future__ import annotations

import datetime
import enum
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput
from outsole.gallery import journal
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name, sync_dir

FILE = "decisions.jsonl"
_LOCK = ".decisions.lock"
_TAIL_BLOCK_BYTES = 1 << 16


class DecisionKind(enum.Enum):
    """What was decided."""

    RETIRE = "retire"
    RESTORE = "restore"
    QUARANTINE = "quarantine"
    RELEASE = "release"


_RETIREMENT = (DecisionKind.RETIRE, DecisionKind.RESTORE)


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        kind: What was decided.
        item_id: About which item.
        reason: Why, for those who come later; at most 200 characters.
        by: Who decided; at most 200 characters, not empty.
        at: UTC time, ISO 8601; now by default.
    """

    kind: DecisionKind
    item_id: str
    reason: str
    by: str
    at: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        checked_name(self.item_id, field="item_id")
        for name in ("reason", "by"):
            checked_text(getattr(self, name), field=name, owner=self.item_id)
        if not self.by:
            raise InvalidInput(f"nobody decided about item {self.item_id!r}", field="by", remedy="name who decided")
        try:
            moment = datetime.datetime.fromisoformat(self.at)
        except ValueError as error:
            raise InvalidInput(f"{self.at[:60]!r} is no time", field="at", remedy="ISO 8601 with a zone") from error
        if moment.tzinfo is None:
            raise InvalidInput(f"{self.at!r} has no time zone", field="at", remedy="ISO 8601 with a zone")


@dataclass(frozen=True)
class Decisions:
    """The decisions that stand, by item.

    Attributes:
        retirement: The last of retire and restore.
        quarantine: The last of quarantine and release.
    """

    retirement: Mapping[str, Decision] = field(default_factory=dict)
    quarantine: Mapping[str, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, history: Iterable[Decision]) -> Decisions:
        """Those of a history, oldest first, that stand."""
        standing: tuple[dict[str, Decision], dict[str, Decision]] = ({}, {})
        for decision in history:
            standing[decision.kind not in _RETIREMENT][decision.item_id] = decision
        return cls(*standing)

    def __bool__(self) -> bool:
        """Whether anything was decided."""
        return bool(self.retirement or self.quarantine)

    @property
    def released(self) -> frozenset[str]:
        """Items that a person released: the outlier rule leaves them alone for good."""
        return frozenset(item for item, last in self.quarantine.items() if last.kind is DecisionKind.RELEASE)


def record_decisions(root: Path, gallery: str, decisions: Sequence[Decision]) -> None:
    """Append decisions, all of them, and wait until they are on the disk.

    A line that a crash cut short is taken away first. Other processes that append wait for their turn.

    Raises:
        InvalidInput: The gallery's name cannot be one.
    """
    if not decisions:
        return
    path = _path(root, gallery)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b"".join(_line(decision) for decision in decisions)
    with journal.held(path.with_name(_LOCK)), path.open("a+b") as file:
        file.truncate(_whole_length(file))
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
        sync_dir(path.parent)


def read_decisions(root: Path, gallery: str) -> tuple[Decision, ...]:
    """Every decision about a gallery's items, oldest first; none where none was recorded.

    What follows the last line's end was cut short by a crash, or is being written: it is left out.

    Raises:
        InvalidInput: The gallery's name cannot be one.
        DataCorrupt: A whole line that is no decision; names the line.
    """
    try:
        data = _path(root, gallery).read_bytes()
    except FileNotFoundError:
        return ()
    lines = data.split(b"\n")[:-1]
    return tuple(_decision(line, number, gallery) for number, line in enumerate(lines, start=1))


def state_of(
    decisions: Decisions, item_id: str, *, state: ItemState, reason: str = "", outlier: str = ""
) -> tuple[ItemState, str]:
    """The state of an item after what people decided, and why it is not active.

    A person's retirement comes first, then a person's quarantine, then the outlier rule, then what was found.

    Args:
        decisions: Those that stand.
        item_id: The item.
        state, reason: As the crawl found it, or as the edition before has it.
        outlier: Why the outlier rule doubts it; empty where it does not.
    """
    retired, held = decisions.retirement.get(item_id), decisions.quarantine.get(item_id)
    if retired is not None and retired.kind is DecisionKind.RETIRE:
        return ItemState.RETIRED, retired.reason
    if retired is not None and state is ItemState.RETIRED:
        state, reason = ItemState.ACTIVE, ""
    if state is ItemState.RETIRED:
        return state, reason
    if held is not None and held.kind is DecisionKind.QUARANTINE:
        return ItemState.QUARANTINED, held.reason
    if held is None:
        return (ItemState.QUARANTINED, outlier) if outlier else (state, reason)
    return (ItemState.ACTIVE, "") if state is ItemState.QUARANTINED else (state, reason)


def decided_states(
    decisions: Decisions, items: pa.Table, *, outliers: Mapping[str, str] | None = None
) -> dict[str, tuple[ItemState, str]]:
    """The items whose state is not what it should be, with the state and reason that they should have.

    Args:
        decisions: Those that stand; what they say of other items has no effect.
        items: Columns of `outsole.gallery.items.ITEM_SCHEMA`, states as the crawl found them.
        outliers: Why the outlier rule doubts an item, by item id.

    Returns:
        State and reason by item id, see `state_of`.
    """
    doubts = outliers or {}
    concerned = pa.array(decisions.retirement.keys() | decisions.quarantine.keys() | doubts.keys(), pa.string())
    found = items.select(["item_id", "state", "state_reason"]).filter(pc.is_in(items["item_id"], concerned))
    wanted = {}
    for row in found.to_pylist():
        item_id, before = row["item_id"], (ItemState(row["state"]), row["state_reason"])
        should = state_of(decisions, item_id, state=before[0], reason=before[1], outlier=doubts.get(item_id, ""))
        if should != before:
            wanted[item_id] = should
    return wanted


def _path(root: Path, gallery: str) -> Path:
    return root / checked_name(gallery, field="gallery") / FILE


def _whole_length(file: BinaryIO) -> int:
    """Length of the file up to the end of its last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _TAIL_BLOCK_BYTES)
        file.seek(start)
        last = file.read(end - start).rfind(b"\n")
        if last >= 0:
            return start + last + 1
        end = start
    return 0


def _line(decision: Decision) -> bytes:
    plain = {**asdict(decision), "kind": decision.kind.value}
    return (json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _decision(line: bytes, number: int, gallery: str) -> Decision:
    try:
        fields: dict[str, Any] = json.loads(line)
        return Decision(**{**fields, "kind": DecisionKind(fields["kind"])})
    except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise DataCorrupt(
            f"line {number} of {FILE} of gallery {gallery!r} is no decision", remedy="restore the file from a copy"
        ) from error
