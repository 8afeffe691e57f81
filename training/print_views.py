"""Two views of an impression, whole and in pieces, as the partial-print embedding learns from them.

A source gives treads: made ones, or those of a gallery's own clean impressions. The views go the way of served images:
the print system's canvas, then half its resolution without the outer half of the margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from outsole.answers import Placement
from outsole.encoders.partial_print import CANVAS_PX, CELLS, VIEW_CELLS, VIEW_PX
from outsole.errors import InvalidInput
from outsole.imaging.canvas import PlacedProbe, place_item, place_probe
from outsole.imaging.masks import automatic_mask
from outsole.synthesis.prints import Degradation, ScenePrint, clean_impression, scene_print
from outsole.synthesis.shoes import make_instance, plan_models
from outsole.synthesis.treads import Tread, make_tread
from training.exporting.print_encoder import specification
from training.system import Batch

# The canvas is that of the correlation encoder, whatever its weights.
CANVAS = specification(b"")
VALUE_SCALE = CANVAS.value_scale
_MARGIN_CELLS = CANVAS.margin_px // CANVAS.stride_px
_ROTATION_LIMIT_DEG = 20.0
STRENGTHS = (0.4, 1.4)
_SCALES = (0.94, 1.06)
_WHITE = 255
_SHOES_SEED = 77
# The sole's area is found at a quarter of the resolution: 15 cells of 4 px are 3 cm.
_COARSER, _GAP_CELLS = 4, 15
_INKED = 0.3
_UNDRAWN = 0.75

View = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class ImpressionViews(Protocol):
    """Where treads and their clean impressions come from."""

    def __len__(self) -> int:
        """Number of treads."""

    def tread(self, index: int) -> Tread:
        """A tread, depth float32 [H, W] at 20 px/cm."""

    def impression(self, index: int, seed: int) -> NDArray[np.uint8]:
        """A clean impression of it as a gallery keeps it, uint8 [H, W], contact dark."""


class MadeTreads:
    """Made treads: of every second number a plain one, of the others a shoe's with all that shoes have.

    Args:
        count: Treads.
        first_seed: Of the first; sources whose seeds do not overlap share nothing.
    """

    def __init__(self, count: int, *, first_seed: int) -> None:
        self._count = count
        self._first_seed = first_seed
        self._shoes = plan_models(count, seed=_SHOES_SEED + first_seed)
        # Kept as bytes: 3,000 soles are 400 MiB.
        self._kept: dict[int, tuple[NDArray[np.uint8], NDArray[np.bool_]]] = {}

    def __len__(self) -> int:
        """Number of treads."""
        return self._count

    def tread(self, index: int) -> Tread:
        """See ``ImpressionViews``."""
        if index not in self._kept:
            seed = self._first_seed + index
            made = make_instance(self._shoes[index], seed) if index % 2 else make_tread(seed)
            self._kept[index] = np.rint(made.depth * np.float32(_WHITE)).astype(np.uint8), made.inside
        depth, inside = self._kept[index]
        return Tread(depth.astype(np.float32) / np.float32(_WHITE), inside, "", ("", "", ""))

    def impression(self, index: int, seed: int) -> NDArray[np.uint8]:
        """See ``ImpressionViews``."""
        return clean_impression(self.tread(index), seed)


class KeptImpressions:
    """A gallery's own clean impressions, from which treads are read: ink is what touched
    (``training.own_pictures.OwnPictures``).

    Args:
        impressions: uint8 [H, W] each, contact dark on light, 20 px/cm.
    """

    def __init__(self, impressions: Sequence[NDArray[np.uint8]]) -> None:
        self._impressions = impressions
        self._inside: dict[int, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        """Number of impressions."""
        return len(self._impressions)

    def first(self, count: int) -> KeptImpressions:
        """See ``training.own_pictures.OwnPictures``."""
        return KeptImpressions(self._impressions[:count])

    def parts(self) -> Iterator[bytes]:
        """See ``training.own_pictures.OwnPictures``."""
        return (impression.tobytes() for impression in self._impressions)

    def tread(self, index: int) -> Tread:
        """See ``ImpressionViews``; the depth is such that the ink's own threshold is where contact begins."""
        gray = self._impressions[index]
        paper, ink = (float(value) for value in np.percentile(gray, (90, 3)))
        contact = np.clip((paper - gray.astype(np.float32)) / max(paper - ink, 1.0), 0, 1)
        if index not in self._inside:
            self._inside[index] = _sole_around(contact)
        return Tread(np.float32(0.37) + np.float32(0.5) * contact, self._inside[index], "", ("", "", ""))

    def impression(self, index: int, seed: int) -> NDArray[np.uint8]:
        """See ``ImpressionViews``; there is only this one."""
        return self._impressions[index]


def _sole_around(contact: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The area of a sole whose contact this is, bool [H, W]: gaps of up to 3 cm belong to it, specks do not."""
    height, width = contact.shape
    size = (max(width // _COARSER, 1), max(height // _COARSER, 1))
    coarse = (cv2.resize(contact, size, interpolation=cv2.INTER_AREA) > _INKED).astype(np.uint8)
    opened = cv2.morphologyEx(coarse, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    # Closing takes what lies beyond the frame for sole, but for a frame of its own.
    framed = np.pad(opened, _GAP_CELLS)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP_CELLS, _GAP_CELLS))
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, ellipse)[_GAP_CELLS:-_GAP_CELLS, _GAP_CELLS:-_GAP_CELLS]
    inside = cv2.resize(closed, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return inside if inside.any() else np.ones_like(inside)


class ImpressionBatches:
    """Which impressions the batch of a step shows, and on which side; what it shows of them, a subclass says.

    Args:
        source: The treads.
        steps: How many batches there are.
        batch_items: N.
        seed: Of all that is random.
        in_order: Treads 0 .. N - 1, unmirrored, in every batch; drawn else.
    """

    _KEY = 0

    def __init__(
        self, source: ImpressionViews, *, steps: int, batch_items: int, seed: int, in_order: bool = False
    ) -> None:
        if not len(source):
            raise InvalidInput("there is no impression to learn from", field="source")
        self._source = source
        self._steps = steps
        self._items = batch_items
        self._seed = seed
        self._in_order = in_order

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def _draw(self, step: int) -> tuple[np.random.Generator, list[tuple[int, bool]], torch.Tensor]:
        """What is random in a step from here on, (index, mirrored) of its N items, and their labels int64 [N]."""
        rng = np.random.default_rng([self._KEY, self._seed, step])
        count = len(self._source)
        drawn = np.arange(self._items) % count if self._in_order else rng.integers(count, size=self._items)
        mirrored = rng.random(self._items) < (0.0 if self._in_order else 0.5)
        labels = torch.from_numpy(2 * drawn.astype(np.int64) + mirrored)
        return rng, list(zip(drawn.tolist(), mirrored.tolist(), strict=True)), labels


class ViewBatches(ImpressionBatches):
    """Batches of whole impressions and pieces of them by step (``training.system.StepDataset``).

    Batches hold ``whole`` and ``piece`` uint8 [N, 320, 160], ``whole_cells`` and ``piece_cells`` uint8 [N, 80, 40] and
    ``labels`` int64 [N]: views of equal labels show the same tread on the same side.
    """

    _KEY = 0x9A27

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng, items, labels = self._draw(step)
        wholes, pieces = [], []
        for index, mirror in items:
            wholes.append(whole_view(self._source, index, int(rng.integers(1 << 30)), mirrored=mirror))
            pieces.append(half_view(*_first(piece_of(self._source, index, rng, mirrored=mirror))))
        return {
            "whole": torch.from_numpy(np.stack([view for view, _ in wholes])),
            "whole_cells": torch.from_numpy(np.stack([cells for _, cells in wholes]).astype(np.uint8)),
            "piece": torch.from_numpy(np.stack([view for view, _ in pieces])),
            "piece_cells": torch.from_numpy(np.stack([cells for _, cells in pieces]).astype(np.uint8)),
            "labels": labels,
        }


def whole_view(source: ImpressionViews, index: int, seed: int, *, mirrored: bool) -> View:
    """The view of a clean impression."""
    gray = source.impression(index, seed)
    item = place_item(np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray, CANVAS)
    return half_view(item.image, np.pad(item.valid, _MARGIN_CELLS))


def piece_of(source: ImpressionViews, index: int, rng: np.random.Generator, *, mirrored: bool) -> PlacedProbe:
    """What a crime scene leaves of a tread, on the canvas."""
    tread, other = source.tread(index), source.tread(int(rng.integers(len(source))))
    if mirrored:
        tread = mirrored_tread(tread)
    plan = Degradation(rotation_limit_deg=_ROTATION_LIMIT_DEG, strength=float(rng.uniform(*STRENGTHS)))
    scene = scene_print(tread, int(rng.integers(1 << 30)), degradation=plan, other=other)
    return place_probe(scene.gray, mask_of(scene, rng), CANVAS, [Placement(scale=float(rng.uniform(*_SCALES)))])


def mirrored_tread(tread: Tread) -> Tread:
    """The tread of the other foot."""
    depth, inside = np.ascontiguousarray(tread.depth[:, ::-1]), np.ascontiguousarray(tread.inside[:, ::-1])
    return Tread(depth, inside, tread.shape, tread.families)


def mask_of(scene: ScenePrint, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The mask that a search gets: few are drawn, and in the others everything counts, the floor with the print."""
    return automatic_mask(scene.gray) if rng.random() < _UNDRAWN else scene.mask


def canvases(source: ImpressionViews, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One piece of each tread as it is served: canvases uint8 [N, 672, 352] and cells bool [N, 84, 44]."""
    rng = np.random.default_rng([0x9A28, seed])
    placed = [piece_of(source, index, rng, mirrored=False) for index in range(len(source))]
    return np.concatenate([probe.images for probe in placed]), np.concatenate([probe.cells for probe in placed])


def half_view(image: NDArray[np.uint8], cells: NDArray[np.bool_]) -> View:
    """A canvas and its cells as the network's trunk sees them: uint8 [320, 160] and bool [80, 40]."""
    halved = cv2.resize(image, (CANVAS_PX[1] // 2, CANVAS_PX[0] // 2), interpolation=cv2.INTER_AREA)
    down, right = ((whole // 2 - part) // 2 for whole, part in zip(CANVAS_PX, VIEW_PX, strict=True))
    view = halved[down : down + VIEW_PX[0], right : right + VIEW_PX[1]]
    down, right = ((whole - part) // 2 for whole, part in zip(CELLS, VIEW_CELLS, strict=True))
    return np.asarray(view, np.uint8), cells[down : down + VIEW_CELLS[0], right : right + VIEW_CELLS[1]]


def _first(placed: PlacedProbe) -> View:
    return placed.images[0], placed.cells[0]
