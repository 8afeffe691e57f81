"""Retailers' photographs of shoes: where a shoe lies in one, so that its crop is that of a shoe in a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.errors import InvalidInput
from outsole.imaging.plain_ground import ground_colour, largest_part, within_edges

_WORKED_ON_PX = 512
# Shops lay shoes level; what is steeper is no sole.
_STEEPEST = 0.4
_EDGE_PX, _CERTAIN_PX, _SOFT_PX = 5, 11, 0.7
_GROUND_LEVELS, _NEARER = 20.0, 0.6
_FRAME_SHARE = 0.01
# Width by height, from a flat pump or a boot, from a boot's front to that of a loafer.
_SHAPES = {View.SIDE: (1.15, 6.0), View.FRONT: (0.35, 2.4), View.BACK: (0.35, 2.4)}
_LEAST_WIDTH_PX = {View.SIDE: 64, View.FRONT: 24, View.BACK: 24}
_LEAST_FILLED, _USUALLY_FILLED, _MOST_FILLED = 0.4, 0.65, 0.93


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


@dataclass(frozen=True)
class ShoeCut:
    """A shoe cut out of its photograph.

    Attributes:
        covered: uint8 [H, W], how much of each pixel the shoe covers, 0 .. 255.
        place: Where it lies.
    """

    covered: NDArray[np.uint8]
    place: ShoePlace


def find_shoe(rgb: NDArray[np.uint8], *, field: str = "image") -> ShoePlace:
    """Find the one shoe of a shop's photograph: what stands out from the ground.

    The sole lies along the longest edge of the lower hull; the heel is where the shoe is higher.

    Args:
        rgb: uint8 [H, W, 3], one shoe on a plain ground.
        field: Name of the input, for errors.

    Raises:
        InvalidInput: Nothing stands out from the ground.
    """
    small, shrink = _smaller(rgb)
    return _place(largest_part(within_edges(small), field=field, what="one shoe"), shrink)


def cut_out(rgb: NDArray[np.uint8], view: View, *, field: str = "image") -> ShoeCut:
    """Cut the one shoe of a shop's photograph out of its ground.

    Args:
        rgb: uint8 [H, W, 3], one shoe on a plain ground.
        view: From where it is seen; a shoe is longer than high from the side, and about as wide as high else.
        field: Name of the input, for errors.

    Raises:
        InvalidInput: Nothing stands out from the ground, or what does is not shaped like one whole shoe.
    """
    small, shrink = _smaller(rgb)
    edges = within_edges(small)
    mask = largest_part(edges, field=field, what="one shoe")
    doubt = _doubt(mask, edges, view)
    if doubt:
        raise InvalidInput(doubt, field=field, remedy="a photograph of one whole shoe on a plain ground")
    height, width = rgb.shape[:2]
    soft = cv2.GaussianBlur(_without_halo(mask, small), (0, 0), _SOFT_PX)
    covered = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return ShoeCut(np.asarray(covered, np.uint8), _place(mask, shrink))


def _smaller(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The picture at the size that it is looked at, and by how much it shrank."""
    shrink = min(1.0, _WORKED_ON_PX / max(rgb.shape[:2]))
    return np.asarray(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8), shrink


def _without_halo(mask: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask less the ground that its edge holds: edges are found on both sides, and gaps were closed.

    Near the edge what is nearer to the ground's colour than to that of the shoe beside it goes: a dark shoe would keep
    a white line around it on any floor. Further in a white sole may have the ground's colour.
    """
    inner, certain = (cv2.erode(mask, np.ones((side, side), np.uint8)) for side in (_EDGE_PX, _CERTAIN_PX))
    distance = np.abs(rgb.astype(np.float32) - ground_colour(rgb).astype(np.float32)).max(axis=2)
    beside = cv2.dilate(distance, np.ones((_CERTAIN_PX, _CERTAIN_PX), np.uint8))
    shoe = distance > np.maximum(_GROUND_LEVELS, _NEARER * beside)
    return np.where((certain > 0) | ((inner > 0) & shoe), np.uint8(255), np.uint8(0))


def _doubt(mask: NDArray[np.uint8], edges: NDArray[np.uint8], view: View) -> str:
    """Why what stands out is not believed to be one whole shoe, in words; empty where it is."""
    _, _, width, height = cv2.boundingRect(mask)
    frame = np.concatenate([edges[0], edges[-1], edges[:, 0], edges[:, -1]])
    if (frame > 0).mean() > _FRAME_SHARE:
        return "what stands out reaches the picture's edge"
    if width < _LEAST_WIDTH_PX[view]:
        return f"the shoe is {width} pixels wide, too few to be seen smaller"
    low, high = _SHAPES[view]
    if not low <= width / height <= high:
        return f"what stands out is {width} x {height} pixels, not shaped like a shoe seen from its {view.value}"
    filled = float((mask > 0).sum()) / (width * height)
    if not _LEAST_FILLED <= filled <= _MOST_FILLED:
        return f"what stands out fills {100 * filled:.0f} % of its box, a shoe some {100 * _USUALLY_FILLED:.0f} %"
    return ""


def _place(mask: NDArray[np.uint8], shrink: float) -> ShoePlace:
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
