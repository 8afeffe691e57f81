"""One still picture as a frame: the project's own intake, with colours; and a picture as a file again."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.imaging.decode import DecodeLimits, decode_image


def rgb_of(data: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """A JPEG, PNG, TIFF or WebP as uint8 [H, W, 3], red first, upright; a grey one (or of 16 bit) in three channels.

    Raises:
        InvalidInput: Empty, too large, truncated or not an accepted image.
    """
    decoded = decode_image(data, field="image", limits=limits, with_color=True)
    if decoded.color is not None:
        return decoded.color
    return np.repeat(decoded.gray[:, :, np.newaxis], 3, axis=2)


def jpeg_of(rgb: NDArray[np.uint8], *, quality: int = 90) -> bytes:
    """A picture uint8 [H, W, 3], red first, as a JPEG file of a quality up to 100."""
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
