"""Drawn people, on which the detectors answer as they do on real ones: for measuring conversions, and for tests."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Place = tuple[float, float]
_SKIN, _HAIR, _EYE, _LIPS, _SHOE = (205, 160, 130), (50, 35, 25), (20, 20, 20), (150, 80, 80), (170, 40, 45)
_SOLE = (240, 240, 235)
# All places in 256ths of the square that a figure stands in.
_UNITS = 256
_FRACTION_BITS = 4
SHOE_BOXES = ((90.0, 227.0, 119.0, 249.0), (137.0, 227.0, 166.0, 249.0))
"""(left, top, right, bottom) of both shoes, in 256ths of the square."""


def clouds(generator: np.random.Generator, side_px: int) -> NDArray[np.uint8]:
    """Coloured clouds of all sizes, uint8 [side, side, 3]."""
    levels = [
        cv2.resize(generator.normal(size=(cells, cells, 3)), (side_px, side_px), interpolation=cv2.INTER_LINEAR)
        for cells in (3, 6, 12, 25, 50, 100)
    ]
    return np.asarray(
        np.clip(158 + 12 * np.sum([0.8**n * level for n, level in enumerate(levels)], 0), 0, 255), np.uint8
    )


def figure(generator: np.random.Generator, side_px: int) -> NDArray[np.uint8]:
    """A person from the front, standing in the middle of a square before clouds.

    Args:
        generator: Colours of clothes and clouds.
        side_px: Of the square.

    Returns:
        uint8 [side, side, 3], red first.
    """
    picture = clouds(generator, side_px)
    shirt, trousers = (_colour(generator, most) for most in (230, 120))
    _Drawing(picture).person(shirt, trousers)
    return picture


def figures(count: int, side_px: int, *, window: tuple[float, float, float] = (0, 0, _UNITS)) -> NDArray[np.uint8]:
    """Figures of different colours, uint8 [count, side, side, 3]; the same every time.

    Args:
        count: How many.
        side_px: Of each picture.
        window: Left, top and side of the part that is shown, in 256ths of the square.
    """
    left, top, side = window
    whole_px = round(side_px * _UNITS / side)
    x, y = (round(place * whole_px / _UNITS) for place in (left, top))
    generator = np.random.default_rng(0)
    return np.stack([figure(generator, whole_px)[y : y + side_px, x : x + side_px] for _ in range(count)])


def _colour(generator: np.random.Generator, most: int) -> Colour:
    red, green, blue = (int(value) for value in generator.integers(20, most, 3))
    return red, green, blue


class _Drawing:
    """Limbs and discs on a square picture."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture
        self._scale = len(picture) / _UNITS

    def person(self, shirt: Colour, trousers: Colour) -> None:
        """Draw everything."""
        for side in (-1, 1):
            hip, knee, ankle = ((128 + side * x, y) for x, y in ((11, 130), (16, 185), (18.5, 228)))
            self._limb(hip, knee, trousers, 20)
            self._limb(knee, ankle, trousers, 16)
            self._shoe(side, _SHOE)
        self._limb((118, 80), (118, 125), shirt, 28)
        self._limb((138, 80), (138, 125), shirt, 28)
        for side in (-1, 1):
            shoulder, elbow, hand = ((128 + side * x, y) for x, y in ((20, 74), (38, 105), (44, 135)))
            self._limb(shoulder, elbow, shirt, 14)
            self._limb(elbow, hand, _SKIN, 10)
        self._head()

    def _shoe(self, side: int, upper: Colour) -> None:
        """A low shoe that points down and outwards: sole, upper, opening, laces."""
        outline = [(10, 231), (9, 240), (15, 244), (31, 246), (37, 244), (36, 240), (28, 236), (23, 229), (16, 227)]
        sole = [(9, 239), (9, 243), (15, 247), (32, 249), (38, 246), (37, 243), (31, 245), (15, 243)]
        self._patch([(128 + side * x, y) for x, y in outline], upper)
        self._patch([(128 + side * x, y) for x, y in sole], _SOLE)
        for x in (24, 26.5, 29):
            self._limb((128 + side * x, 233 + (x - 24) * 0.6), (128 + side * (x - 4), 236 + (x - 24) * 0.6), _SOLE, 1)

    def _patch(self, corners: list[Place], colour: Colour) -> None:
        places = np.array([self._fixed(corner) for corner in corners], np.int32)
        cv2.fillPoly(self._picture, [places], colour, cv2.LINE_AA, _FRACTION_BITS)

    def _head(self) -> None:
        self._limb((128, 70), (128, 56), _SKIN, 14)
        self._disc((128, 42), (15, 20), _SKIN)
        self._disc((128, 33), (16, 14), _HAIR, first_degree=180)
        for x in (122, 134):
            self._disc((x, 40), (2, 2), _EYE)
        self._limb((123, 51), (133, 51), _LIPS, 2)

    def _limb(self, start: Place, end: Place, colour: Colour, width: float) -> None:
        thickness = max(1, round(width * self._scale))
        ends = (self._fixed(start), self._fixed(end))
        cv2.line(self._picture, *ends, colour, thickness, cv2.LINE_AA, _FRACTION_BITS)

    def _disc(self, middle: Place, radii: Place, colour: Colour, *, first_degree: int = 0) -> None:
        places = (self._fixed(middle), self._fixed(radii))
        cv2.ellipse(self._picture, *places, 0, first_degree, 360, colour, -1, cv2.LINE_AA, _FRACTION_BITS)

    def _fixed(self, place: Place) -> tuple[int, int]:
        scale = self._scale * 2**_FRACTION_BITS
        return round(place[0] * scale), round(place[1] * scale)
