"""Retailers' photographs of shoes: where a shoe lies in one, so that its crop is that of a shoe in a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point
from outsole.imaging.plain_ground import largest_part, within_edges

_WORKED_ON_PX = 512
# Shops lay shoes level; what is steeper is no sole.
_STEEPEST = 0.4


@dataclass(frozen=True)
class ShoePlace:
    """Where a shoe lies in a picture, pixels.

    Attributes:
        toe, heel: Both ends of the sole on the ground, of a shoe seen from its side.
        box: Around the shoe.
    """

    toe: Point
    heel: Point
    box: Box


def find_shoe(rgb: NDArray[np.uint8], *, field: str = "image") -> ShoePlace:
    """Find the one shoe of a shop's photograph: what stands out from the ground.

    The sole lies along the longest edge of the lower hull; the heel is where the shoe is higher.

    Args:
        rgb: uint8 [H, W, 3], one shoe on a plain ground.
        field: Name of the input, for errors.

    Raises:
        InvalidInput: Nothing stands out from the ground.
    """
    shrink = min(1.0, _WORKED_ON_PX / max(rgb.shape[:2]))
    small = np.asarray(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    mask = largest_part(within_edges(small), field=field, what="one shoe")
    left, top, width, height = cv2.boundingRect(mask)
    ends = _sole_ends(mask) / shrink
    if _is_heel_right(mask[top : top + height, left : left + width]):
        ends = ends[::-1]
    heel, toe = ((float(x), float(y)) for x, y in ends)
    box = tuple(float(value / shrink) for value in (left, top, left + width, top + height))
    return ShoePlace(toe, heel, (box[0], box[1], box[2], box[3]))


def _sole_ends(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Both ends of the sole (x, y), the left one first, float64 [2, 2]: the shoe's reach along its ground line."""
    hull = cv2.convexHull(cv2.findNonZero(mask)).reshape(-1, 2).astype(np.float64)
    edges = np.roll(hull, -1, axis=0) - hull
    middle = hull.mean(axis=0)
    level = np.abs(edges[:, 1]) <= _STEEPEST * np.abs(edges[:, 0])
    below = (hull + edges / 2)[:, 1] > middle[1]
    lengths = np.where(level & below, np.abs(edges[:, 0]), 0.0)
    at = int(lengths.argmax())
    along = edges[at] * np.sign(edges[at, 0]) if lengths[at] else np.array([1.0, 0.0])
    along = along / np.hypot(*along)
    origin = hull[at] if lengths[at] else np.array([middle[0], hull[:, 1].max()])
    reach = (hull - origin) @ along
    return origin + np.outer([reach.min(), reach.max()], along)


def _is_heel_right(mask: NDArray[np.uint8]) -> bool:
    """Whether the shoe in a tight mask is higher on its right: the leg comes out above the heel."""
    heights = (mask > 0).sum(axis=0)
    half = len(heights) // 2
    return bool(heights[-half:].mean() > heights[:half].mean())
