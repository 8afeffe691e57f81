"""Slices that Ray spreads over processes give the same edition."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from indexer.video.index_videos import VideoIndexReport, VideoOptions, index_videos
from indexer.video.model import VideoModel
from outsole.errors import Unavailable
from tests.unit.indexer.video.walks import (
    CAMERA,
    OPTIONS,
    CountingFinder,
    MeanShoeEncoder,
    opened_model,
    walk_model,
    write_walk,
)


def _index(clip: Path, root: Path, options: VideoOptions, finder: CountingFinder) -> VideoIndexReport:
    model = walk_model(finder)
    return asyncio.run(index_videos([clip], "hall", root=root, model=model, camera=CAMERA, options=options))


@asynccontextmanager
async def _opened_without_encoder() -> AsyncIterator[VideoModel]:
    yield walk_model(encoder=MeanShoeEncoder(gone_after=0))


@pytest.mark.usefixtures("local_ray")
def test_ray_makes_the_same_edition_as_one_process(tmp_path: Path) -> None:
    clip, finder = write_walk(tmp_path / "a.mp4"), CountingFinder()
    here = _index(clip, tmp_path / "here", OPTIONS, CountingFinder())
    on_ray = _index(clip, tmp_path / "ray", dataclasses.replace(OPTIONS, on_ray=opened_model), finder)
    assert on_ray.edition == here.edition
    assert on_ray.coverage == here.coverage
    assert finder.frames == 0


@pytest.mark.usefixtures("local_ray")
def test_an_encoder_that_is_away_ends_an_indexing_on_ray_as_it_does_here(tmp_path: Path) -> None:
    options = dataclasses.replace(OPTIONS, on_ray=_opened_without_encoder)
    with pytest.raises(Unavailable, match="encoder is away"):
        _index(write_walk(tmp_path / "a.mp4"), tmp_path / "root", options, CountingFinder())
