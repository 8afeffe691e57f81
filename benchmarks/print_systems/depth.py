"""The row of the depth predictor: how near its depth is, and what retrieval through it loses."""

from __future__ import annotations

import importlib

import numpy as np
from numpy.typing import NDArray

from benchmarks.print_systems.models import OnnxModel, Shelf
from benchmarks.print_systems.pictures import MADE_MODELS, MADE_PROBES, embedded, made_figures, published_cells
from benchmarks.print_systems.rows import Row, missing_row
from outsole.imaging.crisp_pictures import DEPTH_PLANE

TITLE = "depth predictor (U-Net)"
_PROTOCOL = "made photographs of {models} unseen models; retrieval by CriSp, light"
_WHITE = 255.0
_TINY = 1e-6


def depth_row(shelf: Shelf, *, models: int = MADE_MODELS, probes: int = MADE_PROBES) -> Row:
    """Correlation with the true depth, ``depth_corr``, and points of hit@100 lost, ``depth_loss_pts``."""
    protocol = _PROTOCOL.format(models=models)
    predictor, crisp = shelf.model("depth_unet"), shelf.model("crisp_lite")
    if predictor is None:
        return missing_row(TITLE, protocol, "no exported model of depth_unet here")
    source = importlib.import_module("training.made_prints")
    made = source.unseen_probes(models, probes=probes)
    shoes = source.MadeShoes(models, seed=source.UNSEEN_SEED)
    photographs = np.stack([shoes.photograph(model, 0).transpose(1, 2, 0) for model in range(models)])
    predicted = np.asarray(predictor({"image": photographs}, label="predicted depth")["depth"], np.float32)
    truth = made.gallery[:, DEPTH_PLANE]
    figures = {"depth_corr": float(correlations(predicted, truth).mean())}
    note = f"correlation inside the sole {figures['depth_corr']:.3f}"
    if crisp is not None:
        loss = _points_lost(crisp, made, predicted)
        figures |= {"depth_loss_pts": loss}
        note += f"; {loss:.1f} points of hit@100 lost against true depth"
    trained_on = str(predictor.spec.get("trained_on", "not said"))
    return Row(TITLE, protocol, figures, trained_on, predictor.parameters, predictor.ms_image, note)


def correlations(predicted: NDArray[np.float32], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pearson correlation of pictures [N, H, W] over the pixels whose true depth is above 0, float64 [N]."""
    inside = (truth > 0).reshape(len(truth), -1)
    count = np.maximum(inside.sum(1, keepdims=True), 1)
    first, second = (picture.reshape(len(truth), -1).astype(np.float64) for picture in (predicted, truth))
    first, second = ((p - (p * inside).sum(1, keepdims=True) / count) * inside for p in (first, second))
    lengths = np.sqrt(np.square(first).sum(1) * np.square(second).sum(1))
    result: NDArray[np.float64] = (first * second).sum(1) / np.maximum(lengths, _TINY)
    return result


def _points_lost(crisp: OnnxModel, made: object, predicted: NDArray[np.float32]) -> float:
    gallery, pictures, masks, relevant = (getattr(made, name) for name in ("gallery", "probes", "masks", "relevant"))
    through = np.zeros_like(gallery)
    through[:, DEPTH_PLANE] = np.rint(predicted * _WHITE).clip(0, _WHITE).astype(np.uint8)
    probes = embedded(crisp, pictures, label="CriSp, probes")
    shown = published_cells(masks, probes.shape[2:])
    true, through_depth = (
        made_figures(probes, embedded(crisp, each, label="CriSp, gallery"), relevant, shown=shown)["hit100"]
        for each in (gallery, through)
    )
    return 100 * (true - through_depth)
