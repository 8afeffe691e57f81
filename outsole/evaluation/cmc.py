"""Cumulative rank curves, mAP@K and hit@K of ranked answers.

A rank is 1-based; 0 or less says that the true item is not in the answer at all (a shortlist can lose it), and such a
probe counts as missed at every cutoff.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.errors import InvalidInput

# 1175 * 8 / 100 is 94 exactly on paper; a float a hair above it must not become 95.
_ROUNDING_SLACK = 1e-9


def _checked_ranks(ranks: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(ranks)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise InvalidInput(f"shape {array.shape}, {array.dtype}", field="ranks", remedy="integers [Q], Q >= 1")
    return array.astype(np.int64)


def rank_of_percent(percents: ArrayLike, *, gallery_size: int) -> NDArray[np.int64]:
    """Return the last rank that lies within the top p % of a gallery: ``ceil(N p / 100)``.

    Args:
        percents: Percentages, any shape, 0 .. 100.
        gallery_size: Number of ranked items N, at least 1.

    Returns:
        int64 of the same shape, 0 .. N.

    Raises:
        InvalidInput: A percentage outside 0 .. 100, or an empty gallery.
    """
    array = np.asarray(percents, dtype=np.float64)
    if gallery_size < 1:
        raise InvalidInput(f"{gallery_size} items", field="gallery_size", remedy="at least 1")
    if not bool(np.all((array >= 0) & (array <= 100))):
        raise InvalidInput("a percentage outside 0 .. 100", field="percents")
    cutoffs: NDArray[np.int64] = np.ceil(gallery_size * array / 100 - _ROUNDING_SLACK).astype(np.int64)
    return cutoffs


def found_within(ranks: ArrayLike, cutoffs: ArrayLike) -> NDArray[np.bool_]:
    """Say for every probe and cutoff whether the true item ranks at the cutoff or better.

    Args:
        ranks: Ranks of the true items, integers [Q]; 0 or less where it was not returned.
        cutoffs: Last rank that counts, integers [K].

    Returns:
        bool [Q, K].

    Raises:
        InvalidInput: The ranks are no integers [Q] with Q >= 1.
    """
    array = _checked_ranks(ranks)[:, None]
    inside: NDArray[np.bool_] = (array >= 1) & (array <= np.asarray(cutoffs, dtype=np.int64)[None, :])
    return inside


def cumulative_at_rank(ranks: ArrayLike, cutoffs: ArrayLike) -> NDArray[np.float64]:
    """Return the share of probes, 0 .. 1, whose true item ranks at each cutoff or better.

    Args:
        ranks: Ranks of the true items, integers [Q].
        cutoffs: Ranks, integers [K].

    Returns:
        float64 [K].

    Example:
        >>> cumulative_at_rank([1, 3, 0, 12], [1, 10]).tolist()
        [0.25, 0.5]
    """
    shares: NDArray[np.float64] = found_within(ranks, cutoffs).mean(axis=0)
    return shares


def cumulative_at_percent(ranks: ArrayLike, percents: ArrayLike, *, gallery_size: int) -> NDArray[np.float64]:
    """Return the share of probes, 0 .. 1, whose true item lies in each top p % of the gallery.

    Args:
        ranks: Ranks of the true items, integers [Q].
        percents: Percentages [K], 0 .. 100.
        gallery_size: Number of ranked items N.

    Returns:
        float64 [K].

    Example:
        >>> cumulative_at_percent([12, 13], [1.0], gallery_size=1175).tolist()
        [0.5]
    """
    return cumulative_at_rank(ranks, rank_of_percent(percents, gallery_size=gallery_size))


def cmc_curve(ranks: ArrayLike, *, length: int) -> NDArray[np.float64]:
    """Return the cumulative share, 0 .. 1, at ranks 1 .. length, without a probes x length table.

    Args:
        ranks: Ranks of the true items, integers [Q].
        length: Last rank of the curve, at least 1.

    Returns:
        float64 [length].
    """
    array = _checked_ranks(ranks)
    if length < 1:
        raise InvalidInput(f"{length}", field="length", remedy="at least 1")
    counts = np.bincount(array[(array >= 1) & (array <= length)], minlength=length + 1)[1:]
    curve: NDArray[np.float64] = np.cumsum(counts) / array.size
    return curve


def _checked_relevance(relevant: ArrayLike, k: int) -> NDArray[np.bool_]:
    array = np.asarray(relevant)
    if array.ndim != 2 or array.shape[0] == 0 or array.dtype != np.bool_:
        raise InvalidInput(f"shape {array.shape}, {array.dtype}", field="relevant", remedy="bool [Q, R], Q >= 1")
    if k < 1:
        raise InvalidInput(f"{k}", field="k", remedy="at least 1")
    return array[:, :k]


def average_precision_at_k(relevant: ArrayLike, relevant_total: ArrayLike, *, k: int) -> NDArray[np.float64]:
    """Return each probe's average precision over its first K answers.

    The sum of the precisions at the relevant answers is divided by ``min(relevant_total, K)``: the best list that K
    answers allow scores 1 (the denominator of CriSp's mAP@100 over unique models).

    Args:
        relevant: Whether the answer at each rank is right, bool [Q, R], best first.
        relevant_total: Number of right answers in the whole gallery, integers [Q], each at least 1.
        k: Cutoff K, at least 1.

    Returns:
        float64 [Q], 0 .. 1.

    Raises:
        InvalidInput: Wrong shapes, or a probe without any right answer in the gallery.
    """
    rows = _checked_relevance(relevant, k)
    totals = np.asarray(relevant_total, dtype=np.int64)
    if totals.shape != (rows.shape[0],) or bool(np.any(totals < np.maximum(rows.sum(axis=1), 1))):
        raise InvalidInput(
            "a total is missing, zero or less than what was found", field="relevant_total", remedy="one a probe, >= 1"
        )
    precision = np.cumsum(rows, axis=1) / np.arange(1, rows.shape[1] + 1)
    scores: NDArray[np.float64] = (precision * rows).sum(axis=1) / np.minimum(totals, k)
    return scores


def mean_average_precision_at_k(relevant: ArrayLike, relevant_total: ArrayLike, *, k: int) -> float:
    """Return the mean over all probes of :func:`average_precision_at_k`, 0 .. 1."""
    return float(average_precision_at_k(relevant, relevant_total, k=k).mean())


def hit_at_k(relevant: ArrayLike, *, k: int) -> float:
    """Return the share of probes, 0 .. 1, with at least one right answer among the first K.

    Args:
        relevant: Whether the answer at each rank is right, bool [Q, R], best first.
        k: Cutoff K, at least 1.
    """
    return float(_checked_relevance(relevant, k).any(axis=1).mean())
