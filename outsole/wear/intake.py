"""The intake of the wear models: bytes to a grey print, and a clear answer where they hold something else."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodedImage, DecodeLimits, decode_image
from outsole.imaging.gray_levels import level_counts, percentile
from outsole.imaging.masks import automatic_mask
from outsole.imaging.photographs import is_photograph
from outsole.wear.canvas import CANVAS_PX

LEAST_SIDE_PX = 64
"""An element of a tread is 5 to 30 px wide: below this there is no pattern to predict."""
_LIMITS = DecodeLimits()
_PAPER_PERCENTILE = 95
_DARKEST_PAPER = 64.0
# As in ``outsole.imaging.masks``.
_WHITE_FILL_MIN = 250
_CONTRAST_PERCENTILES = (1, 99)
_LEAST_CONTRAST = 24.0
# Grain is no contrast.
_SOFT_SIGMA_PX = 2.0
# Colours are looked at on about so many pixels a side.
_COLOURS_AT_PX = 512


def print_from_bytes(data: bytes, *, field: str = "image", limits: DecodeLimits = _LIMITS) -> DecodedImage:
    """Decode a print for a wear model.

    Args:
        data: The file's bytes.
        field: Name of the request field, for errors.
        limits: Largest file and largest image, judged from the header.

    Returns:
        uint8 [H, W] with its hash and steps, no colours; see ``outsole.imaging.decode.decode_image``.

    Raises:
        InvalidInput: It is no image that can be decoded, or no print; see ``check_print``.
    """
    decoded = decode_image(data, field=field, limits=limits, with_color=True)
    check_print(decoded, field=field)
    return replace(decoded, color=None)


def check_print(image: DecodedImage, *, field: str = "image") -> None:
    """Refuse what is sure to be no print: too small, in colours, too dark, blank.

    Refused falsely: 0 of the 1,175 references and 0 of the 140 cropped probes of FID-300, and 0 of 1,300 made prints
    (clean impressions and scene prints of soles of 586 and 300 px, some on dark floors). The nearest of them has a
    shorter side of 76 px, paper of level 85 and a contrast of 58. A tint that all of a picture has, as of yellowed
    paper, is no colour. Of blank paper with grain of a deviation up to 20 levels 50 of 50 are refused, of made
    photographs of soles in colours 93 of 100; the others have hardly any.

    What it cannot tell: a grey photograph of a sole, or of anything else, passes for a print; so does a dark or blank
    picture with white padding about it.

    Args:
        image: Decoded; its colours are looked at where it has them.
        field: Name of the request field, for errors.

    Raises:
        InvalidInput: It is no print; a retry does not help.
    """
    _check_size(image.gray.shape, field)
    if image.color is not None and is_photograph(_untinted(image.color)):
        raise InvalidInput(
            "the image is a photograph in colours, not a print",
            field=field,
            remedy="a scan or photograph of the print itself, in grey",
        )
    # A white fill at the frame is paper to many scans, and all of it to a sparse print.
    shown = automatic_mask(image.gray) | (image.gray >= _WHITE_FILL_MIN)
    paper = percentile(level_counts(image.gray, shown), _PAPER_PERCENTILE)
    if paper < _DARKEST_PAPER:
        raise InvalidInput(
            f"the image is too dark: its paper has grey level {paper:.0f}",
            field=field,
            remedy=f"contact dark on paper of level {_DARKEST_PAPER:.0f} or more; invert or expose it again",
        )
    soft = level_counts(np.asarray(cv2.GaussianBlur(image.gray, (0, 0), _SOFT_SIGMA_PX), np.uint8), shown)
    low, high = (percentile(soft, percent) for percent in _CONTRAST_PERCENTILES)
    if high - low < _LEAST_CONTRAST:
        raise InvalidInput(
            f"nothing stands out from the paper: the contrast is {high - low:.0f} grey levels",
            field=field,
            remedy=f"a print of a contrast of {_LEAST_CONTRAST:.0f} or more",
        )


def _check_size(shape: tuple[int, ...], field: str) -> None:
    """A long strip is judged by what is left of its width where its length fits the canvas."""
    height, width = shape[:2]
    reduced = min(1.0, CANVAS_PX[0] / height, CANVAS_PX[1] / width)
    least = reduced * min(height, width)
    if least < LEAST_SIDE_PX:
        told = f", of which {least:.0f} px are left on the models' canvas" if reduced < 1 else ""
        raise InvalidInput(
            f"the image is too small: {width} x {height} px{told}",
            field=field,
            remedy=f"a print at 20 px/cm, {LEAST_SIDE_PX} px or more to each side",
        )


def _untinted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours as they would be on white paper, uint8 [H, W, 3], fewer pixels of a large picture."""
    every = max(1, max(rgb.shape[:2]) // _COLOURS_AT_PX)
    fewer = rgb[::every, ::every].astype(np.float32)
    paper = np.maximum(np.percentile(fewer, _PAPER_PERCENTILE, axis=(0, 1)), 1.0)
    return np.asarray(np.minimum(fewer * (paper.max() / paper), 255), np.uint8)
