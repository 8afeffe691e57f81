"""Prints made worse by plain noise, on top of any look: what a network has to be robust to, whatever the floor was."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.crisp_degradation import OUTSIDE_GRAY

_LOSS_CHANCE, _NOISE_CHANCE, _BLUR_CHANCE = 0.6, 0.5, 0.3
_LARGEST_LOSS, _LOUDEST_NOISE, _STRONGEST_BLUR_PX = 0.65, 0.7, 1.6
# Of lost grains and patches, and of noise, pixels of the picture.
_SIZES_PX = (1.5, 40.0)
_FLOOR_PX = 12.0
_SOFTNESS = 0.4


def weathered(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A degraded print further degraded: parts fade into the floor, noise lies over it, it is out of focus.

    Args:
        picture: uint8 [H, W]; pixels of ``OUTSIDE_GRAY`` are outside the print and stay.
        rng: What is drawn from.

    Returns:
        uint8 [H, W].
    """
    outside = picture == OUTSIDE_GRAY
    gray = picture.astype(np.float32)
    spread = float(gray[~outside].std()) if not outside.all() else 0.0
    if rng.random() < _LOSS_CHANCE:
        floor = np.asarray(cv2.GaussianBlur(gray, (0, 0), _FLOOR_PX), np.float32)
        field = _field(rng, gray.shape)
        lost = np.float32(np.quantile(field, rng.uniform(0.1, _LARGEST_LOSS)))
        kept = np.clip((field - lost) / np.float32(_SOFTNESS) + np.float32(0.5), 0, 1)
        gray = floor + kept * (gray - floor)
    if rng.random() < _NOISE_CHANCE:
        gray = gray + np.float32(spread * rng.uniform(0.1, _LOUDEST_NOISE)) * _field(rng, gray.shape)
    if rng.random() < _BLUR_CHANCE:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.4, _STRONGEST_BLUR_PX)), np.float32)
    worse = np.clip(np.rint(gray), 1, 255).astype(np.uint8)
    worse[outside] = OUTSIDE_GRAY
    return worse


def _field(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Smooth noise of one random size, float32 [H, W], mean 0, deviation 1."""
    size = float(np.exp(rng.uniform(*np.log(_SIZES_PX))))
    coarse = rng.standard_normal([max(2, round(side / size)) for side in shape], dtype=np.float32)
    field = np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray((field - field.mean()) / np.float32(max(float(field.std()), 1e-6)), np.float32)
