"""``outsole search frames``: what is sent of a video, and what is printed as answers come."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outsole import cli
from outsole.commands import search_frames
from outsole.video.frame_streams import FRAME_LIMITS
from outsole.video.pictures import rgb_of
from tests.unit.outsole.api.made_frames import FrameService, frame_service
from tests.unit.outsole.video.clips import SIZE_PX, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "door.mp4", count=30)


@pytest.fixture
def running() -> Iterator[tuple[FrameService, str]]:
    with frame_service() as both:
        yield both


def test_every_shoe_is_a_row_and_the_end_tells_coverage(
    running: tuple[FrameService, str], clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service, target = running
    arguments = ["search", "frames", str(clip), "--gallery", "shoes", "-k", "2", "--camera", "door"]
    assert cli.run([*arguments, "--target", target]) == 0
    assert [request.frame for request in service.requests] == [0, 5, 10, 15, 20, 25]
    assert [round(request.time_s, 2) for request in service.requests] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert rgb_of(service.requests[0].image, FRAME_LIMITS).shape == (*SIZE_PX[::-1], 3)
    assert (service.requests[0].k, service.requests[0].camera) == (2, "door")
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert [line.split() for line in lines if line.lstrip().startswith("10 ")] == [
        ["10", "0.40", "side", "58", "m1", "0.7500", "m2", "0.5000"],
        ["10", "0.40", "front", "7", "too", "small", "to", "search"],
    ]
    assert "frame 5 was not searched: image: it is empty (JPEG)" in lines
    assert any(line.startswith("walk-past t1, 5.25 to 8.25 s, 40 sightings: too small") for line in lines)
    for words in ("shoes edition e1", "requires examination", "coverage: 3 sources", "note: two frames were lost"):
        assert words in text
    assert "match" not in text.lower()


def test_as_json_it_is_a_line_an_answer(
    running: tuple[FrameService, str], clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["search", "frames", str(clip), "--gallery", "shoes", "--every-s", "0", "--json"]
    assert cli.run([*arguments, "--target", running[1]]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("frame") for line in lines] == [*range(30), None]
    assert lines[2]["error"] == "image: it is empty (JPEG)"
    assert lines[4]["walks"][0]["hits"][0]["model_id"] == "m1"
    assert lines[-1]["coverage"]["received"] == 115


def test_what_is_wrong_is_one_sentence(
    running: tuple[FrameService, str], clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file, gallery in ((clip, "nowhere"), (tmp_path / "none.mp4", "shoes"), (tmp_path, "shoes")):
        assert cli.run(["search", "frames", str(file), "--gallery", gallery, "--target", running[1]]) == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1 and said[0].startswith("outsole: ")


def test_who_stops_it_leaves_no_stream_behind(
    running: tuple[FrameService, str], clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service, target = running

    def interrupted(lines: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search_frames, "_say", interrupted)
    assert cli.run(["search", "frames", str(clip), "--gallery", "shoes", "--target", target]) == 130
    assert capsys.readouterr().err.strip() == "outsole: interrupted"
    # The service hears of it a moment later.
    deadline = time.monotonic() + 10
    while service.calls[0].is_active() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not service.calls[0].is_active()
