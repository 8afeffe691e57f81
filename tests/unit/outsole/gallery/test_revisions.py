"""A revision differs in states alone, shares every other file, and has the id that its content has."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from outsole.answers import ItemState
from outsole.errors import NotFound
from outsole.gallery.decisions import Decision, DecisionKind, read_decisions
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force, history, switch
from outsole.gallery.layout import list_editions
from outsole.gallery.revisions import decide, decided, revise
from tests.unit.outsole.gallery.made_editions import written

RETIRED = (ItemState.RETIRED, "withdrawn")


def test_only_the_items_and_the_manifest_are_written(tmp_path: Path) -> None:
    before = written(tmp_path)
    after = revise(before, {"item-003": RETIRED})
    shared = {p.name for p in after.folder.iterdir() if p.stat().st_ino == (before.folder / p.name).stat().st_ino}
    assert shared == {p.name for p in after.folder.iterdir()} - {"items.parquet", "manifest.json"}
    after.verify()
    item = after.item(3)
    assert (item.state, item.state_reason, item.model_id) == (*RETIRED, "model-003")
    assert before.item(3).state is ItemState.ACTIVE
    assert edition_in_force(tmp_path, "soles") == ""


def test_the_same_content_has_the_same_id_whichever_way_it_was_made(tmp_path: Path) -> None:
    revised = revise(written(tmp_path / "a"), {"item-003": RETIRED})
    assert written(tmp_path / "b", states={"item-003": RETIRED}).id == revised.id
    again = revise(written(tmp_path / "a"), {"item-003": RETIRED})
    assert (again.id, again.created) == (revised.id, revised.created)
    back = revise(revised, {"item-003": (ItemState.ACTIVE, "this is left out")})
    assert back.id == written(tmp_path / "b").id
    assert len(list_editions(tmp_path / "a", "soles")) == 2


def test_a_revision_that_changes_nothing_is_the_edition_itself(tmp_path: Path) -> None:
    edition = written(tmp_path)
    assert revise(edition, {}) is edition
    assert revise(edition, {"item-003": (ItemState.ACTIVE, "")}) is edition
    assert list_editions(tmp_path, "soles") == [edition.id]


def test_an_item_that_is_not_there_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    edition = written(tmp_path)
    with pytest.raises(NotFound, match="item-999"):
        revise(edition, {"item-999": RETIRED})
    assert [path.name for path in edition.folder.parent.iterdir()] == [edition.id]


def test_files_are_copied_where_they_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr("os.link", no_links)
    edition = written(tmp_path)
    revised = revise(edition, {"item-003": RETIRED})
    revised.verify()
    assert (revised.folder / "maps.npy").stat().st_ino != (edition.folder / "maps.npy").stat().st_ino


def test_a_damaged_revision_is_made_anew(tmp_path: Path) -> None:
    edition = written(tmp_path)
    table = revise(edition, {"item-003": RETIRED}).folder / "items.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"?")
    revise(edition, {"item-003": RETIRED}).verify()


def test_a_decision_is_written_down_and_in_force_at_once(tmp_path: Path) -> None:
    before = written(tmp_path)
    switch(tmp_path, "soles", before.id, reason="the first")
    decision = Decision(DecisionKind.RETIRE, "item-003", "withdrawn", "somebody")
    after = decide(tmp_path, "soles", decision)
    assert edition_in_force(tmp_path, "soles") == after.id != before.id
    assert history(tmp_path, "soles")[-1].reason == "retire item-003: withdrawn"
    assert decide(tmp_path, "soles", decision).id == after.id
    restored = decide(tmp_path, "soles", Decision(DecisionKind.RESTORE, "item-003", "it was another", "me"))
    assert restored.id == before.id
    # What a crawl writes later follows what was decided.
    decide(tmp_path, "soles", decision)
    assert decided(written(tmp_path, count=41)).item(3).state is ItemState.RETIRED


def test_a_release_from_quarantine_does_not_undo_a_retirement(tmp_path: Path) -> None:
    switch(tmp_path, "soles", written(tmp_path).id, reason="the first")
    for kind in (DecisionKind.RETIRE, DecisionKind.QUARANTINE, DecisionKind.RELEASE):
        edition = decide(tmp_path, "soles", Decision(kind, "item-003", "said so", "me"))
    assert edition.item(3).state is ItemState.RETIRED
    restored = decide(tmp_path, "soles", Decision(DecisionKind.RESTORE, "item-003", "said so", "me"))
    assert restored.item(3).state is ItemState.ACTIVE


def test_a_decision_about_an_unknown_item_is_not_written_down(tmp_path: Path) -> None:
    switch(tmp_path, "soles", written(tmp_path).id, reason="the first")
    with pytest.raises(NotFound):
        decide(tmp_path, "soles", Decision(DecisionKind.RETIRE, "item-999", "withdrawn", "me"))
    assert read_decisions(tmp_path, "soles") == ()


def test_decisions_that_are_made_at_once_are_all_in_force(tmp_path: Path) -> None:
    switch(tmp_path, "soles", written(tmp_path).id, reason="the first")
    names = [f"item-{number:03d}" for number in range(8)]

    def retire(name: str) -> None:
        decide(tmp_path, "soles", Decision(DecisionKind.RETIRE, name, "withdrawn", "me"))

    threads = [threading.Thread(target=retire, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = Edition.open(tmp_path, "soles").items["state"].to_pylist()
    assert states == ["retired"] * 8 + ["active"] * 32
