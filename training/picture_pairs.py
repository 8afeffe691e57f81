"""Impressions and what crime scenes leave of them, as CriSp's pictures: adapting a spatial embedding to a gallery.

The pieces lie where a search lays them: on the impression, but for what is left between the placements that are tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.answers import Placement
from outsole.imaging.canvas import place_item, place_probe
from outsole.imaging.crisp_pictures import PICTURE_SCALE, covered_cells, impression_picture, probe_pictures
from outsole.synthesis.prints import Degradation, scene_print
from training.made_prints import random_rectangle
from training.print_views import CANVAS, STRENGTHS, ImpressionBatches, ImpressionViews, mask_of, mirrored_tread
from training.system import Batch

_PLANES = 2
# A little over half of the step between the rotations that a search tries, and how far sizes are off.
_TURN_LEFT_DEG = 5.0
_SCALES = (0.95, 1.05)


@dataclass(frozen=True)
class _Piece:
    """A piece of an impression in its place: picture uint8 [P, 384, 192] and mask bool [384, 192]."""

    picture: NDArray[np.uint8]
    mask: NDArray[np.bool_]


class PicturePairs(ImpressionBatches):
    """Batches of pieces and whole impressions by step (``training.system.StepDataset``).

    Batches hold ``query`` and ``database`` uint8 [N, 2, 384, 192], ``labels`` int64 [N], ``shown`` float32 [N, h, w]
    (the cells that a piece shows) and ``mask`` bool [384, 192] (the random rectangle of the batch).

    Args:
        source: The impressions.
        cell_px: Pixels of a cell's side.
        how: As of ``training.print_views.ImpressionBatches``.
    """

    _KEY = 0x91C7

    def __init__(self, source: ImpressionViews, *, cell_px: int, **how: Any) -> None:
        super().__init__(source, **how)
        self._cell_px = cell_px

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng, items, labels = self._draw(step)
        pieces = [self._piece(index, rng, mirrored=mirror) for index, mirror in items]
        masks = np.stack([piece.mask for piece in pieces])
        return {
            "query": torch.from_numpy(np.stack([piece.picture for piece in pieces])),
            "database": torch.from_numpy(np.stack([self._whole(index, mirrored=mirror) for index, mirror in items])),
            "labels": labels,
            "shown": torch.from_numpy(covered_cells(masks, self._cell_px)),
            "mask": torch.from_numpy(random_rectangle(rng)),
        }

    def _whole(self, index: int, *, mirrored: bool) -> NDArray[np.uint8]:
        gray = self._source.impression(index, index)
        canvas = place_item(np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray, CANVAS).image
        return impression_picture(canvas, kind="depth", planes=_PLANES)

    def _piece(self, index: int, rng: np.random.Generator, *, mirrored: bool) -> _Piece:
        tread, other = self._source.tread(index), self._source.tread(int(rng.integers(len(self._source))))
        if mirrored:
            tread = mirrored_tread(tread)
        plan = Degradation(strength=float(rng.uniform(*STRENGTHS)))
        scene = scene_print(tread, int(rng.integers(1 << 30)), degradation=plan, other=other)
        mask = mask_of(scene, rng)
        turn = float(rng.uniform(-_TURN_LEFT_DEG, _TURN_LEFT_DEG)) - scene.rotation_deg
        scale = PICTURE_SCALE * float(rng.uniform(*_SCALES))
        placed = place_probe(scene.gray, mask, CANVAS, [Placement(rotation_deg=turn, scale=scale)])
        middle = scene.to_tread @ [*_middle_of(mask), 1.0] - (np.array(tread.depth.shape[::-1]) - 1) / 2
        left_over = rng.uniform(-0.25, 0.25, 2) * self._cell_px
        shift = np.rint(middle[::-1] * PICTURE_SCALE + left_over).astype(np.int64)
        stride = CANVAS.stride_px
        shown = placed.cells.repeat(stride, axis=1).repeat(stride, axis=2)
        pictures, masks = probe_pictures(placed.images, shown, shift[None], planes=_PLANES)
        return _Piece(pictures[0], masks[0])


def _middle_of(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """(x, y) of the middle of what a mask encloses: a probe is laid on the canvas by it."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
