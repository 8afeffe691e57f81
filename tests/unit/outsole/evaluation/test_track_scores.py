"""Scores of tracks agree with cases that were counted by hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.evaluation.track_scores import Boxes, TrackScores, boxes_on, rank_one, track_scores


def _boxes(rows: Iterable[tuple[int, int, float]]) -> Boxes:
    """Boxes of 10 x 10 pixels from (owner, frame, left)."""
    table = np.array(list(rows), np.float64).reshape(-1, 3)
    left = table[:, 2]
    return Boxes(
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1),
    )


def _walk(owner: int, frames: Iterable[int], left: float) -> list[tuple[int, int, float]]:
    return [(owner, frame, left) for frame in frames]


def _key(scores: TrackScores) -> tuple[float, float, int, int]:
    return scores.track_recall, scores.tracks_per_walk, scores.false_tracks, scores.identity_switches


_TRUTH = _boxes([*_walk(0, range(10), 0), *_walk(1, range(5, 15), 100)])


def test_tracks_that_are_the_truth_score_one() -> None:
    scores = track_scores(_TRUTH, _TRUTH)
    assert _key(scores) == (1.0, 1.0, 0, 0)
    assert scores.seen_share == 1 and scores.walk_of.tolist() == [0, 1]


def test_a_walk_past_is_found_where_one_track_spans_half_of_its_frames() -> None:
    five, four = _boxes(_walk(0, [0, 4], 0)), _boxes(_walk(0, [0, 3], 0))
    assert track_scores(_TRUTH, five).found == 1
    assert track_scores(_TRUTH, four).found == 0
    pieces = _boxes([*_walk(0, range(4), 0), *_walk(1, range(4, 8), 0)])
    assert track_scores(_TRUTH, pieces).found == 0


def test_two_tracks_of_a_walk_past_are_counted() -> None:
    pieces = _boxes([*_walk(0, range(6), 0), *_walk(1, range(6, 10), 0), *_walk(2, range(5, 15), 100)])
    assert _key(track_scores(_TRUTH, pieces)) == (1.0, 1.5, 0, 0)


def test_a_track_most_of_whose_boxes_lie_on_nobody_is_false() -> None:
    found = _boxes([*_walk(0, range(4), 0), *_walk(0, range(4, 9), 500), *_walk(1, range(10), 500)])
    scores = track_scores(_TRUTH, found, tracks=3)
    assert scores.walk_of.tolist() == [-1, -1, -1] and scores.false_tracks == scores.tracks == 3


def test_a_track_that_goes_over_to_another_walker_is_a_switch() -> None:
    found = _boxes([*_walk(0, range(8), 0), *_walk(0, range(8, 15), 100)])
    assert track_scores(_TRUTH, found).identity_switches == 1


def test_only_large_enough_shoes_are_to_be_found() -> None:
    large = (_TRUTH.owners == 1) & (_TRUTH.frames >= 13)
    truth = Boxes(_TRUTH.owners, _TRUTH.frames, _TRUTH.boxes, is_large_enough=large)
    scores = track_scores(truth, _boxes(_walk(0, [12, 13], 100)))
    assert (scores.walks, scores.found, scores.seen_share) == (1, 1, 0.5)


def test_nothing_found_is_no_recall_and_nothing_to_find_is_full_recall() -> None:
    nothing = _boxes([])
    assert _key(track_scores(_TRUTH, nothing)) == (0.0, 0.0, 0, 0)
    assert _key(track_scores(nothing, _TRUTH)) == (1.0, 0.0, 2, 0)
    assert track_scores(nothing, nothing).track_recall == 1


def test_boxes_lie_where_a_slow_search_puts_them() -> None:
    chance = np.random.default_rng(0)
    truth, found = (
        _boxes((0, frame, left) for frame, left in zip(chance.integers(0, 9, n), chance.uniform(0, 60, n), strict=True))
        for n in (80, 120)
    )
    slow = []
    for frame, box in zip(found.frames, found.boxes, strict=True):
        shared = np.where(truth.frames == frame, np.maximum(0, 10 - abs(truth.boxes[:, 0] - box[0])), 0)
        shares = shared / (20 - shared)
        slow.append(int(shares.argmax()) if shares.max() >= 0.3 else -1)
    assert boxes_on(truth, found).tolist() == slow


def test_rank_one_is_the_share_whose_nearest_item_shows_their_model() -> None:
    gallery = np.eye(4, dtype=np.float32)
    probes = gallery[[0, 1, 2, 2]]
    models = np.array([7, 7, 3, 7])
    assert rank_one(probes, models, gallery=gallery, gallery_models=np.array([7, 7, 3, 1])) == 0.75


def test_probes_whose_model_the_gallery_lacks_are_refused() -> None:
    gallery = np.eye(2, dtype=np.float32)
    with pytest.raises(InvalidInput, match="gallery_models"):
        rank_one(gallery, np.array([0, 5]), gallery=gallery, gallery_models=np.array([0, 1]))
    with pytest.raises(InvalidInput, match="models"):
        rank_one(gallery[:0], np.array([], np.int64), gallery=gallery, gallery_models=np.array([0, 1]))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="boxes"):
        Boxes(np.array([0]), np.array([0, 1]), np.zeros((1, 4)))
    with pytest.raises(InvalidInput, match="owners"):
        Boxes(np.array([-1]), np.array([0]), np.zeros((1, 4)))
