"""What the stores share: exact choice of the best, and the filter."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.gallery.store import top_rows


@pytest.mark.parametrize("seed", range(40))
def test_the_best_columns_are_those_of_a_stable_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines, columns, limit = rng.integers(1, 4), rng.integers(1, 50), int(rng.integers(1, 60))
    scores = rng.integers(-3, 3, (lines, columns)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    scores[rng.random(scores.shape) < 0.1] = -0.0
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :limit]
    best = np.take_along_axis(scores, rows, axis=1)
    found = top_rows(scores, limit)
    np.testing.assert_array_equal(found.rows, np.where(np.isneginf(best), -1, rows))
    np.testing.assert_array_equal(found.scores, best)
