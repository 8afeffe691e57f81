"""What the benchmark of tracks says of sightings whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.video_parts.scene import catalogue, made_videos, truth_of
from benchmarks.video_parts.tracks import compare, losses, rank_metrics, sampled, track_metrics
from outsole.imaging.shoe_crops import CROP_PX
from outsole.synthesis.scene_pictures import ShoeTruth
from tests.unit.benchmarks.video_parts.made_sightings import PLAN, seen_of


def test_a_scene_is_drawn_once(made_video: Path) -> None:
    before = made_video.stat().st_mtime_ns
    assert made_videos(PLAN, made_video.parent) == [made_video]
    assert made_video.stat().st_mtime_ns == before


def test_a_perfect_detector_finds_the_walk_past_in_one_track(truth: tuple[ShoeTruth, ...]) -> None:
    metrics = track_metrics(compare([seen_of(truth)], [truth], PLAN).scores)
    assert (metrics["track_recall"], metrics["tracks_per_walk"], metrics["false_tracks"]) == (1, 1, 0)


def test_two_videos_do_not_share_frames(truth: tuple[ShoeTruth, ...]) -> None:
    other = tuple(replace(shoe, walk_id="cam02-001") for shoe in truth)
    scores = compare([seen_of(truth), seen_of(other)], [truth, other], PLAN).scores
    assert (scores.walks, scores.found, scores.tracks, scores.identity_switches) == (2, 2, 2, 0)


def test_a_track_of_the_right_model_is_at_rank_one(truth: tuple[ShoeTruth, ...]) -> None:
    worn = int(truth_of([truth], [0], PLAN.shoes).models[0])

    gallery, numbers = np.eye(4, 8, dtype=np.float32), np.arange(4)
    right = rank_metrics(compare([seen_of(truth, model=worn)], [truth], PLAN), gallery, numbers)
    wrong = rank_metrics(compare([seen_of(truth, model=(worn + 1) % 4)], [truth], PLAN), gallery, numbers)
    assert (right["track_rank1"], right["frame_rank1"], right["tracks_searchable"]) == (1, 1, 1)
    assert (wrong["track_rank1"], wrong["frame_rank1"]) == (0, 0)


def test_losses_of_every_row_sum_to_all_of_it(truth: tuple[ShoeTruth, ...]) -> None:
    rows = losses(compare([seen_of(truth[::2])], [truth], PLAN))
    assert rows
    assert all(sum(float(share) for share in row[3:]) == pytest.approx(100) for row in rows)
    assert any(0 < float(row[3]) < 100 for row in rows)


def test_only_the_truth_of_frames_that_are_looked_at_counts(truth: tuple[ShoeTruth, ...]) -> None:
    frames = {shoe.frame for shoe in sampled(truth, 0.2)}
    assert frames == {frame for frame in {shoe.frame for shoe in truth} if frame % 3 == 0}
    assert sampled(truth, None) == truth


def test_the_catalogue_shows_each_model_from_three_sides() -> None:
    crops, models = catalogue(PLAN.shoes[:2])
    assert crops.shape == (6, *CROP_PX, 3)
    assert models.tolist() == [0, 0, 0, 1, 1, 1]
