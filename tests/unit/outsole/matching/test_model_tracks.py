"""Pictures of models, and the best tracks of each over archives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.errors import PreconditionFailed
from outsole.gallery.store import Candidates
from outsole.matching.model_tracks import ModelPictures, ModelTracks, check_comparable
from tests.unit.services.made_archives import made_vectors, write_archive, write_shoes


def test_pictures_of_models_are_found_and_those_of_others_left_out(tmp_path: Path) -> None:
    shoes = write_shoes(tmp_path, ["a", "b", "a", "c"], made_vectors(4))
    codes, rows = shoes.group_codes(), np.array([0, 1, 2, 3])
    pictures = ModelPictures.of(["c", "none", "a"], shoes, rows=rows, codes=codes)
    assert pictures.counts == (1, 0, 2)
    assert [(row, owner) for row, owner in zip(pictures.shown, pictures.owner, strict=True)] == [(0, 2), (2, 2), (3, 0)]
    assert (pictures.of_models >= 0).tolist() == [True, False, True]
    # What takes no part in searches is no picture.
    assert ModelPictures.of(["a"], shoes, rows=rows[1:], codes=codes).counts == (1,)


def test_a_track_has_the_score_of_the_best_picture_and_ties_go_by_archive_and_row() -> None:
    found = Candidates(
        np.array([[4, 2, -1], [2, 7, 4]]), np.array([[0.5, 0.25, -np.inf], [0.75, 0.5, 0.125]], np.float32)
    )
    both = ModelTracks.of_archive(found, np.array([0, 0]), 1)
    other = ModelTracks.of_archive(Candidates(np.array([[9]]), np.array([[0.5]], np.float32)), np.array([0]), 0)
    best = ModelTracks.joined([both, other]).best(3)
    assert list(zip(best.archives, best.rows, best.scores, strict=True)) == [(1, 2, 0.75), (0, 9, 0.5), (1, 4, 0.5)]
    assert best.ranks().tolist() == [1, 2, 3]


def test_ranks_begin_anew_with_each_model() -> None:
    numbers = np.array([0, 0, 2, 2, 2])
    tracks = ModelTracks(numbers, np.zeros(5, int), np.arange(5), np.array([1, 2, 3, 4, 5], np.float32))
    assert tracks.best(2).ranks().tolist() == [1, 2, 1, 2]
    assert tracks.best(2).rows.tolist() == [1, 0, 4, 3]
    assert len(ModelTracks.joined([]).best(5).rows) == 0


def test_editions_of_different_encoders_are_not_compared(tmp_path: Path) -> None:
    shoes = write_shoes(tmp_path, ["a"], made_vectors(1))
    check_comparable(write_archive(tmp_path, "site"), shoes, field="archives[0]")
    with pytest.raises(PreconditionFailed) as caught:
        check_comparable(write_archive(tmp_path, "old", encoder=("old", "cd" * 32)), shoes, field="archives[1]")
    assert caught.value.field == "archives[1]"
