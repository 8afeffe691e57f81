"""Prints laid on each other: scans are laid by hand, so each is turned and moved a little."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_WHITE = 255
_COARSE = 4
_FINE = 2
_LARGEST_TURN_DEG = 12.0
_TURN_STEP_DEG = 1.5
_LARGEST_SHIFT_PX = 64
_SOFT_SIGMA_PX = 1.0
_ECC = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)
_ECC_FILTER_PX = 5


def laid_on(moving: NDArray[np.uint8], fixed: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """A print turned and moved onto another one of the same shoe.

    All turns of up to 12 degrees and shifts of up to 64 px are tried on small pictures, where the outline decides and a
    pattern cannot be off by one of its periods; the enhanced correlation coefficient then refines the best one. Where
    that comes to nothing better, the best of those that were tried is kept.

    Args:
        moving: uint8 [H, W], contact dark on white.
        fixed: uint8 [H, W], of the same size.

    Returns:
        The print as it lies on the other, uint8 [H, W], white where it does not reach, and how alike both are then:
        their correlation, -1 .. 1.
    """
    start = _coarse(moving, fixed)
    candidates = [np.eye(2, 3), start, _refined(moving, fixed, start)]
    prints = [_warped(moving, transform) for transform in candidates]
    likeness = [_correlation(_ink(print_, _FINE), _ink(fixed, _FINE)) for print_ in prints]
    best = int(np.argmax(likeness))
    # What lies as it should is not resampled.
    return (moving if best == 0 else prints[best]), likeness[best]


def _ink(print_: NDArray[np.uint8], shrink: int) -> NDArray[np.float32]:
    size = (print_.shape[1] // shrink, print_.shape[0] // shrink)
    small = cv2.resize(cv2.bitwise_not(print_), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small.astype(np.float32), (0, 0), _SOFT_SIGMA_PX), np.float32)


def _coarse(moving: NDArray[np.uint8], fixed: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The best of all turns and shifts, as an affine map float64 [2, 3] from ``moving`` to ``fixed``."""
    small, reach = _ink(moving, _COARSE), _LARGEST_SHIFT_PX // _COARSE
    around = cv2.copyMakeBorder(_ink(fixed, _COARSE), *(reach,) * 4, cv2.BORDER_CONSTANT, value=(0,))
    best, found = -2.0, np.eye(2, 3)
    for angle in np.arange(-_LARGEST_TURN_DEG, _LARGEST_TURN_DEG + _TURN_STEP_DEG / 2, _TURN_STEP_DEG):
        turn = _turn(small.shape, float(angle))
        turned = cv2.warpAffine(small, turn, small.shape[::-1])
        _, score, _, (right, down) = cv2.minMaxLoc(cv2.matchTemplate(around, turned, cv2.TM_CCOEFF_NORMED))
        if score > best:
            shift = np.array([right - reach, down - reach], np.float64) * _COARSE
            best, found = score, _turn(moving.shape, float(angle))
            found[:, 2] += shift
    return found


def _turn(shape: tuple[int, ...], angle_deg: float) -> NDArray[np.float64]:
    middle = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    return np.asarray(cv2.getRotationMatrix2D(middle, angle_deg, 1.0), np.float64)


def _refined(moving: NDArray[np.uint8], fixed: NDArray[np.uint8], start: NDArray[np.float64]) -> NDArray[np.float64]:
    # The algorithm maps from the fixed picture to the moving one.
    guess = np.asarray(cv2.invertAffineTransform(start), np.float64)
    guess[:, 2] /= _FINE
    small, target = _ink(moving, _FINE), _ink(fixed, _FINE)
    mask: Any = None
    try:
        _, found = cv2.findTransformECC(
            target, small, guess.astype(np.float32), cv2.MOTION_EUCLIDEAN, _ECC, mask, _ECC_FILTER_PX
        )
    except cv2.error:  # it does not converge
        return start
    found = found.astype(np.float64)
    found[:, 2] *= _FINE
    return np.asarray(cv2.invertAffineTransform(found), np.float64)


def _warped(print_: NDArray[np.uint8], transform: NDArray[np.float64]) -> NDArray[np.uint8]:
    size = (print_.shape[1], print_.shape[0])
    return np.asarray(cv2.warpAffine(print_, transform, size, flags=cv2.INTER_LINEAR, borderValue=(_WHITE,)), np.uint8)


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(cv2.matchTemplate(first, second, cv2.TM_CCOEFF_NORMED)[0, 0])
