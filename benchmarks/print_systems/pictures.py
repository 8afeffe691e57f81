"""Rows of the networks that see CriSp's pictures: CriSp itself, its ablations, and the survey's.

A picture is uint8 [P, 384, 192], the print in plane 0 (contact dark), depth in plane 1 (touching bright), the sole
filling the height. Real prints are placed automatically: several rotations, every shift of the grid of cells, and half
a cell between them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from benchmarks.print_systems.correlation import protocol_of
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import OnnxModel, Shelf
from benchmarks.print_systems.prints import LabelledPrints
from benchmarks.print_systems.rows import Row, missing_row, search_figures
from outsole.answers import Placement
from outsole.evaluation.retrieval import hit_at, mean_average_precision_at, ranked_models

PICTURE_PX = (384, 192)
# A reference of 586 px becomes 365, 0.95 of the picture's height, as made soles are.
SCALE = 0.95 * PICTURE_PX[0] / 586
ROTATIONS_DEG = (-16.0, -8.0, 0.0, 8.0, 16.0)
MADE_MODELS, MADE_PROBES = 2000, 500
K = 100
_VISIBLE_SHARE = 0.5
# Five dilations of 8 x 8 pixels.
_DILATION_PX = 37
# Grey levels of a reference between which contact rises from none to full, percentiles.
_CONTACT_PERCENTILES = (15, 85)


def made_row(title: str, name: str, shelf: Shelf, kept: Kept) -> Row:
    """A system on made models that no training saw: from its run, else measured with its model."""
    protocol = "made, unseen models, held-out degradations, placed"
    run = shelf.run(name)
    if run is not None and "hit100" in run["metrics"]:
        return _run_row(title, protocol, run)
    model = shelf.model(name.replace(":", "_"))
    if model is None:
        return missing_row(title, protocol, f"no run and no model of {name} here")
    return kept.row(f"made_{name}", model.weights_sha256, lambda: _measured_on_made(title, protocol, model))


def _run_row(title: str, protocol: str, run: Mapping[str, Any]) -> Row:
    metrics = {name: float(value) for name, value in run["metrics"].items()}
    left = "" if run.get("complete", True) else f", stopped after {run['steps']} steps"
    note = f"preset {run['preset']}{left}, {float(run['seconds']) / 60:.0f} minutes on {run['device']}"
    models = run["settings"].get("evaluate_items", "?")
    return Row(title, f"{protocol}, {models} models", metrics, "made shoes", int(run["parameters"]), note=note)


def _measured_on_made(title: str, protocol: str, model: OnnxModel) -> Row:
    made = importlib.import_module("training.made_prints").unseen_probes(MADE_MODELS, probes=MADE_PROBES)
    gallery = embedded(model, made.gallery, label=f"{model.name}, made gallery")
    probes = embedded(model, made.probes, label=f"{model.name}, made probes")
    shown = None if gallery.ndim == 2 else published_cells(made.masks, gallery.shape[2:])
    figures = made_figures(probes, gallery, made.relevant, shown=shown)
    trained_on = str(model.spec.get("trained_on", "not said"))
    return Row(
        title, f"{protocol}, {MADE_MODELS} models", figures, trained_on, model.parameters, model.ms_image, "shipped"
    )


def made_figures(
    probes: NDArray[np.float32],
    gallery: NDArray[np.float32],
    relevant: NDArray[np.bool_],
    *,
    shown: NDArray[np.float32] | None = None,
) -> dict[str, float]:
    """hit@100 and mAP@100 of vectors [Q, D] against [N, D], or of maps [Q, C, h, w] under cells [Q, h, w]."""
    if shown is not None:
        share = shown / np.maximum(shown.sum((1, 2), keepdims=True), 1)
        probes = probes * share[:, None]
    similarity = probes.reshape(len(probes), -1) @ gallery.reshape(len(gallery), -1).T
    ranked = ranked_models(similarity, np.arange(len(gallery)))
    return {"hit100": hit_at(ranked, relevant, K), "map100": mean_average_precision_at(ranked, relevant, K)}


def published_cells(masks: NDArray[np.bool_], cells: tuple[int, ...]) -> NDArray[np.float32]:
    """Cells that count under the rule of CriSp's code (``outsole.encoders.crisp.visible_cells``), float32 [N, h, w]."""
    kernel = np.ones((_DILATION_PX, _DILATION_PX), np.uint8)
    size = (cells[1], cells[0])
    # OpenCV's dilation with a rectangle is separable, which a pooling of this size is not.
    grown = (cv2.dilate(mask.astype(np.uint8), kernel).astype(np.float32) for mask in masks)
    return np.stack([cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) > 0 for mask in grown]).astype(np.float32)


def fid_row(
    title: str, model: OnnxModel | None, prints: LabelledPrints, kept: Kept, *, references_as: str = "depth"
) -> Row:
    """A system on real prints, placed automatically."""
    protocol = f"{protocol_of(prints)}; references as {references_as}"
    if model is None:
        return missing_row(title, protocol, "no exported model here")
    scores = PictureSearch(model, prints, references_as=references_as).scores(kept)
    spatial = "several rotations, all shifts by half a cell" if model.outputs == ("map",) else "several rotations"
    return Row(
        title,
        protocol,
        search_figures(scores, prints.truth),
        str(model.spec.get("trained_on", "not said")),
        model.parameters,
        model.ms_image,
        note=spatial,
    )


class PictureSearch:
    """A collection of real prints searched with a network that sees pictures.

    Args:
        model: Takes ``image`` uint8 [N, P, 384, 192]; returns maps [N, C, h, w] of unit cells, or unit vectors [N, D].
        prints: The collection.
        references_as: Whether references lie in the ``depth`` or in the ``print`` plane.
    """

    def __init__(self, model: OnnxModel, prints: LabelledPrints, *, references_as: str) -> None:
        self._model = model
        self._prints = prints
        self._as = references_as
        self._items: NDArray[Any] | None = None
        self._shape: tuple[int, ...] = ()

    def scores(self, kept: Kept) -> NDArray[np.float32]:
        """Maxima over all placements, float32 [Q, N]."""
        key = f"{self._model.weights_sha256} {self._as} {SCALE:.6f} {ROTATIONS_DEG}"
        return kept.scores(f"pictures_{self._model.name}", key, (self._prints.asked, self._prints.size), self._one)

    def _one(self, index: int) -> NDArray[np.floating]:
        items = self._gallery()
        if len(self._shape) == 1:
            pictures, _ = probe_pictures(self._prints, index, planes=self._planes, offsets=(0,))
            vectors = embedded(self._model, pictures)
            return np.asarray((items @ vectors.T).max(1), np.float32)
        cell = PICTURE_PX[0] // self._shape[1]
        pictures, masks = probe_pictures(self._prints, index, planes=self._planes, offsets=(0, cell // 2))
        shown = covered_cells(masks, cell)
        maps = embedded(self._model, pictures) * (shown / shown.sum((1, 2), keepdims=True))[:, None]
        return best_shift(items, maps)

    @property
    def _planes(self) -> int:
        return self._model.input_dims["image"][0]

    def _gallery(self) -> NDArray[Any]:
        """Vectors [N, D], or spectra of maps."""
        if self._items is None:
            pictures = reference_pictures(self._prints.canvases[0], kind=self._as, planes=self._planes)
            found = embedded(self._model, pictures, label=f"{self._model.name}, references")
            self._shape = found.shape[1:]
            self._items = found if found.ndim == 2 else item_spectra(found)
        return self._items


def embedded(model: OnnxModel, pictures: NDArray[np.uint8], *, label: str = "") -> NDArray[np.float32]:
    """The first output of a model, float32."""
    return np.asarray(model({"image": pictures}, label=label)[model.outputs[0]], np.float32)


def reference_pictures(canvases: NDArray[np.uint8], *, kind: str, planes: int) -> NDArray[np.uint8]:
    """Clean impressions as pictures [N, planes, 384, 192]: as ``depth`` in plane 1, or as a ``print`` in plane 0."""
    pictures = np.zeros((len(canvases), planes, *PICTURE_PX), np.uint8)
    for row, canvas in enumerate(canvases):
        small = cv2.resize(canvas, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
        top, left = ((side - room) // 2 for side, room in zip(small.shape, PICTURE_PX, strict=True))
        view = small[top : top + PICTURE_PX[0], left : left + PICTURE_PX[1]].astype(np.float32)
        dark, bright = np.percentile(view, _CONTACT_PERCENTILES)
        contact = np.clip((bright - view) / max(bright - dark, 1.0), 0, 1) * 255
        if kind == "depth":
            pictures[row, 1] = contact.astype(np.uint8)
        else:
            # Zero everywhere is how an absent plane is told from a picture.
            pictures[row, 0] = np.maximum(255 - contact, 1).astype(np.uint8)
    return pictures


def probe_pictures(
    prints: LabelledPrints, index: int, *, planes: int, offsets: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A probe under every rotation and offset (pixels, down and right), uint8 [P, planes, 384, 192], and its masks."""
    tried = [Placement(rotation_deg=angle, scale=SCALE) for angle in ROTATIONS_DEG]
    placed = prints.placed(index, tried)
    stride = prints.rules.stride_px
    masks = placed.cells.repeat(stride, axis=1).repeat(stride, axis=2)
    top, left = ((side - room) // 2 for side, room in zip(placed.images.shape[1:], PICTURE_PX, strict=True))
    corners = [(top + down, left + right) for down in offsets for right in offsets]
    windows = [np.s_[:, y : y + PICTURE_PX[0], x : x + PICTURE_PX[1]] for y, x in corners]
    views = np.concatenate([placed.images[window] for window in windows])
    pictures = np.zeros((len(views), planes, *PICTURE_PX), np.uint8)
    pictures[:, 0] = np.maximum(views, 1)
    return pictures, np.concatenate([masks[window] for window in windows])


def covered_cells(masks: NDArray[np.bool_], cell: int) -> NDArray[np.float32]:
    """Cells of which at least half is visible, float32 [P, h, w]; the one that shows most where there is none."""
    count, height, width = masks.shape
    share: NDArray[np.float64] = masks.reshape(count, height // cell, cell, width // cell, cell).mean((2, 4))
    least = np.minimum(_VISIBLE_SHARE, share.max((1, 2), keepdims=True))
    return np.asarray(share >= least, np.float32)


def item_spectra(maps: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Spectra of maps [N, C, h, w] for ``best_shift``, complex64 [F, G, N, C]."""
    planes = np.moveaxis(maps, (2, 3), (0, 1))
    spectra: NDArray[np.complex64] = fft.rfft2(planes, s=_period(maps.shape[2:]), axes=(0, 1))
    return spectra


def best_shift(items: NDArray[np.complex64], probes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Highest inner product of maps [P, C, h, w] with items over all shifts and all P, float32 [N]."""
    period = _period(probes.shape[2:])
    spectra = fft.rfft2(np.moveaxis(probes, (2, 3), (0, 1)), s=period, axes=(0, 1))
    product = np.matmul(items, np.conj(spectra).transpose(0, 1, 3, 2))
    found: NDArray[np.float32] = fft.irfft2(product, s=period, axes=(0, 1)).max((0, 1, 3))
    return found


def _period(cells: tuple[int, ...]) -> tuple[int, int]:
    """A period that no shift wraps in."""
    rows, columns = (fft.next_fast_len(2 * side - 1, real=True) for side in cells)
    return rows, columns
