"""Columns of a manifest: what a row is called when it has no id, and what its words and dates mean."""

from __future__ import annotations

import math

import pytest

from indexer.schema import COLUMNS, id_of, role_of, side_of, texts_of, year_of
from outsole.answers import Role, Side
from outsole.errors import InvalidInput


@pytest.mark.parametrize(
    ("values", "role", "side", "name"),
    [
        ({"id": "Given.1", "sku": "S"}, Role.TOP, Side.LEFT, "Given.1"),
        ({"sku": "AB-12"}, Role.SOLE, Side.UNKNOWN, "ab-12"),
        ({"sku": "AB-12", "retailer": "Shoe Shop"}, Role.SOLE, Side.UNKNOWN, "shoe-shop.ab-12"),
        ({"sku": "AB-12", "retailer": "Shop"}, Role.SIDE, Side.LEFT, "shop.ab-12.side.left"),
        ({"sku": "AB/12#3"}, Role.SOLE, Side.RIGHT, "ab-12-3.right"),
        ({"sku": "-12", "retailer": "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}hl"}, Role.SOLE, Side.UNKNOWN, "hl.-12"),
    ],
)
def test_a_row_without_an_id_is_called_by_what_it_has(
    values: dict[str, str], role: Role, side: Side, name: str
) -> None:
    assert id_of(dict.fromkeys(COLUMNS, "") | values, role, side) == name


@pytest.mark.parametrize(("sku", "field"), [("", "id"), ("---", "sku"), ("x" * 101, "sku")])
def test_a_row_that_cannot_be_called_anything_is_refused(sku: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        id_of(dict.fromkeys(COLUMNS, "") | {"sku": sku}, Role.SOLE, Side.UNKNOWN)
    assert caught.value.field == field
    assert caught.value.remedy


def test_words_are_read_in_any_case() -> None:
    assert [role_of(text) for text in ("", "sole", "Pair", "BOX")] == [Role.SOLE, Role.SOLE, Role.PAIR, Role.BOX]
    assert [side_of(text) for text in ("", "UNKNOWN", "Left")] == [Side.UNKNOWN, Side.UNKNOWN, Side.LEFT]


@pytest.mark.parametrize(("text", "year"), [("", 0), ("1999", 1999), ("2024-02", 2024), ("2024-02-29", 2024)])
def test_a_date_has_a_year(text: str, year: int) -> None:
    assert year_of(text) == year


@pytest.mark.parametrize(
    "text", ["99", "0000", "2023-02-29", "2023-2", "2023/02", "02.2023", "2023-02-01T00:00", "soon"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no date") as caught:
        year_of(text)
    assert caught.value.field == "release_date"


@pytest.mark.parametrize(
    "record", [{"id": True}, {"sku": 1.0}, {"brand": b"x"}, {"size": math.nan}, {"size": [42]}, {"model": {"a": 1}}]
)
def test_a_value_that_is_no_text_is_refused_by_its_column(record: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="is no text") as caught:
        texts_of(record)
    assert caught.value.field == next(iter(record))
