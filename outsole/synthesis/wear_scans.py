"""What a laboratory's scanner makes of a sole's contact: ink, paper, missing contact, debris, noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import fractal_noise, smooth_noise, step


def scan(contact: NDArray[np.float32], seed: int, *, strength: float = 1.0) -> NDArray[np.uint8]:
    """A scanned test impression.

    Args:
        contact: float32 [H, W], 0 no contact .. 1 full contact.
        seed: At least 0; the same contact, seed and strength give the same scan.
        strength: Factor on noise, debris and missing contact, 0 .. 2.

    Returns:
        uint8 [H, W], contact dark on light.
    """
    rng = np.random.default_rng([0x5CA2, seed])
    shape, part = contact.shape, np.float32(strength)
    ink = contact * (1 - part * np.float32(0.08) * np.abs(fractal_noise(rng, shape, largest_px=30, octaves=4)))
    ink *= 1 - part * _missing(rng, shape)
    ink *= 1 - part * np.float32(rng.uniform(0, 0.5)) * step(
        smooth_noise(rng, shape, scale_px=1.0) - np.float32(1.2), 0.5
    )
    ink = np.maximum(ink, _debris(rng, shape, strength))
    paper, dark = rng.uniform(228, 253), rng.uniform(25, 85)
    light = np.float32(paper) + part * np.float32(rng.uniform(0, 4)) * smooth_noise(rng, shape, scale_px=200)
    gray = light - ink * np.float32(paper - dark)
    gray += part * np.float32(rng.uniform(1.5, 8)) * smooth_noise(rng, shape, scale_px=1.0)
    if rng.random() < 0.5:
        gray = cv2.GaussianBlur(gray, (0, 0), float(rng.uniform(0.4, 0.9)))
    return np.asarray(np.clip(np.rint(gray), 0, 255), np.uint8)


def _missing(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Where ink is missing, 0 .. 1: the foot pressed less there, or the paper was not flat."""
    patches = fractal_noise(rng, shape, largest_px=float(rng.uniform(40, 120)), octaves=3)
    return np.float32(rng.uniform(0.3, 1.0)) * step(patches - np.float32(rng.uniform(1.3, 2.2)), 0.6)


def _debris(rng: np.random.Generator, shape: tuple[int, int], strength: float) -> NDArray[np.float32]:
    """Grit and hairs that print along, float32 [H, W], 0 .. 1."""
    made = np.zeros(shape, np.float32)
    height, width = shape
    for _ in range(int(rng.poisson(14 * strength))):
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(made, middle, int(rng.integers(0, 3)), float(rng.uniform(0.3, 1.0)), -1, cv2.LINE_AA)
    for _ in range(int(rng.poisson(1.2 * strength))):
        start = rng.uniform(0, 1, 2) * (width, height)
        bends = np.cumsum(rng.normal(0, 9, size=(7, 2)) + rng.normal(0, 6, size=2), axis=0)
        cv2.polylines(made, [np.rint(start + bends).astype(np.int32)], False, float(rng.uniform(0.4, 1.0)), 1, 16)
    return made
