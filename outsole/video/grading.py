"""How much a shoe in a frame can tell: its size, its sharpness, and how much of it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.video.boxes import Boxes
from outsole.video.records import Grade

_BLUR_TAPS = 9
_GRID = 16
# A picture blurred with the measure's own filter has about 0.3 left, a sharp one about 0.75.
_BLURRED, _SHARP = 0.30, 0.75
_LARGEST_PX = 256


@dataclass(frozen=True)
class GradeSettings:
    """What is worth a search.

    Attributes:
        min_length_px: Least toe to heel of a side view; below it the content of a crop is gone.
        min_height_px: Least height of a front's or a back's box.
        full_length_px: Length from which a shoe does not tell more.
        min_visible: Least visible part.
    """

    min_length_px: float = 48.0
    min_height_px: float = 32.0
    full_length_px: float = 120.0
    min_visible: float = 0.5


def grade(
    rgb: NDArray[np.uint8],
    box: Box,
    *,
    ends: tuple[Point, Point],
    view: View,
    hiding: Boxes,
    settings: GradeSettings,
) -> Grade:
    """Grade a shoe.

    Args:
        rgb: The frame, uint8 [H, W, 3].
        box: Around the shoe.
        ends: Toe and heel, pixels.
        view: From where it is seen.
        hiding: [N, 4] boxes of what stands in front of it.
        settings: What is large enough.
    """
    toe, heel = ends
    is_side = view is View.SIDE
    length = float(np.hypot(toe[0] - heel[0], toe[1] - heel[1])) if is_side else box[3] - box[1]
    visible = visible_part(box, rgb.shape[1], rgb.shape[0], hiding)
    sharp = sharpness(_cut(rgb, box))
    least = settings.min_length_px if is_side else settings.min_height_px
    # Fronts and backs show less of a shoe, and their height is shorter than its length.
    size = min(1.0, length / settings.full_length_px * (1.0 if is_side else settings.min_length_px / least))
    return Grade(
        length_px=length,
        sharpness=sharp,
        visible=visible,
        weight=size * (0.25 + 0.75 * sharp) * visible**2,
        is_large_enough=length >= least and visible >= settings.min_visible,
    )


def visible_part(box: Box, width: int, height: int, hiding: Boxes) -> float:
    """How much of a box lies in the frame and behind none of the boxes ``hiding`` [N, 4], 0 .. 1."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = (low + (high - low) * steps for low, high in ((box[0], box[2]), (box[1], box[3])))
    inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None]
    in_x = (x >= hiding[:, :1]) & (x <= hiding[:, 2:3])
    in_y = (y >= hiding[:, 1:2]) & (y <= hiding[:, 3:])
    hidden = (in_y[:, :, None] & in_x[:, None]).any(0)
    return float((inside & ~hidden).mean())


def sharpness(rgb: NDArray[np.uint8]) -> float:
    """How sharp a picture is: 0 blurred .. 1 as sharp as so small a picture can be.

    The blur effect (Crete et al., 2007): a sharp picture loses much of its differences between neighbours when it is
    blurred, a blurred one little. The worse of both directions counts, since a moving shoe is blurred along one.

    Args:
        rgb: uint8 [H, W, 3]; smaller than three pixels either way is 0.
    """
    if min(rgb.shape[:2]) < 3:
        return 0.0
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.clip((min(_lost(gray), _lost(gray.T)) - _BLURRED) / (_SHARP - _BLURRED), 0, 1))


def _lost(gray: NDArray[np.float32]) -> float:
    """How much of the differences along rows a blur takes away, 0 .. 1."""
    gray = np.ascontiguousarray(gray)
    blurred = cv2.blur(gray, (_BLUR_TAPS, 1), borderType=cv2.BORDER_REPLICATE)
    before, after = (np.abs(np.diff(picture, axis=1)) for picture in (gray, blurred))
    total = float(before.sum())
    return float(np.maximum(before - after, 0).sum()) / total if total else 0.0


def _cut(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    left, top, right, bottom = (max(round(edge), 0) for edge in box)
    cut = rgb[top:bottom, left:right]
    longest = max(cut.shape[:2])
    if longest <= _LARGEST_PX or not cut.size:
        return cut
    # Sharpness of a shoe as large as it is looked at: pixels beyond that tell nothing.
    size = [max(1, round(edge * _LARGEST_PX / longest)) for edge in cut.shape[1::-1]]
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
