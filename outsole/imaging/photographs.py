"""Retailers' photographs of soles: telling them from impressions, and laying the sole upright.

A photograph that was laid out fills a picture of 384 x 192 px as the depth predictor learned it: toe up, the sole 0.95
of the height.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.crisp_pictures import PICTURE_PX
from outsole.imaging.plain_ground import ground_colour, largest_part, unlike_ground

# A scan of an impression is grey; compression adds a few levels of colour at most.
_COLOUR_LEVELS = 16
_COLOUR_SHARE = 0.01
_SOLE_SHARE = 0.95
_WORKED_ON_PX = 512
_LEAST_ELONGATION = 1.6
_WHITE = 255.0
# Length of an adult's sole, which an impression at 20 px/cm has.
SOLE_HEIGHT_PX = 586


def is_photograph(rgb: NDArray[np.uint8]) -> bool:
    """Whether a picture uint8 [H, W, 3] has colours; impressions and depth maps are grey.

    A photograph of a black sole on a white ground has none and is taken for an impression: a manifest that says so
    goes before this guess.
    """
    spread = rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2)
    return bool((spread > _COLOUR_LEVELS).mean() > _COLOUR_SHARE)


def upright_sole(rgb: NDArray[np.uint8], *, field: str = "image") -> NDArray[np.uint8]:
    """A sole's photograph laid out: turned upright, toe up, cut out and brought to one size.

    The sole is what differs from the colour of the picture's border; its long axis becomes vertical, its wider half
    goes up (the ball of a foot is wider than its heel).

    Args:
        rgb: uint8 [H, W, 3], one sole on a plain ground.
        field: Name of the input, for errors.

    Returns:
        uint8 [384, 192, 3].

    Raises:
        InvalidInput: Nothing stands out from the ground, or what does is not long enough to be a sole.
    """
    shrink = min(1.0, _WORKED_ON_PX / max(rgb.shape[:2]))
    small = np.asarray(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    ground = ground_colour(small)
    mask = largest_part(unlike_ground(small, ground), field=field, what="one sole")
    centre, angle_deg, length = _axis(mask, field)
    turn = _placed(centre, angle_deg, length)
    if _is_toe_down(_warped(mask, turn, value=(0,))):
        turn = _placed(centre, angle_deg + 180.0, length)
    turn[:, :2] *= shrink
    return _warped(rgb, turn, value=tuple(float(level) for level in ground))


def print_of_sole(contact: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A predicted print as an impression at 20 px/cm, for an adult's sole.

    Args:
        contact: [384, 192], 0 no contact .. 1 contact.

    Returns:
        uint8 [H, W], contact dark.
    """
    gray = np.rint(_WHITE * (1.0 - np.clip(contact.astype(np.float32), 0.0, 1.0))).astype(np.uint8)
    scale = SOLE_HEIGHT_PX / (_SOLE_SHARE * PICTURE_PX[0])
    return np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _axis(mask: NDArray[np.uint8], field: str) -> tuple[tuple[float, float], float, float]:
    """Centre (x, y) of the box along the long axis, its angle from the vertical in degrees, and its length, pixels."""
    points = cv2.findNonZero(mask).reshape(-1, 2).astype(np.float32)
    mean = points.mean(axis=0)
    # The eigenvector of the largest eigenvalue comes last.
    axes = np.linalg.eigh(np.cov(points.T))[1].T[::-1]
    along, across = ((points - mean) @ axis for axis in axes)
    length, width = (float(side.max() - side.min()) for side in (along, across))
    if length < _LEAST_ELONGATION * width:
        raise InvalidInput(
            f"what stands out is {length:.0f} x {width:.0f} px, not as long as a sole",
            field=field,
            remedy="a photograph of one sole, seen from below",
        )
    middles = ((float(side.max()) + float(side.min())) / 2 for side in (along, across))
    centre = mean + sum(middle * axis for middle, axis in zip(middles, axes, strict=True))
    return (float(centre[0]), float(centre[1])), float(np.degrees(np.arctan2(axes[0][0], axes[0][1]))), length


def _placed(centre: tuple[float, float], angle_deg: float, length: float) -> NDArray[np.float64]:
    """The affine map [2, 3] that lays the sole out."""
    turn = cv2.getRotationMatrix2D(centre, -angle_deg, _SOLE_SHARE * PICTURE_PX[0] / length)
    turn[:, 2] += np.array([PICTURE_PX[1] / 2 - centre[0], PICTURE_PX[0] / 2 - centre[1]])
    return np.asarray(turn, np.float64)


def _warped(picture: NDArray[np.uint8], turn: NDArray[np.float64], *, value: tuple[float, ...]) -> NDArray[np.uint8]:
    size = (PICTURE_PX[1], PICTURE_PX[0])
    return np.asarray(cv2.warpAffine(picture, turn, size, flags=cv2.INTER_AREA, borderValue=value), np.uint8)


def _is_toe_down(mask: NDArray[np.uint8]) -> bool:
    """Whether the lower half of a sole that stands upright, uint8 [H, W], is the wider one."""
    widths = (mask > 0).sum(axis=1)
    half = len(widths) // 2
    return bool(np.sort(widths[half:])[-half // 3 :].mean() > np.sort(widths[:half])[-half // 3 :].mean())
