"""Editions side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.answers import ItemState
from outsole.errors import NotFound
from outsole.gallery.history import mark_retired, switch
from outsole.gallery.overview import diff, overview
from outsole.gallery.revisions import revise
from tests.unit.outsole.gallery.made_editions import written


def test_every_edition_is_listed_with_its_marks(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = revise(first, {"item-000": (ItemState.RETIRED, "x")})
    third = written(tmp_path, count=7)
    for edition in (first, second):
        switch(tmp_path, "soles", edition.id, reason="published")
    mark_retired(tmp_path, "soles", first.id, reason="old")
    (third.folder / "maps.npy").unlink()
    found = {info.edition: info for info in overview(tmp_path, "soles")}
    assert set(found) == {first.id, second.id, third.id}
    assert (found[first.id].retired, found[first.id].in_force, found[first.id].in_force_since) == (True, False, "")
    assert (found[second.id].in_force, found[second.id].states) == (True, {"active": 39, "retired": 1})
    assert found[second.id].in_force_since
    assert "maps.npy" in found[third.id].damage


def test_a_gallery_without_editions_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        overview(tmp_path, "soles")


def test_a_difference_is_added_gone_metadata_picture_or_state(tmp_path: Path) -> None:
    before = written(tmp_path, count=5)
    after = revise(written(tmp_path, count=6), {"item-001": (ItemState.QUARANTINED, "far from the others")})
    found = diff(before, after)
    assert found.counts == {"added": 1, "gone": 0, "metadata": 0, "picture": 0, "state": 1}
    assert [(c.item_id, c.kind, c.before, c.after) for c in found.changes] == [
        ("item-001", "state", "state=active", "state=quarantined state_reason=far from the others"),
        ("item-005", "added", "", "model_id=model-005"),
    ]
    assert diff(after, before).counts["gone"] == 1
    assert diff(before, before).changes == ()
