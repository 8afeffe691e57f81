"""Crops of shoes as the shoe encoders take them: the sole level, the toe to the right, of one size.

Shoe type recognition by attention (2022) turns a shoe by its toe and heel before it is encoded; what is left of the
turn is the sole's spring. Fronts and backs have no such line and are only brought to size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.errors import InvalidInput

CROP_PX = (112, 224)
# Where heel and toe come to lie, as parts of width and height: boots reach above what a low shoe needs.
_HEEL_AT, _TOE_AT, _GROUND_AT = 0.12, 0.88, 0.86
_MIN_LENGTH_PX = 4.0


def shoe_crop(rgb: NDArray[np.uint8], *, view: View, toe: Point, heel: Point, box: Box) -> NDArray[np.uint8]:
    """The crop that a shoe encoder takes of a shoe: sides turned level by toe and heel, fronts and backs by their box.

    Args:
        rgb: uint8 [H, W, 3].
        view: From where the shoe is seen.
        toe, heel, box: Where it is; see ``level_crop`` and ``upright_crop``.

    Returns:
        uint8 [112, 224, 3].

    Raises:
        InvalidInput: As of those.
    """
    if view is View.SIDE:
        return level_crop(rgb, toe=toe, heel=heel)
    return upright_crop(rgb, box=box)


def level_crop(
    rgb: NDArray[np.uint8], *, toe: Point, heel: Point, size_px: tuple[int, int] = CROP_PX
) -> NDArray[np.uint8]:
    """Turn, scale and, where the toe lies left of the heel, mirror a shoe so that all lie alike.

    Args:
        rgb: uint8 [H, W, 3].
        toe, heel: (x, y) of both ends of the sole on the ground, pixels; they may lie outside the picture.
        size_px: (H, W) of the crop.

    Returns:
        uint8 [size_px, 3]; what lies outside the picture repeats its edge.

    Raises:
        InvalidInput: No colour picture, or toe and heel within 4 pixels of each other.
    """
    _check(rgb, size_px)
    along = np.subtract(toe, heel, dtype=np.float64)
    length = float(np.hypot(*along))
    if not length >= _MIN_LENGTH_PX:
        raise InvalidInput(
            f"toe and heel are {length:.1f} pixels apart", field="toe", remedy=f"at least {_MIN_LENGTH_PX:g} pixels"
        )
    height, width = size_px
    scale = (_TOE_AT - _HEEL_AT) * width / length
    across = np.array([-along[1], along[0]])
    # The ground's normal points down in the picture, whichever way the shoe looks.
    down = across if across[1] >= 0 else -across
    linear = scale / length * np.stack([along, down])
    to_crop = np.column_stack([linear, [_HEEL_AT * width, _GROUND_AT * height] - linear @ np.asarray(heel)])
    return _warped(rgb, to_crop, size_px, scale)


def upright_crop(rgb: NDArray[np.uint8], *, box: Box, size_px: tuple[int, int] = CROP_PX) -> NDArray[np.uint8]:
    """Bring a box to a crop's size, whole and not stretched: for fronts and backs.

    Args:
        rgb: uint8 [H, W, 3].
        box: (left, top, right, bottom), pixels.
        size_px: (H, W) of the crop.

    Raises:
        InvalidInput: No colour picture, or an empty box.
    """
    _check(rgb, size_px)
    left, top, right, bottom = box
    if not (right - left >= 1 and bottom - top >= 1):
        raise InvalidInput(f"the box is {box}", field="box", remedy="left, top, right, bottom in pixels")
    height, width = size_px
    scale = min(width / (right - left), height / (bottom - top))
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    linear = scale * np.eye(2)
    to_crop = np.column_stack([linear, [width / 2, height / 2] - linear @ middle])
    return _warped(rgb, to_crop, size_px, scale)


def _check(rgb: NDArray[np.uint8], size_px: tuple[int, int]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise InvalidInput(f"the picture is {rgb.dtype} {rgb.shape}", field="image", remedy="uint8 [H, W, 3]")
    if min(size_px) < 1:
        raise InvalidInput(f"the crop is {size_px}", field="size_px", remedy="at least one pixel")


def _warped(
    rgb: NDArray[np.uint8], to_crop: NDArray[np.float64], size_px: tuple[int, int], scale: float
) -> NDArray[np.uint8]:
    if scale < 1:
        # A warp takes single pixels: those that it leaves out must be in the ones that it takes.
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.5 / scale), np.uint8)
    warped = cv2.warpAffine(rgb, to_crop, size_px[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)
