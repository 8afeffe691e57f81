"""Searching again with the hits that an examiner marked: relevance feedback on vectors of unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.video_answers import RefineMethod

PROBE_WEIGHT, RELEVANT_WEIGHT, IRRELEVANT_WEIGHT = 1.0, 0.75, 0.15
"""Alpha, beta and gamma of Rocchio's formula, as Manning, Raghavan and Schuetze (2008, section 9.1.1) recommend."""
_TINY = 1e-12


def refined_vectors(
    vectors: NDArray[np.float32],
    relevant: NDArray[np.floating],
    irrelevant: NDArray[np.floating],
    *,
    method: RefineMethod,
) -> NDArray[np.float32]:
    """The vectors to search with in place of a probe's; the best score of any of them is an item's score.

    Args:
        vectors: float32 [Q, D], of the probe, unit length.
        relevant: [R, D], of the items that resemble it; R may be 0.
        irrelevant: [I, D], of those that do not; I may be 0.
        method: See `rocchio` and `best_score`.

    Returns:
        float32 [Q, D] or [Q + R, D], unit length.
    """
    if method is RefineMethod.BEST_SCORE:
        return best_score(vectors, relevant)
    return rocchio(vectors, relevant, irrelevant)


def rocchio(
    vectors: NDArray[np.float32], relevant: NDArray[np.floating], irrelevant: NDArray[np.floating]
) -> NDArray[np.float32]:
    """``alpha q + beta mean(relevant) - gamma mean(irrelevant)``, to unit length (Rocchio 1971).

    A vector that vanishes in the sum stays the probe's own.

    Args:
        vectors: float32 [Q, D], of the probe, unit length.
        relevant, irrelevant: [R, D] and [I, D], either may be empty.

    Returns:
        float32 [Q, D], unit length.
    """
    moved = (
        PROBE_WEIGHT * vectors.astype(np.float64)
        + RELEVANT_WEIGHT * _mean(relevant, vectors.shape[1])
        - IRRELEVANT_WEIGHT * _mean(irrelevant, vectors.shape[1])
    )
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.where(lengths > _TINY, moved / np.maximum(lengths, _TINY), vectors).astype(np.float32)


def best_score(vectors: NDArray[np.float32], relevant: NDArray[np.floating]) -> NDArray[np.float32]:
    """The probe and every relevant item as probes beside each other: an item keeps its best score of all.

    It follows shoes that look different from each side, where one mean vector would lie between the sides. What is
    irrelevant changes nothing.

    Args:
        vectors: float32 [Q, D], of the probe.
        relevant: [R, D].

    Returns:
        float32 [Q + R, D].
    """
    return np.concatenate([vectors, np.asarray(relevant, np.float32)])


def _mean(vectors: NDArray[np.floating], dimension: int) -> NDArray[np.float64]:
    return np.asarray(vectors, np.float64).mean(axis=0) if len(vectors) else np.zeros(dimension)
