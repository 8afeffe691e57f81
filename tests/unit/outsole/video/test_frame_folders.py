"""Folders and archives of pictures: times by table or rate, and archives that mean harm."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from outsole.errors import InvalidInput, NotFound
from outsole.video.frame_folders import FrameFolder
from outsole.video.opening import open_source
from outsole.video.picture_stores import Folder, StoreLimits, Tar, Zip
from outsole.video.records import Frame
from outsole.video.sources import FrameCounts, IssueKind, Reading, TimesFrom
from outsole.video.video_files import VideoFile
from tests.unit.outsole.video.clips import png, write_clip

Files = dict[str, bytes]


def as_folder(path: Path, files: Files) -> Path:
    for name, data in files.items():
        (path / "frames" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "frames" / name).write_bytes(data)
    return path / "frames"


def as_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path / "frames.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path / "frames.zip"


def as_tar(path: Path, files: Files, *, kind: str = "") -> Path:
    mode: Any = f"w:{kind}"
    with tarfile.open(path / f"frames.tar{kind and '.' + kind}", mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path / f"frames.tar{kind and '.' + kind}"


def as_tgz(path: Path, files: Files) -> Path:
    return as_tar(path, files, kind="gz")


def as_txz(path: Path, files: Files) -> Path:
    return as_tar(path, files, kind="xz")


Pack = Callable[[Path, Files], Path]
every_store = pytest.mark.parametrize("pack", [as_folder, as_zip, as_tar, as_tgz, as_txz])


def read(reading: Reading) -> list[Frame]:
    with reading:
        return list(reading)


def levels(frames: list[Frame]) -> list[int]:
    return [int(frame.rgb[0, 0, 0]) for frame in frames]


def kinds(reading: Reading) -> dict[IssueKind, int]:
    return {issue.kind: issue.count for issue in reading.issues}


@every_store
def test_a_table_of_iso_times_gives_order_times_and_start(tmp_path: Path, pack: Pack) -> None:
    table = "file,time\nb.png,2024-01-31T12:00:02Z\na.png,2024-01-31T12:00:00.5Z\nc.png,2024-01-31T13:00:01.75+01:00\n"
    files = {"a.png": png(1), "b.png": png(2), "c.png": png(3), "times.csv": table.encode()}
    source = open_source(pack(tmp_path, files))
    frames = read(source.frames())
    assert [(frame.number, frame.time_s) for frame in frames] == [(0, 0.0), (1, 1.25), (2, 1.5)]
    assert levels(frames) == [1, 3, 2]
    probe = source.probe()
    assert (probe.width_px, probe.height_px, probe.frames, probe.is_variable_rate) == (24, 20, 3, True)
    assert probe.times_from is TimesFrom.SIDECAR
    assert probe.sidecar_start == datetime(2024, 1, 31, 12, 0, 0, 500000, tzinfo=UTC)


@every_store
def test_a_slice_gives_what_the_whole_gives_there(tmp_path: Path, pack: Pack) -> None:
    source = open_source(pack(tmp_path, {f"{number}.png": png(number) for number in range(12)}), rate=10.0)
    whole = read(source.frames())
    assert levels(whole) == list(range(12))
    part = source.frames(0.3, 0.9)
    assert [(f.number, f.time_s) for f in read(part)] == [(f.number, f.time_s) for f in whole[3:9]]
    assert part.counts == FrameCounts(received=6, decoded=6)
    assert [frame.number for frame in read(source.frames(0.3, every_s=0.2))] == [4, 6, 8, 10]


def test_a_table_of_seconds_may_be_json_lines_and_lie_deeper_with_its_pictures(tmp_path: Path) -> None:
    rows = [{"file": f"{number}.png", "time": 7 + number / 4} for number in range(3)]
    files = {f"night/{number}.png": png(number) for number in range(3)}
    files["night/times.jsonl"] = "\n".join(map(json.dumps, rows)).encode()
    source = open_source(as_zip(tmp_path, files))
    assert [frame.time_s for frame in read(source.frames())] == [0.0, 0.25, 0.5]
    assert source.probe().sidecar_start is None


def test_a_table_from_elsewhere_goes_before_the_one_beside_the_pictures(tmp_path: Path) -> None:
    files = {"a.png": png(1), "b.png": png(2), "times.csv": b"file,time\na.png,0\nb.png,1\n"}
    source = open_source(as_folder(tmp_path, files), sidecar=b"file,time\na.png,0\nb.png,9\n")
    assert [frame.time_s for frame in read(source.frames())] == [0.0, 9.0]


def test_without_a_table_names_count_at_the_named_rate_and_the_probe_says_so(tmp_path: Path) -> None:
    source = open_source(as_folder(tmp_path, {f"frame_{number}.PNG": png(number) for number in (10, 9, 1)}), rate=4.0)
    frames = read(source.frames())
    assert levels(frames) == [1, 9, 10]
    assert [frame.time_s for frame in frames] == [0.0, 0.25, 0.5]
    assert source.probe().times_from is TimesFrom.RATE


def test_without_a_table_and_a_rate_there_are_no_times(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"times\.csv") as caught:
        open_source(as_folder(tmp_path, {"a.png": png(1)}))
    assert caught.value.field == "sidecar"


@every_store
def test_bad_pictures_cost_themselves(tmp_path: Path, pack: Pack) -> None:
    files = {"0.png": png(0), "1.png": png(1)[:40], "2.png": b"", "3.png": b"no picture", "5.png": png(5)}
    table = "file,time\n" + "".join(f"{number}.png,{number}\n" for number in range(6))
    source = open_source(pack(tmp_path, files | {"times.csv": table.encode()}))
    reading = source.frames()
    assert [(frame.number, frame.time_s) for frame in read(reading)] == [(0, 0.0), (5, 5.0)]
    assert reading.counts == FrameCounts(received=6, decoded=2, failed=4)
    assert kinds(reading) == {IssueKind.UNDECODABLE: 4}


def test_pictures_that_the_table_does_not_name_are_left_out_and_told(tmp_path: Path) -> None:
    files = {"a.png": png(1), "b.png": png(2), "times.csv": b"file,time\na.png,0\n"}
    reading = open_source(as_folder(tmp_path, files)).frames()
    assert levels(read(reading)) == [1]
    assert kinds(reading) == {IssueKind.UNTIMED: 1}


def test_a_picture_of_another_size_keeps_it_and_is_told(tmp_path: Path) -> None:
    files = {"0.png": png(0), "1.png": png(1, (40, 30)), "2.png": png(2, (40, 30))}
    reading = open_source(as_folder(tmp_path, files), rate=1.0).frames()
    assert [frame.rgb.shape for frame in read(reading)] == [(20, 24, 3), (30, 40, 3), (30, 40, 3)]
    assert kinds(reading) == {IssueKind.SIZE_CHANGED: 1}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", "not there"),
        (b"file,time\n", "not there"),
        (b"name,when\na.png,1\n", "no file or no time"),
        (b"file,time\na.png,soon\n", "not a time"),
        (b"file,time\na.png,nan\n", "not a time"),
        (b"file,time\na.png,1\na.png,2\n", "twice"),
        (b"file,time\na.png,1\nb.png,2024-01-31T12:00:00\n", "kinds"),
        (b"file,time\na.png,2024-01-31T12:00:00Z\nb.png,2024-01-31T12:00:00\n", "kinds"),
        (b'{"file": "a.png", "time": 1\n', "not JSON"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(tmp_path: Path, table: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        open_source(as_folder(tmp_path, {"a.png": png(1)}), sidecar=table)
    assert caught.value.field.startswith("sidecar")


@pytest.mark.parametrize("pack", [as_zip, as_tar])
def test_a_name_that_leads_out_of_the_archive_leads_nowhere(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "secret.png").write_bytes(png(200))
    inner = tmp_path / "inner"
    inner.mkdir()
    outside = str(tmp_path / "secret.png")
    table = f"file,time\n../secret.png,0\n{outside},1\na.png,2\n".encode()
    source = open_source(pack(inner, {"a.png": png(1), "../evil.png": png(2), "times.csv": table}))
    reading = source.frames()
    assert levels(read(reading)) == [1]
    assert reading.counts.failed == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner", "secret.png"]


def test_links_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(200))
    folder = as_folder(tmp_path, {"a.png": png(1)})
    (folder / "b.png").symlink_to(tmp_path / "secret.png")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    assert Folder(folder).names() == ["a.png"]
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("l.png")
            link.type, link.linkname = kind, str(tmp_path / "secret.png")
            archive.addfile(link)
    assert Tar(tmp_path / "links.tar").names() == []


def test_limits_hold_whatever_an_archive_claims(tmp_path: Path) -> None:
    files = {f"{number}.png": png(number) for number in range(5)}
    small = StoreLimits(max_file_bytes=1024, max_total_bytes=10_000)
    for pack, store in ((as_zip, Zip), (as_tgz, Tar), (as_folder, Folder)):
        with pytest.raises(InvalidInput, match="files or more"):
            store(pack(tmp_path, files), StoreLimits(max_files=4))
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(5000))
    reading = FrameFolder(Zip(bomb, small), rate=1.0).frames()
    assert read(reading) == [] and reading.counts.failed == 1
    for name in ("b.png", "c.png"):
        with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, bytes(5000))
    with pytest.raises(InvalidInput, match="bytes or more"):
        Zip(bomb, small)
    with pytest.raises(InvalidInput, match="bytes or more"):
        Tar(as_tgz(tmp_path, {"a.png": bytes(20_000), "b.png": png(1)}), small)


def test_a_header_of_a_tar_that_claims_a_giant_name_is_not_believed(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.png")
    member.type, member.size = tarfile.XHDTYPE, 1 << 32
    (tmp_path / "a.tar").write_bytes(member.tobuf() + bytes(4096))
    with pytest.raises(InvalidInput, match="claims"):
        Tar(tmp_path / "a.tar")


@pytest.mark.parametrize("pack", [as_tar, as_tgz])
def test_a_truncated_tar_gives_what_is_there_and_says_so(tmp_path: Path, pack: Pack) -> None:
    noise = {f"{number}.png": png(number, (600 + number, 300)) for number in range(8)}
    path = pack(tmp_path, noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reading = open_source(path, rate=1.0).frames()
    assert levels(read(reading))[:2] == [0, 1]
    assert IssueKind.TRUNCATED in kinds(reading)


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip(tmp_path, {"a.png": png(1), "b.png": png(2)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidInput, match="cut short"):
        open_source(path, rate=1.0)


def test_identities_are_those_of_the_original_bytes(tmp_path: Path) -> None:
    files = {"b.png": png(2), "a.png": png(1)}
    path = as_zip(tmp_path, files)
    identity = open_source(path, rate=1.0).identity()
    assert identity.name == "frames.zip"
    assert identity.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    folder = open_source(as_folder(tmp_path, files), rate=1.0).identity()
    assert (folder.name, folder.size_bytes) == ("frames", sum(map(len, files.values())))
    assert folder.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_a_path_is_opened_as_what_it_is(tmp_path: Path) -> None:
    assert isinstance(open_source(write_clip(tmp_path / "a.mp4", count=2)), VideoFile)
    renamed = as_zip(tmp_path, {"a.png": png(1)}).rename(tmp_path / "frames.mp4")
    assert isinstance(open_source(renamed, rate=1.0), FrameFolder)
    with pytest.raises(NotFound):
        open_source(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="no pictures"):
        open_source(as_zip(tmp_path, {"a.txt": b"a"}), rate=1.0)
