"""The last decision about an item wins, whatever the edition says."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput
from outsole.gallery import journal
from outsole.gallery.decisions import (
    DECISIONS,
    Decision,
    DecisionKind,
    append_decision,
    decided_states,
    decisions_in_force,
    read_decisions,
)
from tests.unit.outsole.gallery.made_editions import written

AT = "2026-01-02T03:04:05+00:00"


def decision(kind: DecisionKind, item: str = "item-003", reason: str = "said so") -> Decision:
    return Decision(kind, item, reason, "somebody", AT)


def test_what_was_decided_is_read_again_and_the_last_one_wins(tmp_path: Path) -> None:
    made = [decision(DecisionKind.RETIRE), decision(DecisionKind.RESTORE), decision(DecisionKind.RETIRE, "item-004")]
    for each in made:
        append_decision(tmp_path, "soles", each)
    assert read_decisions(tmp_path, "soles") == tuple(made)
    assert decisions_in_force(tmp_path, "soles") == {"item-003": made[1], "item-004": made[2]}


def test_a_line_that_was_cut_short_is_ignored_and_one_that_is_no_decision_is_not(tmp_path: Path) -> None:
    append_decision(tmp_path, "soles", decision(DecisionKind.RETIRE))
    path = tmp_path / "soles" / DECISIONS
    with path.open("ab") as file:
        file.write(b'{"kind": "restore", "item')
    assert len(read_decisions(tmp_path, "soles")) == 1
    journal.append(path, {"kind": "nonsense"})
    with pytest.raises(DataCorrupt, match="no decision"):
        read_decisions(tmp_path, "soles")


@pytest.mark.parametrize(
    ("kind", "state", "wanted"),
    [
        (DecisionKind.RETIRE, ItemState.ACTIVE, (ItemState.RETIRED, "said so")),
        (DecisionKind.RETIRE, ItemState.QUARANTINED, (ItemState.RETIRED, "said so")),
        (DecisionKind.QUARANTINE, ItemState.DISCONTINUED, (ItemState.QUARANTINED, "said so")),
        (DecisionKind.RESTORE, ItemState.RETIRED, (ItemState.ACTIVE, "")),
        (DecisionKind.RESTORE, ItemState.DISCONTINUED, None),
        (DecisionKind.RELEASE, ItemState.QUARANTINED, (ItemState.ACTIVE, "")),
        (DecisionKind.RELEASE, ItemState.RETIRED, None),
    ],
)
def test_a_decision_demands_a_state_or_takes_one_back(
    tmp_path: Path, kind: DecisionKind, state: ItemState, wanted: tuple[ItemState, str] | None
) -> None:
    items = written(tmp_path, count=6, states={"item-003": (state, "as it was")}).items
    found = decided_states(items, {"item-003": decision(kind), "elsewhere": decision(DecisionKind.RETIRE, "elsewhere")})
    assert found == ({} if wanted is None else {"item-003": wanted})


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_decision_says_why(reason: str) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        decision(DecisionKind.RETIRE, reason=reason)
