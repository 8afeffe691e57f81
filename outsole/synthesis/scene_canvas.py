"""A patch of a made picture in finer pixels, on which rounded bodies and shoes are laid from back to front."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.scenes import Camera

# What is neither a shoe nor cloth: skin and hair; 1 and 2 are the left and the right shoe.
BARE = 3
_SHIFT = 4
_ROUND = np.stack([np.cos(np.linspace(0, 2 * np.pi, 16, False)), np.sin(np.linspace(0, 2 * np.pi, 16, False))], axis=1)
# Parts of the radius, brightness: a lamp from above and one side.
_SHADES = ((1.0, 0.66), (0.8, 0.82), (0.58, 0.94), (0.34, 1.03))
Field = NDArray[np.float32]
Floats = NDArray[np.float64]
Colour = tuple[float, float, float]


class Canvas:
    """A patch of the picture in finer pixels: colours times coverage, and which shoe each pixel shows."""

    def __init__(self, camera: Camera, start: NDArray[np.int_], size: NDArray[np.int_], *, fine: int) -> None:
        self.start, self.fine = start, fine
        self._camera = camera
        shape = (int(size[1]) * fine, int(size[0]) * fine)
        self.layers: NDArray[np.uint8] = np.zeros((*shape, 4), np.uint8)
        self.codes: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self._low, self._high = np.full(2, np.inf), np.full(2, -np.inf)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Around all solids and shoes, pixels of the picture."""
        return float(self._low[0]), float(self._low[1]), float(self._high[0]), float(self._high[1])

    def fine_of(self, pixels: Floats) -> Floats:
        """Points of the picture on the canvas."""
        return np.asarray((pixels - self.start + 0.5) * self.fine - 0.5)

    def reach(self, pixels: Floats) -> None:
        """Make the box hold these points of the picture, float64 [N, 2]."""
        self._low, self._high = np.minimum(self._low, pixels.min(axis=0)), np.maximum(self._high, pixels.max(axis=0))

    def count(self, code: int) -> float:
        """How many fine pixels show a shoe."""
        return float(np.count_nonzero(self.codes == code))

    def solid(self, points: Floats, radii_m: Floats, colour: Colour, *, code: int = 0) -> None:
        """A rounded body around points of the world, [N, 3], brighter where it faces the lamp; radii in metres."""
        line = cv2.LINE_8 if self.fine > 1 else cv2.LINE_AA
        middles = self._camera.project(points)
        radii = radii_m * self._camera.focal_px / points[:, 2]
        rim = (middles[:, None] + radii[:, None, None] * _ROUND).reshape(-1, 2)
        self.reach(rim)
        centre = middles.mean(axis=0)
        for part, shade in _SHADES:
            # The lamp stands to the upper left, and towards the middle a wide body is flat.
            moved = (
                centre + (middles - centre) * (0.45 + 0.55 * part) - (1 - part) * radii.mean() * np.array([0.3, 0.2])
            )
            spots = (moved[:, None] + part * radii[:, None, None] * _ROUND).reshape(-1, 2).astype(np.float32)
            hull = cv2.convexHull(spots)[:, 0]
            pixels = np.rint(self.fine_of(hull) * (1 << _SHIFT)).astype(np.int32)
            red, green, blue = (min(shade * value, 255) for value in colour)
            cv2.fillConvexPoly(self.layers, pixels, (red, green, blue, 255), line, _SHIFT)
            if part == 1.0:
                cv2.fillConvexPoly(self.codes, pixels, code, cv2.LINE_8, _SHIFT)

    def small(self, codes: Sequence[int]) -> tuple[Field, list[Field], Field]:
        """What is drawn in the picture's pixels.

        Returns:
            Colours and coverage, float32 [h, w, 4]; how much shows each shoe, [h, w]; how much shows no cloth, [h, w].
        """
        size = (self.layers.shape[1] // self.fine, self.layers.shape[0] // self.fine)
        layers = cv2.resize(self.layers, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        layers[..., 3] /= 255
        shown = [
            np.where(area, np.uint8(255), np.uint8(0)) for area in (*(self.codes == c for c in codes), self.codes > 0)
        ]
        parts = [_share(area, size) for area in shown]
        return np.asarray(cv2.GaussianBlur(layers, (3, 3), 0.5), np.float32), parts[:-1], parts[-1]


def _share(area: NDArray[np.uint8], size: tuple[int, int]) -> Field:
    """How much of each larger pixel an area of 0 and 255 covers, float32 [h, w]."""
    small = cv2.resize(area, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / np.float32(255), np.float32)
