"""The table's side of shoes: published figures beside ours on made models, each of the same network or nearest to it.

Published figures are of a ResNet-50 on private data; ours are of a light trunk on made shoes under the surveillance
degradation. They stand side by side so that what a part of a system adds can be compared, not how high it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import OnnxModel, Shelf
from benchmarks.print_systems.pictures import said_of_run
from benchmarks.print_systems.rows import Row, Rows, missing_row
from benchmarks.reporting import InputValue
from benchmarks.shoe_systems.outliers import IMAGENET, ShoeEncoder, encoder_of_model, find_encoder
from benchmarks.shoe_systems.published import FULL, FULLY_CONNECTED, NETVLAD, OF_VARIANTS, PAPER, PRIVATE, Published
from benchmarks.video_parts.shoes import view_figures

# Percent, all of them.
FIGURES = {
    "published_rank1": "published Rank-1",
    "published_map": "published mAP",
    "made_rank1": "made Rank-1",
    "made_map": "made mAP",
    "made_cmc5": "made CMC@5",
    "made_front": "fronts Rank-1",
    "made_back": "backs Rank-1",
}
ENCODER, SHORT, ADAPTED = "shoe_attention", "short", "shoe_attention_adapted"
VARIANTS = {
    "plain": "no attention",
    "se": "squeeze-and-excitation",
    "cbam": "CBAM",
    "eca": "ECA",
    "stage": "attention after every stage (its figure 4)",
    "average": "averages of the last map",
    "both": "averages and maxima of the last map",
    "hard_labels": "hard labels",
    "unlevelled": "crops not turned level",
    "scenes": "crops of made scenes beside the drawn ones (ours)",
}
NETVLADS = {"netvlad_lite": "NetVLAD, light trunk", "netvlad_vgg16": "NetVLAD, VGG-16"}
MODELS = 300
_OURS = {
    "rank1": "made_rank1",
    "map": "made_map",
    "rank5": "made_cmc5",
    "front_rank1": "made_front",
    "back_rank1": "made_back",
}
_PROTOCOL = "made, {models} unseen models, sides of 32 to 128 px, one photograph a model"
_BEFORE = "_before"
_IMAGENET_TITLE = "trunk of ImageNet, untrained"
_TITLE = "attention encoder"


def parts(models: int = MODELS) -> Mapping[str, Callable[[Shelf, Kept], Rows]]:
    """Names for ``--only``, in the order of the table, and what makes their rows.

    Args:
        models: Unseen models that networks are measured on, which no run measured.
    """
    return {
        "published_shoes": lambda shelf, kept: {"fully connected": _published_row()},
        "imagenet": lambda shelf, kept: {IMAGENET: _imagenet_row(kept, models)},
        "attention": lambda shelf, kept: {ENCODER: _shipped_row(shelf, kept, models), SHORT: _short_row(shelf)},
        "attention_variants": lambda shelf, kept: {name: _variant_row(shelf, name) for name in VARIANTS},
        "netvlad": lambda shelf, kept: {name: _netvlad_row(shelf, name) for name in NETVLADS},
        "adapted_shoes": lambda shelf, kept: {ADAPTED: _adapted_row(shelf)},
    }


def metrics_of(rows: Mapping[str, Row]) -> tuple[dict[str, float], dict[str, InputValue]]:
    """The flat metrics of the rows that were measured: shares 0 .. 1, ``*_pts`` points.

    ``shoe_rank1``, ``shoe_map`` and ``shoe_cmc5`` of the shipped encoder, ``shoe_gain_pts`` over the untrained trunk,
    ``adapted_rank1`` and ``adapted_gain_pts`` on the photographs of a catalogue.
    """
    figures = {name: row.figures for name, row in rows.items()}
    own, plain, adapted = (figures.get(name, {}) for name in (ENCODER, IMAGENET, ADAPTED))
    metrics = {
        f"shoe_{name.removeprefix('made_')}": own[name] / 100
        for name in ("made_rank1", "made_map", "made_cmc5")
        if name in own
    }
    if own and plain:
        metrics["shoe_gain_pts"] = own["made_rank1"] - plain["made_rank1"]
    if adapted:
        metrics["adapted_rank1"] = adapted["made_rank1"] / 100
        metrics["adapted_gain_pts"] = adapted["gain_pts"]
    return metrics, {}


def _published_row() -> Row:
    return Row(f"{PAPER}: fully connected features", PRIVATE, _published(FULLY_CONNECTED), note=FULLY_CONNECTED.what)


def _published(published: Published | None) -> dict[str, float]:
    return {} if published is None else {"published_rank1": published.rank1, "published_map": published.mean_ap}


def _imagenet_row(kept: Kept, models: int) -> Row:
    def make() -> Row:
        figures = _measured(find_encoder(IMAGENET), models)
        return Row(_IMAGENET_TITLE, _protocol(models), figures, "ImageNet", note="averages of the last map")

    return kept.row("shoes imagenet", f"{models}", make)


def _shipped_row(shelf: Shelf, kept: Kept, models: int) -> Row:
    model, title = shelf.model(ENCODER), f"{_TITLE}, shipped"
    if model is None:
        return missing_row(title, _protocol(models), f"no model of {ENCODER} here")
    return kept.row(f"shoes {ENCODER}", f"{models} {model.weights_sha256}", lambda: _model_row(title, model, models))


def _model_row(title: str, model: OnnxModel, models: int) -> Row:
    figures = {**_published(FULL), **_measured(encoder_of_model(model), models)}
    trained_on = str(model.spec.get("trained_on", "not said"))
    note = f"shipped; {FULL.what}"
    return Row(title, _protocol(models), figures, trained_on, model.parameters, model.ms_image, note)


def _measured(encode: ShoeEncoder, models: int) -> dict[str, float]:
    return _ours(view_figures([encode], models)[0])


def _ours(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {heading: 100 * float(metrics[name]) for name, heading in _OURS.items() if name in metrics}


def _short_row(shelf: Shelf) -> Row:
    return _run_row(f"{_TITLE}, as briefly trained as its variants", shelf.run(ENCODER, presets=(SHORT,)), FULL)


def _variant_row(shelf: Shelf, name: str) -> Row:
    # A variant is compared with the others: the run that all of them have comes first.
    run = shelf.run(f"{ENCODER}:{name}", presets=(SHORT, "gpu", "cpu", "smoke"))
    return _run_row(f"{_TITLE}, variant: {VARIANTS[name]}", run, OF_VARIANTS.get(name), why=f"{ENCODER}:{name}")


def _netvlad_row(shelf: Shelf, name: str) -> Row:
    return _run_row(NETVLADS[name], shelf.run(name), None, why=name, note=NETVLAD)


def _run_row(
    title: str, run: Mapping[str, Any] | None, published: Published | None, *, why: str = ENCODER, note: str = ""
) -> Row:
    said = note or ("" if published is None else published.what)
    if run is None:
        text = "; ".join(part for part in (f"not measured: no run of {why} here", said) if part)
        return Row(title, PRIVATE if published is not None else _protocol("?"), _published(published), note=text)
    figures = {**_published(published), **_ours(run["metrics"])}
    protocol = _protocol(run["settings"].get("evaluate_items", "?"))
    text = "; ".join(part for part in (said_of_run(run), said) if part)
    return Row(title, protocol, figures, "made shoes", note=text)


def _adapted_row(shelf: Shelf) -> Row:
    title = f"{_TITLE}, adapted to a catalogue's photographs"
    protocol = "sides of the catalogue's own photographs, degraded as the adaptation did not"
    run = shelf.run(ADAPTED)
    if run is None:
        return missing_row(title, protocol, f"no run of {ADAPTED} here (python -m benchmarks.shoe_systems.adaptation)")
    metrics = run["metrics"]
    before = 100 * float(metrics[f"rank1{_BEFORE}"])
    figures = _ours(metrics)
    figures["gain_pts"] = figures["made_rank1"] - before
    flatters = "on photographs learned from, which flatters: true camera crops are in RESULTS.md"
    note = f"{said_of_run(run)}; Rank-1 {before:.1f} before; {flatters}"
    return Row(title, protocol, figures, "made shoes, then photographs of a catalogue", note=note)


def _protocol(models: int | str) -> str:
    return _PROTOCOL.format(models=models)
