"""Filters become expressions that hold nothing but literals."""

from __future__ import annotations

from outsole.answers import ItemFilter, Side
from outsole.gallery.milvus_filters import filter_expression


def test_a_filter_becomes_quoted_literals() -> None:
    where = ItemFilter(brands=('a"b', "c\\", "d\n"), sides=(Side.LEFT,))
    assert filter_expression(where) == 'brand in ["a\\"b", "c\\\\"] and side in ["left"]'


def test_years_and_rows_left_out_are_terms_of_their_own() -> None:
    assert filter_expression(ItemFilter(last_year=2020), without=[3, 8]) == (
        "year >= 1 and year <= 2020 and id not in [3, 8]"
    )
    assert filter_expression(ItemFilter()) == ""
