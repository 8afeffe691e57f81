"""One made video for all tests of the benchmark's parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.video_parts.scene import made_videos
from outsole.synthesis.scene_files import read_truth
from outsole.synthesis.scene_pictures import ShoeTruth
from tests.unit.benchmarks.video_parts.made_sightings import PLAN


@pytest.fixture(scope="session")
def made_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video of `PLAN`."""
    (video,) = made_videos(PLAN, tmp_path_factory.mktemp("made") / "scene")
    return video


@pytest.fixture(scope="session")
def truth(made_video: Path) -> tuple[ShoeTruth, ...]:
    """What it shows."""
    return read_truth(made_video)
