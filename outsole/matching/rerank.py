"""The close look: a probe correlated with items over all translations and placements.

With an item's map r (standardised, see ``features``) and a placed probe's map p of n visible cells and norm 1,
``s(t) = sum over cells x and channels c of p[x, c] r[x + t, c] / sqrt(n C)`` for every translation t: the normalised
cross-correlation with statistics of the whole image rather than of every window (MCNCC, IJCV 2019, takes them a
window; measured here it was worse and needs a second transform). The sum over channels is taken in the frequency
domain, where it is one matrix product a frequency, so that one inverse transform an item and placement is left.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from outsole.encoders.spec import EncoderSpec
from outsole.errors import BudgetSpent, PreconditionFailed
from outsole.matching.features import ProbeFeatures
from outsole.matching.fusion import CORRELATION, fused, soft_maximum, vector_similarity

# Placements whose scores lie close together support each other: the score is their soft maximum (log mean exp).
# Chosen on FID-300's development probes among 10 .. 1000; from 20 to 100 top 1 % stays within a point.
SHARPNESS = 100.0
# Items whose transforms are kept together; and those transformed for one probe, which then fit in the processor's
# cache, and of which a shortlist has enough to share them out evenly.
_KEPT_ITEMS = 64
_FRESH_ITEMS = 16
# A shortlist is read from disk at once; of more items the system reads ahead by itself.
_ANNOUNCED_ITEMS = 1024
# Room beyond an item's map: a probe that overhangs further wraps to the other side. On FID-300 a period of 120 x 60
# cells gives the same ranks as 80 x 40 and costs more than twice the time and memory.
_SLACK_CELLS = 4
_MIB = 2**20
_TINY = 1e-12


class MapSource(Protocol):
    """Where items' maps come from; an edition is one."""

    def array(self, name: str) -> NDArray[Any]:
        """The array ``maps``, float16 [N, h, w, C], standardised."""


@dataclass(frozen=True)
class ItemScores:
    """Scores of n items and the placement that won for each.

    Attributes:
        rows: int64 [n], row numbers in the edition.
        scores: float32 [n], what is ranked by: the correlation, with what vectors add to it.
        placement: int32 [n], index of the best placement.
        shift_y_px, shift_x_px: float32 [n], where the probe's centre lies from the item's, down and right.
        parts: What the scores are made of, by name, float32 [n] each: ``correlation``, ``cooccurrence``, ``embedding``,
            all soft maxima over placements and about -1 .. 1.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    placement: NDArray[np.int32]
    shift_y_px: NDArray[np.float32]
    shift_x_px: NDArray[np.float32]
    parts: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def none(cls) -> ItemScores:
        """The scores of no items."""
        nothing = np.empty(0, np.float32)
        return cls(np.empty(0, np.int64), nothing, np.empty(0, np.int32), nothing, nothing)


@dataclass(frozen=True)
class HeatMap:
    """What each cell of a placed probe adds to its correlation with one item.

    It explains the correlation alone: an embedding is one vector of the whole print, and no cell owns a share of it.

    Attributes:
        heat: float32 [H, W] over the probe's canvas; sums to ``similarity``.
        similarity: Correlation at the best placement.
        score: The soft maximum of the correlation over all placements: the correlation part of the hit's score.
        placement: Index of the best placement.
        shift_y_px, shift_x_px: As in ``ItemScores``.
    """

    heat: NDArray[np.float32]
    similarity: float
    score: float
    placement: int
    shift_y_px: float
    shift_x_px: float


class PlacementReranker:
    """Correlates probes with the items of one edition.

    Args:
        source: Its ``maps`` are float16 [N, h, w, C].
        spec: The encoder that made them.
        cache_mib: Transformed maps are kept in memory if they take no more than this; else they are transformed for
            every probe.
        threads: Threads that share the items; 0 for one a core.
        vectors: The items' vectors, [N, D] of unit length, by the part of the score that they make.
    """

    def __init__(
        self,
        source: MapSource,
        spec: EncoderSpec,
        *,
        cache_mib: float = 1024,
        threads: int = 0,
        vectors: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        self._maps = source.array("maps")
        self._vectors = dict(vectors or {})
        self._grid = _Grid.of(spec)
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "rerank")
        self._kept: list[NDArray[np.float32]] | None = None
        if len(self._maps) * self._grid.spectrum_bytes(spec.channels) <= cache_mib * _MIB:
            self._kept = self._transform_all()

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self._maps)

    def score(self, probe: ProbeFeatures, rows: NDArray[np.int64] | None, *, deadline: float) -> ItemScores:
        """Score items.

        Args:
            probe: P placements.
            rows: int64 [n], which items; None for all.
            deadline: ``time.monotonic()`` value by which the answer is needed.

        Returns:
            Scores in the order of ``rows``; fused where the probe has vectors.

        Raises:
            BudgetSpent: The deadline came first.
            PreconditionFailed: The probe has vectors of a kind that the edition has not.
        """
        wanted = np.arange(self.items, dtype=np.int64) if rows is None else np.asarray(rows, np.int64)
        if not len(wanted):
            return ItemScores.none()
        if self._kept is None:
            _announce(self._maps, wanted)
        shown = probe.window(self._grid.shape)
        spectrum = self._grid.probe_spectrum(shown)

        def one_block(block: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            if time.monotonic() > deadline:
                raise BudgetSpent("the time budget ran out while items were compared", field="budget_ms")
            return self._grid.best_shifts(spectrum, self._spectra(block))

        # Sorted, rows that lie in one kept block are compared together.
        order = np.argsort(wanted, kind="stable")
        parts = list(self._pool.map(one_block, self._blocks(wanted[order])))
        back = np.argsort(order)
        peaks = np.concatenate([peak for peak, _ in parts], axis=1)[:, back]
        places = np.concatenate([place for _, place in parts], axis=1)[:, back]
        found = self._summary(wanted, peaks, places, shown)
        return self._fused(found, probe.vectors, deadline) if probe.vectors else found

    def explain(self, probe: ProbeFeatures, row: int) -> HeatMap:
        """Where on the probe the similarity with one item comes from."""
        found = self.score(replace(probe, vectors={}), np.array([row]), deadline=float("inf"))
        best = int(found.placement[0])
        down, right = self._grid.cell_shift(float(found.shift_y_px[0]), float(found.shift_x_px[0]))
        item = np.asarray(self._maps[row], np.float32)
        shown = probe.window(self._grid.shape)
        height, width = shown.maps.shape[1:3]
        laid = _shifted(item, (height, width), down + shown.top, right + shown.left)
        heat = np.zeros(probe.cells.shape[1:], np.float32)
        part = np.s_[shown.top : shown.top + height, shown.left : shown.left + width]
        heat[part] = (_scaled(shown)[best] * laid).sum(-1)
        return HeatMap(
            heat=heat,
            similarity=float(heat.sum()),
            score=float(found.scores[0]),
            placement=best,
            shift_y_px=float(found.shift_y_px[0]),
            shift_x_px=float(found.shift_x_px[0]),
        )

    def _summary(
        self, rows: NDArray[np.int64], peaks: NDArray[np.float32], places: NDArray[np.int64], probe: ProbeFeatures
    ) -> ItemScores:
        best = peaks.argmax(0).astype(np.int32)
        soft = soft_maximum(peaks, SHARPNESS)
        down, right = self._grid.shift_px(places[best, np.arange(len(rows))], probe)
        return ItemScores(rows, soft, best, down, right, {CORRELATION: soft})

    def _fused(self, found: ItemScores, queries: Mapping[str, NDArray[np.float32]], deadline: float) -> ItemScores:
        missing = sorted(queries.keys() - self._vectors.keys())
        if missing:
            raise PreconditionFailed(f"the edition was indexed without {missing[0]!r} vectors", field="encoder")
        similarities = {
            part: vector_similarity(probe_vectors, self._vectors[part], found.rows, end=deadline)[0]
            for part, probe_vectors in queries.items()
        }
        parts = {CORRELATION: found.scores, **similarities}
        return replace(found, scores=fused(found.scores, similarities), parts=parts)

    def _transform_all(self) -> list[NDArray[np.float32]]:
        starts = range(0, len(self._maps), _KEPT_ITEMS)
        return list(self._pool.map(lambda at: self._grid.item_spectra(self._maps[at : at + _KEPT_ITEMS]), starts))

    def _blocks(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Ascending rows in blocks to be worked on together; kept spectra are cut where they were made."""
        blocks = np.arange(len(rows)) // _FRESH_ITEMS if self._kept is None else rows // _KEPT_ITEMS
        return np.split(rows, np.flatnonzero(np.diff(blocks)) + 1)

    def _spectra(self, block: NDArray[np.int64]) -> NDArray[np.float32]:
        """Spectra of rows of one kept block, float32 [n, F, 2C]."""
        if self._kept is None:
            return self._grid.item_spectra(self._maps[block])
        kept = self._kept[int(block[0]) // _KEPT_ITEMS]
        return kept if len(block) == len(kept) else kept[block % _KEPT_ITEMS]


@dataclass(frozen=True)
class _Grid:
    """The periodic grid of the transforms, and how its shifts read in pixels.

    The map of an item begins ``margin`` cells into its canvas, that of a probe where its window begins.
    """

    rows: int
    columns: int
    margin: int
    stride_px: int

    @classmethod
    def of(cls, spec: EncoderSpec) -> _Grid:
        rows, columns = (fft.next_fast_len(side + _SLACK_CELLS, real=True) for side in spec.item_cells)
        return cls(rows=rows, columns=columns, margin=spec.margin_px // spec.stride_px, stride_px=spec.stride_px)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def spectrum_bytes(self, channels: int) -> int:
        return self.rows * (self.columns // 2 + 1) * 2 * channels * 4

    def item_spectra(self, maps: NDArray[Any]) -> NDArray[np.float32]:
        """Maps [n, h, w, C] -> float32 [n, F, 2C], real and imaginary part of a channel side by side.

        An item lies in one piece, so that a shortlist reads its own items' memory and no other's.
        """
        spectra: NDArray[np.complex64] = fft.rfft2(_as_float32(maps), s=self.shape, axes=(1, 2))
        return spectra.reshape(len(spectra), -1, spectra.shape[-1]).view(np.float32)

    def probe_spectrum(self, probe: ProbeFeatures) -> NDArray[np.float32]:
        """Conjugate spectrum as a real operator, float32 [F, 2C, 2P]: item spectra to correlation spectra.

        Complex numbers stay pairs of reals, so that one real matrix product makes them and nothing is moved about.
        """
        spectra = fft.rfft2(_scaled(probe), s=self.shape, axes=(1, 2))
        count, channels = len(spectra), spectra.shape[-1]
        flat = spectra.reshape(count, -1, channels).transpose(1, 2, 0)
        operator = np.empty((len(flat), 2 * channels, 2 * count), np.float32)
        operator[:, ::2, ::2] = operator[:, 1::2, 1::2] = flat.real
        operator[:, 1::2, ::2] = flat.imag
        np.negative(flat.imag, out=operator[:, ::2, 1::2])
        return operator

    def best_shifts(
        self, probe: NDArray[np.float32], items: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Highest correlation over all shifts, float32 [P, n], and its flat position in the grid, int64 [P, n]."""
        spectra = np.matmul(items.transpose(1, 0, 2), probe).view(np.complex64)
        placements = spectra.shape[2]
        half = (self.rows, self.columns // 2 + 1, len(items), placements)
        correlation = fft.irfft2(spectra.reshape(half), s=self.shape, axes=(0, 1), overwrite_x=True)
        flat = correlation.reshape(self.rows * self.columns, len(items), placements)
        places = flat.argmax(0)
        return np.take_along_axis(flat, places[None], 0)[0].T, places.T

    def shift_px(
        self, places: NDArray[np.int64], probe: ProbeFeatures
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Flat grid positions as shifts of the probe's canvas against the item's, pixels down and right."""
        down, right = np.divmod(places, self.columns)
        return (
            self._signed(down, self.rows, self.margin - probe.top),
            self._signed(right, self.columns, self.margin - probe.left),
        )

    def cell_shift(self, down_px: float, right_px: float) -> tuple[int, int]:
        """Where in the item's map the canvas's first cell lies under a shift in pixels."""
        return round(down_px / self.stride_px) - self.margin, round(right_px / self.stride_px) - self.margin

    def _signed(self, place: NDArray[np.int64], period: int, offset: int) -> NDArray[np.float32]:
        shift = place + offset
        return (((shift + period // 2) % period - period // 2) * self.stride_px).astype(np.float32)


def _announce(maps: NDArray[Any], rows: NDArray[np.int64]) -> None:
    """Let the system read rows of a mapped file from disk meanwhile, all together; each would be waited for else."""
    mapped = maps.base
    if not isinstance(maps, np.memmap) or not isinstance(mapped, mmap.mmap) or len(rows) > _ANNOUNCED_ITEMS:
        return
    begin = maps.offset % mmap.ALLOCATIONGRANULARITY + rows * maps.strides[0]
    first = begin - begin % mmap.PAGESIZE
    for at, length in zip(first.tolist(), (begin + maps.strides[0] - first).tolist(), strict=True):
        mapped.madvise(mmap.MADV_WILLNEED, at, length)


def _as_float32(maps: NDArray[Any]) -> NDArray[np.float32]:
    """The same numbers; OpenCV converts halves three times as fast as numpy."""
    if maps.dtype != np.float16:
        return np.asarray(maps, np.float32)
    lines = np.ascontiguousarray(maps).reshape(-1, maps.shape[-1]).view(np.int16)
    return np.asarray(cv2.convertFp16(lines), np.float32).reshape(maps.shape)


def _scaled(probe: ProbeFeatures) -> NDArray[np.float32]:
    """A probe's maps so that their products with an item's sum to the correlation: norm 1, over sqrt(n C)."""
    maps = probe.maps.astype(np.float32)
    norm = np.sqrt(np.square(maps).sum((1, 2, 3), keepdims=True))
    count = probe.cells.sum((1, 2)).reshape(norm.shape) * maps.shape[-1]
    return np.asarray(maps / np.maximum(norm * np.sqrt(count), _TINY), np.float32)


def _shifted(item: NDArray[np.float32], shape: tuple[int, int], down: int, right: int) -> NDArray[np.float32]:
    """``result[y, x] = item[y + down, x + right]``, 0 beyond the item; [H, W, C]."""
    laid = np.zeros((*shape, item.shape[-1]), np.float32)
    top, left = max(0, -down), max(0, -right)
    bottom, end = min(shape[0], item.shape[0] - down), min(shape[1], item.shape[1] - right)
    if top < bottom and left < end:
        laid[top:bottom, left:end] = item[top + down : bottom + down, left + right : end + right]
    return laid
