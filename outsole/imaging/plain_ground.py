"""What stands out from the plain ground of a shop's photograph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput

_LEAST_AREA = 0.02
_EDGE_LEVELS = 4.0


def ground_colour(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The middle colour of the border of a picture uint8 [H, W, 3], float64 [3]."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    median: NDArray[np.float64] = np.median(border, axis=0)
    return median


def unlike_ground(rgb: NDArray[np.uint8], ground: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What differs from the ground's colour by more than the rest does (Otsu's threshold), uint8 [H, W], 0 or 255."""
    distance = np.abs(rgb.astype(np.float32) - ground.astype(np.float32)).max(axis=2).astype(np.uint8)
    _, mask = cv2.threshold(cv2.GaussianBlur(distance, (5, 5), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(mask, np.uint8)


def within_edges(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where colours change at once, as at the edge of a white sole on white, and not slowly, as in a shadow.

    Returns:
        uint8 [H, W], 0 or 255.
    """
    soft = cv2.GaussianBlur(rgb, (0, 0), 1.0).astype(np.float32)
    down, right = (np.abs(np.gradient(soft, axis=axis)).max(axis=2) for axis in (0, 1))
    return np.where(np.hypot(down, right) > _EDGE_LEVELS, np.uint8(255), np.uint8(0))


def largest_part(mask: NDArray[np.uint8], *, field: str, what: str) -> NDArray[np.uint8]:
    """The largest part of a mask that hangs together, small gaps closed, holes filled.

    Args:
        mask: uint8 [H, W], 0 or 255.
        field: Name of the input, for errors.
        what: What should be there, for errors.

    Returns:
        uint8 [H, W], 0 or 255.

    Raises:
        InvalidInput: Nothing in it is large enough.
    """
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) < _LEAST_AREA * mask.size:
        raise InvalidInput(
            "nothing stands out from the ground", field=field, remedy=f"a photograph of {what} on a plain ground"
        )
    whole = np.zeros_like(mask)
    cv2.drawContours(whole, [largest], -1, 255, cv2.FILLED)
    return np.asarray(whole, np.uint8)
