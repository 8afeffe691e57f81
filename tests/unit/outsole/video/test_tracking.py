"""Walk-pasts come out of sightings one for one: feet that hide each other, misses, crossings, chairs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import View
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.evaluation.track_scores import Boxes, TrackScores, track_scores
from outsole.video.tracking import Tracker, TrackingCounts
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.tracks import NO_WALK, Track
from tests.unit.outsole.video.made_sightings import (
    MadeScene,
    MadeSightings,
    MadeWalker,
    busy_scene,
    made_looks,
    made_sightings,
)

_SOURCE = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_LOOKS = made_looks(4)
_WALKER = MadeWalker(_LOOKS[0], 0.0, 4.0, (0.0, 600.0), (300.0, 0.0))
_THING = (400.0, 560.0, 440.0, 590.0)


def _tracked(
    made: MadeSightings, *, settings: TrackingSettings | None = None, chunk: int = 10**9
) -> tuple[list[Track], NDArray[np.int64], TrackingCounts]:
    """Tracks, the walk of every row, and the counts."""
    tracker = Tracker(_SOURCE, settings=settings)
    starts = range(0, len(made.sightings), chunk)
    steps = [tracker.update(made.sightings[i : i + chunk], made.vectors[i : i + chunk]) for i in starts]
    steps.append(tracker.close())
    walks = np.concatenate([step.walks for step in steps])
    assert walks[:, 0].tolist() == list(range(len(made.sightings)))
    return [track for step in steps for track in step.finished], walks[:, 1], tracker.counts


def _scores(made: MadeSightings, tracks: list[Track], walks: NDArray[np.int64]) -> TrackScores:
    owner = {part.walk: number for number, track in enumerate(tracks) for part in track.parts}
    owners = np.array([owner.get(walk, -1) for walk in walks.tolist()], np.int64)
    frames, boxes = np.array([one.frame for one in made.sightings]), np.array([one.box for one in made.sightings])
    found = Boxes(owners[owners >= 0], frames[owners >= 0], boxes[owners >= 0])
    truth = Boxes(np.array(made.true_walks), np.array(made.true_frames), np.array(made.true_boxes))
    return track_scores(truth, found, tracks=len(tracks))


def _sums(scenes: Iterator[MadeScene]) -> NDArray[np.float64]:
    """Recall, tracks a walk-past and false tracks of several scenes together."""
    rows = []
    for scene in scenes:
        made = made_sightings(scene)
        tracks, walks, _ = _tracked(made)
        scores = _scores(made, tracks, walks)
        rows.append((scores.found, scores.walks, scores.tracks - scores.false_tracks, scores.false_tracks))
    found, wanted, tracks_found, false = np.sum(rows, axis=0)
    return np.array([found / wanted, tracks_found / found, false])


@pytest.mark.parametrize(("missed", "missed_for_s"), [(0.5, 0.0), (0.3, 0.3)])
@pytest.mark.parametrize("rate", [12.5, 5.0])
def test_half_of_the_sightings_are_enough_for_nearly_one_track_a_walk_past(
    rate: float, missed: float, missed_for_s: float
) -> None:
    quality = {"missed": missed, "false": 0.05, "with_persons": 0.8, "rate": rate, "missed_for_s": missed_for_s}
    scenes = (replace(busy_scene(10, seed=seed), **quality) for seed in range(3))  # type: ignore[arg-type]
    recall, tracks_per_walk, false = _sums(scenes)
    assert recall >= 0.95 and tracks_per_walk <= 1.1 and false <= 2


def test_walkers_are_found_where_no_person_is() -> None:
    scenes = (replace(busy_scene(10, seed=seed), missed=0.4, false=0.05) for seed in range(3))
    recall, tracks_per_walk, false = _sums(scenes)
    assert recall >= 0.95 and tracks_per_walk <= 1.1 and false <= 2


@pytest.mark.parametrize("with_persons", [0.0, 0.9])
@pytest.mark.parametrize("missed", [0.0, 0.4])
def test_both_feet_of_a_walker_are_one_track(with_persons: float, missed: float) -> None:
    made = made_sightings(MadeScene((_WALKER,), with_persons=with_persons, missed=missed))
    tracks, walks, _ = _tracked(made)
    assert len(tracks) == 1
    assert tracks[0].facts.sightings == (walks != NO_WALK).sum() >= 0.95 * len(made.sightings)
    assert tracks[0].facts.side == tracks[0].facts.sightings
    assert tracks[0].facts.last_time_s > 3


@pytest.mark.parametrize("with_persons", [0.0, 0.9])
@pytest.mark.parametrize("rate", [5.0, 12.5, 25.0])
def test_walkers_who_cross_keep_their_tracks(rate: float, with_persons: float) -> None:
    other = MadeWalker(_LOOKS[1], 0.0, 4.0, (1200.0, 610.0), (-300.0, 0.0))
    made = made_sightings(MadeScene((_WALKER, other), rate=rate, with_persons=with_persons, missed=0.3))
    tracks, walks, _ = _tracked(made)
    scores = _scores(made, tracks, walks)
    assert (scores.found, scores.tracks, scores.identity_switches) == (2, 2, 0)


@pytest.mark.parametrize("with_persons", [0.0, 0.9])
def test_two_who_walk_side_by_side_stay_two(with_persons: float) -> None:
    other = MadeWalker(_LOOKS[1], 0.0, 4.0, (60.0, 615.0), (300.0, 0.0))
    made = made_sightings(MadeScene((_WALKER, other), with_persons=with_persons, missed=0.2))
    tracks, walks, _ = _tracked(made)
    assert _scores(made, tracks, walks).found == len(tracks) == 2


def test_feet_that_begin_as_two_walks_are_joined_where_a_person_shows_that_they_are_one_walkers() -> None:
    made = made_sightings(MadeScene((_WALKER,), with_persons=1.0))
    # With so short a reach every step tears the feet apart.
    settings = TrackingSettings(reach_lengths=0.8)
    tracks, _, counts = _tracked(made, settings=settings)
    assert counts.joined >= 1
    assert sum(track.facts.sightings for track in tracks) >= 0.8 * len(made.sightings)


def test_what_never_moves_is_counted_and_is_no_track() -> None:
    chair = (_THING, (450.0, 565.0, 490.0, 590.0), (800.0, 500.0, 860.0, 520.0))
    made = made_sightings(MadeScene((_WALKER,), things=chair, missed=0.3))
    tracks, _, counts = _tracked(made)
    assert len(tracks) == 1 and 2 <= counts.static <= 3
    assert tracks[0].facts.sightings <= 1.1 * (made.worn_by == 0).sum()


def test_one_who_stands_still_for_a_minute_and_goes_on_is_one_track() -> None:
    stands = replace(_WALKER, end_s=64.0, stands=(2.0, 62.0))
    for with_persons in (0.0, 0.9):
        tracks, _, counts = _tracked(
            made_sightings(MadeScene((stands,), missed=0.4, with_persons=with_persons, rate=6.0))
        )
        assert len(tracks) == 1 and counts.static == 0
        assert tracks[0].facts.first_time_s < 1 and tracks[0].facts.last_time_s > 63


def test_a_walk_past_ends_after_the_longest_gap_and_the_next_is_another() -> None:
    again = replace(_WALKER, start_s=8.0, end_s=12.0)
    made = made_sightings(MadeScene((_WALKER, again)))
    assert len(_tracked(made)[0]) == 2


def test_a_walk_past_is_told_when_the_source_has_gone_on_for_long_enough_though_nothing_is_seen() -> None:
    made = made_sightings(MadeScene((_WALKER,)))
    whole, _, counts = _tracked(made)
    tracker = Tracker(_SOURCE)
    steps = [tracker.update(made.sightings, made.vectors)]
    last_s = made.sightings[-1].time_s
    gap_s = TrackingSettings().longest_gap_s
    steps += [tracker.reach(last_s), tracker.reach(last_s + gap_s)]
    assert [step.finished for step in steps] == [(), (), ()]
    assert list(tracker.reach(last_s + gap_s + 0.01).finished) == whole
    assert tracker.close().finished == () and tracker.counts == counts


def test_tracks_do_not_depend_on_what_is_said_of_the_time() -> None:
    made = made_sightings(replace(busy_scene(6, seed=1), missed=0.3, false=0.05, with_persons=0.5))
    whole, _, counts = _tracked(made)
    tracker = Tracker(_SOURCE)
    told: list[Track] = []
    for index, sighting in enumerate(made.sightings):
        told += tracker.reach(sighting.time_s).finished
        told += tracker.update([sighting], made.vectors[index : index + 1]).finished
    told += tracker.close().finished
    assert sorted(told, key=lambda track: track.track_id) == sorted(whole, key=lambda track: track.track_id)
    assert tracker.counts == counts


def test_short_tracks_are_dropped_with_a_count() -> None:
    made = made_sightings(MadeScene((replace(_WALKER, end_s=0.3),)))
    tracks, _, counts = _tracked(made, settings=TrackingSettings(fewest_sightings=20))
    assert tracks == [] and counts.short == 1


def test_tracks_do_not_depend_on_how_the_sightings_are_cut() -> None:
    made = made_sightings(replace(busy_scene(6, seed=1), missed=0.3, false=0.05, with_persons=0.5))
    whole, walks, counts = _tracked(made)
    for chunk in (1, 7):
        others, other_walks, other_counts = _tracked(made, chunk=chunk)
        assert others == whole and other_counts == counts and (other_walks == walks).all()
        for one, other in zip(whole, others, strict=True):
            assert np.array_equal(one.embedding, other.embedding)  # type: ignore[arg-type]
    assert len({track.track_id for track in whole}) == len(whole)
    assert all(track.track_id.startswith(f"{_SOURCE[:16]}-{track.facts.first_frame:08d}-") for track in whole)


def test_a_track_knows_its_rows_by_the_walks_that_it_is_made_of() -> None:
    made = made_sightings(replace(busy_scene(6, seed=2), missed=0.3))
    tracks, walks, _ = _tracked(made)
    for track in tracks:
        rows = np.flatnonzero(np.isin(walks, [part.walk for part in track.parts]))
        assert len(rows) == track.facts.sightings
        assert {kept.row for kept in track.best} <= set(rows.tolist())
        assert made.sightings[rows[0]].frame == track.facts.first_frame


def test_the_same_shoe_seen_twice_in_a_place_counts_once() -> None:
    made = made_sightings(MadeScene((_WALKER,)))
    twice = [one for sighting in made.sightings for one in (sighting, replace(sighting, score=0.1))]
    made.sightings, made.vectors = twice, np.repeat(made.vectors, 2, axis=0)
    tracks, walks, counts = _tracked(made)
    assert counts.duplicates == len(twice) // 2 == (walks == NO_WALK).sum()
    assert tracks[0].facts.sightings == len(twice) // 2


def test_shoes_too_small_to_be_encoded_still_make_a_track() -> None:
    small = replace(_WALKER, length_px=30.0, velocity=(150.0, 0.0))
    made = made_sightings(MadeScene((small,), with_persons=0.9, missed=0.3))
    made.vectors[:] = np.nan
    (track,) = _tracked(made)[0]
    assert track.facts.too_small == track.facts.sightings
    assert track.embedding is None and track.best_frame.row == track.best[0].row


def test_one_who_comes_nearer_is_one_track() -> None:
    nearer = MadeWalker(_LOOKS[2], 0.0, 5.0, (600.0, 400.0), (20.0, 60.0), 50.0, View.FRONT, growth=0.15)
    for with_persons in (0.0, 0.9):
        made = made_sightings(MadeScene((nearer,), missed=0.4, with_persons=with_persons))
        (track,) = _tracked(made)[0]
        assert track.facts.front == track.facts.sightings >= 0.9 * len(made.sightings)


def test_the_state_does_not_grow_while_somebody_stands_in_view() -> None:
    stands = replace(_WALKER, end_s=900.0, stands=(1.0, 899.0))
    made = made_sightings(MadeScene((stands,), things=(_THING,), false=0.05, rate=2.0))
    tracker, sizes = Tracker(_SOURCE), []
    for start in range(0, len(made.sightings), 200):
        tracker.update(made.sightings[start : start + 200], made.vectors[start : start + 200])
        sizes.append(len(pickle.dumps(tracker)))
    assert len(sizes) > 10 and max(sizes[5:]) < 1.3 * max(sizes[:5])


def test_sightings_that_go_back_in_time_are_refused() -> None:
    made = made_sightings(MadeScene((_WALKER,)))
    tracker = Tracker(_SOURCE)
    tracker.update(made.sightings[:20])
    with pytest.raises(InvalidInput, match="order of time"):
        tracker.update(made.sightings[:1])
    with pytest.raises(InvalidInput, match="vectors"):
        tracker.update(made.sightings[20:22], made.vectors[:1])


def test_a_closed_tracker_takes_nothing_more() -> None:
    tracker = Tracker(_SOURCE)
    assert tracker.close().finished == ()
    with pytest.raises(PreconditionFailed):
        tracker.update([])


@pytest.mark.parametrize(
    ("name", "value"), [("longest_gap_s", float("nan")), ("fewest_sightings", 0), ("rest_lengths", -1)]
)
def test_settings_that_cannot_be_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=name):
        TrackingSettings(**{name: value})  # type: ignore[arg-type]
