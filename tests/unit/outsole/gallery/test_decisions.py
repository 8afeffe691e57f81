"""Decisions: an append-only record that survives crashes, and the states that follow from it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput
from outsole.gallery.decisions import (
    FILE,
    Decision,
    DecisionKind,
    Decisions,
    decided_states,
    read_decisions,
    record_decisions,
    state_of,
)
from outsole.gallery.items import ItemRow, item_table

RETIRE, RESTORE, QUARANTINE, RELEASE = DecisionKind


def decided(kind: DecisionKind, item_id: str = "a", *, reason: str = "seen", hour: int = 1) -> Decision:
    return Decision(kind, item_id, reason, by="Ada", at=f"2026-01-01T{hour:02d}:00:00+00:00")


def after(
    *kinds: DecisionKind, found: ItemState = ItemState.ACTIVE, reason: str = "", outlier: str = ""
) -> tuple[ItemState, str]:
    history = [decided(kind, reason=f"because of {kind.value}") for kind in kinds]
    return state_of(Decisions.of(history), "a", state=found, reason=reason, outlier=outlier)


def test_what_was_recorded_is_read_in_order(tmp_path: Path) -> None:
    first, second = decided(RETIRE, "b", reason='Übermalt, "alt"'), decided(RESTORE, "b", hour=2)
    record_decisions(tmp_path, "shoes", [first])
    record_decisions(tmp_path, "shoes", [second, decided(RELEASE)])
    assert read_decisions(tmp_path, "shoes") == (first, second, decided(RELEASE))
    assert read_decisions(tmp_path, "others") == ()


def test_recording_nothing_makes_no_file(tmp_path: Path) -> None:
    record_decisions(tmp_path, "shoes", [])
    assert not (tmp_path / "shoes").exists()


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_line_cut_short_is_left_out_and_repaired_by_the_next_append(tmp_path: Path, cut: int) -> None:
    record_decisions(tmp_path, "shoes", [decided(RETIRE, "a"), decided(RETIRE, "b")])
    path = tmp_path / "shoes" / FILE
    os.truncate(path, path.stat().st_size - cut)
    assert read_decisions(tmp_path, "shoes") == (decided(RETIRE, "a"),)
    record_decisions(tmp_path, "shoes", [decided(RETIRE, "c")])
    assert read_decisions(tmp_path, "shoes") == (decided(RETIRE, "a"), decided(RETIRE, "c"))


def test_a_file_without_one_whole_line_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "shoes").mkdir()
    (tmp_path / "shoes" / FILE).write_bytes(b"\0" * 200_000)
    assert read_decisions(tmp_path, "shoes") == ()
    record_decisions(tmp_path, "shoes", [decided(RETIRE)])
    assert read_decisions(tmp_path, "shoes") == (decided(RETIRE),)


@pytest.mark.parametrize("line", [b"[]", b'{"kind": "retire"}', b'{"kind": "burn", "item_id": "a"}', b"{"])
def test_a_whole_line_that_is_no_decision_is_named(tmp_path: Path, line: bytes) -> None:
    record_decisions(tmp_path, "shoes", [decided(RETIRE)])
    with (tmp_path / "shoes" / FILE).open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(DataCorrupt, match="line 2 "):
        read_decisions(tmp_path, "shoes")


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        record_decisions(tmp_path, "shoes", [decided(RETIRE, f"i{number}"), decided(RESTORE, f"i{number}")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    found = read_decisions(tmp_path, "shoes")
    assert sorted(d.item_id for d in found) == sorted(f"i{n}" for n in range(40) for _ in range(2))
    assert all(one.item_id == two.item_id for one, two in zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"item_id": "../a"}, "item_id"),
        ({"by": ""}, "by"),
        ({"reason": "two\nlines"}, "reason"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-01-01T00:00:00"}, "at"),
    ],
)
def test_a_decision_that_nobody_could_read_is_refused(fields: dict[str, str], wrong: str) -> None:
    good = {"item_id": "a", "reason": "r", "by": "Ada", "at": "2026-01-01T00:00:00+00:00"}
    with pytest.raises(InvalidInput) as caught:
        Decision(RETIRE, **{**good, **fields})
    assert caught.value.field == wrong


def test_the_last_answer_stands() -> None:
    assert after(RETIRE) == (ItemState.RETIRED, "because of retire")
    assert after(RETIRE, RESTORE) == (ItemState.ACTIVE, "")
    assert after(RETIRE, RESTORE, RETIRE) == (ItemState.RETIRED, "because of retire")
    assert after(QUARANTINE) == (ItemState.QUARANTINED, "because of quarantine")
    assert after(QUARANTINE, RELEASE) == (ItemState.ACTIVE, "")


def test_releasing_does_not_undo_a_retirement_nor_restoring_a_quarantine() -> None:
    assert after(QUARANTINE, RETIRE, RELEASE)[0] is ItemState.RETIRED
    assert after(QUARANTINE, RETIRE, RESTORE) == (ItemState.QUARANTINED, "because of quarantine")


def test_the_outlier_rule_never_takes_a_released_item_again() -> None:
    assert after(outlier="far from its set") == (ItemState.QUARANTINED, "far from its set")
    assert after(RELEASE, outlier="far from its set") == (ItemState.ACTIVE, "")
    assert after(RELEASE, RETIRE, RESTORE, outlier="far from its set") == (ItemState.ACTIVE, "")
    assert after(RELEASE, QUARANTINE, outlier="far")[0] is ItemState.QUARANTINED
    assert Decisions.of([decided(RELEASE), decided(RETIRE)]).released == {"a"}
    assert Decisions.of([decided(RELEASE), decided(QUARANTINE)]).released == frozenset()


def test_what_the_crawl_found_stays_where_nobody_decided_otherwise() -> None:
    gone = ItemState.DISCONTINUED
    assert after(found=gone, reason="not in the feed") == (gone, "not in the feed")
    assert after(RELEASE, found=gone, reason="not in the feed", outlier="far") == (gone, "not in the feed")
    assert after(found=gone, reason="not in the feed", outlier="far") == (ItemState.QUARANTINED, "far")


def test_an_earlier_editions_states_are_undone_by_the_decision_made_for_it() -> None:
    assert after(found=ItemState.RETIRED, reason="old", outlier="far") == (ItemState.RETIRED, "old")
    assert after(RESTORE, found=ItemState.RETIRED, reason="old") == (ItemState.ACTIVE, "")
    assert after(RELEASE, found=ItemState.RETIRED, reason="old")[0] is ItemState.RETIRED
    assert after(found=ItemState.QUARANTINED, reason="old") == (ItemState.QUARANTINED, "old")
    assert after(RELEASE, found=ItemState.QUARANTINED, reason="old") == (ItemState.ACTIVE, "")


def test_decisions_are_applied_to_the_items_that_they_are_about() -> None:
    items = [ItemRow(item_id=name, model_id="M") for name in "abc"]
    decisions = Decisions.of([decided(RETIRE, "b", reason="withdrawn"), decided(RETIRE, "elsewhere")])
    found = decided_states(decisions, item_table(items), outliers={"c": "far from its set"})
    assert found == {"b": (ItemState.RETIRED, "withdrawn"), "c": (ItemState.QUARANTINED, "far from its set")}
