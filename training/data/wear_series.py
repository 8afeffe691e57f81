"""Real series of scans: a folder a shoe, a picture a week, ``<folder>/<shoe>/<anything><week>.png``.

The week is the last number in the name of a file: ``04.png``, ``week_04.png`` and ``shoe3_w12.tif`` are weeks 4, 4, 12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.errors import InvalidInput, NotFound
from outsole.synthesis.wear_pairs import WearPair
from outsole.wear.canvas import CANVAS_PX, lay_print
from outsole.wear.denoising import denoised
from outsole.wear.intake import print_from_bytes
from outsole.wear.model import Direction
from outsole.wear.weeks import LONGEST_WEEKS, STEP_WEEKS
from training.data.records import pictures_in
from training.data.registration import laid_on

_NUMBER = re.compile(r"\d+")
# Scans of one shoe at one resolution differ by their margins alone.
_LARGEST_RATIO = 1.3
# Scans of one made shoe, 52 weeks apart, correlate by 0.73 or more once they lie on each other. Two shoes do so by 0.43
# to 0.92: another shoe cannot be told, what is no upright sole can.
_LEAST_LIKENESS = 0.4


@dataclass(frozen=True)
class WearSeriesScans:
    """What is left of a shoe's sole, week by week.

    Attributes:
        shoe: Name of the shoe's folder.
        weeks: W even weeks, each two more than the one before.
        prints: uint8 [W, 640, 256], denoised, 0 full contact .. 255 none; all lie as that of the first week does.
    """

    shoe: str
    weeks: tuple[int, ...]
    prints: NDArray[np.uint8]


def read_series(folder: Path, *, with_bar: bool = True) -> tuple[WearSeriesScans, ...]:
    """Read a folder whose sub-folders are the shoes; every name is checked before a picture is decoded.

    Pictures go through the intake of the wear models, are denoised, laid on the models' canvas at one scale a shoe, and
    turned and moved onto the print of the first week.

    Args:
        folder: Hidden sub-folders, and files beside the sub-folders, are left out.
        with_bar: Whether a progress bar is shown.

    Returns:
        Series in the order of the shoes' names.

    Raises:
        NotFound: There is no such folder, or no shoe in it.
        InvalidInput: A name says no week, or one that is odd or out of range; a week is there twice or missing; a shoe
            has less than two pictures; a picture is no print, or cannot be laid on that of the first week. The message
            names the folder of the shoe.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", field="data")
    shoes = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    if not shoes:
        raise NotFound(f"there are no folders of shoes in {folder}", field="data")
    files = {shoe: weeks_in(shoe) for shoe in shoes}
    with tqdm(total=sum(map(len, files.values())), desc="series", unit="scan", disable=not with_bar) as bar:
        return tuple(_series(shoe, by_week, bar) for shoe, by_week in files.items())


def pairs_of_series(series: Iterable[WearSeriesScans], direction: Direction) -> tuple[WearPair, ...]:
    """The first week of each shoe with every later one; both are denoised scans."""
    pairs = []
    for shoe in series:
        contacts = np.uint8(255) - shoe.prints
        for place in range(1, len(shoe.weeks)):
            given, other = (0, place) if direction is Direction.FORWARD else (place, 0)
            weeks = shoe.weeks[place] - shoe.weeks[0]
            pairs.append(WearPair(shoe.prints[given], weeks, contacts[other], contacts[given]))
    return tuple(pairs)


def weeks_in(shoe: Path) -> dict[int, Path]:
    """The pictures of a shoe's folder by week, in the order of the weeks.

    Raises:
        InvalidInput: See ``read_series``.
    """
    found: dict[int, Path] = {}
    for path in pictures_in(shoe).values():
        week = _week_of(path)
        if week in found:
            message = f"shoe {shoe.name!r} has week {week} twice: {found[week].name} and {path.name}"
            raise InvalidInput(message, field="data", remedy="one picture a week")
        found[week] = path
    if len(found) < 2:
        count = "no picture" if not found else f"week {next(iter(found))} alone"
        raise InvalidInput(f"shoe {shoe.name!r} has {count} in {shoe}", field="data", remedy="two weeks or more")
    missing = [week for week in range(min(found), max(found), STEP_WEEKS) if week not in found]
    if missing:
        weeks = ", ".join(map(str, missing))
        message = f"the series of shoe {shoe.name!r} lacks {'week' if len(missing) == 1 else 'weeks'} {weeks}"
        raise InvalidInput(message, field="data", remedy=f"a picture every {STEP_WEEKS} weeks in {shoe}")
    return {week: found[week] for week in sorted(found)}


def _week_of(path: Path) -> int:
    numbers = _NUMBER.findall(path.stem)
    if not numbers:
        raise InvalidInput(f"{path} says no week", field="data", remedy="the week as the last number of the name")
    week = int(numbers[-1])
    if week > LONGEST_WEEKS or week % STEP_WEEKS:
        remedy = f"an even week from 0 to {LONGEST_WEEKS} as the last number of the name"
        raise InvalidInput(f"{path} says week {week}", field="data", remedy=remedy)
    return week


def _series(shoe: Path, files: Mapping[int, Path], bar: tqdm[None]) -> WearSeriesScans:
    scans = [_scan(path) for path in files.values()]
    _check_sizes(shoe, files, scans)
    canvases = _laid(scans)
    prints = np.empty((len(files), *CANVAS_PX), np.uint8)
    for place, (week, canvas) in enumerate(zip(files, canvases, strict=True)):
        if place == 0:
            prints[0] = canvas
        else:
            prints[place], likeness = laid_on(canvas, prints[0])
            _check_likeness(shoe, week, likeness)
        bar.update()
    return WearSeriesScans(shoe.name, tuple(files), prints)


def _scan(path: Path) -> NDArray[np.uint8]:
    """A picture as a denoised print, uint8 [H, W]."""
    try:
        return denoised(print_from_bytes(path.read_bytes(), field="data").gray).gray
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", field="data", remedy=error.remedy) from error


def _check_sizes(shoe: Path, files: Mapping[int, Path], scans: Sequence[NDArray[np.uint8]]) -> None:
    for axis in (0, 1):
        sides = [scan.shape[axis] for scan in scans]
        small, large = int(np.argmin(sides)), int(np.argmax(sides))
        if sides[large] > _LARGEST_RATIO * sides[small]:
            names = tuple(path.name for path in files.values())
            sizes = (f"{names[i]} of {scans[i].shape[1]} x {scans[i].shape[0]} px" for i in (small, large))
            message = f"shoe {shoe.name!r} has {' and '.join(sizes)}, which cannot be laid on each other"
            raise InvalidInput(message, field="data", remedy="scans of one resolution with like margins")


def _laid(scans: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """The scans on the canvas at one scale: each gets margins of its own paper up to the size of the largest."""
    height, width = (max(scan.shape[axis] for scan in scans) for axis in (0, 1))
    canvases = []
    for scan in scans:
        down, right = height - scan.shape[0], width - scan.shape[1]
        sides = (down // 2, down - down // 2, right // 2, right - right // 2)
        paper = (int(scan.max()),)
        whole = np.asarray(cv2.copyMakeBorder(scan, *sides, cv2.BORDER_CONSTANT, value=paper), np.uint8)
        canvases.append(lay_print(whole).image)
    return canvases


def _check_likeness(shoe: Path, week: int, likeness: float) -> None:
    if likeness < _LEAST_LIKENESS:
        raise InvalidInput(
            f"week {week} of shoe {shoe.name!r} cannot be laid on its first week: they correlate by {likeness:.2f}",
            field="data",
            remedy="prints of one and the same shoe, upright",
        )
