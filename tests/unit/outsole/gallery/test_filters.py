"""What filters of searches let pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from outsole.answers import ItemFilter, Side, TrackFilter
from outsole.errors import InvalidInput
from outsole.gallery.filters import filter_texts, rows_allowed, rows_matching


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


def test_a_track_takes_part_where_any_of_it_lies_in_the_time() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    start = int(noon.timestamp() * 1000)
    begun, ended = [start, start + 5_000, start], [start + 4_000, start + 9_000, start + 1_000]
    tracks = pa.table({"camera": ["A", "A", "B"], "start_ms": begun, "end_ms": ended})

    def seen(**fields: Any) -> list[bool]:
        found: list[bool] = rows_matching(tracks, TrackFilter(**fields)).tolist()
        return found

    assert seen() == [True, True, True]
    assert seen(since=noon + timedelta(seconds=4)) == [True, True, False]
    assert seen(until=noon + timedelta(seconds=4)) == [True, False, True]
    assert seen(cameras=("A",), until=noon) == [True, False, False]
    with pytest.raises(InvalidInput, match=r"from .* to"):
        seen(since=noon, until=noon - timedelta(seconds=1))


def test_equal_filters_compile_alike() -> None:
    assert filter_texts(ItemFilter(brands=("B", "A", "B"))) == {"brand": ("A", "B")}
