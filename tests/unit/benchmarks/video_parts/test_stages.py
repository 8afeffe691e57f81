"""Long videos out of short ones, and what counts as growth."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from benchmarks.video_parts.looking import PlainEncoder
from benchmarks.video_parts.stages import DECODE, Recorded, growth, looped, pipeline_metrics
from indexer.video.index_videos import VideoIndexReport
from outsole.imaging.shoe_crops import CROP_PX
from outsole.video.opening import open_source
from outsole.video_answers import Coverage


def test_a_video_is_repeated_without_being_drawn_again(made_video: Path, tmp_path: Path) -> None:
    assert looped(made_video, tmp_path / "long.mp4", seconds=20.0) == 3
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


def test_what_costs_more_than_its_parts_is_told_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    networks = {"footwear_detector": 4.0, "shoe_key_points": 1.0, "body_pose": 1.0, "some_encoder": 1.0}
    report = VideoIndexReport(
        archive="measured",
        edition="e",
        tracks=1,
        sources=(),
        coverage=Coverage(received=20, decoded=10),
        in_all=Coverage(),
        reused=0,
        rejects=(),
        problems=(),
        is_new=True,
        seconds=10.0,
        stage_seconds={"decode": 1.5, "find": 9.0, "encode": 2.0, "write": 0.5},
    )
    metrics = pipeline_metrics({DECODE: 1.0, **networks}, report)
    assert metrics["pipeline_ratio"] == pytest.approx(0.8)
    assert (metrics["pipeline_fps"], metrics["bare_fps"]) == (1.0, 1.25)
    assert (metrics["find_ms"], metrics["bare_body_pose_ms"]) == (900.0, 100.0)
    told = {line[:30].strip(): line.split()[-2:] for line in capsys.readouterr().out.splitlines()}
    assert told["find"] == ["600.00", "900.00"]
    assert told["all, by the clock"] == ["800.00", "1000.00"]


def test_a_network_remembers_what_it_is_asked_until_it_forgets() -> None:
    network = Recorded(PlainEncoder(lambda crops: crops.reshape(len(crops), -1)[:, :4].astype(np.float32)))

    async def asked() -> int:
        crops = np.full((2, *CROP_PX, 3), 9, np.uint8)
        found = await network.encode(crops, timeout_s=1.0)
        assert found["embedding"].tolist() == [[0.5] * 4] * 2
        (first,) = network.forgotten()
        assert first is crops
        await network.encode(crops, timeout_s=1.0)
        return len(network.forgotten())

    assert asyncio.run(asked()) == 0
