"""Random fields: the texture of floors, pressure, dust and grain."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], *, scale_px: float) -> NDArray[np.float32]:
    """A smooth random field.

    Args:
        rng: Where the randomness comes from.
        shape: (H, W) in pixels.
        scale_px: Size of its bumps in pixels, at least 1.

    Returns:
        float32 [H, W] with mean about 0 and standard deviation about 1.
    """
    height, width = shape
    if scale_px < 1.5:
        return rng.standard_normal(shape, dtype=np.float32)
    rows, columns = int(height / scale_px) + 3, int(width / scale_px) + 3
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    # Interpolation averages neighbours; 1.35 brings the spread back to about 1.
    return np.asarray(field * np.float32(1.35), dtype=np.float32)


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], *, largest_px: float, octaves: int, gain: float = 0.6
) -> NDArray[np.float32]:
    """Smooth noise of several sizes, each half of the one before and ``gain`` times as strong.

    Returns:
        float32 [H, W] with mean about 0 and standard deviation about 1.
    """
    sizes = [max(largest_px / 2**octave, 1.0) for octave in range(octaves)]
    weights = gain ** np.arange(octaves)
    field = sum(
        (np.float32(w) * smooth_noise(rng, shape, scale_px=s) for w, s in zip(weights, sizes, strict=True)),
        start=np.zeros(shape, np.float32),
    )
    return np.asarray(field / np.float32(np.sqrt((weights**2).sum())), dtype=np.float32)


def step(values: NDArray[np.float32], softness: float) -> NDArray[np.float32]:
    """A ramp from 0 to 1 around zero, ``softness`` wide, elementwise; float32 as given."""
    return np.asarray(np.clip(values / np.float32(softness) + np.float32(0.5), 0.0, 1.0), dtype=np.float32)
