"""The table's side of prints: published, here on made data, and here on real prints.

Real prints are a directory in the layout of FID-300; nothing but its clean impressions may have been learned from, and
the rows of such models say "adapted".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from benchmarks.print_systems.correlation import Correlation, cooccurrence_row, correlation_row, mcncc_row
from benchmarks.print_systems.depth import TITLE as DEPTH_TITLE
from benchmarks.print_systems.depth import depth_row
from benchmarks.print_systems.embedding import (
    SIZES,
    PartialPrints,
    embedding_row,
    fused_row,
    held_out_row,
    shortlist_row,
)
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import Shelf
from benchmarks.print_systems.pictures import fid_row, made_row
from benchmarks.print_systems.prints import LabelledPrints
from benchmarks.print_systems.published import ROWS as PUBLISHED
from benchmarks.print_systems.rows import Row, Rows, missing_row
from benchmarks.reporting import InputValue
from outsole.errors import PreconditionFailed
from outsole.matching.rerank import SHARPNESS

GENERAL, ADAPTED, HELD_OUT = "partial_print", "partial_print_adapted", "partial_print_held_out"
CRISP, CRISP_ADAPTED = "crisp_lite", "crisp_lite_adapted"
TITLES = {
    GENERAL: "partial print, general",
    ADAPTED: "partial print, adapted to the gallery's clean impressions",
    HELD_OUT: "partial print, adapted without a tenth of the references",
    CRISP: "CriSp, light trunk",
    CRISP_ADAPTED: "CriSp, light trunk, adapted to the gallery's clean impressions",
    "crisp_resnet50": "CriSp, ResNet-50",
    "vgg16_features": "fine-tuned VGG-16",
    "part_weighted": "part-weighted CNN",
    "selective_descriptors": "selective convolutional descriptors",
    "region_codes": "toe and heel codes with PCA",
}
ABLATIONS = (
    "full",
    "pooled",
    "unmasked",
    "database_print",
    "database_rgb",
    "database_all",
    "no_degradation",
    "only_occlusion",
    "only_erasure",
    "only_noise",
    "unweathered",
)
SURVEY = ("vgg16_features", "part_weighted", "selective_descriptors", "region_codes")
# References as which plane of a picture; the light trunk's first layer, which is not trained, sees both alike.
_KINDS = ("depth", "print")
_NO_DATA = "no real prints were named (--data)"
_LEAST_LOSS_PTS = 1.0


@dataclass(frozen=True)
class Bench:
    """What the rows are made from.

    Attributes:
        shelf: Networks at hand.
        prints: The real prints; None where none were named.
        kept: Results of earlier runs.
        held_out: Whether the model that was adapted without a tenth of the references is asked for.
    """

    shelf: Shelf
    prints: LabelledPrints | None
    kept: Kept
    held_out: bool = False

    @cached_property
    def correlation(self) -> Correlation:
        """The correlation over the real prints."""
        if self.prints is None:
            raise PreconditionFailed(_NO_DATA, field="data")
        return Correlation(self.prints)

    def embedding(self, name: str) -> PartialPrints | None:
        """An embedding over the real prints; None where there is no such model."""
        model = self.shelf.model(name)
        if model is None or self.prints is None:
            return None
        return self._embeddings.setdefault(name, PartialPrints(self.prints, model))

    @cached_property
    def _embeddings(self) -> dict[str, PartialPrints]:
        """References are encoded once for all rows."""
        return {}


def rows_of_side() -> Mapping[str, Callable[[Bench], Rows]]:
    """Names for ``--only``, in the order of the table, and what makes their rows."""
    parts: dict[str, Callable[[Bench], Rows]] = {
        "published": lambda bench: {f"published {number}": row for number, row in enumerate(PUBLISHED)},
        "mcncc": lambda bench: _from_maps(bench, "mcncc", "MCNCC, here (Kong et al. 2019)", mcncc_row),
        "correlation": lambda bench: _from_maps(bench, "correlation", "correlation", correlation_row),
        "cooccurrence": _cooccurrence_rows,
        "partial": _partial_rows,
        "fused": _fused_rows,
        "shortlist": _shortlist_rows,
        "crisp_lite": lambda bench: _picture_rows(bench, CRISP) | _picture_rows(bench, CRISP_ADAPTED, made=False),
        "crisp_ablations": _ablation_rows,
        "crisp_resnet50": lambda bench: _picture_rows(bench, "crisp_resnet50"),
        "depth": _depth_rows,
    }
    return parts | {name: _picture_maker(name) for name in SURVEY}


def _from_maps(bench: Bench, name: str, title: str, make: Callable[[Correlation, Kept], Row]) -> Rows:
    prints = bench.prints
    if prints is None:
        return {name: missing_row(title, "FID-300 development", _NO_DATA)}
    return {name: bench.kept.row(name, f"{prints.rules.hash} {SHARPNESS}", lambda: make(bench.correlation, bench.kept))}


def _cooccurrence_rows(bench: Bench) -> Rows:
    plain, centred = (partial(cooccurrence_row, centred=centred) for centred in (False, True))
    return _from_maps(bench, "cooccurrence", "co-occurrence vector", plain) | _from_maps(
        bench, "cooccurrence_centred", "co-occurrence vector, probes centred", centred
    )


def _partial_rows(bench: Bench) -> Rows:
    rows = {name: _with_embedding(bench, name, "embedding", embedding_row) for name in (GENERAL, ADAPTED)}
    if bench.held_out:
        rows[HELD_OUT] = _with_embedding(bench, HELD_OUT, "held out", held_out_row)
    return rows


def _with_embedding(
    bench: Bench, name: str, kind: str, make: Callable[[str, PartialPrints, Kept], Row], *, title: str = ""
) -> Row:
    """A row of an embedding, kept by the hashes of both encoders."""
    embedding = bench.embedding(name)
    named = title or TITLES[name]
    if embedding is None:
        why = _NO_DATA if bench.prints is None else f"no model {name!r} here"
        return missing_row(named, "FID-300 development", why)
    key = f"{kind} {embedding.key}"
    return bench.kept.row(f"{kind} {name}", key, lambda: make(named, embedding, bench.kept))


def _fused_rows(bench: Bench) -> Rows:
    def make(title: str, embedding: PartialPrints, kept: Kept) -> Row:
        return fused_row(title, bench.correlation, embedding, kept)

    titles = {GENERAL: "correlation and partial print, general", ADAPTED: "correlation and partial print, adapted"}
    return {f"fused {name}": _with_embedding(bench, name, "fused", make, title=titles[name]) for name in titles}


def _shortlist_rows(bench: Bench) -> Rows:
    def maker(size: int) -> Callable[[str, PartialPrints, Kept], Row]:
        return lambda title, embedding, kept: shortlist_row(size, title, bench.correlation, embedding, kept)

    return {
        f"shortlist {name} {size}": _with_embedding(
            bench,
            name,
            f"centred shortlist {size}",
            maker(size),
            title=f"shortlist of {size} by co-occurrence and {TITLES[name]}, then fused",
        )
        for name in (GENERAL, ADAPTED)
        for size in SIZES
    }


def _picture_rows(bench: Bench, name: str, *, made: bool = True) -> Rows:
    rows = {f"{name} made": made_row(TITLES[name], name, bench.shelf, bench.kept)} if made else {}
    prints = bench.prints
    for kind in _KINDS if name not in (CRISP, CRISP_ADAPTED) else _KINDS[:1]:
        key = f"{name} fid {kind}"
        if prints is None:
            rows[key] = missing_row(TITLES[name], "FID-300 development", _NO_DATA)
            continue
        rows[key] = _fid_row(bench, prints, name, kind)
    return rows


def _fid_row(bench: Bench, prints: LabelledPrints, name: str, kind: str) -> Row:
    model = bench.shelf.model(name)

    def make() -> Row:
        return fid_row(TITLES[name], model, prints, bench.kept, references_as=kind)

    return make() if model is None else bench.kept.row(f"fid {kind} {name}", f"{kind} {model.weights_sha256}", make)


def _picture_maker(name: str) -> Callable[[Bench], Rows]:
    return lambda bench: _picture_rows(bench, name)


def _ablation_rows(bench: Bench) -> Rows:
    names = {variant: f"{CRISP}:{variant}" for variant in ABLATIONS}
    return {
        name: made_row(f"{TITLES[CRISP]}, ablation: {variant.replace('_', ' ')}", name, bench.shelf, bench.kept)
        for variant, name in names.items()
    }


def _depth_rows(bench: Bench) -> Rows:
    models = [bench.shelf.model(name) for name in ("depth_unet", CRISP)]
    if models[0] is None:
        return {"depth": depth_row(bench.shelf)}
    key = " ".join(model.weights_sha256 for model in models if model is not None)
    return {"depth": bench.kept.row(DEPTH_TITLE, key, lambda: depth_row(bench.shelf))}


def metrics_of(rows: Mapping[str, Row]) -> tuple[dict[str, float], dict[str, InputValue]]:
    """The flat metrics of the rows that were measured, and which rows stand behind those that have a choice.

    Shares are 0 .. 1, ``*_pct`` and ``fused_rank1`` percent, ``*_pts`` points. Fusion, shortlist and CriSp on real
    prints are those of the adapted model where it is at hand, else of the general one. Of the shortlists, 200 is taken
    if it loses at most a point, else 400.
    """
    figures = {name: row.figures for name, row in rows.items()}
    fused = _first(figures, [f"fused {ADAPTED}", f"fused {GENERAL}"])
    crisp = _first(figures, [f"{name} fid depth" for name in (CRISP_ADAPTED, CRISP)])
    shortlist = _shortlist_chosen(figures)
    wanted = {
        "crisp_hit100": (f"{CRISP} made", "hit100"),
        "crisp_map100": (f"{CRISP} made", "map100"),
        "crisp_fid_recall200": (crisp, "recall200"),
        "partial_fid_recall200": (ADAPTED, "recall200"),
        "partial_fid_top1pct": (ADAPTED, "top1pct"),
        "general_fid_recall200": (GENERAL, "recall200"),
        "general_fid_top1pct": (GENERAL, "top1pct"),
        "fused_top1pct": (fused, "top1pct"),
        "fused_rank1": (fused, "rank1"),
        "shortlist_loss_pts": (shortlist, "loss_pts"),
        "shortlist_speedup": (shortlist, "speedup"),
        "depth_corr": ("depth", "depth_corr"),
        "depth_loss_pts": ("depth", "depth_loss_pts"),
    }
    metrics = {name: figures[row][figure] for name, (row, figure) in wanted.items() if figure in figures.get(row, {})}
    chosen = {"fused_row": fused, "crisp_fid_row": crisp, "shortlist_row": shortlist}
    return metrics, {name: row for name, row in chosen.items() if row}


def _first(figures: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> str:
    """The first of the rows that was measured; empty where none was."""
    return next((name for name in names if figures.get(name)), "")


def _shortlist_chosen(figures: Mapping[str, Mapping[str, float]]) -> str:
    for name in (ADAPTED, GENERAL):
        there = [row for size in SIZES if figures.get(row := f"shortlist {name} {size}")]
        if there:
            return next((row for row in there if figures[row]["loss_pts"] <= _LEAST_LOSS_PTS), there[-1])
    return ""
