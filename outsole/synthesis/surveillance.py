"""What every surveillance picture shares: the floors that people walk on and the blur of what moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.noise import fractal_noise, step

BACKGROUNDS = ("tiles", "asphalt", "carpet", "boards", "paving")
_Field = NDArray[np.float32]


def draw_floor(rng: np.random.Generator, shape: tuple[int, int], *, unit_px: float, kind: str | None = None) -> _Field:
    """Draw one of five floors.

    Args:
        rng: Where the randomness comes from.
        shape: (H, W) in pixels.
        unit_px: A shoe's length.
        kind: One of ``BACKGROUNDS``; drawn where None.

    Returns:
        float32 [H, W, 3], 0 .. 1.

    Raises:
        InvalidInput: A floor of another name.
    """
    if kind is None:
        kind = str(rng.choice(BACKGROUNDS))
    if kind not in BACKGROUNDS:
        raise InvalidInput(f"the floor is {kind!r}", field="kind", remedy=f"one of {', '.join(BACKGROUNDS)}")
    colour = np.clip(rng.uniform(0.2, 0.8) + rng.normal(0, 0.05, 3), 0.05, 0.95).astype(np.float32)
    y, x = (axis.astype(np.float32) for axis in np.mgrid[: shape[0], : shape[1]])
    lean = rng.uniform(-0.4, 0.4)
    across, along = x + np.float32(lean) * y, 2 * y
    grain = {"tiles": 0.03, "asphalt": 0.16, "carpet": 0.10, "boards": 0.05, "paving": 0.08}[kind]
    level = 1 + np.float32(grain) * fractal_noise(rng, shape, largest_px=max(4.0, 0.2 * unit_px), octaves=4)
    widths = {"tiles": 1.2, "boards": 0.45, "paving": 0.7}
    if kind in widths:
        period = np.float32(widths[kind] * unit_px * rng.uniform(0.7, 1.4))
        joint = np.abs((across + rng.uniform(0, period)) % period - period / 2)
        if kind != "boards":
            joint = np.minimum(joint, np.abs((along + rng.uniform(0, period)) % period - period / 2))
        level *= 1 - np.float32(0.35) * step(np.float32(0.012 * unit_px + 0.5) - joint, 1.0)
    if kind == "carpet":
        level *= 1 + np.float32(0.12) * np.sin(across * np.float32(40 / unit_px)) * np.sin(
            along * np.float32(40 / unit_px)
        )
    return np.asarray(np.clip(colour * level[..., None], 0.02, 1), np.float32)


def line_kernel(size: int, angle_rad: float) -> _Field:
    """The blur of a straight way while the shutter is open.

    Args:
        size: Length of the way, an odd number of pixels.
        angle_rad: Against the picture's lower edge; clockwise, as y runs downwards.

    Returns:
        float32 [size, size], sum 1.
    """
    kernel = np.zeros((size, size), np.float32)
    middle, dx, dy = size // 2, np.cos(angle_rad) * (size // 2), np.sin(angle_rad) * (size // 2)
    ends = [(round(middle + sign * dx), round(middle + sign * dy)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum(), np.float32)
