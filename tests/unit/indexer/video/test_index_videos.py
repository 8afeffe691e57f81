"""Videos become tracks in the edition of an archive, and what is wrong with one costs only itself."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from indexer.video.coverage import read_source_rows
from indexer.video.index_videos import VideoIndexReport, VideoOptions, index_videos
from indexer.video.model import VideoModel
from indexer.video.sources import CameraPlan
from outsole.errors import InvalidInput, PreconditionFailed, Unavailable
from outsole.gallery.editions import Edition
from outsole.gallery.track_rows import NEVER_BEGUN, NEVER_ENDED, track_rows
from outsole.gallery.verification import check_own_vectors, verify_edition
from outsole.matching.shoe_system import SHOE
from outsole.video.archive_files import read_crops, read_sightings, read_tracks
from outsole.video_answers import Coverage
from tests.unit.indexer.video.walks import (
    CAMERA,
    FRAMES,
    OPTIONS,
    SETTINGS,
    SHOES,
    CountingFinder,
    MeanShoeEncoder,
    walk,
    walk_model,
    write_walk,
)


def _index(
    files: Sequence[Path],
    root: Path,
    *,
    model: VideoModel | None = None,
    camera: CameraPlan = CAMERA,
    options: VideoOptions = OPTIONS,
) -> VideoIndexReport:
    return asyncio.run(
        index_videos(files, "hall", root=root, model=model or walk_model(), camera=camera, options=options)
    )


def test_a_walk_past_is_a_track_with_its_times_and_its_best_frame(tmp_path: Path) -> None:
    report = _index([write_walk(tmp_path / "door_20240131_120000.mp4")], tmp_path / "root")
    edition = Edition.open(tmp_path / "root", "hall")
    first, second = track_rows(edition.items)
    assert (first.first_frame, first.last_frame, first.sightings) == (4, 25, 22)
    assert (second.first_frame, second.last_frame) == (32, 55)
    assert first.start_ms == 1000 * datetime.datetime(2024, 1, 31, 12, tzinfo=datetime.UTC).timestamp() + 160
    assert edition.array(SHOE).shape == (2, 96)
    assert np.allclose(np.linalg.norm(np.asarray(edition.array(SHOE), np.float32), axis=1), 1.0, atol=2e-3)
    assert edition.thumbnail_png(0).startswith(b"\x89PNG")
    assert verify_edition(edition, every_vector=True).difference == ""
    assert report.is_new and report.tracks == 2


def test_the_coverage_counts_every_frame_and_every_shoe(tmp_path: Path) -> None:
    report = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root")
    assert report.coverage == dataclasses.replace(
        Coverage(), sources=1, duration_s=FRAMES / 25, received=FRAMES, decoded=FRAMES,
        with_shoes=len(SHOES), shoes=len(SHOES), searched=len(SHOES), tracks=2,
    )  # fmt: skip
    assert report.in_all == report.coverage
    assert report.sources == read_source_rows(Edition.open(tmp_path / "root", "hall"))
    assert set(report.stage_seconds) == {"read", "decode", "find", "crop", "encode", "track", "write"}


def test_frames_in_between_are_skipped_and_counted(tmp_path: Path) -> None:
    options = dataclasses.replace(OPTIONS, settings=dataclasses.replace(SETTINGS, every_s=0.08))
    found = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root", options=options).coverage
    assert (found.received, found.decoded, found.skipped) == (FRAMES, FRAMES // 2, FRAMES // 2)


def test_a_time_that_nobody_knows_is_in_no_range(tmp_path: Path) -> None:
    _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root")
    rows = track_rows(Edition.open(tmp_path / "root", "hall").items)
    assert {(row.start_ms, row.end_ms) for row in rows} == {(NEVER_BEGUN, NEVER_ENDED)}


def test_the_archive_keeps_what_people_need_to_change_tracks(tmp_path: Path) -> None:
    report = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root")
    edition, source_id = Edition.open(tmp_path / "root", "hall"), report.sources[0].source_id
    tracks = read_tracks(edition, source_id)
    table = read_sightings(edition, source_id)
    assert [track.track_id for track in tracks] == list(edition.item_ids)
    assert [len(table.of(track)) for track in tracks] == [22, 24]
    assert np.allclose(np.asarray(tracks[0].embedding), np.asarray(edition.array(SHOE)[0], np.float32), atol=1e-3)
    rows = [kept.row for kept in tracks[0].best]
    assert read_crops(edition, source_id, rows).keys() == set(rows)


def test_the_same_command_twice_changes_nothing(tmp_path: Path) -> None:
    clip = write_walk(tmp_path / "a.mp4")
    first = _index([clip], tmp_path / "root")
    finder = CountingFinder()
    second = _index([clip], tmp_path / "root", model=walk_model(finder))
    assert (second.edition, second.is_new, second.reused, finder.frames) == (first.edition, False, 1, 0)


def test_a_file_that_is_added_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(3)]
    whole = _index(clips, tmp_path / "whole")
    _index(clips[:2], tmp_path / "root")
    before = Edition.open(tmp_path / "root", "hall")
    finder = CountingFinder()
    added = _index(clips[2:], tmp_path / "root", model=walk_model(finder))
    after = Edition.open(tmp_path / "root", "hall")
    assert finder.frames == FRAMES
    assert added.edition == whole.edition and added.in_all.sources == 3
    kept = [name for name in before.manifest.files if name.startswith(("sightings-", "tracks-", "crops-"))]
    assert len(kept) == 6
    assert all((after.folder / name).samefile(before.folder / name) for name in kept)


def test_the_same_original_twice_is_one_source(tmp_path: Path) -> None:
    clip = write_walk(tmp_path / "a.mp4")
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    assert _index([clip, copy], tmp_path / "root").coverage.sources == 1


def _truncated(path: Path, clip: Path) -> Path:
    data = clip.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def _audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 48_000), np.float32), format="fltp", layout="stereo")
        sound.rate = 48_000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


def test_files_that_cannot_be_used_cost_only_themselves(tmp_path: Path) -> None:
    clip = write_walk(tmp_path / "a.mp4")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    bad = [_truncated(tmp_path / "cut.mp4", clip), _audio_only(tmp_path / "sound.m4a"), empty, tmp_path / "none.mp4"]
    told: list[str] = []
    options = dataclasses.replace(OPTIONS, on_rejects=lambda rejects: told.extend(r.path for r in rejects))
    report = _index([bad[0], clip, *bad[1:]], tmp_path / "root", options=options)
    assert [reject.row for reject in report.rejects] == [1, 3, 4, 5]
    assert "only sound" in report.rejects[1].reason and "0 bytes" in report.rejects[2].reason
    assert told == [str(path) for path in bad]
    alone = _index([clip], tmp_path / "alone")
    edition, other = (Edition.open(tmp_path / root, "hall") for root in ("root", "alone"))
    assert report.coverage == alone.coverage
    assert edition.items.equals(other.items)
    assert (edition.folder / "rejects.csv").read_text().count("\n") == 5


def test_a_file_that_ends_early_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    with_index_in_front = tmp_path / "a.mkv"
    write_walk(with_index_in_front)
    data = with_index_in_front.read_bytes()
    with_index_in_front.write_bytes(data[: int(len(data) * 0.6)])
    report = _index([with_index_in_front], tmp_path / "root")
    assert 0 < report.coverage.decoded < FRAMES
    assert report.sources[0].issues


def test_where_nobody_walks_past_the_archive_still_says_what_was_looked_at(tmp_path: Path) -> None:
    report = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root", model=walk_model(CountingFinder([])))
    edition = Edition.open(tmp_path / "root", "hall")
    assert (report.tracks, report.coverage.decoded, len(edition)) == (0, FRAMES, 0)
    assert edition.array(SHOE).shape == (0, 96)
    assert check_own_vectors(edition) == 0
    assert verify_edition(edition).difference == ""


def test_where_every_walk_is_too_short_vectors_still_have_their_length(tmp_path: Path) -> None:
    tracking = dataclasses.replace(SETTINGS.tracking, fewest_sightings=FRAMES)
    options = dataclasses.replace(OPTIONS, settings=dataclasses.replace(SETTINGS, tracking=tracking))
    report = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root", options=options)
    assert (report.tracks, report.coverage.searched) == (0, len(SHOES))
    assert Edition.open(tmp_path / "root", "hall").array(SHOE).shape == (0, 96)


def test_shoes_too_small_to_search_are_counted_and_not_searched(tmp_path: Path) -> None:
    small = [
        dataclasses.replace(shoe, toe=(shoe.heel[0] + 20.0, 100.0)) for shoe in walk(4, 30) if shoe.heel is not None
    ]
    encoder = MeanShoeEncoder()
    report = _index(
        [write_walk(tmp_path / "a.mp4")], tmp_path / "root", model=walk_model(CountingFinder(small), encoder)
    )
    found = report.coverage
    assert (found.shoes, found.too_small, found.searched, found.tracks, report.tracks) == (26, 26, 0, 1, 0)


def test_what_was_seen_before_the_encoder_went_away_is_not_looked_at_again(tmp_path: Path) -> None:
    clip = write_walk(tmp_path / "a.mp4")
    with pytest.raises(Unavailable):
        _index([clip], tmp_path / "root", model=walk_model(encoder=MeanShoeEncoder(gone_after=20)))
    finder = CountingFinder()
    report = _index([clip], tmp_path / "root", model=walk_model(finder))
    assert 0 < finder.frames < FRAMES
    assert report.edition == _index([clip], tmp_path / "undisturbed").edition


def test_an_indexing_that_is_cancelled_keeps_its_slices(tmp_path: Path) -> None:
    clip, finder = write_walk(tmp_path / "a.mp4"), CountingFinder()
    begun: list[int] = []

    async def cancelled_in_the_third_slice() -> None:
        begun.append(1)
        # A slice has four batches here.
        if len(begun) == 9:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    with pytest.raises(asyncio.CancelledError):
        _index([clip], tmp_path / "root", options=dataclasses.replace(OPTIONS, gate=cancelled_in_the_third_slice))
    report = _index([clip], tmp_path / "root", model=walk_model(finder))
    assert finder.frames == FRAMES - 2 * 13 + 1
    assert report.edition == _index([clip], tmp_path / "undisturbed").edition


def test_a_video_that_goes_away_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(2)]
    begun: list[int] = []

    async def gone_before_the_second_slice() -> None:
        begun.append(1)
        if len(begun) == 5:
            clips[0].unlink()

    options = dataclasses.replace(OPTIONS, gate=gone_before_the_second_slice)
    report = _index(clips, tmp_path / "root", options=options)
    assert [(reject.row, reject.path) for reject in report.rejects] == [(1, str(clips[0]))]
    assert [source.name for source in report.sources] == ["1.mp4"]


def test_an_indexing_waits_at_its_gate(tmp_path: Path) -> None:
    clip, finder = write_walk(tmp_path / "a.mp4"), CountingFinder()

    async def paused() -> int:
        gate = asyncio.Event()

        async def wait() -> None:
            await gate.wait()

        options = dataclasses.replace(OPTIONS, gate=wait)
        work = index_videos(
            [clip], "hall", root=tmp_path / "root", model=walk_model(finder), camera=CAMERA, options=options
        )
        task = asyncio.create_task(work)
        await asyncio.sleep(0.3)
        before = finder.frames
        gate.set()
        await task
        return before

    assert asyncio.run(paused()) == 0
    assert finder.frames == FRAMES


def test_another_clock_for_a_source_changes_its_times_without_looking_at_it_again(tmp_path: Path) -> None:
    clip, finder = write_walk(tmp_path / "a.mp4"), CountingFinder()
    _index([clip], tmp_path / "root")
    camera = dataclasses.replace(CAMERA, start=datetime.datetime(2024, 1, 1), zone="Europe/Berlin", clock_offset_s=5.0)
    report = _index([clip], tmp_path / "root", model=walk_model(finder), camera=camera)
    start_ms = Edition.open(tmp_path / "root", "hall").items["start_ms"][0].as_py()
    assert start_ms == datetime.datetime(2023, 12, 31, 22, 59, 55, 160000, tzinfo=datetime.UTC).timestamp() * 1000
    assert finder.frames == 0
    assert report.edition == _index([clip], tmp_path / "anew", camera=camera).edition


def test_other_tracking_makes_the_tracks_of_all_sources_again_of_their_sightings(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(2)]
    tracking = dataclasses.replace(SETTINGS.tracking, fewest_sightings=23)
    options = dataclasses.replace(OPTIONS, settings=dataclasses.replace(SETTINGS, tracking=tracking))
    _index(clips, tmp_path / "root")
    finder = CountingFinder()
    report = _index(clips[:1], tmp_path / "root", model=walk_model(finder), options=options)
    assert (report.tracks, report.in_all.short, finder.frames) == (2, 2, 0)
    assert report.edition == _index(clips, tmp_path / "anew", options=options).edition


def test_another_model_does_not_lose_the_sources_of_an_archive(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(2)]
    _index(clips, tmp_path / "root")
    with pytest.raises(PreconditionFailed, match=r"1 of its videos are not given"):
        _index(clips[:1], tmp_path / "root", model=walk_model(detector="another"))
    assert _index(clips, tmp_path / "root", model=walk_model(detector="another")).in_all.sources == 2


def test_several_videos_cannot_begin_at_one_time(tmp_path: Path) -> None:
    clips = [write_walk(tmp_path / f"{seed}.mp4", seed=seed) for seed in range(2)]
    camera = dataclasses.replace(CAMERA, start=datetime.datetime(2024, 1, 1))
    with pytest.raises(InvalidInput, match="start: 2 videos"):
        _index(clips, tmp_path / "root", camera=camera)


def test_a_folder_of_slices_is_gone_once_an_edition_holds_them(tmp_path: Path) -> None:
    report = _index([write_walk(tmp_path / "a.mp4")], tmp_path / "root")
    assert list((tmp_path / "root" / "hall" / "work").iterdir()) == []
    sightings = Edition.open(tmp_path / "root", "hall").folder / f"sightings-{report.sources[0].source_id}.parquet"
    assert pq.read_metadata(sightings).num_rows == len(SHOES)
