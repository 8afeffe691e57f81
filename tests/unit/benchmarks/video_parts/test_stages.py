"""Long videos out of short ones, and what counts as growth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.video_parts.looking import described, joined
from benchmarks.video_parts.scene import ScenePlan, made_videos
from benchmarks.video_parts.stages import growth, looped
from outsole.imaging.shoe_crops import CROP_PX
from outsole.video.opening import open_source


def test_a_video_is_repeated_without_being_drawn_again(tmp_path: Path) -> None:
    (video,) = made_videos(ScenePlan(cameras=1, models=2, walks=1, seconds=8.0), tmp_path / "scene")
    assert looped(video, tmp_path / "long.mp4", seconds=20.0) == 3
    probe = open_source(tmp_path / "long.mp4").probe()
    assert probe.frames == 360
    assert probe.duration_s == pytest.approx(24.0, abs=0.01)
    with open_source(tmp_path / "long.mp4").frames(step=120) as reading:
        pictures = [frame.rgb for frame in reading]
    assert len(pictures) == 3
    assert all((picture == pictures[0]).all() for picture in pictures)


def test_growth_is_that_of_the_second_half_over_the_first_after_the_warm_up() -> None:
    assert growth([10.0, 10.0, *[100.0] * 9, *[110.0] * 9])["rss_growth_pct"] == pytest.approx(10.0)
    assert growth([100.0])["rss_growth_pct"] == 0.0


def test_vectors_stand_where_their_crops_are() -> None:
    crop = np.ones((*CROP_PX, 3), np.uint8)
    vectors = described([None, crop], lambda crops: np.full((len(crops), 4), 0.5, np.float32))
    assert np.isnan(vectors[0]).all()
    assert vectors[1].tolist() == [0.5] * 4
    both = joined([described([None], lambda crops: np.empty((0, 4), np.float32)), vectors])
    assert both.shape == (3, 4)
    assert np.isfinite(both).all(axis=1).tolist() == [False, False, True]
