"""Real series: weeks by file name, what is missing, scans laid on each other."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput, NotFound
from outsole.wear.canvas import lay_print
from tests.unit.outsole.wear.made_scans import Pixels, impression, png, scan_of
from training.data.wear_series import read_series, weeks_in


def named(root: Path, shoe: str, *names: str) -> Path:
    """A shoe's folder with files that have names alone."""
    (root / shoe).mkdir()
    for name in names:
        (root / shoe / name).write_bytes(b"")
    return root


def worn(week: int) -> Pixels:
    """A sole that touches with more of its walls from week to week."""
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(impression(1, margin_px=8), kernel, iterations=week // 8), np.uint8)


def scanned(week: int) -> Pixels:
    """The sole as it was laid on the scanner in a week, by hand."""
    gray = worn(week)
    turn = cv2.getRotationMatrix2D((gray.shape[1] / 2, gray.shape[0] / 2), (-1) ** (week // 2) * 0.4 * week, 1.0)
    turn[:, 2] += np.array([week / 2, -week / 3])
    laid = cv2.warpAffine(gray, turn, (gray.shape[1] + week, gray.shape[0]), borderValue=(251,))
    return scan_of(np.asarray(laid, np.uint8), week, grain=5.0, specks=20, hairs=0).gray


def test_scans_of_a_shoe_lie_on_each_other_by_week(tmp_path: Path) -> None:
    folder = named(named(tmp_path, "b7"), "a3")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "notes.txt").write_text("")
    for week in (8, 10, 12):
        (folder / "b7" / f"size44_w{week:02}.png").write_bytes(png(scanned(week)))
    for week in (0, 2):
        (folder / "a3" / f"{week}.png").write_bytes(png(worn(0)))
    first, second = read_series(folder, with_bar=False)
    assert (first.shoe, first.weeks) == ("a3", (0, 2))
    assert (second.shoe, second.weeks) == ("b7", (8, 10, 12))
    assert second.prints.shape == (3, 640, 256) and second.prints.dtype == np.uint8
    assert np.abs(first.prints[0].astype(int) - first.prints[1]).max() == 0
    as_scanned = [lay_print(scanned(week)).image for week in second.weeks]
    for place in (1, 2):
        assert apart(second.prints[place], second.prints[0]) < 0.5 * apart(as_scanned[place], as_scanned[0])


def apart(first: Pixels, second: Pixels) -> float:
    return float(np.abs(first.astype(np.float32) - second).mean())


def test_the_week_is_the_last_number_of_the_name(tmp_path: Path) -> None:
    names = ("week_04.png", "shoe3_w06.tif", "08.png", "2026-03-01 week 10 left.jpg")
    found = weeks_in(named(tmp_path, "s", *names) / "s")
    assert [(week, path.name) for week, path in found.items()] == list(zip((4, 6, 8, 10), names, strict=True))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("0.png", "2.png", "6.png", "10.png"), r"shoe 'boot' lacks weeks 4, 8 .*every 2 weeks"),
        (("0.png", "4.png"), r"shoe 'boot' lacks week 2 "),
        (("a_2.png", "b_2.png"), r"shoe 'boot' has week 2 twice: a_2\.png and b_2\.png"),
        (("0.png", "w3.png"), r"boot/w3\.png says week 3 .*even week from 0 to 52"),
        (("0.png", "w60.png"), r"boot/w60\.png says week 60"),
        (("0.png", "new.png"), r"boot/new\.png says no week"),
        ((), r"shoe 'boot' has no picture"),
        (("notes.txt",), r"shoe 'boot' has no picture"),
        (("4.png",), r"shoe 'boot' has week 4 alone"),
    ],
)
def test_what_is_wrong_with_the_weeks_is_said_with_the_shoe(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_series(named(named(tmp_path, "fine", "0.png", "2.png"), "boot", *names), with_bar=False)


def test_a_missing_folder_and_one_without_shoes_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        read_series(tmp_path / "nowhere")
    with pytest.raises(NotFound, match="no folders of shoes"):
        read_series(tmp_path)


def test_a_picture_that_is_no_print_is_named_with_the_reason(tmp_path: Path) -> None:
    folder = named(tmp_path, "s", "0.png")
    (folder / "s/2.png").write_bytes(png(worn(0)))
    (folder / "s/0.png").write_bytes(png(np.full((400, 200), 220, np.uint8)))
    with pytest.raises(InvalidInput, match=r"s/0\.png: nothing stands out"):
        read_series(folder, with_bar=False)


def test_scans_of_two_resolutions_are_refused_with_their_sizes(tmp_path: Path) -> None:
    folder = named(tmp_path, "s")
    gray = worn(0)
    (folder / "s/0.png").write_bytes(png(gray))
    (folder / "s/2.png").write_bytes(png(np.asarray(cv2.resize(gray, None, fx=1.5, fy=1.5), np.uint8)))
    with pytest.raises(InvalidInput, match=r"shoe 's' has 0\.png of \d+ x 602 px and 2\.png of \d+ x 903 px"):
        read_series(folder, with_bar=False)


def test_what_is_not_the_same_sole_is_refused_with_its_week(tmp_path: Path) -> None:
    folder = named(tmp_path, "s")
    gray = worn(0)
    lines = np.full(gray.shape, 250, np.uint8)
    lines[10:590:90, 20:200] = lines[11:590:90, 20:200] = lines[12:590:90, 20:200] = 20
    (folder / "s/10.png").write_bytes(png(gray))
    (folder / "s/12.png").write_bytes(png(lines))
    with pytest.raises(InvalidInput, match=r"week 12 of shoe 's' cannot be laid on its first week"):
        read_series(folder, with_bar=False)
