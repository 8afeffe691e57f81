"""Made galleries on disk: kept ones are not made again, and editions can differ in states alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.at_scale.made_gallery import (
    Batch,
    check_room,
    edition_batches,
    link_gallery,
    planned_rows,
    put_in_force,
    with_retired,
    write_gallery,
)
from outsole.answers import ItemState
from outsole.errors import InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import current_edition
from outsole.synthesis.made_editions import GalleryShape, plan_items

PLAN = plan_items(GalleryShape(items=20, models=9, models_per_tread=3), bases=3)
LIKE: dict[str, Any] = {"encoder_hash": "ab" * 32, "encoder_name": "test"}


def batches() -> Iterator[Batch]:
    for start in range(0, 20, 8):
        rows = planned_rows(PLAN, start, start + 8)
        yield rows, {"coarse": np.arange(start, start + len(rows), dtype=np.float32)[:, None] + np.zeros(3, np.float32)}


@pytest.fixture
def edition(tmp_path: Path) -> Edition:
    return write_gallery(tmp_path, "made", batches, count=20, like=LIKE)


def test_a_gallery_is_written_once_and_then_opened(tmp_path: Path, edition: Edition) -> None:
    def never() -> Iterator[Batch]:
        raise AssertionError("made again")

    assert write_gallery(tmp_path, "made", never, count=20, like=LIKE).id == edition.id


def test_a_gallery_of_another_seed_is_made_again(tmp_path: Path, edition: Edition) -> None:
    again = write_gallery(tmp_path, "made", batches, count=20, like={**LIKE, "seed": 2})
    assert again.id == edition.id
    assert (tmp_path / "made" / "made.json").read_text().count("seed") == 1


def test_what_a_killed_run_had_begun_is_removed(tmp_path: Path) -> None:
    begun = tmp_path / "made" / "editions" / ".new-feed"
    begun.mkdir(parents=True)
    write_gallery(tmp_path, "made", batches, count=20, like=LIKE)
    assert not begun.exists()


def test_the_first_items_of_an_edition_are_a_gallery_of_their_own(tmp_path: Path, edition: Edition) -> None:
    small = write_gallery(tmp_path, "small", lambda: edition_batches(edition, 7), count=7, like=LIKE)
    assert small.item_ids == edition.item_ids[:7]
    np.testing.assert_array_equal(small.array("coarse"), edition.array("coarse")[:7])


def test_an_edition_with_other_states_shares_the_arrays(tmp_path: Path, edition: Edition) -> None:
    other = with_retired(edition, [2, 5])
    other.verify()
    assert other.id != edition.id
    assert with_retired(edition, [5, 2]).id == other.id
    assert [row for row in range(20) if other.item(row).state is ItemState.RETIRED] == [2, 5]
    arrays = (each.folder / "coarse.npy" for each in (edition, other))
    assert next(arrays).samefile(next(arrays))
    assert current_edition(tmp_path, "made") == edition.id
    put_in_force(other)
    assert current_edition(tmp_path, "made") == other.id


def test_a_linked_gallery_is_read_where_it_lies(tmp_path: Path, edition: Edition) -> None:
    link_gallery(tmp_path / "home", tmp_path, "made")
    assert Edition.open(tmp_path / "home" / "editions", "made").id == edition.id
    with pytest.raises(NotFound):
        link_gallery(tmp_path / "home", tmp_path, "other")


def test_too_small_a_disk_is_said_before_the_work(tmp_path: Path) -> None:
    check_room(tmp_path, 0)
    with pytest.raises(InvalidInput, match="GiB free"):
        check_room(tmp_path, 1 << 60)
