"""``outsole prepare``: prints as the wear models take them, the sheet of denoising, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole import cli
from outsole.wear.canvas import CANVAS_PX, lay_print
from outsole.wear.denoising import denoised
from tests.unit.outsole.wear.made_scans import Pixels, impression, png, scan_of

SCAN = scan_of(impression(1), 1).gray


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with one scan."""
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "march.png").write_bytes(png(SCAN))
    return folder


def read(path: Path) -> Pixels:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def holds(sheet: NDArray[np.uint8], picture: Pixels) -> bool:
    return bool(cv2.matchTemplate(sheet, picture, cv2.TM_SQDIFF).min() < 1)


def test_a_print_is_written_as_the_models_take_it(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    assert cli.run(["prepare", str(scans / "march.png"), "--out", str(out)]) == 0
    assert files(out) == {"march.png"}
    assert np.array_equal(read(out / "march.png"), lay_print(SCAN).image)
    said = capsys.readouterr().out
    assert "laid on 256 x 640 px" in said and "1 of 1 prints prepared, 0 refused" in said


def test_denoising_shows_before_and_after_and_what_was_taken(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["prepare", str(scans / "march.png"), "--out", str(tmp_path / "out"), "--denoise"]) == 0
    assert files(tmp_path / "out") == {"march.png", "march_denoised.png"}
    clean = denoised(SCAN)
    assert np.array_equal(read(tmp_path / "out/march.png"), lay_print(clean.gray).image)
    sheet = read(tmp_path / "out/march_denoised.png")
    for picture in (SCAN, clean.gray, np.where(clean.noise, np.uint8(0), np.uint8(255))):
        assert holds(sheet, picture)
    assert "of the ink dropped as specks" in capsys.readouterr().out


def test_a_refused_picture_is_listed_and_the_others_are_written(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scans / "dark.png").write_bytes(png(SCAN // 8))
    (scans / "text.png").write_text("no picture")
    given = [str(scans / name) for name in ("dark.png", "march.png", "text.png", "away.png")]
    assert cli.run(["prepare", *given, "--out", str(tmp_path / "out")]) == 2
    assert files(tmp_path / "out") == {"march.png"}
    lines = capsys.readouterr().out.splitlines()
    for place, words in ((0, "refused: the image is too dark"), (-3, "accepted format"), (-2, "No such file")):
        assert words in lines[place]
    assert lines[-1] == "1 of 4 prints prepared, 3 refused"


def test_what_was_done_is_json(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(scans / "march.png"), str(scans / "away.png")]
    assert cli.run(["prepare", *given, "--out", str(tmp_path / "out"), "--json"]) == 2
    done, refused = json.loads(capsys.readouterr().out)
    assert done["files"] == [str(tmp_path / "out/march.png")] and not done["refused"]
    assert refused["picture"] == given[1] and refused["refused"] and not refused["files"]


def test_a_larger_print_says_that_it_is_reduced(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scans / "large.png").write_bytes(png(np.asarray(cv2.resize(SCAN, (512, 1280)), np.uint8)))
    assert cli.run(["prepare", str(scans / "large.png"), "--out", str(tmp_path / "out")]) == 0
    assert f"reduced to 256 x 640 px, laid on {CANVAS_PX[1]} x {CANVAS_PX[0]} px" in capsys.readouterr().out


def test_no_picture_that_is_given_is_written_over(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (scans / "march.png").read_bytes()
    assert cli.run(["prepare", str(scans / "march.png"), "--out", str(scans)]) == 2
    assert (scans / "march.png").read_bytes() == before
    assert "would be written over" in capsys.readouterr().err


def test_two_pictures_of_one_name_are_refused_before_anything_is_written(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(scans / "march.png"), str(scans / "march.tif")]
    assert cli.run(["prepare", *given, "--out", str(tmp_path / "out")]) == 2
    assert "would both become" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
