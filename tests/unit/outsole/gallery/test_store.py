"""What the stores share: exact choice of the best, and the filter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from outsole.answers import ItemFilter, Side
from outsole.gallery.store import filter_columns, rows_allowed, top_rows


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


def test_a_filter_joins_fields_with_and_and_values_with_or() -> None:
    items = pa.table(
        {"brand": ["A", "B", "A", ""], "side": ["left", "left", "right", "unknown"], "category": ["x", "x", "y", "x"]}
    )
    assert rows_allowed(items, ItemFilter()).all()
    where = ItemFilter(brands=("A", "B"), sides=(Side.LEFT,), categories=("x", "z"))
    assert rows_allowed(items, where).tolist() == [True, True, False, False]
    assert rows_allowed(items, ItemFilter(sides=(Side.UNKNOWN, Side.RIGHT))).tolist() == [False, False, True, True]
    assert not rows_allowed(items, ItemFilter(brands=("a",))).any()


def test_equal_filters_compile_alike() -> None:
    assert filter_columns(ItemFilter(brands=("B", "A", "B"))) == {"brand": ("A", "B")}
