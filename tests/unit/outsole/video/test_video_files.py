"""Video files: numbers and times of frames, slices, and what each kind of bad file costs."""

from __future__ import annotations

import hashlib
import itertools
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from outsole.errors import DataCorrupt, InvalidInput, MissingPart, NotFound, OutsoleError, PreconditionFailed
from outsole.video.frame_index import FrameIndex
from outsole.video.records import Frame
from outsole.video.sources import FrameCounts, IssueKind, Reading, TimesFrom
from outsole.video.video_files import VideoFile
from tests.unit.outsole.video.clips import RATE, changed, payload, pictures, write_clip

CONTAINERS = [
    ("a.mp4", {}),
    ("a.mkv", {}),
    ("a.ts", {}),
    ("a.avi", {}),
    ("a.avi", {"codec": "mpeg4", "reordered": 0}),
    ("a.avi", {"codec": "mjpeg", "reordered": 0}),
    ("a.webm", {"codec": "libvpx", "reordered": 0}),
    ("a.264", {"format": "h264"}),
]


def read(reading: Reading) -> list[Frame]:
    with reading:
        return list(reading)


def kinds(reading: Reading) -> dict[IssueKind, int]:
    return {issue.kind: issue.count for issue in reading.issues}


def same(one: list[Frame], other: list[Frame]) -> bool:
    return [(frame.number, frame.time_s) for frame in one] == [(frame.number, frame.time_s) for frame in other] and all(
        np.array_equal(a.rgb, b.rgb) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(("name", "options"), CONTAINERS)
def test_every_frame_comes_once_with_its_number_time_and_picture(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    source = VideoFile(write_clip(tmp_path / name, **options))
    reading = source.frames()
    frames = read(reading)
    assert [frame.number for frame in frames] == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx([number / RATE for number in range(40)], abs=6e-4)
    # Noise that moves tells a frame from its neighbours even where it was compressed.
    for frame, true in zip(frames, pictures(40), strict=True):
        assert np.corrcoef(frame.rgb.ravel(), true.ravel())[0, 1] > 0.2
    assert reading.counts == FrameCounts(received=40, decoded=40)
    assert reading.issues == ()


@pytest.mark.parametrize(("name", "options"), CONTAINERS)
def test_a_slice_gives_what_the_whole_gives_there(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    source = VideoFile(write_clip(tmp_path / name, **options))
    whole = read(source.frames())
    for start_s, end_s in ((0.0, 0.2), (0.12, 0.9), (0.4, 0.8), (0.39, 0.41), (1.21, None), (None, 0.04), (1.6, 9.0)):
        there = [f for f in whole if f.time_s >= (start_s or 0.0) and (end_s is None or f.time_s < end_s)]
        assert same(read(source.frames(start_s, end_s)), there)


def test_slices_that_touch_share_no_frame_and_lose_none(tmp_path: Path) -> None:
    source = VideoFile(write_clip(tmp_path / "a.mkv"))
    whole = read(source.frames())
    edges = sorted({0.0, *(frame.time_s for frame in whole[::7]), 9.0})
    parts = [read(source.frames(start_s, end_s)) for start_s, end_s in itertools.pairwise(edges)]
    assert same([frame for part in parts for frame in part], whole)


def test_what_is_sampled_does_not_hang_on_the_slice(tmp_path: Path) -> None:
    source = VideoFile(write_clip(tmp_path / "a.mp4"))
    assert [frame.number for frame in read(source.frames(every_s=0.2))] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert [frame.number for frame in read(source.frames(0.41, 1.2, every_s=0.2))] == [15, 20, 25]
    assert [frame.number for frame in read(source.frames(0.4, 1.2, every_s=0.2))] == [10, 15, 20, 25]
    reading = source.frames(0.2, 0.8, step=4)
    assert [frame.number for frame in read(reading)] == [8, 12, 16]
    assert reading.counts == FrameCounts(received=15, skipped=12, decoded=3)


def test_a_slice_is_decoded_from_the_key_frame_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    number_of = FrameIndex.number_of

    def noted(index: FrameIndex, ticks: int) -> int | None:
        asked.append(ticks)
        return number_of(index, ticks)

    monkeypatch.setattr(FrameIndex, "number_of", noted)
    source = VideoFile(write_clip(tmp_path / "a.mp4", count=300))
    assert [frame.number for frame in read(source.frames(11.0, 11.2))] == [275, 276, 277, 278, 279]
    assert len(asked) < 40


def test_the_probe_tells_what_was_found(tmp_path: Path) -> None:
    metadata = {"creation_time": "2024-01-31T22:59:59.000000Z"}
    source = VideoFile(write_clip(tmp_path / "a.mp4", metadata=metadata))
    probe = source.probe()
    assert (probe.codec, probe.width_px, probe.height_px, probe.frames) == ("h264", 96, 64, 40)
    assert probe.average_rate == pytest.approx(25.0)
    assert probe.duration_s == pytest.approx(1.6)
    assert not probe.is_variable_rate
    assert probe.times_from is TimesFrom.PRESENTATION
    assert probe.created == datetime(2024, 1, 31, 22, 59, 59, tzinfo=UTC)


def test_the_identity_is_that_of_the_original_bytes(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "Kamera 3 Süd.mkv")
    identity = VideoFile(path).identity()
    data = path.read_bytes()
    assert (identity.name, identity.size_bytes) == ("Kamera 3 Süd.mkv", len(data))
    assert identity.sha256 == hashlib.sha256(data).hexdigest()


def test_an_index_serves_the_workers_of_other_slices(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv")
    source = VideoFile(path)
    index = FrameIndex.from_bytes(source.index.to_bytes())
    assert same(read(VideoFile(path, index=index).frames(0.5, 1.0)), read(source.frames(0.5, 1.0)))
    with pytest.raises(DataCorrupt, match="make it again"):
        FrameIndex.from_bytes(source.index.to_bytes()[:-40])
    with pytest.raises(PreconditionFailed, match="make it again"):
        VideoFile(write_clip(tmp_path / "b.mkv", count=20), index=index)


def test_frames_are_turned_upright(tmp_path: Path) -> None:
    def turned(data: bytearray) -> bytearray:
        place = data.index(b"tkhd") + 4 + 40
        quarter = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]
        data[place : place + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
        return data

    path = write_clip(tmp_path / "a.mp4", count=3)
    lying = read(VideoFile(path).frames())
    source = VideoFile(changed(path, turned))
    assert (source.probe().width_px, source.probe().height_px) == (64, 96)
    assert np.array_equal(read(source.frames())[0].rgb, np.rot90(lying[0].rgb, -1))


def test_times_of_a_variable_rate_are_the_files_own(tmp_path: Path) -> None:
    stamps = [number * 4 + (13 if number > 20 else 0) + number % 3 for number in range(40)]
    source = VideoFile(write_clip(tmp_path / "a.mkv", stamps=stamps))
    assert source.probe().is_variable_rate
    assert [frame.time_s for frame in read(source.frames())] == pytest.approx([stamp / 100 for stamp in stamps])


def test_without_timestamps_the_named_rate_counts_and_the_probe_says_so(tmp_path: Path) -> None:
    source = VideoFile(write_clip(tmp_path / "a.264", format="h264"), rate=12.5)
    assert source.probe().times_from is TimesFrom.RATE
    assert [frame.time_s for frame in read(source.frames(end_s=0.3))] == pytest.approx([0.0, 0.08, 0.16, 0.24])


def test_an_avi_with_reordered_frames_is_timed_by_decoding(tmp_path: Path) -> None:
    assert VideoFile(write_clip(tmp_path / "a.avi")).probe().times_from is TimesFrom.DECODING


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.webm", "a.mp4"])
def test_a_truncated_file_gives_what_is_there_and_says_what_is_lost(tmp_path: Path, name: str) -> None:
    options = {"codec": "libvpx", "reordered": 0} if name == "a.webm" else {"container": {"movflags": "faststart"}}
    path = write_clip(tmp_path / name, count=100, **(options if name in ("a.webm", "a.mp4") else {}))
    whole = read(VideoFile(path).frames())
    source = VideoFile(changed(path, lambda data: data[: len(data) // 2]))
    reading = source.frames()
    frames = read(reading)
    assert 30 < len(frames) < 70
    assert same(frames[:20], whole[:20])
    assert IssueKind.TRUNCATED in kinds(reading)
    counts = reading.counts
    assert counts.received == counts.decoded + counts.failed and counts.failed <= 2
    early = source.frames(0.0, 0.2)
    read(early)
    assert early.issues == ()  # a slice before the loss has lost nothing


def test_a_file_without_its_table_of_contents_is_refused(tmp_path: Path) -> None:
    path = changed(write_clip(tmp_path / "a.mp4"), lambda data: data[: len(data) // 2])
    with pytest.raises(InvalidInput, match="table of contents"):
        VideoFile(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_corrupt_frame_in_the_middle_costs_itself(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, codec="mjpeg", reordered=0) if name == "a.mkv" else write_clip(tmp_path / name)
    whole = read(VideoFile(path).frames())
    place, length = payload(path, 19 if name == "a.mkv" else 12)
    path = changed(path, lambda data: data[:place] + bytes(length) + data[place + length :])
    source = VideoFile(path)
    reading = source.frames()
    frames = read(reading)
    assert reading.counts.received == 40
    assert 1 <= reading.counts.failed <= 5
    assert kinds(reading) == {IssueKind.UNDECODABLE: reading.counts.failed}
    assert same(frames[:10], whole[:10]) and same(frames[-10:], whole[-10:])
    there = [frame for frame in frames if 0.4 <= frame.time_s < 0.9]
    assert same(read(source.frames(0.4, 0.9)), there)


def test_a_picture_that_the_decoder_patched_up_has_failed_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", codec="mjpeg", reordered=0)
    place, length = payload(path, 19)
    begin, end = place + length // 3, place + 2 * length // 3
    path = changed(path, lambda data: data[:begin] + bytes(end - begin) + data[end:])
    strict, patched = VideoFile(path).frames(), VideoFile(path, keep_patched=True).frames()
    assert [frame.number for frame in read(strict)] == [number for number in range(40) if number != 19]
    assert [issue.first_frame for issue in strict.issues] == [19]
    assert len(read(patched)) == 40


def test_a_broken_key_frame_at_the_start_of_a_slice_gives_what_the_whole_gives(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", reordered=0)
    place, length = payload(path, 20)
    source = VideoFile(changed(path, lambda data: data[:place] + bytes(length) + data[place + length :]))
    there = [frame for frame in read(source.frames()) if 0.84 <= frame.time_s < 1.4]
    reading = source.frames(0.84, 1.4)
    assert same(read(reading), there)
    assert reading.counts.received == 14


def test_frames_that_a_damaged_container_lost_are_told(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", codec="mpeg4", reordered=0, count=100)
    place, _ = payload(path, 50)
    reading = VideoFile(changed(path, lambda data: data[: place - 8] + bytes(900) + data[place + 892 :])).frames()
    frames = read(reading)
    lost = kinds(reading)[IssueKind.GAP]
    assert lost >= 1
    assert reading.counts.received + lost == 100
    assert frames[-1].time_s == pytest.approx(99 / RATE)


def test_a_codec_that_is_not_there_is_named_as_missing(tmp_path: Path) -> None:
    path = changed(write_clip(tmp_path / "a.mp4"), lambda data: data.replace(b"avc1", b"zzz9"))
    with pytest.raises(MissingPart, match="codec"):
        VideoFile(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InvalidInput, match="no pictures"):
        VideoFile(path)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", InvalidInput, "0 bytes"),
        (b"no video at all\n" * 99, InvalidInput, "not a video"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n", InvalidInput, "not a video"),
        (b"ffconcat version 1.0\nfile b.ts\n", InvalidInput, "not a video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes, error: type[OutsoleError], said: str) -> None:
    write_clip(tmp_path / "b.ts", count=3)  # what the two lists would open
    for name in ("a.mp4", "a.m3u8", "a.txt"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(error, match=said):
            VideoFile(tmp_path / name)


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        VideoFile(tmp_path / "a.mp4")
    with pytest.raises(NotFound):
        VideoFile(tmp_path)


def test_files_joined_end_to_end_go_on_where_the_timestamps_begin_again(tmp_path: Path) -> None:
    parts = [write_clip(tmp_path / "a.ts", count=50), write_clip(tmp_path / "b.ts", count=50, size_px=(128, 80))]
    joined = tmp_path / "ab.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = VideoFile(joined)
    reading = source.frames()
    frames = read(reading)
    assert [frame.number for frame in frames] == list(range(100))
    assert [frame.time_s for frame in frames] == pytest.approx([number / RATE for number in range(100)], abs=0.05)
    assert [frame.rgb.shape for frame in frames] == [(64, 96, 3)] * 50 + [(80, 128, 3)] * 50
    assert kinds(reading) == {IssueKind.RESTARTED: 1, IssueKind.SIZE_CHANGED: 1}
    assert same(read(source.frames(1.9, 2.5)), [frame for frame in frames if 1.9 <= frame.time_s < 2.5])
    assert source.probe().duration_s == pytest.approx(4.0, abs=0.1)


def test_timestamps_that_run_backwards_for_a_moment_keep_their_frames_at_the_time_before(tmp_path: Path) -> None:
    parts = [write_clip(tmp_path / f"{count}.ts", count=count) for count in (20, 30)]
    joined = tmp_path / "ab.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    source = VideoFile(joined)
    reading = source.frames()
    frames = read(reading)
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert times[20:39] == [times[19]] * 19
    assert kinds(reading) == {IssueKind.BACKWARDS: 19}
    assert same(read(source.frames(0.7, 0.8)), [frame for frame in frames if 0.7 <= frame.time_s < 0.8])


def test_three_hundred_frames_need_no_more_memory_than_a_few(tmp_path: Path) -> None:
    source = VideoFile(write_clip(tmp_path / "a.mp4", count=300))
    tracemalloc.start()
    try:
        with source.frames() as reading:
            held = [tracemalloc.get_traced_memory()[0] for _ in reading]
    finally:
        tracemalloc.stop()
    assert len(held) == 300
    assert max(held) - held[10] < 2 * 96 * 64 * 3


def test_a_reading_that_is_left_gives_no_more(tmp_path: Path) -> None:
    with VideoFile(write_clip(tmp_path / "a.mp4")).frames() as reading:
        assert next(reading).number == 0
    assert list(reading) == []
    assert reading.counts == FrameCounts(received=1, decoded=1)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"start_s": -1.0}, "start_s"),
        ({"end_s": float("nan")}, "end_s"),
        ({"start_s": 2.0, "end_s": 2.0}, "end_s"),
        ({"every_s": 0.0}, "every_s"),
        ({"step": 0}, "step"),
        ({"step": 2, "every_s": 1.0}, "step"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(tmp_path: Path, wanted: dict[str, float], field: str) -> None:
    source = VideoFile(write_clip(tmp_path / "a.mp4", count=3))
    with pytest.raises(InvalidInput) as caught:
        source.frames(**wanted)  # type: ignore[arg-type]
    assert caught.value.field == field
