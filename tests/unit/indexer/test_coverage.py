"""The coverage report: every count, and three ways to read it."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from indexer.coverage import Count, as_html, as_json, as_text, coverage, reason_class, rejects_table
from indexer.manifest import Reject, rejects_csv
from outsole.errors import DataCorrupt
from outsole.gallery.items import ITEM_SCHEMA, OFFER_SCHEMA


def items(rows: list[dict[str, object]]) -> pa.Table:
    blank = {field.name: 0 if pa.types.is_integer(field.type) else "" for field in ITEM_SCHEMA}
    full = [{**blank, "side": "unknown", "state": "active", **row} for row in rows]
    return pa.Table.from_pylist(full, schema=ITEM_SCHEMA)


def offers(rows: list[tuple[str, str, str]]) -> pa.Table:
    blank = {field.name: "" for field in OFFER_SCHEMA}
    full = [{**blank, "item_id": item, "retailer": shop, "likeness": like} for item, shop, like in rows]
    return pa.Table.from_pylist(full, schema=OFFER_SCHEMA)


ITEMS = items(
    [
        {"item_id": "a", "model_id": "M", "brand": "Elm", "year": 2021, "side": "left", "category": "boots"},
        {"item_id": "b", "model_id": "M", "brand": "Elm", "year": 2021, "side": "right", "state": "retired"},
        {"item_id": "c", "model_id": "N", "brand": "Elm", "year": 2019},
        {"item_id": "d", "model_id": "P", "brand": "<Ash & Co>"},
    ]
)
OFFERS = offers(
    [("a", "Shop", "own"), ("a", "Shop", "near"), ("b", "", "own"), ("c", "Mart", "mirrored"), ("d", "Shop", "own")]
)
REJECTS = rejects_table(
    rejects_csv(
        [
            Reject(1, "path", "x", "x.png", "there is no file 'x.png'"),
            Reject(2, "path", "y", "it's.png", 'there is no file "it\'s.png"'),
            Reject(3, "", "z", "z.png", "the image has 12,000 pixels (at most 100)"),
        ]
    )
)
FOUND = coverage(ITEMS, OFFERS, REJECTS)


def test_totals_are_counted() -> None:
    assert (FOUND.items, FOUND.models, FOUND.offers, FOUND.rejects) == (4, 3, 5, 3)
    assert FOUND.duplicates == 2


def test_items_and_models_are_counted_by_every_aspect() -> None:
    assert FOUND.by["brand"] == {"Elm": Count(3, 2), "<Ash & Co>": Count(1, 1)}
    assert list(FOUND.by["brand"]) == ["Elm", "<Ash & Co>"]
    assert FOUND.by["year"] == {"2019": Count(1, 1), "2021": Count(2, 1), "unknown": Count(1, 1)}
    assert list(FOUND.by["year"]) == ["2019", "2021", "unknown"]
    assert FOUND.by["category"] == {"unknown": Count(3, 3), "boots": Count(1, 1)}
    assert FOUND.by["side"] == {"unknown": Count(2, 2), "left": Count(1, 1), "right": Count(1, 1)}
    assert FOUND.by["state"] == {"active": Count(3, 3), "retired": Count(1, 1)}


def test_offers_and_rejects_are_counted() -> None:
    assert FOUND.offers_by_retailer == {"Shop": 3, "Mart": 1, "unknown": 1}
    assert FOUND.offers_by_likeness == {"own": 3, "same_file": 0, "near": 1, "mirrored": 1}
    assert FOUND.rejects_by_column == {"path": 2, "the image itself": 1}
    assert FOUND.rejects_by_reason == {"there is no file ...": 2, "the image has N pixels": 1}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("'a' is already the id of row 7", "... is already the id of row N"),
        ("the image is 20 x 3 px (at least 64 px)", "the image is N x N px"),
        (r"'it\'s' is no side (left, right or empty)", "... is no side"),
        ("", "unknown"),
    ],
)
def test_a_reason_loses_what_differs_from_row_to_row(reason: str, expected: str) -> None:
    assert reason_class(reason) == expected


def test_an_empty_gallery_has_a_report_too() -> None:
    nothing = coverage(items([]), offers([]), rejects_table(b""))
    assert (nothing.items, nothing.rejects, nothing.duplicates, nothing.by["brand"]) == (0, 0, 0, {})
    assert "none" in as_html(nothing, title="empty")
    assert as_text(nothing)
    assert json.loads(as_json(nothing))["items"] == 0


def test_json_holds_every_count() -> None:
    read = json.loads(as_json(FOUND))
    assert read["by"]["brand"]["Elm"] == {"items": 3, "models": 2}
    assert read["duplicates"] == 2
    assert list(read["by"]["year"]) == ["2019", "2021", "unknown"]


def test_text_shows_the_largest_rows_and_sums_the_others() -> None:
    many = items([{"item_id": f"i{n:02d}", "model_id": "M", "brand": f"b{n:02d}"} for n in range(30)])
    lines = as_text(coverage(many, offers([]), rejects_table(b""))).splitlines()
    assert any(line.split()[:3] == ["10", "others", "10"] for line in lines)
    assert any(line.split()[:3] == ["b19", "1", "1"] for line in lines)
    assert not any("b20" in line for line in lines)
    assert max(map(len, lines)) <= 100


class _Page(HTMLParser):
    """What of a page matters here: its words, its tags, and the addresses that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_the_page_is_self_contained_and_escapes_what_feeds_say() -> None:
    page = _Page(as_html(FOUND, title="Shop <soles>"))
    assert page.loads == []
    assert not {"script", "link", "ash", "soles"} & set(page.tags)
    assert {"Shop <soles>", "<Ash & Co>", "there is no file ...", "Duplicates"} <= set(page.words)


@pytest.mark.parametrize("data", [b"row,why\n1,x\n", b"row,column,item_id,path,reason\n1,2\n", b"\xff\xfe"])
def test_a_file_that_is_no_list_of_rejects_is_refused(data: bytes) -> None:
    with pytest.raises(DataCorrupt, match=r"rejects\.csv"):
        rejects_table(data)
