"""Commands that ask about shoes and video: tables, JSON, comma-separated rows, contact sheets, refusals."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from click.testing import CliRunner

from outsole import cli
from outsole.api import convert_shoes, convert_video
from outsole.api.generated.outsole.v1 import retrieval_pb2_grpc, video_pb2, video_pb2_grpc
from outsole.commands.video_tracks import tracks
from tests.unit.outsole.api.made_video import ARCHIVE, SHOES, TRACE, TRACKS, track

_ASKED: list[Any] = []


class _Service(retrieval_pb2_grpc.RetrievalServiceServicer, video_pb2_grpc.VideoServiceServicer):
    """Answers from constants."""

    def SearchShoe(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        return convert_video.any_shoe_answer_to_wire(TRACKS if request.archive else SHOES)

    def TracePrint(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        return convert_video.trace_to_wire(TRACE)

    def ListTracks(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        made = [track("t1"), track("t2", is_timed=False)]
        return video_pb2.ListTracksResponse(tracks=map(convert_video.track_to_wire, made), edition="e1")

    def GetArchive(self, request: Any, context: grpc.ServicerContext) -> Any:
        _ASKED.append(request)
        sources = [convert_video.source_to_wire(source) for source in ARCHIVE.sources]
        return video_pb2.GetArchiveResponse(archive=convert_video.archive_to_wire(ARCHIVE), sources=sources)


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """Address of a gRPC server in this process."""
    server = grpc.server(ThreadPoolExecutor(2))
    retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server(_Service(), server)  # type: ignore[no-untyped-call]
    video_pb2_grpc.add_VideoServiceServicer_to_server(_Service(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait(5)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "shoe.png"
    cv2.imwrite(str(path), np.full((20, 30, 3), 90, np.uint8))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.run([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_a_search_of_an_archive_shows_tracks_and_coverage(
    target: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = ("--box", "1,2,20,18", "--toe", "19,17", "--heel", "2,17", "--view", "side", "-k", 7)
    where = ("--camera", "door", "--camera", "yard", "--since", "2026-03-01T12:00+01:00")
    text = said(capsys, "search", "shoe", picture, "--archive", "site", *marks, *where, "--target", target)
    sent = _ASKED[-1]
    assert convert_shoes.marks_from_wire(sent).box == (1.0, 2.0, 20.0, 18.0)
    assert (sent.k, sent.with_thumbnails) == (7, False)
    assert list(sent.track_filter.cameras) == ["door", "yard"]
    assert sent.track_filter.since.ToJsonString() == "2026-03-01T11:00:00Z"
    for words in ("0.8750", "2026-03-01 13:01:05+01:00", "2026-03-01 12:00:05", "not known", "coverage: 3 sources"):
        assert words in text
    assert "requires examination" in text
    assert "match" not in text.lower()


def test_a_search_of_a_gallery_shows_models(target: str, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "search", "shoe", picture, "--gallery", "shoes", "--target", target)
    assert "m1" in text
    rows = list(
        csv.DictReader(
            io.StringIO(said(capsys, "search", "shoe", picture, "--gallery", "shoes", "--csv", "--target", target))
        )
    )
    assert [(row["rank"], row["model"], row["item"]) for row in rows] == [("1", "m1", "i1")]


def test_tracks_come_as_json_and_as_comma_separated_rows(
    target: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("search", "shoe", picture, "--archive", "site", "--target", target)
    found = json.loads(said(capsys, *asked, "--json"))
    assert found["hits"][0]["track"]["start"] == "2026-03-01T12:00:05.250000+00:00"
    assert "thumbnail_png" not in found["hits"][0]["track"]
    assert found["coverage"]["too_small"] == 20
    rows = list(csv.DictReader(io.StringIO(said(capsys, *asked, "--csv"))))
    assert [row["track"] for row in rows] == ["t1", "t2"]
    assert (rows[0]["sha256"], rows[0]["time_known_by"], rows[1]["start"]) == ("ab" * 32, "file_name", "")


def test_a_trace_shows_both_scores_and_the_models_without_pictures(
    target: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("trace", picture, "--gallery", "soles", "--shoes", "shoes", "--archive", "site", "--target", target)
    text = said(capsys, *asked, "--order", "print_rank", "--tracks", 4, "--rows", 9)
    sent = _ASKED[-1]
    assert (sent.tracks_per_model, sent.rows, sent.order, sent.search.gallery) == (4, 9, 3, "soles")
    for words in ("print score", "shoe score", "look rank", "no picture in shoes", "coverage: 3 sources"):
        assert words in text
    (row,) = csv.DictReader(io.StringIO(said(capsys, *asked, "--csv")))
    assert (row["model"], row["print_rank"], row["look_rank"], row["track"]) == ("m1", "1", "2", "t1")


def test_contact_sheets_are_written_for_searches_and_traces(
    target: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = ("search", "shoe", picture, "--archive", "site", "--report", tmp_path / "a", "--target", target)
    said(capsys, *search)
    assert _ASKED[-2].with_thumbnails
    text = (tmp_path / "a/contact_sheet.html").read_text(encoding="utf-8")
    assert "The original is not on this machine where it was read" in text
    asked = ("trace", picture, "--gallery", "soles", "--shoes", "shoes", "--archive", "site", "--target", target)
    assert cli.run([str(argument) for argument in (*asked, "--report", tmp_path / "b")]) == 0
    assert "contact sheet:" in capsys.readouterr().err
    assert "rank 2 among all models" in (tmp_path / "b/contact_sheet.html").read_text(encoding="utf-8")


def test_tracks_of_an_archive_are_listed(target: str) -> None:
    asked = ["site", "--camera", "door", "--state", "active", "--target", target]
    shown = CliRunner().invoke(tracks, asked)
    assert (shown.exit_code, shown.output.count("door.mp4")) == (0, 2)
    assert list(_ASKED[-1].filter.cameras) == ["door"]
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(tracks, [*asked, "--csv"]).output)))
    assert [row["state"] for row in rows] == ["quarantined"] * 2
    assert json.loads(CliRunner().invoke(tracks, [*asked, "--json", "--limit", "1"]).output)[0]["track_id"] == "t1"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--gallery", "a", "--archive", "b"),
        ("--gallery", "a", "--camera", "c"),
        ("--gallery", "a", "--report", "r"),
        ("--archive", "a", "--since", "2026-03-01T12:00"),
        ("--archive", "a", "--since", "yesterday"),
        ("--archive", "a", "--box", "1,2,3"),
        ("--archive", "a", "--toe", "1;2"),
        ("--archive", "a", "--view", "above"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: tuple[str, ...], picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["search", "shoe", str(picture), *arguments, "--target", "127.0.0.1:1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
