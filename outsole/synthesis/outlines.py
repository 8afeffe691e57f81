"""Sole shapes: where a made sole is, and how far each of its pixels lies from the edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

# Half widths to the inner and the outer side at these heights (0 toe .. 1 heel), as parts of the greatest width, for a
# right shoe's print (inner side to the right).
_HEIGHTS = np.array([0.0, 0.02, 0.07, 0.16, 0.28, 0.40, 0.52, 0.64, 0.76, 0.87, 0.95, 0.985, 1.0])
_SHAPES: dict[str, tuple[list[float], list[float]]] = {
    "sneaker": (
        [0.03, 0.20, 0.34, 0.45, 0.50, 0.47, 0.37, 0.29, 0.31, 0.33, 0.27, 0.17, 0.02],
        [0.03, 0.17, 0.31, 0.44, 0.50, 0.51, 0.46, 0.40, 0.36, 0.34, 0.27, 0.17, 0.02],
    ),
    "runner": (
        [0.03, 0.18, 0.32, 0.44, 0.50, 0.46, 0.30, 0.20, 0.28, 0.35, 0.29, 0.17, 0.02],
        [0.03, 0.15, 0.29, 0.42, 0.50, 0.52, 0.48, 0.42, 0.39, 0.37, 0.29, 0.17, 0.02],
    ),
    "boot": (
        [0.04, 0.23, 0.37, 0.47, 0.50, 0.48, 0.36, 0.29, 0.34, 0.37, 0.34, 0.24, 0.03],
        [0.04, 0.21, 0.35, 0.46, 0.50, 0.51, 0.42, 0.36, 0.38, 0.38, 0.34, 0.24, 0.03],
    ),
    "dress": (
        [0.03, 0.15, 0.27, 0.40, 0.48, 0.45, 0.27, 0.16, 0.26, 0.32, 0.28, 0.20, 0.02],
        [0.03, 0.13, 0.25, 0.41, 0.50, 0.50, 0.37, 0.26, 0.29, 0.32, 0.28, 0.20, 0.02],
    ),
}
SHAPES = tuple(_SHAPES)
# Drawn by ``make_shoe_outline`` alone, so that ``SHAPES``, from which shipped treads were drawn, stays as it is.
_FURTHER_SHAPES: dict[str, tuple[list[float], list[float]]] = {
    "court": (
        [0.04, 0.25, 0.38, 0.46, 0.50, 0.48, 0.42, 0.37, 0.37, 0.37, 0.31, 0.20, 0.03],
        [0.04, 0.23, 0.37, 0.46, 0.50, 0.50, 0.45, 0.41, 0.39, 0.37, 0.31, 0.20, 0.03],
    ),
    "pump": (
        [0.02, 0.11, 0.23, 0.38, 0.48, 0.42, 0.20, 0.11, 0.18, 0.25, 0.23, 0.16, 0.02],
        [0.02, 0.10, 0.21, 0.38, 0.50, 0.48, 0.32, 0.19, 0.22, 0.25, 0.23, 0.16, 0.02],
    ),
}
_STYLE_SHAPES = {
    "sport": ("runner", "runner", "sneaker"),
    "boot": ("boot",),
    "formal": ("dress",),
    "court": ("court", "sneaker"),
}
# Greatest width as a part of the length.
_BREADTHS = {"men": (0.35, 0.40), "women": (0.325, 0.375), "children": (0.385, 0.435)}
STYLES = tuple(_STYLE_SHAPES)
WEARERS = tuple(_BREADTHS)
_MARGIN_PX = 6


@dataclass(frozen=True)
class Outline:
    """Where a sole is.

    Attributes:
        inside: bool [H, W].
        edge_px: float32 [H, W], distance to the sole's edge in pixels inside, 0 outside.
        across: float32 [H, W], -1 at the left edge .. 1 at the right edge of the same row, beyond outside.
        along: float32 [H, 1], 0 at the toe .. 1 at the heel.
    """

    inside: NDArray[np.bool_]
    edge_px: NDArray[np.float32]
    across: NDArray[np.float32]
    along: NDArray[np.float32]


def make_outline(rng: np.random.Generator, height_px: int, *, shape: str) -> Outline:
    """Draw one sole, toe up, filling the height but for a margin of 6 px.

    Args:
        rng: Where the individual variation comes from.
        height_px: Height of the image, pixels.
        shape: One of ``SHAPES``.

    Returns:
        An outline of a right shoe's print; its width follows from the shape (about 0.37 of the height).
    """
    return _drawn(rng, height_px, _SHAPES[shape], breadth=(0.345, 0.405))


def make_shoe_outline(rng: np.random.Generator, height_px: int, *, wearer: str, style: str) -> Outline:
    """Draw the sole of one kind of shoe, toe up, filling the height but for a margin of 6 px.

    Args:
        rng: Where the individual variation comes from.
        height_px: Height of the image, pixels.
        wearer: One of ``WEARERS``; children's soles are broad for their length, women's narrow.
        style: One of ``STYLES``.

    Returns:
        An outline of a right shoe's print.
    """
    shapes = _STYLE_SHAPES[style]
    shape = shapes[int(rng.integers(len(shapes)))]
    if style == "formal" and wearer == "women":
        shape = "pump" if rng.random() < 0.6 else "dress"
    return _drawn(rng, height_px, {**_SHAPES, **_FURTHER_SHAPES}[shape], breadth=_BREADTHS[wearer])


def _drawn(
    rng: np.random.Generator,
    height_px: int,
    sides: tuple[list[float], list[float]],
    *,
    breadth: tuple[float, float],
) -> Outline:
    """The outline between two sides in parts of the greatest width, which is drawn from ``breadth`` of the length."""
    length = height_px - 2 * _MARGIN_PX
    widest = length * rng.uniform(*breadth)
    inner, outer = (np.array(side) * (1 + 0.03 * rng.standard_normal(len(side))) for side in sides)
    lean = rng.uniform(-0.03, 0.05) * widest
    along = ((np.arange(height_px, dtype=np.float32) - _MARGIN_PX) / length)[:, None]
    clipped = np.clip(along[:, 0], 0.0, 1.0)
    axis = lean * (0.5 - clipped) * 2
    right = axis + PchipInterpolator(_HEIGHTS, inner)(clipped) * widest
    left = axis - PchipInterpolator(_HEIGHTS, outer)(clipped) * widest
    width = int(np.ceil(right.max() - left.min())) + 2 * _MARGIN_PX
    x = np.arange(width, dtype=np.float32)[None] + np.float32(left.min() - _MARGIN_PX)
    centre, half = (right + left)[:, None] / 2, np.maximum((right - left)[:, None] / 2, 1.0)
    across = ((x - centre) / half).astype(np.float32)
    inside = (np.abs(across) <= 1.0) & (along >= 0.0) & (along <= 1.0)
    edge = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 3)
    return Outline(inside, np.asarray(edge, np.float32), across, np.asarray(along, np.float32))
