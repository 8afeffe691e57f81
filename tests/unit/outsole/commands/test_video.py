"""``outsole video`` with the shipped detectors in this process, on people who are drawn."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from outsole import cli
from outsole.commands.editions import service_settings
from outsole.gallery.editions import Edition
from outsole.gallery.track_rows import track_rows
from tests.unit.indexer.video.mean_shoe_model import NAME, write_mean_shoe
from training.detectors.figures import figures

_SIDE, _STEP, _FRAMES = 720, 36, 8


def _write_passer_by(path: Path) -> Path:
    """Somebody who slides from the left to the right, 10 frames a second."""
    person = figures(1, _SIDE)[0]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, "yuv420p"
        for number in range(_FRAMES):
            picture = np.roll(person, _STEP * (number - _FRAMES // 2), axis=1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_video_is_indexed_and_its_coverage_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    write_mean_shoe(service_settings(home).encoders_dir)
    clip = _write_passer_by(tmp_path / "clip.mp4")
    words = ["video", "index", str(clip), str(tmp_path / "none.mp4"), "--archive", "hall", "--camera", "door"]
    words += ["--start", "2024-01-31T12:00:00+01:00", "--encoder", NAME, "--home", str(home)]
    assert cli.run(words) == 0
    text = capsys.readouterr().out
    assert "new edition" in text and "none.mp4" in text and "busy: read" in text
    tracks = track_rows(Edition.open(home / "editions", "hall").items)
    assert tracks and {track.camera for track in tracks} == {"door"}
    assert cli.run([*words, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["is_new"], again["reused"]) == (False, 1)
    assert cli.run(["video", "coverage", "hall", "--home", str(home), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["in_all"]["with_people"] == _FRAMES
    assert found["sources"][0]["start_origin"] == "by_hand"
    assert cli.run(["video", "coverage", "hall", "--home", str(home)]) == 0
    assert "clip.mp4" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--start", "yesterday"], ["--zone", "Europe/Nowhere"], ["--encoder", "another"], ["--every-s", "-1"]]
)
def test_options_that_cannot_be_are_one_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["video", "index", "a.mp4", "--archive", "hall", "--camera", "door", "--home", str(tmp_path)]
    assert cli.run([*call, *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
