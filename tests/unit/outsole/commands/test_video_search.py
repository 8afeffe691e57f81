"""``outsole video search`` and ``outsole video found`` against a gRPC server in this process."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from outsole import cli
from outsole.api import convert_video
from outsole.api.convert_operations import operation_to_wire
from outsole.api.generated.outsole.v1 import index_pb2, index_pb2_grpc, video_pb2, video_pb2_grpc
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkProgress, WorkState
from tests.unit.outsole.api.made_video import ARCHIVE, FOUND

INFO = OperationInfo(
    "abc-1",
    VIDEO_SEARCH,
    "door",
    "site, door.mp4",
    WorkState.RUNNING,
    "2026-01-02T03:04:05.000006+00:00",
    progress=WorkProgress(3, 5, "frames", "look", 2.5, 0.8),
)


class Service(index_pb2_grpc.IndexServiceServicer, video_pb2_grpc.VideoServiceServicer):
    """One search that has ended when somebody looks."""

    def __init__(self) -> None:
        self.end = WorkState.SUCCEEDED
        self.asked: list[Any] = []

    def StartVideoSearch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return video_pb2.StartVideoSearchResponse(operation=operation_to_wire(INFO))

    def GetOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        ended = dataclasses.replace(INFO, state=self.end)
        return index_pb2.GetOperationResponse(operation=operation_to_wire(ended))

    def GetVideoSearch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return convert_video.found_to_wire(FOUND)

    def GetArchive(self, request: Any, context: grpc.ServicerContext) -> Any:
        sources = [convert_video.source_to_wire(source) for source in ARCHIVE.sources]
        return video_pb2.GetArchiveResponse(archive=convert_video.archive_to_wire(ARCHIVE), sources=sources)


class Running:
    """The server, and commands against it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.service = Service()
        self._capsys = capsys
        self.server = grpc.server(ThreadPoolExecutor(2))
        index_pb2_grpc.add_IndexServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        video_pb2_grpc.add_VideoServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def run(self, *arguments: object) -> tuple[int, str]:
        """Exit status and standard output."""
        status = cli.run(["video", *map(str, arguments), "--target", self.target])
        return status, self._capsys.readouterr().out


@pytest.fixture
def running(capsys: pytest.CaptureFixture[str]) -> Iterator[Running]:
    made = Running(capsys)
    yield made
    made.server.stop(None).wait(5)


SEARCH = ("search", "m1", "m2", "--gallery", "shoes", "--archive", "site")


def test_a_search_is_started_and_its_operation_is_said(running: Running, tmp_path: Path) -> None:
    camera = (
        "--file",
        tmp_path / "a.mp4",
        "--camera",
        "door",
        "--start",
        "2026-03-01T08:00",
        "--zone",
        "Europe/Berlin",
    )
    where = ("--only-camera", "door", "--since", "2026-03-01T12:00+01:00")
    status, text = running.run(*SEARCH, *camera, *where, "--every-s", "0.5", "--tracks", 9)
    assert (status, "abc-1: video search of site, door.mp4 into door" in text) == (0, True)
    (sent,) = running.service.asked
    assert (list(sent.model_ids), list(sent.archives)) == (["m1", "m2"], ["site"])
    assert list(sent.files) == [str(tmp_path / "a.mp4")]
    assert (sent.camera.camera, sent.camera.zone, sent.camera.start) == ("door", "Europe/Berlin", "2026-03-01T08:00:00")
    assert (list(sent.track_filter.cameras), sent.every_s, sent.tracks_per_model) == (["door"], 0.5, 9)


def test_a_search_is_followed_to_its_end_and_shows_what_was_found(running: Running) -> None:
    status, text = running.run(*SEARCH, "--wait")
    assert status == 0
    for words in (
        "3 tracks for 3 models",
        "m2",
        "0.8750",
        "coverage: 3 sources",
        "no picture in shoes",
        "5 of 5 tracks",
    ):
        assert words in text
    assert "match" not in text.lower()
    running.service.end = WorkState.CANCELLED
    assert running.run(*SEARCH, "--wait")[0] == 1


def test_what_was_found_comes_as_rows_json_and_contact_sheet(running: Running, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(running.run("found", "abc-1", "--csv")[1])))
    assert [(row["model"], row["rank"], row["track"]) for row in rows] == [
        ("m1", "1", "t1"),
        ("m1", "2", "t2"),
        ("m2", "1", "t1"),
    ]
    found = json.loads(running.run("found", "abc-1", "--json")[1])
    assert (found["coverage"]["too_small"], found["rows"][0]["hit"]["score"]) == (20, 0.875)
    assert not running.service.asked[-1].with_thumbnails
    running.run("found", "abc-1", "--report", tmp_path)
    assert running.service.asked[-1].with_thumbnails
    sheet = (tmp_path / "contact_sheet.html").read_text(encoding="utf-8")
    assert "models m1, m2, m3" in sheet
    # Of each row's original; models are no picture that has one.
    assert sheet.count("Its sha256") == 3


@pytest.mark.parametrize(
    "arguments", [("--csv",), ("--report", "r"), ("--start", "yesterday"), ("--since", "2026-03-01T12:00")]
)
def test_what_makes_no_sense_is_refused_in_one_line(
    running: Running, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["video", *SEARCH, *arguments, "--target", running.target]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not running.service.asked
