"""Boxes in pictures: how much they overlap, which of many to keep, and cutting them out for a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""[N, 4] of (left, top, right, bottom), pixels."""


@dataclass(frozen=True)
class Windows:
    """Parts of frames as a network takes them.

    Attributes:
        images: uint8 [N, side, side, 3], each window stretched to a square.
        boxes: [N, 4] where each lies in its frame, whole pixels; a window may reach beyond the frame.
        frames: [N] to which frame each belongs, places in the list of frames.
    """

    images: NDArray[np.uint8]
    boxes: Boxes
    frames: NDArray[np.intp]

    def to_frame(self, parts: NDArray[np.floating], of: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Places as parts of windows, in pixels of their frames.

        Args:
            parts: [K, ..., 2 or 4] of (x, y) or (left, top, right, bottom).
            of: [K] whose windows; None where row i is of window i.
        """
        windows = self.boxes if of is None else self.boxes[of]
        repeats = parts.shape[-1] // 2
        shape = (-1, *[1] * (parts.ndim - 2), 2 * repeats)
        corner, size = windows[:, :2], windows[:, 2:] - windows[:, :2]
        scale, shift = (np.tile(pair, repeats).reshape(shape) for pair in (size, corner))
        return np.asarray(parts * scale + shift, np.float64)


def windows_of(
    pictures: Sequence[NDArray[np.uint8]], frames: NDArray[np.intp], boxes: Boxes, *, side_px: int
) -> Windows:
    """Cut windows out and stretch each to a square; what lies outside its frame is black.

    Args:
        pictures: uint8 [H, W, 3], of any sizes.
        frames: [N] from which picture each window is.
        boxes: [N, 4]; rounded to whole pixels, at least one wide and high.
        side_px: Of the squares.
    """
    whole = np.rint(boxes)
    whole[:, 2:] = np.maximum(whole[:, 2:], whole[:, :2] + 1)
    images = np.empty((len(boxes), side_px, side_px, 3), np.uint8)
    for place, (frame, box) in enumerate(zip(frames, whole.astype(int), strict=True)):
        images[place] = _stretched(pictures[frame], box, side_px)
    return Windows(images, whole, np.asarray(frames, np.intp))


def tiles(width: int, height: int, *, side_px: int, share: float) -> Boxes:
    """The whole frame, and where it is larger than a tile and a half, square tiles that cover it.

    Args:
        width, height: Of the frame, pixels.
        side_px: Of a tile.
        share: How much of a tile neighbours share at least, 0 .. 1.

    Returns:
        [N, 4], the whole frame first.
    """
    whole = np.array([[0.0, 0.0, width, height]])
    if max(width, height) <= 1.5 * side_px:
        return whole
    lefts, tops = (_starts(length, side_px, share) for length in (width, height))
    corners = np.stack(np.meshgrid(lefts, tops), -1).reshape(-1, 2)
    return np.concatenate([whole, np.hstack([corners, np.minimum(corners + side_px, [width, height])])])


def is_cut(boxes: Boxes, tile: Boxes, frame: Boxes, *, within: float = 0.02) -> NDArray[np.bool_]:
    """Which boxes end at a border of their tile that is not the frame's: another tile shows them whole.

    Args:
        boxes: [N, 4].
        tile, frame: [N, 4] or [4], in the same pixels.
        within: How near to the border, as a part of the tile.
    """
    size = tile[..., 2:] - tile[..., :2]
    margin = within * np.concatenate([size, size], -1)
    inner = np.abs(tile - frame) > margin
    beyond = np.concatenate(
        [boxes[..., :2] <= (tile + margin)[..., :2], boxes[..., 2:] >= (tile - margin)[..., 2:]], -1
    )
    return np.asarray((inner & beyond).any(-1))


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """Area of each box, [N]; empty boxes have none."""
    return np.asarray(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(-1))


def shared_areas(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Area that every box of the first [N, 4] shares with every one of the second [M, 4]: [N, M]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return areas(np.concatenate([low, high], -1))


def sift(
    boxes: Boxes, scores: NDArray[np.floating], groups: NDArray[np.intp], *, overlap: float, cover: float
) -> NDArray[np.intp]:
    """Keep the best of boxes that show the same thing.

    A box goes where a better one of its group that is kept overlaps it (intersection over union), or where of the two
    one lies within the other: a toe cap within a shoe, or both shoes of a person in one box.

    Args:
        boxes: [N, 4].
        scores: [N].
        groups: [N]; boxes of different groups never push each other out.
        overlap: Largest intersection over union of two that are kept.
        cover: Largest part of the smaller that may lie within the larger.

    Returns:
        Places of those that are kept, best first.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    # Group by group: what all boxes share with all others would grow with the square of the frames.
    kept = np.zeros(len(order), bool)
    for group in np.unique(groups):
        members = np.flatnonzero(groups[order] == group)
        kept[members] = _unpushed(boxes[order[members]], overlap, cover)
    return np.asarray(order[kept], np.intp)


def _unpushed(boxes: Boxes, overlap: float, cover: float) -> NDArray[np.bool_]:
    """Which boxes, best first, no better one that is kept pushes out."""
    size, common = areas(boxes), shared_areas(boxes, boxes)
    union = size[:, None] + size[None] - common
    # pushes[i, j]: the better box i pushes j out, if i itself is kept.
    pushes = np.triu((common > overlap * union) | (common > cover * np.minimum(size[:, None], size[None])), 1)
    counts = pushes.astype(np.float32)
    kept = np.ones(len(boxes), bool)
    # Each round settles at least one more box of every chain; the result is that of going down the list.
    while not np.array_equal(settled := kept.astype(np.float32) @ counts == 0, kept):
        kept = settled
    return kept


def squares(boxes: Boxes, *, scale: float) -> Boxes:
    """Squares around boxes, ``scale`` times their longer side."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = scale / 2 * (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    return np.hstack([middle - half, middle + half])


def _starts(length: int, side_px: int, share: float) -> NDArray[np.float64]:
    count = 1 + int(np.ceil(max(length - side_px, 0) / (side_px * (1 - share))))
    return np.rint(np.linspace(0, max(length - side_px, 0), count))


def _stretched(picture: NDArray[np.uint8], box: NDArray[np.int_], side_px: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    left, top, right, bottom = (int(edge) for edge in box)
    inside = picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if not inside.size:
        return np.zeros((side_px, side_px, 3), np.uint8)
    outside = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0))
    if np.any(outside):
        inside = np.pad(inside, outside)
    shrinks = max(inside.shape[:2]) > side_px
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(inside, (side_px, side_px), interpolation=way), np.uint8)
