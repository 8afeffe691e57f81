"""A track keeps its best sightings, spread in time, and is one vector: their mean, as heavy as their grades."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.video.records import Grade, Sighting
from outsole.video.tracks import (
    KEPT_SPACING_S,
    MOST_KEPT,
    KeptSighting,
    SightingTable,
    Track,
    TrackFacts,
    TrackPart,
    best_of,
    track_embedding,
)


def _kept(
    row: int, *, weight: float = 0.5, time_s: float = 0.0, large: bool = True, vector: object = None
) -> KeptSighting:
    sighting = Sighting(
        frame=row,
        time_s=time_s,
        box=(0.0, 0.0, 60.0, 30.0),
        toe=(60.0, 30.0),
        heel=(0.0, 30.0),
        view=View.SIDE,
        score=0.9,
        person=None,
        grade=Grade(60.0, 0.5, 1.0, weight, large),
    )
    return KeptSighting(row, sighting, None if vector is None else np.array(vector, np.float32))


def test_the_embedding_is_the_mean_weighted_by_grade_and_of_unit_length() -> None:
    found = track_embedding([_kept(0, weight=0.9, vector=[1, 0]), _kept(1, weight=0.3, vector=[0, 1])])
    assert found is not None and found.dtype == np.float32
    assert found.tolist() == pytest.approx((np.array([0.9, 0.3]) / np.hypot(0.9, 0.3)).tolist(), abs=1e-6)


def test_what_is_too_small_or_has_no_vector_does_not_count() -> None:
    best = [_kept(0, vector=[1, 0]), _kept(1, vector=[0, 1], large=False), _kept(2)]
    found = track_embedding(best)
    assert found is not None and found.tolist() == [1, 0]
    assert track_embedding(best[1:]) is None


def test_grades_of_zero_weigh_alike_and_vectors_that_cancel_are_none() -> None:
    found = track_embedding([_kept(0, weight=0, vector=[1, 0]), _kept(1, weight=0, vector=[0, 1])])
    assert found is not None and found.tolist() == pytest.approx([0.5**0.5] * 2)
    assert track_embedding([_kept(0, vector=[1, 0]), _kept(1, vector=[-1, 0])]) is None


def test_the_best_are_few_spread_in_time_and_in_the_order_of_their_grades() -> None:
    chance = np.random.default_rng(0)
    many = [_kept(row, weight=float(chance.random()), time_s=row / 25, vector=[1, 0]) for row in range(500)]
    best = best_of(many)
    times = sorted(kept.sighting.time_s for kept in best)
    assert len(best) == MOST_KEPT
    assert all(second - first >= KEPT_SPACING_S for first, second in pairwise(times))
    weights = [kept.sighting.grade.weight for kept in best]
    assert weights == sorted(weights, reverse=True) and weights[0] == max(kept.sighting.grade.weight for kept in many)


def test_of_neighbours_the_better_stays_and_of_equals_the_earlier() -> None:
    soon = KEPT_SPACING_S / 2
    assert [kept.row for kept in best_of([_kept(0, weight=0.4), _kept(1, weight=0.6, time_s=soon)])] == [1]
    assert [kept.row for kept in best_of([_kept(1, time_s=soon), _kept(0)])] == [0]


def test_what_can_be_searched_goes_before_what_cannot() -> None:
    best = best_of([_kept(0, weight=0.9, large=False, vector=[1, 0]), _kept(1, weight=0.1, vector=[1, 0])])
    assert [kept.row for kept in best] == [1]


def test_facts_add_up_whatever_the_order() -> None:
    sightings = [_kept(row, time_s=row / 10, large=row > 1).sighting for row in range(4)]
    sightings[3] = replace(sightings[3], view=View.BACK, person=(0, 0, 9, 9))
    facts = [TrackFacts.of(sighting) for sighting in sightings]
    forward, back = facts[0], facts[3]
    for first, second in zip(facts[1:], facts[2::-1], strict=True):
        forward, back = forward + first, back + second
    assert forward == back == TrackFacts(0, 3, 0.0, 0.3, 4, 3, 0, 1, 2, 1)


def test_a_choice_is_shown_and_counts_in_the_vector() -> None:
    best, chosen = (_kept(0, vector=[1, 0]),), _kept(5, weight=0.5, vector=[0, 1])
    track = Track("a-0-0", (TrackPart(0),), TrackFacts.of(best[0].sighting), best, chosen=chosen)
    assert track.best_frame is chosen
    assert track.embedding is not None and track.embedding.tolist() == pytest.approx([0.5**0.5] * 2)


def _table(vectors: NDArray[np.float32] | None) -> SightingTable:
    sightings = [_kept(row, time_s=float(row)).sighting for row in range(6)]
    return SightingTable(sightings, np.array([0, 1, 0, -1, 1, 0]), vectors=vectors)


def test_the_table_gives_a_track_its_rows_of_its_own_walks_and_times() -> None:
    vectors = np.eye(6, dtype=np.float32)
    vectors[2] = np.nan
    facts = TrackFacts.of(_kept(0).sighting)
    track = Track("a-0-0", (TrackPart(0, 1.0), TrackPart(1, until_s=4.0)), facts, (_kept(0),))
    kept = _table(vectors).of(track)
    assert [one.row for one in kept] == [1, 2, 5]
    assert [one.vector is None for one in kept] == [False, True, False]
    assert [one.vector for one in _table(None).of(track)] == [None] * 3


def test_a_table_whose_columns_differ_in_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one a row"):
        _table(np.eye(5, dtype=np.float32))
