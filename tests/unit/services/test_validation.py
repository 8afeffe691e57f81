"""Requests are checked field by field before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest

from outsole.answers import ItemFilter, Placement, SearchMode, Side
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2
from outsole.api.records import WearSearch
from outsole.errors import InvalidInput
from services import validation
from services.queries import PrintQuery, Probe, Target


def request(**fields: Any) -> retrieval_pb2.SearchPrintRequest:
    return retrieval_pb2.SearchPrintRequest(**{"image": b"picture", "gallery": "soles", **fields})


def test_what_is_left_out_gets_its_default() -> None:
    assert validation.print_query(request()) == PrintQuery(probe=Probe(image=b"picture"), target=Target("soles"))


def test_what_is_said_arrives() -> None:
    query = validation.print_query(
        request(
            k=7,
            mode=common_pb2.SEARCH_MODE_EXHAUSTIVE,
            shortlist_size=50,
            budget_ms=900,
            require_complete=True,
            mask_polygon=common_pb2.Polygon(points=[common_pb2.Point(x_px=x, y_px=x * x) for x in range(3)]),
            filter=common_pb2.ItemFilter(brands=["Elm"], sides=[common_pb2.SIDE_LEFT]),
            placement_search=common_pb2.PlacementSearch(pinned=common_pb2.Placement(rotation_deg=3.0)),
        )
    )
    assert (query.k, query.mode, query.shortlist_size, query.budget_ms) == (7, SearchMode.EXHAUSTIVE, 50, 900)
    assert query.require_complete
    assert query.probe.mask_polygon == ((0.0, 0.0), (1.0, 1.0), (2.0, 4.0))
    assert query.where == ItemFilter(brands=("Elm",), sides=(Side.LEFT,))
    assert query.placements.pinned == Placement(rotation_deg=3.0)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"gallery": ""}, "gallery"),
        ({"k": 0}, "k"),
        ({"k": 1001}, "k"),
        ({"k": -5}, "k"),
        ({"shortlist_size": 0}, "shortlist_size"),
        ({"shortlist_size": 401}, "shortlist_size"),
        ({"budget_ms": 0}, "budget_ms"),
        ({"budget_ms": 600_001}, "budget_ms"),
        ({"mode": 9}, "mode"),
        ({"filter": common_pb2.ItemFilter(sides=[common_pb2.SIDE_UNSPECIFIED])}, "filter.sides[0]"),
        ({"filter": common_pb2.ItemFilter(brands=["Elm", ""])}, "filter.brands[1]"),
        ({"mask_polygon": common_pb2.Polygon(points=[common_pb2.Point()] * 2)}, "mask_polygon"),
        ({"placement_search": common_pb2.PlacementSearch(scales=[9.0])}, "placement_search.scales[0]"),
        ({"wear": retrieval_pb2.WearSearch(gallery_weeks=[26, 27])}, "wear.gallery_weeks[1]"),
        ({"wear": retrieval_pb2.WearSearch(gallery_weeks=[0])}, "wear.gallery_weeks[0]"),
        ({"wear": retrieval_pb2.WearSearch(gallery_weeks=[2, 4, 6, 8, 10])}, "wear.gallery_weeks"),
        ({"wear": retrieval_pb2.WearSearch(probe_weeks=0)}, "wear.probe_weeks"),
        ({"wear": retrieval_pb2.WearSearch(probe_weeks=54)}, "wear.probe_weeks"),
        ({"wear": retrieval_pb2.WearSearch(gallery_weeks=[26], gallery_editions={52: "e1"})}, "wear.gallery_editions"),
        ({"wear": retrieval_pb2.WearSearch.FromString(b"\x48\x01")}, "wear"),
    ],
)
def test_a_field_out_of_its_range_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validation.print_query(request(**fields))
    assert caught.value.field == field
    assert caught.value.remedy


def test_worn_views_arrive() -> None:
    wear = retrieval_pb2.WearSearch(gallery_weeks=[52, 26], probe_weeks=4, gallery_editions={26: "e1"})
    assert validation.print_query(request(wear=wear)).wear == WearSearch((52, 26), 4, {26: "e1"})
    assert validation.print_query(request(wear=retrieval_pb2.WearSearch())).wear.is_off


def explain_request(**fields: Any) -> retrieval_pb2.ExplainHitRequest:
    return retrieval_pb2.ExplainHitRequest(**{"image": b"picture", "gallery": "soles", "item_id": "i", **fields})


def test_an_explanation_is_of_one_view() -> None:
    assert validation.explain_query(explain_request()).wear.is_off
    worn = validation.explain_query(explain_request(worn_weeks=26, worn_edition="e1")).wear
    assert worn == WearSearch((26,), None, {26: "e1"})
    assert validation.explain_query(explain_request(probe_weeks=4)).wear == WearSearch(probe_weeks=4)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"worn_weeks": 3}, "worn_weeks"),
        ({"worn_weeks": -2}, "worn_weeks"),
        ({"probe_weeks": 54}, "probe_weeks"),
        ({"worn_weeks": 26, "probe_weeks": 26}, "probe_weeks"),
    ],
)
def test_an_explanation_of_a_view_that_no_hit_has_is_refused(fields: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validation.explain_query(explain_request(**fields))
    assert caught.value.field == field
    assert caught.value.remedy


def test_exactly_one_probe_is_needed() -> None:
    with pytest.raises(InvalidInput, match="no probe"):
        validation.print_query(retrieval_pb2.SearchPrintRequest(gallery="soles"))
    with pytest.raises(InvalidInput, match="digest"):
        validation.print_query(retrieval_pb2.SearchPrintRequest(gallery="soles", evidence_sha256="xyz"))
    digest = "0" * 64
    both = request(evidence_sha256=digest)
    assert validation.print_query(both).probe == Probe(evidence_sha256=digest)


def test_an_explanation_needs_an_item() -> None:
    with pytest.raises(InvalidInput) as caught:
        validation.explain_query(retrieval_pb2.ExplainHitRequest(image=b"picture", gallery="soles"))
    assert caught.value.field == "item_id"


@pytest.mark.parametrize(("size", "rows"), [(0, 100), (1, 1), (1000, 1000)])
def test_pages_have_a_default_size(size: int, rows: int) -> None:
    assert validation.page(common_pb2.Page(page_size=size, page_token="t")) == (rows, "t")


@pytest.mark.parametrize("size", [-1, 1001])
def test_pages_have_a_limit(size: int) -> None:
    with pytest.raises(InvalidInput, match=r"page\.page_size"):
        validation.page(common_pb2.Page(page_size=size))
