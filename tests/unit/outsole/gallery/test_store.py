"""What the stores share: exact choice of the best, and the filter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from outsole.answers import ItemFilter, Side
from outsole.errors import InvalidInput
from outsole.gallery.store import filter_columns, rows_allowed, rows_matching, top_rows


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
        {
            "brand": ["A", "B", "A", ""],
            "side": ["left", "left", "right", "unknown"],
            "category": ["x", "x", "y", "x"],
            "state": ["active", "discontinued", "active", "active"],
        }
    )
    assert rows_allowed(items, ItemFilter()).all()
    where = ItemFilter(brands=("A", "B"), sides=(Side.LEFT,), categories=("x", "z"))
    assert rows_allowed(items, where).tolist() == [True, True, False, False]
    assert rows_allowed(items, ItemFilter(sides=(Side.UNKNOWN, Side.RIGHT))).tolist() == [False, False, True, True]
    assert not rows_allowed(items, ItemFilter(brands=("a",))).any()


def test_what_is_retired_or_quarantined_is_listed_and_not_searched() -> None:
    items = pa.table({"state": ["active", "discontinued", "retired", "quarantined"]})
    assert rows_matching(items, ItemFilter()).all()
    assert rows_allowed(items, ItemFilter()).tolist() == [True, True, False, False]


def test_a_range_of_years_holds_both_ends_and_no_unknown_year() -> None:
    items = pa.table({"year": [0, 2018, 2020, 2022]})
    assert rows_matching(items, ItemFilter(first_year=2018, last_year=2020)).tolist() == [False, True, True, False]
    assert rows_matching(items, ItemFilter(first_year=2020)).tolist() == [False, False, True, True]
    assert rows_matching(items, ItemFilter(last_year=2018)).tolist() == [False, True, False, False]
    with pytest.raises(InvalidInput, match="from 2021 to 2020"):
        rows_matching(items, ItemFilter(first_year=2021, last_year=2020))


def test_equal_filters_compile_alike() -> None:
    assert filter_columns(ItemFilter(brands=("B", "A", "B"))) == {"brand": ("A", "B")}
