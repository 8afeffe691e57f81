"""MCNCC, a named baseline: normalised cross-correlation a channel, with the statistics of every single placement.

Kong, Supancic, Ramanan, Fowlkes, "Cross-Domain Image Matching with Deep Feature Maps" (IJCV 2019). With a probe map p
under an eroded mask of n cells and an item map r, ``s(t)`` is the mean over the channels c of
``1/n sum over x of (p[x, c] - mean(p_c)) (r[x + t, c] - mean(r_c, t)) / (sd(p_c) sd(r_c, t))``,
the mean and deviation of r taken over those of its cells that the mask covers at shift t. The score of an item is the
maximum over all shifts and rotations (eleven, -20 .. 20 degrees in the paper's footwear experiment, at half scale).

It differs from ``outsole.matching.rerank`` in four ways. The item's statistics belong to a window and not to its whole
image; every channel weighs the same wherever it is at all textured, and flat windows are blown up to full contrast; so
the sum over channels can only be taken after the inverse transforms, C times two of them an item and rotation more
than there; and placements count by their plain maximum, not by a soft one. Only what scales the sum is left out
here: a placement overhangs the item by at most a quarter, and beyond the item's edge stands its own mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from outsole.errors import InvalidInput
from outsole.matching.features import standardised

ROTATIONS_DEG = tuple(float(angle) for angle in range(-20, 21, 4))
SCALE = 0.5
EROSION_CELLS = 1
# A window whose deviation is under a hundredth of its image's shows nothing in that channel.
FLAT_VARIANCE = 1e-4
_BLOCK_ITEMS = 16
_OVERHANG = 4


@dataclass(frozen=True)
class MCNCCScores:
    """Scores of N items and the placement that won for each.

    Attributes:
        scores: float32 [N], -1 .. 1.
        placement: int64 [N], index of the best placement of the probe.
        down, right: int64 [N], the item's cell under the probe's cell (0, 0).
    """

    scores: NDArray[np.float32]
    placement: NDArray[np.int64]
    down: NDArray[np.int64]
    right: NDArray[np.int64]


def eroded(cells: NDArray[np.bool_], width: int = EROSION_CELLS) -> NDArray[np.bool_]:
    """Drop cells within ``width`` of the mask's edge, whose features have seen beyond it.

    Args:
        cells: bool [P, h, w].
        width: Cells to drop at each side, at least 0.

    Returns:
        bool [P, h, w]; a mask that would vanish stays as it is.
    """
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    # OpenCV's channels are the placements.
    planes = np.ascontiguousarray(np.moveaxis(cells, 0, -1), np.uint8)
    inner = cv2.erode(planes, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0).reshape(planes.shape)
    smaller = np.moveaxis(inner > 0, -1, 0)
    kept: NDArray[np.bool_] = np.where(smaller.any(axis=(1, 2), keepdims=True), smaller, cells)
    return kept


def mcncc_scores(
    items: NDArray[np.floating], maps: NDArray[np.floating], *, cells: NDArray[np.bool_], erosion_cells: int = 1
) -> MCNCCScores:
    """Score every item.

    Args:
        items: Items' maps [N, H, W, C], standardised over their valid cells and 0 elsewhere (an edition's ``maps``).
        maps: The probe's raw maps, [P, C, h, w], one a placement.
        cells: Cells that show the probe, bool [P, h, w]; at least one a placement.
        erosion_cells: See :func:`eroded`.

    Raises:
        InvalidInput: Channels or shapes that do not fit, or a placement that shows nothing.
    """
    if items.ndim != 4 or maps.ndim != 4 or items.shape[-1] != maps.shape[1] or not len(items):
        raise InvalidInput(f"items {items.shape}, maps {maps.shape}", field="maps", remedy="[N, H, W, C], [P, C, h, w]")
    if cells.shape != (len(maps), *maps.shape[2:]) or not bool(cells.any(axis=(1, 2)).all()):
        raise InvalidInput(f"cells {cells.shape}", field="cells", remedy="bool [P, h, w], at least one a placement")
    shown = _trimmed(maps, eroded(cells, erosion_cells), largest=items.shape[1:3])
    grid = _Shifts.of(items.shape[1:3], shown.mask.shape[1:3])
    probe = grid.spectra(shown.template), grid.spectra(shown.mask)
    blocks = [
        grid.best(items[start : start + _BLOCK_ITEMS], *probe, shown.mask.sum((1, 2)))
        for start in range(0, len(items), _BLOCK_ITEMS)
    ]
    scores, placement, down, right = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return MCNCCScores(scores.astype(np.float32), placement, down - shown.top, right - shown.left)


@dataclass(frozen=True)
class _Template:
    """The window of a probe that shows anything: channels of mean 0 and norm 1 over the mask, float32 [P, C, h, w]."""

    template: NDArray[np.float32]
    mask: NDArray[np.float32]
    top: int
    left: int


def _trimmed(maps: NDArray[np.floating], cells: NDArray[np.bool_], *, largest: tuple[int, ...]) -> _Template:
    """The part under the mask, cut evenly at opposite sides to what may lie over an item with its overhang."""
    any_cell: NDArray[np.bool_] = np.any(cells, axis=0)
    shown = np.flatnonzero(any_cell.any(axis=1)), np.flatnonzero(any_cell.any(axis=0))
    sides = [_middle(place, size + 2 * (size // _OVERHANG)) for place, size in zip(shown, largest, strict=True)]
    part = np.s_[sides[0][0] : sides[0][1], sides[1][0] : sides[1][1]]
    mask = cells[:, *part].copy()
    # A placement cut away altogether shows its middle cell, whose template is 0.
    mask[~mask.any(axis=(1, 2)), mask.shape[1] // 2, mask.shape[2] // 2] = True
    plain = standardised(maps[:, :, *part], mask)
    norm = np.sqrt(np.maximum(np.square(plain).sum((1, 2), keepdims=True), FLAT_VARIANCE))
    return _Template(np.moveaxis(plain / norm, -1, 1), mask.astype(np.float32), sides[0][0], sides[1][0])


def _middle(shown: NDArray[np.int64], largest: int) -> tuple[int, int]:
    first, last = int(shown[0]), int(shown[-1]) + 1
    spare = max(0, last - first - largest)
    return first + spare // 2, first + spare // 2 + min(last - first, largest)


@dataclass(frozen=True)
class _Shifts:
    """The periodic grid of the transforms, and which of its shifts are allowed (no wrapping can reach those)."""

    rows: int
    columns: int
    down: NDArray[np.int64]
    right: NDArray[np.int64]

    @classmethod
    def of(cls, item: tuple[int, ...], probe: tuple[int, ...]) -> _Shifts:
        over = [size // _OVERHANG for size in item]
        rows, columns = (
            fft.next_fast_len(max(size + more, shown), real=True)
            for size, more, shown in zip(item, over, probe, strict=True)
        )
        down, right = (
            np.arange(-min(more, shown - 1), min(size + more - shown, size - 1) + 1)
            for size, more, shown in zip(item, over, probe, strict=True)
        )
        return cls(rows, columns, down, right)

    def spectra(self, planes: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Spectra over the last two axes, complex64."""
        spectra: NDArray[np.complex64] = fft.rfft2(planes, s=(self.rows, self.columns))
        return spectra

    def best(
        self,
        items: NDArray[np.floating],
        template: NDArray[np.complex64],
        mask: NDArray[np.complex64],
        cells: NDArray[np.float32],
    ) -> tuple[NDArray[np.generic], ...]:
        """Best score, placement and shift of each item, [n] each; template [P, C, F, G], mask [P, F, G], cells [P]."""
        plain = np.ascontiguousarray(np.moveaxis(items, -1, 1), np.float32)
        spectra, squares = self.spectra(plain), self.spectra(np.square(plain))
        cover, turned = np.conj(mask), np.conj(template)
        found = []
        for index, count in enumerate(cells.tolist()):
            total = self._correlation(spectra * cover[index])
            power = self._correlation(squares * cover[index])
            cross = self._correlation(spectra * turned[index])
            spread = power - np.square(total) / count
            textured = spread > FLAT_VARIANCE * count
            found.append((cross * textured / np.sqrt(np.where(textured, spread, 1))).mean(1))
        flat = np.stack(found, axis=1).reshape(len(plain), -1)
        at = flat.argmax(1)
        placement, row, column = np.unravel_index(at, (len(template), len(self.down), len(self.right)))
        return flat[np.arange(len(flat)), at], placement, self.down[row], self.right[column]

    def _correlation(self, spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Correlations at the allowed shifts, float32 [n, C, down, right]."""
        whole = fft.irfft2(spectra, s=(self.rows, self.columns), overwrite_x=True)
        allowed: NDArray[np.float32] = whole[..., self.down[:, None] % self.rows, self.right[None] % self.columns]
        return allowed
