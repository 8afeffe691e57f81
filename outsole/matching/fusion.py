"""What makes a print's score: the correlation, what the partial-print embedding adds, and how the two are joined.

Both parts are soft maxima over the placements tried, ``log mean exp(S s) / S``, so that placements whose scores lie
close together support each other and the number of placements tried does not lift a score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.gallery.exact_store import inner_products

# How much one unit of cosine adds to one unit of correlation. Correlations of unrelated items spread by 0.006, cosines
# by 0.17, so that at this weight both count about alike; 0.03 to 0.05 rank the same within the error of FID-300's
# development probes, and standardising the correlation by a cohort of items gains nothing beside it.
FUSION_WEIGHT = 0.04
# Of the embedding's soft maximum over rotations.
EMBEDDING_SHARPNESS = 30.0
CORRELATION = "correlation"
EMBEDDING = "embedding"


def fused(correlation: NDArray[np.float32], embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """The score of n items.

    Args:
        correlation: float32 [n], the soft maximum of the correlation, about -1 .. 1.
        embedding: float32 [n], the soft maximum of the cosine, -1 .. 1.

    Returns:
        float32 [n]; an item's score does not depend on the other items, so that a shortlist scores as all items do.
    """
    return (correlation + np.float32(FUSION_WEIGHT) * embedding).astype(np.float32)


def soft_maximum(scores: NDArray[np.floating], sharpness: float) -> NDArray[np.float32]:
    """``log mean exp(S s) / S`` over the first axis: scores [P, n] to float32 [n]."""
    top = scores.max(0)
    soft = top + np.log(np.exp(sharpness * (scores - top)).mean(0)) / sharpness
    return np.asarray(soft, np.float32)


def embedding_similarity(
    queries: NDArray[np.floating], vectors: NDArray[np.floating], *, end: float = float("inf")
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """How alike a probe's vectors are to items'.

    Args:
        queries: [Q, D], unit length, one a rotation asked.
        vectors: [n, D], unit length, perhaps mapped from disk.
        end: ``time.monotonic()`` at which the caller's budget is spent.

    Returns:
        The soft maximum float32 [n], and the query that is closest, int32 [n].

    Raises:
        BudgetSpent: ``end`` came first.
    """
    cosines = inner_products(vectors, np.asarray(queries, np.float32), end=end)
    return soft_maximum(cosines, EMBEDDING_SHARPNESS), cosines.argmax(0).astype(np.int32)
