"""Slices are looked at whole or not at all, and wait for networks that come back."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer.video.model import VideoModel
from indexer.video.slices import BrokenSource, SliceLooker, Spent, Unheard
from indexer.video.sources import VideoSource, read_sources
from indexer.video.work import SliceNotes, VideoWork
from outsole.errors import Overloaded
from outsole.video.finding import FoundShoes
from outsole.video.records import Frame
from tests.unit.indexer.video.walks import CAMERA, FRAMES, SETTINGS, SHOES, CountingFinder, walk_model, write_walk


class _BusyFinder(CountingFinder):
    """Has too much to do the first time that it is asked; notes how many frames are with it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = self.now = self.most = 0

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        self.calls += 1
        if self.calls == 1:
            raise Overloaded("busy")
        self.now += len(frames)
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)
        self.now -= len(frames)
        return await super().find(frames, timeout_s=timeout_s)


def _source(clip: Path, work: VideoWork, slice_s: float = 30.0) -> VideoSource:
    return read_sources([clip], CAMERA, work=work, slice_s=slice_s).sources[0]


def _look(source: VideoSource, work: VideoWork, model: VideoModel, *, patience_s: float = 0.0) -> SliceNotes:
    settings = dataclasses.replace(SETTINGS, patience_s=patience_s)
    return asyncio.run(SliceLooker(model, work, settings, spent=Spent()).look(source.slices[0], Unheard()))


def test_a_network_that_is_busy_is_asked_again_until_patience_ends(tmp_path: Path) -> None:
    work = VideoWork(tmp_path / "work")
    source = _source(write_walk(tmp_path / "a.mp4"), work)
    with pytest.raises(Overloaded):
        _look(source, work, walk_model(_BusyFinder()))
    assert work.notes(source.slices[0]) is None
    assert _look(source, work, walk_model(_BusyFinder()), patience_s=5.0).counts.searched == len(SHOES)


def test_no_more_frames_are_taken_on_than_the_networks_may_have(tmp_path: Path) -> None:
    work, finder = VideoWork(tmp_path / "work"), _BusyFinder()
    _look(_source(write_walk(tmp_path / "a.mp4"), work), work, walk_model(finder), patience_s=5.0)
    assert finder.frames == FRAMES
    assert finder.most == SETTINGS.batch_frames * SETTINGS.requests_in_flight


def test_a_slice_that_was_cut_short_on_disk_is_looked_at_again(tmp_path: Path) -> None:
    work, finder = VideoWork(tmp_path / "work"), CountingFinder()
    source = _source(write_walk(tmp_path / "a.mp4"), work)
    before = _look(source, work, walk_model(finder))
    (path,) = (tmp_path / "work").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    assert _look(source, work, walk_model(finder)) == before
    assert finder.frames == 2 * FRAMES


def test_a_video_that_goes_away_is_broken_and_nothing_is_kept(tmp_path: Path) -> None:
    work = VideoWork(tmp_path / "work")
    source = _source(write_walk(tmp_path / "a.mp4"), work)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(BrokenSource, match="no file"):
        _look(source, work, walk_model())
    assert work.notes(source.slices[0]) is None


def test_slices_cover_a_video_and_the_last_has_no_end(tmp_path: Path) -> None:
    work = VideoWork(tmp_path / "work")
    slices = _source(write_walk(tmp_path / "a.mp4"), work, slice_s=1.0).slices
    assert [(task.start_s, task.end_s) for task in slices] == [(0.0, 1.0), (1.0, 2.0), (2.0, None)]


def test_the_sum_of_slices_is_the_whole(tmp_path: Path) -> None:
    work, parts = VideoWork(tmp_path / "work"), VideoWork(tmp_path / "parts")
    clip = write_walk(tmp_path / "a.mp4")
    whole = _look(_source(clip, work), work, walk_model())
    looker = SliceLooker(walk_model(), parts, SETTINGS)

    async def looked() -> SliceNotes:
        notes = SliceNotes()
        for task in _source(clip, parts, slice_s=0.7).slices:
            notes += await looker.look(task, Unheard())
        return notes

    assert asyncio.run(looked()) == whole
