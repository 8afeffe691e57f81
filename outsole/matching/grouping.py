"""Group, then rank: the same sole is sold under many models, and a list of models names each of them once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_models(
    rows: NDArray[np.int64], scores: NDArray[np.float32], model_codes: NDArray[np.int64], *, k: int
) -> NDArray[np.int64]:
    """The best item of each of the k best models.

    Args:
        rows: int64 [n], row numbers in the edition, each at most once.
        scores: float32 [n], higher is better.
        model_codes: int64 [N], a number a model, by row of the edition.
        k: Models wanted, at least 1.

    Returns:
        int64 [<= k], positions in ``rows``: best first, ties by row number (which is the order of item ids).
    """
    order = np.lexsort((rows, -scores.astype(np.float64)))
    _, first = np.unique(model_codes[rows[order]], return_index=True)
    return np.asarray(order[np.sort(first)[:k]], np.int64)
