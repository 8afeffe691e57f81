"""The canvas of the wear models: a print's contact on 640 x 256 px, and predictions back in the print's own frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.imaging.gray_levels import level_counts, percentile
from outsole.imaging.masks import automatic_mask

CANVAS_PX = (640, 256)
"""Height and width; at 20 px/cm an adult's sole of 586 px has a little room about it."""
_WHITE = 255.0
# Of the pixels darker than the threshold, so that a few black specks do not set the level of the ink.
_INK_PERCENTILE = 30
# Within one block of ink less than this is told apart; a print has more, see ``outsole.wear.intake``.
_LEAST_CONTRAST = 24.0
# As in ``outsole.imaging.masks``.
_WHITE_FILL_MIN = 250


@dataclass(frozen=True)
class LaidPrint:
    """A print on the canvas.

    Attributes:
        image: uint8 [640, 256], 0 full contact .. 255 none; around the print there is none.
        top, left: Where the print's corner lies on the canvas, pixels.
        height, width: Size that the print has there, pixels.
        size_px: (H, W) of the picture that it was laid from.
    """

    image: NDArray[np.uint8]
    top: int
    left: int
    height: int
    width: int
    size_px: tuple[int, int]

    def taken_off(self, canvas: NDArray[np.floating]) -> NDArray[np.float32]:
        """A map [640, 256] of the canvas in the frame of the picture that was laid, float32 [H, W]."""
        window = canvas[self.top : self.top + self.height, self.left : self.left + self.width]
        size = (self.size_px[1], self.size_px[0])
        return np.asarray(cv2.resize(window.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)


def lay_print(gray: NDArray[np.uint8]) -> LaidPrint:
    """Lay an impression in the middle of the canvas, its ink and its paper brought to the same levels.

    Args:
        gray: uint8 [H, W], sole upright, toe up, contact dark; 20 px/cm. Larger than the canvas, it is reduced to fit.
    """
    levelled = np.rint(_WHITE * (1 - contact_of(gray))).astype(np.uint8)
    factor = min(1.0, CANVAS_PX[0] / gray.shape[0], CANVAS_PX[1] / gray.shape[1])
    height, width = (max(1, round(side * factor)) for side in gray.shape)
    if factor < 1:
        levelled = np.asarray(cv2.resize(levelled, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    image = np.full(CANVAS_PX, int(_WHITE), np.uint8)
    top, left = (CANVAS_PX[0] - height) // 2, (CANVAS_PX[1] - width) // 2
    image[top : top + height, left : left + width] = levelled
    return LaidPrint(image, top, left, height, width, (gray.shape[0], gray.shape[1]))


def contact_of(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How firmly each pixel touched, float32 [H, W], 0 the level of the paper .. 1 the level of the ink.

    Both levels are read off the picture: the median of what is lighter than Otsu's threshold, and a dark percentile of
    what is not. Flat fills at the frame are paper; where all of the paper is such a fill, white is its level.
    """
    shown = automatic_mask(gray)
    paper, ink = _levels(gray, shown)
    if paper - ink < _LEAST_CONTRAST:
        paper, ink = _levels(gray, shown | (gray >= _WHITE_FILL_MIN))
    levels = np.arange(256, dtype=np.float32)
    # A level has one contact, so 256 of them are computed and not one a pixel.
    contact = np.clip((np.float32(paper) - levels) / np.float32(max(paper - ink, 1.0)), 0, 1)
    return np.where(shown, cv2.LUT(gray, contact), np.float32(0))


def _levels(gray: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Levels of paper and ink among the pixels of a mask; the same, where they do not differ."""
    counts = level_counts(gray, mask)
    threshold, _ = cv2.threshold(gray[mask].reshape(-1, 1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark, light = counts.copy(), counts.copy()
    dark[int(threshold) + 1 :] = 0
    light[: int(threshold) + 1] = 0
    if not light.any() or not dark.any():
        return float(gray[mask][0]), float(gray[mask][0])
    return percentile(light, 50), percentile(dark, _INK_PERCENTILE)
