"""What people decide about tracks comes into force at once, and stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from indexer.video.hand_edits import edit_tracks
from indexer.video.index_videos import VideoIndexReport, index_videos
from outsole.errors import NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.track_rows import track_rows
from outsole.gallery.verification import verify_edition
from outsole.video.archive_files import read_tracks
from outsole.video.track_edits import choose, merge, split
from tests.unit.indexer.video.walks import CAMERA, OPTIONS, CountingFinder, walk_model, write_walk


def _index(root: Path, *clips: Path, finder: CountingFinder | None = None) -> VideoIndexReport:
    model = walk_model(finder)
    return asyncio.run(index_videos(clips, "hall", root=root, model=model, camera=CAMERA, options=OPTIONS))


def test_two_tracks_that_are_merged_are_one_row(tmp_path: Path) -> None:
    source_id = _index(tmp_path, write_walk(tmp_path / "a.mp4")).sources[0].source_id
    first, second = Edition.open(tmp_path, "hall").item_ids
    edition = edit_tracks(tmp_path, "hall", source_id, [merge(first, second, by="me")])
    (row,) = track_rows(edition.items)
    assert (row.item_id, row.sightings, row.last_frame) == (first, 46, 55)
    assert Edition.open(tmp_path, "hall").id == edition.id
    assert verify_edition(edition, every_vector=True).difference == ""


def test_a_track_that_is_split_is_two_rows_with_pictures(tmp_path: Path) -> None:
    source_id = _index(tmp_path, write_walk(tmp_path / "a.mp4")).sources[0].source_id
    first, _ = Edition.open(tmp_path, "hall").item_ids
    edition = edit_tracks(tmp_path, "hall", source_id, [split(first, 0.6, by="me")])
    assert [row.sightings for row in track_rows(edition.items)] == [11, 11, 24]
    assert all(edition.thumbnail_png(row) for row in range(3))


def test_a_frame_that_was_chosen_is_cut_out_of_the_video_again(tmp_path: Path) -> None:
    source_id = _index(tmp_path, write_walk(tmp_path / "a.mp4")).sources[0].source_id
    before = Edition.open(tmp_path, "hall")
    best = {kept.row for kept in read_tracks(before, source_id)[0].best}
    row = min(set(range(22)) - best)
    edition = edit_tracks(tmp_path, "hall", source_id, [choose(before.item_ids[0], row, by="me")])
    assert track_rows(edition.items)[0].best_frame == 4 + row
    assert edition.thumbnail_png(0) not in (b"", before.thumbnail_png(0))


def test_an_indexing_afterwards_keeps_to_what_was_decided(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(2)]
    source_id = _index(tmp_path, clips[0]).sources[0].source_id
    first, second = Edition.open(tmp_path, "hall").item_ids
    edition = edit_tracks(tmp_path, "hall", source_id, [merge(first, second, by="me")])
    finder = CountingFinder()
    assert _index(tmp_path, clips[0], finder=finder).edition == edition.id
    assert finder.frames == 0
    assert _index(tmp_path, clips[1]).in_all.tracks == 3


def test_an_edit_that_cannot_be_applied_is_not_recorded(tmp_path: Path) -> None:
    source_id = _index(tmp_path, write_walk(tmp_path / "a.mp4")).sources[0].source_id
    before = Edition.open(tmp_path, "hall")
    with pytest.raises(PreconditionFailed):
        edit_tracks(tmp_path, "hall", source_id, [split(before.item_ids[0], 99.0, by="me")])
    with pytest.raises(NotFound):
        edit_tracks(tmp_path, "hall", source_id, [split("another", 1.0, by="me")])
    with pytest.raises(NotFound):
        edit_tracks(tmp_path, "hall", "nobody", [split("another", 1.0, by="me")])
    assert Edition.open(tmp_path, "hall").id == before.id
    assert not (tmp_path / "hall" / "edits" / source_id / "track_edits.jsonl").exists()
