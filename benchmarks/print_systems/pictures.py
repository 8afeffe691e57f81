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
from outsole.imaging.crisp_pictures import (
    PICTURE_PX,
    PICTURE_SCALE,
    covered_cells,
    impression_picture,
    probe_pictures,
)

ROTATIONS_DEG = (-16.0, -8.0, 0.0, 8.0, 16.0)
MADE_MODELS, MADE_PROBES = 2000, 500
K = 100
# Five dilations of 8 x 8 pixels.
_DILATION_PX = 37


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
    models = run["settings"].get("evaluate_items", "?")
    return Row(
        title, f"{protocol}, {models} models", metrics, "made shoes", int(run["parameters"]), note=said_of_run(run)
    )


def said_of_run(run: Mapping[str, Any]) -> str:
    """How long and on what a run of ``result.json`` learned."""
    left = "" if run.get("complete", True) else f", stopped after {run['steps']} steps"
    return f"preset {run['preset']}{left}, {float(run['seconds']) / 60:.0f} minutes on {run['device']}"


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
    # Without torch, which exported models are measured without.
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
        key = f"{self._model.weights_sha256} {self._as} {PICTURE_SCALE:.6f} {ROTATIONS_DEG}"
        return kept.scores(f"pictures_{self._model.name}", key, (self._prints.asked, self._prints.size), self._one)

    def _one(self, index: int) -> NDArray[np.floating]:
        items = self._gallery()
        if len(self._shape) == 1:
            pictures, _ = self._placed(index, offsets=(0,))
            vectors = embedded(self._model, pictures)
            return np.asarray((items @ vectors.T).max(1), np.float32)
        cell = PICTURE_PX[0] // self._shape[1]
        pictures, masks = self._placed(index, offsets=(0, cell // 2))
        shown = covered_cells(masks, cell)
        maps = embedded(self._model, pictures) * (shown / shown.sum((1, 2), keepdims=True))[:, None]
        return best_shift(items, maps)

    def _placed(self, index: int, *, offsets: tuple[int, ...]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """A probe under every rotation and offset (pixels, up and left), and its masks."""
        placed = self._prints.placed(
            index, [Placement(rotation_deg=turn, scale=PICTURE_SCALE) for turn in ROTATIONS_DEG]
        )
        stride = self._prints.rules.stride_px
        masks = placed.cells.repeat(stride, axis=1).repeat(stride, axis=2)
        shifts = np.array([(-down, -right) for down in offsets for right in offsets]).repeat(len(masks), axis=0)
        times = (len(offsets) ** 2, 1, 1)
        return probe_pictures(np.tile(placed.images, times), np.tile(masks, times), shifts, planes=self._planes)

    @property
    def _planes(self) -> int:
        return self._model.input_dims["image"][0]

    def _gallery(self) -> NDArray[Any]:
        """Vectors [N, D], or spectra of maps."""
        if self._items is None:
            canvases, _ = self._prints.canvases
            pictures = np.stack([impression_picture(each, kind=self._as, planes=self._planes) for each in canvases])
            found = embedded(self._model, pictures, label=f"{self._model.name}, references")
            self._shape = found.shape[1:]
            self._items = found if found.ndim == 2 else item_spectra(found)
        return self._items


def embedded(model: OnnxModel, pictures: NDArray[np.uint8], *, label: str = "") -> NDArray[np.float32]:
    """The first output of a model, float32."""
    return np.asarray(model({"image": pictures}, label=label)[model.outputs[0]], np.float32)


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
