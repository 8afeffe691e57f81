"""Quantiles of grey pictures by counting levels: there are 256 of them, and a hundred thousand pixels to sort else."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LEVELS = 256


def level_counts(gray: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many pixels of uint8 [H, W] under a mask bool [H, W] have each level, int64 [256]."""
    counts = cv2.calcHist([gray], [0], mask.view(np.uint8), [_LEVELS], [0, _LEVELS])
    return np.asarray(counts.ravel(), np.int64)


def percentile(counts: NDArray[np.int64], percent: float) -> float:
    """The percentile of counted levels, between two of them linearly, as ``numpy.percentile`` has it.

    Args:
        counts: int64 [256], at least one above 0.
        percent: 0 .. 100.
    """
    ranks = np.cumsum(counts)
    place = percent / 100 * (int(ranks[-1]) - 1)
    below, above = np.searchsorted(ranks, [int(np.floor(place)), int(np.ceil(place))], side="right").tolist()
    return float(below + (above - below) * (place - np.floor(place)))
