"""The shoe encoder on models that no training saw, against the trunk of ImageNet that it starts from."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click
import numpy as np

from benchmarks.reporting import InputValue, text_table
from benchmarks.shoe_systems.outliers import IMAGENET, ShoeEncoder, find_encoder, outlier_record, unit_vectors
from outsole.answers import View
from outsole.evaluation.retrieval import hit_at, mean_average_precision_at, ranked_models

Metrics = dict[str, float]
_PROBES_EACH = 2


def measure_shoes(encoder: str, models: int) -> Metrics:
    """Camera crops of unseen models among one shop photograph each, from the same side.

    Args:
        encoder: As `benchmarks.shoe_systems.outliers.find_encoder` takes it.
        models: In the gallery.

    Returns:
        ``shoe_rank1``, ``shoe_rank5``, ``shoe_map`` of side views, ``shoe_front_rank1`` and ``shoe_back_rank1``; the
        trunk's under ``trunk_...``, and ``shoe_gain_pts``, points of Rank-1 above it.
    """
    found, plain = view_figures([find_encoder(encoder), find_encoder(IMAGENET)], models)
    rows: list[tuple[InputValue, ...]] = [(name, 100 * found[name], 100 * plain[name]) for name in found]
    click.echo(text_table(("unseen models, %", "encoder", "plain trunk"), rows))
    return {
        **{f"shoe_{name}": value for name, value in found.items()},
        **{f"trunk_{name}": value for name, value in plain.items()},
        "shoe_gain_pts": 100 * (found["rank1"] - plain["rank1"]),
    }


def view_figures(encoders: Sequence[ShoeEncoder], models: int) -> list[Metrics]:
    """Figures of each encoder on the same pictures: all of side views, Rank-1 of fronts and backs."""
    made = importlib.import_module("training.made_shoes")
    figures: list[Metrics] = [{} for _ in encoders]
    for view in View:
        probes = made.unseen_shoes(models, probes_each=_PROBES_EACH, view=view)
        for place, encode in enumerate(encoders):
            vectors = unit_vectors(encode, np.concatenate([probes.gallery, probes.probes]))
            ranked = ranked_models(vectors[models:] @ vectors[:models].T, np.arange(models))
            figures[place] |= _figures(ranked, probes.models, view)
    return figures


def _figures(ranked: np.ndarray[tuple[int, ...], np.dtype[np.int64]], models: np.ndarray, view: View) -> Metrics:
    relevant = models[:, None] == np.arange(ranked.shape[1])
    if view is not View.SIDE:
        return {f"{view.value}_rank1": hit_at(ranked, relevant, 1)}
    return {
        "rank1": hit_at(ranked, relevant, 1),
        "rank5": hit_at(ranked, relevant, 5),
        "map": mean_average_precision_at(ranked, relevant, ranked.shape[1]),
    }


def measure_outliers(encoder: str, models: int) -> Metrics:
    """The indexer's rule on sets of photographs with planted mistakes; see `benchmarks.shoe_systems.outliers`."""
    made = importlib.import_module("training.shoe_sets")
    return outlier_record(find_encoder(encoder), made.planted_sets(models)).metrics()
