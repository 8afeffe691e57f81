"""Pictures for a report: PNG bytes from arrays, and a heat map laid over a print."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput

# Viridis is readable without colour vision and in grey print: its lightness rises evenly.
_PALETTE = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0]
_HEAT_OPACITY = 0.72
# Below this level the colour fades out, so that what was not compared stays white.
_FADE_LEVEL = 0.06


def palette_stops(count: int) -> tuple[str, ...]:
    """Return ``count`` colours of the heat map from low to high, as ``#rrggbb``, for a legend."""
    rows = _PALETTE[np.linspace(0, 255, count).astype(int)]
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in rows.tolist())


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """Return a grey [H, W] or BGR [H, W, 3] uint8 image as PNG bytes.

    Raises:
        InvalidInput: It is empty, or has another shape or type.
    """
    if image.dtype != np.uint8 or image.size == 0 or image.ndim not in (2, 3):
        raise InvalidInput(f"shape {image.shape}, {image.dtype}", field="image", remedy="uint8 [H, W] or [H, W, 3]")
    done, data = cv2.imencode(".png", image)
    if not done:
        raise InvalidInput(f"shape {image.shape} cannot be written as PNG", field="image")
    return data.tobytes()


def heat_overlay(gray: NDArray[np.uint8], heat: NDArray[np.floating], *, top: float | None = None) -> bytes:
    """Lay a heat map over a grey print and return PNG bytes.

    Args:
        gray: The print, uint8 [H, W].
        heat: Contribution of each cell to the correlation, [R, C]; zero and negative ones leave the print unpainted.
        top: Contribution drawn with the palette's last colour; by default the greatest of this map.

    Returns:
        PNG bytes of an [H, W] colour picture.

    Raises:
        InvalidInput: ``heat`` is not a finite [R, C] array, or ``gray`` no uint8 [H, W].
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise InvalidInput(f"shape {gray.shape}, {gray.dtype}", field="gray", remedy="uint8 [H, W]")
    if heat.ndim != 2 or heat.size == 0 or not bool(np.isfinite(heat).all()):
        raise InvalidInput(f"shape {heat.shape}", field="heat", remedy="finite numbers [R, C]")
    ceiling = float(heat.max()) if top is None else top
    level = np.clip(heat / ceiling, 0, 1) if ceiling > 0 else np.zeros(heat.shape)
    height, width = gray.shape
    size = (width, height)
    smooth = cv2.resize(level.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    colour = _PALETTE[np.rint(smooth * 255).astype(np.uint8)].astype(np.float32)
    print_bgr = np.repeat(gray[:, :, None], 3, axis=2).astype(np.float32)
    opacity = (_HEAT_OPACITY * np.minimum(smooth / _FADE_LEVEL, 1))[:, :, None]
    # The print stays visible because its dark marks darken the colour.
    blended = (1 - opacity) * print_bgr + opacity * colour * (0.35 + 0.65 * print_bgr / 255)
    return png_bytes(np.clip(blended, 0, 255).astype(np.uint8))
