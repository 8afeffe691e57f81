"""The one preprocessing of sole images: items and probes laid on the encoder's canvas, used everywhere.

A canvas holds standard scores: grey level 128 is the image's mean, ``value_scale`` standard deviations a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Placement

_MID = 128.0
_GAIN = 0.5
# Scanner corners: this dark, and touching a corner of the image.
_CORNER_MAX = 6
_PAPER_PERCENTILE = 85
_CONTRAST_SIGMA_PX = 15.0
_CONTRAST_CLIP = 3.0
# A cell that the mask's edge crosses sees a step that the print does not have: only whole cells count (measured on
# FID-300: cells half covered cost 8 points at top 1 %, and shrinking the mask by another cell costs 4).
_COVERED = 0.95
_THUMBNAIL_HEIGHT_PX = 384
# Length and mean width of a sole at 20 px/cm, an adult's: the area that a whole print shows.
_SOLE_AREA_PX = 586 * 215


class CanvasRules(Protocol):
    """What of an encoder's specification shapes its canvas."""

    @property
    def canvas_height_px(self) -> int:
        """Height of the canvas."""

    @property
    def canvas_width_px(self) -> int:
        """Width of the canvas."""

    @property
    def margin_px(self) -> int:
        """Border that items leave free."""

    @property
    def stride_px(self) -> int:
        """Canvas pixels a cell."""

    @property
    def value_scale(self) -> float:
        """Standard deviations a grey level."""


@dataclass(frozen=True)
class PreparedItem:
    """An item on its canvas.

    Attributes:
        image: uint8 [Hc, Wc].
        valid: Cells of the item's map (margin dropped) that the image covers, bool [h, w].
        width_px, height_px: Size of the image as decoded.
        thumbnail_png: At most 384 px high.
    """

    image: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    width_px: int
    height_px: int
    thumbnail_png: bytes


@dataclass(frozen=True)
class PlacedProbe:
    """A probe on P canvases, one a placement, its visible part centred.

    Attributes:
        images: uint8 [P, Hc, Wc].
        cells: Cells that show the probe, bool [P, H, W] over the whole canvas.
        placements: The P placements; their shifts are 0.
        visible_fraction: Visible area over the area of a whole sole, 0 .. 1.
    """

    images: NDArray[np.uint8]
    cells: NDArray[np.bool_]
    placements: tuple[Placement, ...]
    visible_fraction: float


def place_item(gray: NDArray[np.uint8], rules: CanvasRules) -> PreparedItem:
    """Lay a clean impression or depth map in the middle of the canvas.

    Args:
        gray: uint8 [H, W], sole upright, toe up, contact dark; 20 px/cm. Larger than the canvas without its margin,
            it is reduced to fit by area averaging.
        rules: The encoder's specification.
    """
    height, width = gray.shape
    fitted = _reduced(_without_corners(gray), _room(rules))
    (mean,), (deviation,) = (value.ravel() for value in cv2.meanStdDev(fitted))
    scores = _GAIN * (np.arange(256, dtype=np.float32) - mean) / max(deviation, 1.0)
    down = (rules.canvas_height_px - fitted.shape[0]) // 2
    right = (rules.canvas_width_px - fitted.shape[1]) // 2
    image = np.full((rules.canvas_height_px, rules.canvas_width_px), int(_MID), np.uint8)
    # A grey level has one score, so 256 of them are computed and not one a pixel.
    image[down : down + fitted.shape[0], right : right + fitted.shape[1]] = cv2.LUT(fitted, _levels(scores, rules))
    rows = _covered(down, fitted.shape[0], rules.canvas_height_px, rules)
    columns = _covered(right, fitted.shape[1], rules.canvas_width_px, rules)
    return PreparedItem(image, np.outer(rows, columns) >= _COVERED, width, height, thumbnail(gray))


def place_probe(
    gray: NDArray[np.uint8], mask: NDArray[np.bool_], rules: CanvasRules, placements: Sequence[Placement]
) -> PlacedProbe:
    """Normalise a probe's local contrast under its mask and lay it on a canvas for each placement.

    Args:
        gray: uint8 [H, W], about upright, toe up, contact dark; 20 px/cm.
        mask: bool [H, W], at least one pixel True.
        rules: The encoder's specification.
        placements: P placements; shifts are ignored.
    """
    gray, mask = _cropped(gray, mask)
    if gray.shape[0] > rules.canvas_height_px or gray.shape[1] > rules.canvas_width_px:
        gray = _reduced(gray, _room(rules))
        mask = cv2.resize(mask.astype(np.uint8), gray.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    levels = _levels(_local_contrast(gray.astype(np.float32), mask), rules)
    shown_part = mask.astype(np.float32)
    images, cells = [], []
    for placement in placements:
        to_canvas = _transform(gray.shape, placement, rules)
        shown = cv2.bitwise_not(levels) if placement.inverted else levels
        images.append(_warp(shown, to_canvas, rules, fill=int(_MID)))
        cells.append(_covered_cells(_warp(shown_part, to_canvas, rules, fill=0), rules))
    fraction = min(1.0, float(mask.sum()) / _SOLE_AREA_PX)
    return PlacedProbe(np.stack(images), _never_empty(np.stack(cells)), tuple(placements), fraction)


def item_on_canvas(
    thumbnail: NDArray[np.uint8],
    rules: CanvasRules,
    *,
    item_size_px: tuple[int, int],
    shift_px: tuple[float, float],
) -> NDArray[np.uint8]:
    """An item as it lies under a probe's canvas, uint8 [Hc, Wc], for people to look at.

    Args:
        thumbnail: uint8 [H, W], of any size.
        rules: The encoder's specification.
        item_size_px: (H, W) of the item's image as it was indexed.
        shift_px: (down, right) of the probe against the item.
    """
    fitted = min(1.0, *(room / side for room, side in zip(_room(rules), item_size_px, strict=True)))
    factor = fitted * item_size_px[0] / thumbnail.shape[0]
    to_canvas = np.array([[factor, 0, 0], [0, factor, 0]], np.float64)
    to_canvas[0, 2] = (rules.canvas_width_px - factor * thumbnail.shape[1]) / 2 - shift_px[1]
    to_canvas[1, 2] = (rules.canvas_height_px - factor * thumbnail.shape[0]) / 2 - shift_px[0]
    return _warp(thumbnail, to_canvas, rules, fill=int(np.median(thumbnail)))


def thumbnail(gray: NDArray[np.uint8]) -> bytes:
    """A PNG of the image, at most 384 px high."""
    return encode_png(_reduced(gray, (_THUMBNAIL_HEIGHT_PX, 4 * _THUMBNAIL_HEIGHT_PX)))


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """PNG bytes of a picture, uint8 [H, W], or [H, W, 3] with blue first."""
    _, data = cv2.imencode(".png", picture)
    return bytes(data)


def _cropped(gray: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return gray[window], mask[window]


def _without_corners(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill black scanner corners with the paper's grey: they are the strongest edges of the image otherwise."""
    _, labels = cv2.connectedComponents((gray <= _CORNER_MAX).astype(np.uint8), connectivity=4)
    corners = np.setdiff1d(labels[[0, 0, -1, -1], [0, -1, 0, -1]], [0])
    if not corners.size:
        return gray
    return np.where(np.isin(labels, corners), np.uint8(np.percentile(gray, _PAPER_PERCENTILE)), gray)


def _local_contrast(gray: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Standard scores against a Gaussian neighbourhood under the mask; 0, the mean, outside it."""
    weight = mask.astype(np.float32)
    share = _blurred(weight) + 1e-6
    mean = _blurred(gray * weight) / share
    deviation = np.sqrt(np.maximum(_blurred(gray * gray * weight) / share - mean * mean, 0))
    # The floor keeps empty paper from being blown up to full contrast.
    floor = 0.25 * float(gray[mask].std()) + 4
    scores = _GAIN * np.clip((gray - mean) / (deviation + floor), -_CONTRAST_CLIP, _CONTRAST_CLIP)
    centred: NDArray[np.float32] = np.where(mask, scores - scores[mask].mean(), 0).astype(np.float32)
    return centred


def _blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.GaussianBlur(image, (0, 0), _CONTRAST_SIGMA_PX).astype(np.float32, copy=False)


def _levels(scores: NDArray[np.float32], rules: CanvasRules) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(np.rint(scores / rules.value_scale + _MID), 0, 255).astype(np.uint8)
    return levels


def _room(rules: CanvasRules) -> tuple[int, int]:
    """(H, W) that an item may take, pixels."""
    return rules.canvas_height_px - 2 * rules.margin_px, rules.canvas_width_px - 2 * rules.margin_px


def _reduced(gray: NDArray[np.uint8], room: tuple[int, int]) -> NDArray[np.uint8]:
    factor = min(room[0] / gray.shape[0], room[1] / gray.shape[1])
    if factor >= 1:
        return gray
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _covered(start: int, length: int, side: int, rules: CanvasRules) -> NDArray[np.float64]:
    """Which part of each cell, the margin left out, lies within ``length`` pixels from ``start``; [cells], 0 .. 1."""
    begins = np.arange(rules.margin_px, side - rules.margin_px, rules.stride_px)
    ends = begins + rules.stride_px
    within = np.minimum(ends, start + length) - np.maximum(begins, start)
    return np.clip(within / rules.stride_px, 0.0, 1.0)


def _transform(shape: tuple[int, ...], placement: Placement, rules: CanvasRules) -> NDArray[np.float64]:
    middle = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    to_canvas = np.asarray(cv2.getRotationMatrix2D(middle, placement.rotation_deg, placement.scale), np.float64)
    if placement.mirrored:
        flip = np.array([[-1, 0, shape[1] - 1], [0, 1, 0], [0, 0, 1]], np.float64)
        to_canvas = to_canvas @ flip
    to_canvas[:, 2] += (rules.canvas_width_px - 1) / 2 - middle[0], (rules.canvas_height_px - 1) / 2 - middle[1]
    return to_canvas


def _warp(image: NDArray[Any], to_canvas: NDArray[np.float64], rules: CanvasRules, *, fill: int) -> NDArray[Any]:
    size = (rules.canvas_width_px, rules.canvas_height_px)
    warped: NDArray[Any] = cv2.warpAffine(image, to_canvas, size, flags=cv2.INTER_LINEAR, borderValue=fill)
    return warped


def _covered_cells(inside: NDArray[np.float32], rules: CanvasRules) -> NDArray[np.bool_]:
    stride = rules.stride_px
    shape = (inside.shape[0] // stride, stride, inside.shape[1] // stride, stride)
    return np.asarray(inside.reshape(shape).mean((1, 3)) >= _COVERED)


def _never_empty(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask finer than a cell would leave nothing to compare; then the cell in the middle stands for it."""
    empty = ~cells.any((1, 2))
    cells[empty, cells.shape[1] // 2, cells.shape[2] // 2] = True
    return cells
