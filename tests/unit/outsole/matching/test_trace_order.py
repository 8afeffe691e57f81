"""Rows of a trace: each track once, in an order that multiplies nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.matching import trace_order
from outsole.matching.trace_order import TracePairs, look_ranks, order_rows
from outsole.video_answers import TraceOrder


def pairs(*rows: tuple[int, int, int, float, int]) -> TracePairs:
    """(track, model, print rank, shoe score, look rank) of each pair."""
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    tracks, models, print_ranks, scores, ranks = columns
    return TracePairs(tracks, models, print_ranks, scores.astype(np.float32), ranks)


MADE = pairs(
    # The right model is second in the print search, and its track resembles no other shoe more.
    (7, 70, 2, 0.80, 1),
    # The first model of the print search is worn by nobody: what resembles it most resembles others more.
    (8, 60, 1, 0.78, 40),
    # An upper that resembles everything.
    (9, 90, 30, 0.90, 9),
    (7, 90, 30, 0.85, 3),
)


def rows(order: TraceOrder, limit: int = 10) -> list[tuple[int, int]]:
    found = order_rows(MADE, order=order, limit=limit)
    return [(int(MADE.tracks[at]), int(MADE.models[at])) for at in found]


def test_each_order_is_what_it_says_and_names_each_track_once() -> None:
    assert rows(TraceOrder.JOINT_RANKS) == [(7, 70), (9, 90), (8, 60)]
    assert rows(TraceOrder.SHOE_SCORE) == [(9, 90), (7, 90), (8, 60)]
    assert rows(TraceOrder.PRINT_RANK) == [(8, 60), (7, 70), (9, 90)]
    assert rows(TraceOrder.PRINT_RANK, 1) == [(8, 60)]


@pytest.mark.parametrize("order", TraceOrder)
def test_equal_pairs_come_in_one_order_however_they_were_given(order: TraceOrder) -> None:
    given = [(track, 5, 1, 0.5, 1) for track in range(6)]
    for seed in range(4):
        shuffled = np.random.default_rng(seed).permutation(6)
        made = pairs(*(given[at] for at in shuffled))
        assert made.tracks[order_rows(made, order=order, limit=6)].tolist() == list(range(6))


def test_no_pairs_give_no_rows() -> None:
    none = TracePairs(*(np.empty(0, np.int64),) * 3, np.empty(0, np.float32), np.empty(0, np.int64))
    assert order_rows(none, limit=5).tolist() == []


def slowly(tracks: NDArray[np.float32], pictures: NDArray[np.float32], models: NDArray[np.int64]) -> list[list[int]]:
    """Rank of every model for every track, one by one."""
    found = []
    for track in tracks:
        best = {model: max(float(track @ p) for p in pictures[models == model]) for model in set(models.tolist())}
        found.append([1 + sum(other > best[model] for other in best.values()) for model in sorted(best)])
    return found


def test_look_ranks_count_the_models_that_resemble_a_track_more(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    tracks = rng.normal(size=(9, 6)).astype(np.float32)
    pictures = rng.normal(size=(40, 6)).astype(np.float32)
    # Numbers of models need not be without gaps.
    models = rng.integers(0, 12, 40) * 3
    known = np.unique(models)
    of_tracks, of_models = (grid.ravel() for grid in np.meshgrid(np.arange(9), known, indexing="ij"))
    expected = np.array(slowly(tracks, pictures, models)).ravel()
    for blocks in (8_192, 7):
        monkeypatch.setattr(trace_order, "_PICTURES_AT_ONCE", blocks)
        monkeypatch.setattr(trace_order, "_TRACKS_AT_ONCE", 4 if blocks == 7 else 512)
        found = look_ranks(tracks, pictures, models, of_tracks=of_tracks, of_models=of_models)
        assert found.tolist() == expected.tolist()


def test_no_pairs_have_no_look_ranks() -> None:
    none = np.empty(0, np.int64)
    assert look_ranks(np.empty((0, 4)), np.ones((3, 4)), np.arange(3), of_tracks=none, of_models=none).tolist() == []
    assert look_ranks(np.empty((0, 4)), np.empty((0, 4)), none, of_tracks=none, of_models=none).tolist() == []
