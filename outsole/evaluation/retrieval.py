"""hit@k and mAP@k over unique models: the protocol of CriSp (ECCV 2024, section 5).

A gallery may show one shoe model in several items. Of a ranked list only the first instance of every model is kept;
AP@k divides by ``min(relevant models, k)``. The sums themselves are those of ``outsole.evaluation.cmc``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.errors import InvalidInput
from outsole.evaluation.cmc import average_precision_at_k, hit_at_k

NO_MODEL = -1


def ranked_models(similarity: ArrayLike, item_models: ArrayLike) -> NDArray[np.int64]:
    """Rank the models of a gallery for every probe.

    Args:
        similarity: Higher is better, float [Q, N].
        item_models: The model that each item shows, integers [N] from 0.

    Returns:
        int64 [Q, M], the M different models, best first; a model stands where its best item stands, and equal items
        keep their order.

    Raises:
        InvalidInput: Shapes that do not fit, no probe, or a similarity that is not a number.
    """
    table, models = np.asarray(similarity), np.asarray(item_models)
    if table.ndim != 2 or not table.size or models.shape != table.shape[1:]:
        raise InvalidInput(f"similarity {table.shape}, models {models.shape}", field="similarity", remedy="[Q, N], [N]")
    if bool(np.isnan(table).any()):
        raise InvalidInput("a similarity is not a number", field="similarity")
    order = np.argsort(-table.astype(np.float64), axis=1, kind="stable")
    unique = unique_models(models[order])
    return unique[:, : len(np.unique(models))]


def unique_models(ranked: ArrayLike) -> NDArray[np.int64]:
    """Keep the first instance of every model.

    Args:
        ranked: Model of the item at each rank, integers [Q, R] from 0, best first.

    Returns:
        int64 [Q, R]: the different models of each row in their order, then ``NO_MODEL``.

    Raises:
        InvalidInput: Another shape or type, or a negative model.

    Example:
        >>> unique_models([[4, 4, 2, 4, 7]]).tolist()
        [[4, 2, 7, -1, -1]]
    """
    rows = _checked_models(ranked)
    order = np.argsort(rows, axis=1, kind="stable")
    by_model = np.take_along_axis(rows, order, axis=1)
    first = np.ones(rows.shape, np.bool_)
    first[:, 1:] = by_model[:, 1:] != by_model[:, :-1]
    kept = np.empty_like(first)
    np.put_along_axis(kept, order, first, axis=1)
    # Sorting the flags stably brings the kept ones to the front in their order.
    front = np.argsort(~kept, axis=1, kind="stable")
    unique: NDArray[np.int64] = np.take_along_axis(np.where(kept, rows, NO_MODEL), front, axis=1)
    return unique


def hit_at(ranked: ArrayLike, relevant: ArrayLike, k: int) -> float:
    """Return the share of probes, 0 .. 1, with a relevant model among their first k unique models.

    Args:
        ranked: Model of the item at each rank, integers [Q, R], best first; models may repeat.
        relevant: Which models are right for each probe, bool [Q, M]; at least one a probe.
        k: Cutoff over unique models, at least 1.

    Raises:
        InvalidInput: Shapes that do not fit, or a probe without a relevant model.
    """
    found, _ = _relevance(ranked, relevant)
    return hit_at_k(found, k=k)


def average_precision_at(ranked: ArrayLike, relevant: ArrayLike, k: int) -> NDArray[np.float64]:
    """Return AP@k over unique models of each probe, float64 [Q], 0 .. 1; denominator ``min(relevant, k)``.

    Arguments and errors are those of :func:`hit_at`.
    """
    found, totals = _relevance(ranked, relevant)
    return average_precision_at_k(found, totals, k=k)


def mean_average_precision_at(ranked: ArrayLike, relevant: ArrayLike, k: int) -> float:
    """Return mAP@k over unique models, 0 .. 1: the mean of :func:`average_precision_at`."""
    return float(average_precision_at(ranked, relevant, k).mean())


def _relevance(ranked: ArrayLike, relevant: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether each unique model is right, bool [Q, R], and how many right ones there are, int64 [Q]."""
    models, table = unique_models(ranked), np.asarray(relevant)
    if table.ndim != 2 or table.dtype != np.bool_ or len(table) != len(models):
        raise InvalidInput(f"shape {table.shape}, {table.dtype}", field="relevant", remedy="bool [Q, M]")
    if int(models.max()) >= table.shape[1]:
        raise InvalidInput(
            f"model {int(models.max())} of {table.shape[1]}", field="ranked", remedy="models from 0 to M-1"
        )
    found = np.take_along_axis(table, np.maximum(models, 0), axis=1) & (models != NO_MODEL)
    return found, table.sum(axis=1)


def _checked_models(ranked: ArrayLike) -> NDArray[np.int64]:
    rows = np.asarray(ranked)
    if rows.ndim != 2 or not rows.size or not np.issubdtype(rows.dtype, np.integer):
        raise InvalidInput(f"shape {rows.shape}, {rows.dtype}", field="ranked", remedy="integers [Q, R]")
    if int(rows.min()) < 0:
        raise InvalidInput(f"model {int(rows.min())}", field="ranked", remedy="number the models from 0")
    return rows.astype(np.int64)
