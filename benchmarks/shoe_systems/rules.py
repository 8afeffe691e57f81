"""Rules that tell a set's outliers from its vectors: the indexer's, and those that it was weighed against.

A rule takes unit vectors float32 [N, D] and the codes of their sets int64 [N], and returns a score float32 [N]: how far
each lies above what its set allows. What has a score above 0 is an outlier; NaN in sets below three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.outliers import MARGIN, MIN_SET, find_outliers

Vectors = NDArray[np.float32]
Codes = NDArray[np.int64]
Rule = Callable[[Vectors, Codes], NDArray[np.float32]]
_TINY = 1e-6


def above_middle(vectors: Vectors, codes: Codes, *, margin: float) -> NDArray[np.float32]:
    """The indexer's rule: distance to the set's median, against the set's middle distance and a margin."""
    return _above(find_outliers(vectors, codes).distances, codes, lambda middle, _: middle + margin)


def above_spread(vectors: Vectors, codes: Codes, *, factor: float, floor: float) -> NDArray[np.float32]:
    """The same distance, against the middle and so many times the set's own spread (median absolute deviation).

    Args:
        vectors, codes: Of the pictures.
        factor: Of the spread.
        floor: Least margin, so that a set of equals is not emptied.
    """
    distances = find_outliers(vectors, codes).distances
    return _above(distances, codes, lambda middle, spread: middle + max(factor * spread, floor))


def above_leave_one_out(vectors: Vectors, codes: Codes, *, margin: float) -> NDArray[np.float32]:
    """Distance of each picture to the median of the others in its set, against the middle of those and a margin."""
    return _above(_by_set(vectors, codes, _to_others_median), codes, lambda middle, _: middle + margin)


def above_neighbours(vectors: Vectors, codes: Codes, *, margin: float) -> NDArray[np.float32]:
    """Median of each picture's distances to the others in its set, against the middle of those and a margin."""
    return _above(_by_set(vectors, codes, _median_distance), codes, lambda middle, _: middle + margin)


RULES: Mapping[str, Rule] = {
    "margin": partial(above_middle, margin=MARGIN),
    "margin_half": partial(above_middle, margin=MARGIN / 2),
    "margin_double": partial(above_middle, margin=2 * MARGIN),
    "spread": partial(above_spread, factor=6.0, floor=MARGIN / 4),
    "leave_one_out": partial(above_leave_one_out, margin=MARGIN),
    "neighbours": partial(above_neighbours, margin=MARGIN),
}
"""By name; ``margin`` is the indexer's as it stands."""


def best_margin(scores: NDArray[np.float32], planted: NDArray[np.bool_], *, false_rate: float) -> tuple[float, float]:
    """How far a rule's limit would have to be moved to find the most at a false rate that is allowed.

    Args:
        scores: Of a rule.
        planted: bool [N].
        false_rate: Largest share of the right pictures that may be taken for outliers.

    Returns:
        What is to be added to the limit, and the share of the planted pictures that are found then.
    """
    judged = ~np.isnan(scores)
    right = np.sort(scores[judged & ~planted])[::-1]
    allowed = int(false_rate * len(right))
    limit = float(right[allowed]) if allowed < len(right) else -np.inf
    return limit, float((scores[judged & planted] > limit).mean())


def _above(distances: NDArray[np.float32], codes: Codes, limit: Callable[[float, float], float]) -> NDArray[np.float32]:
    """Distances less the limit that a set's middle distance and spread give."""

    def scored(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        found = distances[rows]
        middle = float(np.partition(found, len(rows) // 2)[len(rows) // 2])
        return np.asarray(found - limit(middle, float(np.median(np.abs(found - middle)))), np.float32)

    return _over_sets(codes, scored)


def _by_set(vectors: Vectors, codes: Codes, distances: Callable[[Vectors], NDArray[np.float32]]) -> NDArray[np.float32]:
    return _over_sets(codes, lambda rows: distances(vectors[rows]))


def _over_sets(codes: Codes, scored: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> NDArray[np.float32]:
    order = np.argsort(codes, kind="stable")
    found = np.full(len(codes), np.nan, np.float32)
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if len(rows) >= MIN_SET:
            found[rows] = scored(rows)
    return found


def _to_others_median(vectors: Vectors) -> NDArray[np.float32]:
    others = ~np.eye(len(vectors), dtype=np.bool_)
    medians = np.stack([np.median(vectors[keep], axis=0) for keep in others])
    medians /= np.maximum(np.linalg.norm(medians, axis=1, keepdims=True), _TINY)
    return np.asarray(1 - np.einsum("nd,nd->n", vectors, medians), np.float32)


def _median_distance(vectors: Vectors) -> NDArray[np.float32]:
    cosines = vectors @ vectors.T
    others = cosines[~np.eye(len(vectors), dtype=np.bool_)].reshape(len(vectors), -1)
    return np.asarray(1 - np.median(others, axis=1), np.float32)
