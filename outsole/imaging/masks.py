"""Which pixels of a probe really show the print: from a PNG, from a polygon, or found by themselves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.errors import InvalidInput
from outsole.imaging.decode import decode_image

MAX_POLYGON_POINTS = 10_000
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_COLOR_BYTE = 25
_VISIBLE_ABOVE = 127
_SUBPIXEL_BITS = 4

# Scanner corners and padding are (after JPEG) within these values of pure black and white.
_BLACK_FILL_MAX = 6
_WHITE_FILL_MIN = 250
_OPENING_PX = 7
_CLOSING_PX = 15
_MIN_FILL_FRACTION = 0.002


def mask_from_png(data: bytes, shape: tuple[int, int], *, field: str) -> NDArray[np.bool_]:
    """Read a mask drawn over a probe.

    Args:
        data: PNG bytes, grey, 1 bit or opaque colour; above 127 means visible.
        shape: (H, W) of the decoded, upright probe in pixels.
        field: Name of the request field, for errors.

    Returns:
        bool [H, W], at least one pixel True.

    Raises:
        InvalidInput: Not a PNG, transparent, of another shape, or nothing visible.
    """
    if not data.startswith(_PNG_SIGNATURE):
        raise InvalidInput("the mask is not a PNG", field=field, remedy="send a grey or 1-bit PNG")
    if data[_PNG_COLOR_BYTE : _PNG_COLOR_BYTE + 1] in (b"\x04", b"\x06"):
        # Laid on white, a mask drawn in the alpha channel would silently become "all visible".
        raise InvalidInput(
            "the mask has an alpha channel", field=field, remedy="send a grey or 1-bit PNG without alpha"
        )
    gray = decode_image(data, field=field).gray
    if gray.shape != tuple(shape):
        raise InvalidInput(
            f"the mask is {gray.shape[1]} x {gray.shape[0]} px",
            field=field,
            remedy=f"it must have the upright image's size, {shape[1]} x {shape[0]} px",
        )
    mask = gray > _VISIBLE_ABOVE
    if not mask.any():
        raise InvalidInput(
            "the mask shows nothing (0 visible pixels)", field=field, remedy="paint visible pixels above 127"
        )
    return mask


def mask_from_polygon(points: ArrayLike, shape: tuple[int, int], *, field: str) -> NDArray[np.bool_]:
    """Fill a polygon drawn over a probe.

    Args:
        points: float [N, 2], x and y in pixels of the upright probe, the centre of the top left pixel at (0, 0);
            3 <= N <= 10,000. What lies outside the image is cut off; crossing outlines fill by the even-odd rule.
        shape: (H, W) of the probe in pixels.
        field: Name of the request field, for errors.

    Returns:
        bool [H, W], at least one pixel True.

    Raises:
        InvalidInput: Too few points, NaN or infinity, no area, or nothing inside the image.
    """
    outline = _checked_points(points, field)
    height, width = shape
    inside = _clipped(outline, width, height)
    mask = np.zeros(shape, np.uint8)
    if len(inside) >= 3:
        fixed = np.rint(inside * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(mask, [fixed.reshape(-1, 1, 2)], 1, shift=_SUBPIXEL_BITS)
    if not mask.any():
        raise InvalidInput(
            f"the polygon lies outside the image of {width} x {height} px", field=field, remedy="draw it over the print"
        )
    return mask.astype(np.bool_)


def _checked_points(points: ArrayLike, field: str) -> NDArray[np.float64]:
    try:
        outline = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("the polygon's points are not numbers", field=field, remedy="send x, y pairs") from error
    if outline.ndim != 2 or outline.shape[1] != 2 or not 3 <= len(outline) <= MAX_POLYGON_POINTS:
        raise InvalidInput(
            f"the polygon has shape {list(outline.shape)}",
            field=field,
            remedy=f"[N, 2] with 3 to {MAX_POLYGON_POINTS} points",
        )
    if not np.isfinite(outline).all():
        bad = int(np.flatnonzero(~np.isfinite(outline).all(axis=1))[0])
        raise InvalidInput(
            f"point {bad} of the polygon is {outline[bad].tolist()}", field=field, remedy="finite pixel coordinates"
        )
    spread = outline - outline.mean(axis=0)
    if np.linalg.matrix_rank(spread) < 2:
        raise InvalidInput("the polygon has no area", field=field, remedy="three points that are not on one line")
    return outline


def _clipped(outline: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """The part of a polygon [N, 2] inside the image, cut at its four sides one after the other."""
    for axis, sign, bound in ((0, 1.0, -0.5), (0, -1.0, width - 0.5), (1, 1.0, -0.5), (1, -1.0, height - 0.5)):
        if not len(outline):
            break
        outline = _cut(outline, sign * (outline[:, axis] - bound))
    return outline


def _cut(outline: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep the part of a polygon [N, 2] with ``depth`` [N] >= 0; crossings are inserted between their end points."""
    following, following_depth = np.roll(outline, -1, axis=0), np.roll(depth, -1)
    crosses = (depth >= 0) != (following_depth >= 0)
    step = np.divide(depth, depth - following_depth, out=np.zeros_like(depth), where=crosses)
    crossings = outline + step[:, None] * (following - outline)
    both = np.stack([outline, crossings], axis=1).reshape(-1, 2)
    kept: NDArray[np.float64] = both[np.stack([depth >= 0, crosses], axis=1).ravel()]
    return kept


def automatic_mask(gray: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Everything but the flat fills at the frame: black scanner corners and white padding.

    A fill counts when it is solid (it survives an opening of 7 px, so ink and texture that merely touch the frame stay)
    and reaches the frame. Paper between tread elements is kept: gaps up to 15 px inside the print are closed again.

    Args:
        gray: uint8 [H, W].

    Returns:
        bool [H, W], never empty: where nothing would be left, all of it is True.
    """
    invalid = _frame_fill(gray <= _BLACK_FILL_MAX) | _frame_fill(gray >= _WHITE_FILL_MIN)
    if not invalid.any():
        return np.ones(gray.shape, np.bool_)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CLOSING_PX, _CLOSING_PX))
    valid = cv2.morphologyEx(np.logical_not(invalid).view(np.uint8), cv2.MORPH_CLOSE, kernel).view(np.bool_)
    return valid if valid.any() else np.ones(gray.shape, np.bool_)


def _frame_fill(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The solid regions of bool [H, W] that reach the frame and are no mere speck."""
    if not flat.any():
        return flat
    kernel = np.ones((_OPENING_PX, _OPENING_PX), np.uint8)
    # Replicating the border keeps thin strips along the frame: a strip of 4 px there is still padding.
    pad = _OPENING_PX
    padded = cv2.copyMakeBorder(flat.view(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[pad:-pad, pad:-pad]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    frame = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    large = stats[frame, cv2.CC_STAT_AREA] >= _MIN_FILL_FRACTION * flat.size
    keep = np.zeros(len(stats), np.bool_)
    keep[frame[large & (frame > 0)]] = True
    fill: NDArray[np.bool_] = keep[labels]
    return fill
