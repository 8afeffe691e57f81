from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from outsole import answers
from outsole.answers import (
    Explanation,
    GalleryInfo,
    Hit,
    ItemFilter,
    ItemInfo,
    ItemState,
    Placement,
    SearchAnswer,
    SearchMode,
    ShoeMarks,
    Side,
    TrackFilter,
    View,
)
from outsole.api import convert, convert_gallery, convert_shoes, convert_worn, records
from outsole.api.generated.outsole.v1 import common_pb2
from outsole.api.records import EvidenceRef, PlacementSearch, WearSearch
from outsole.errors import InvalidInput

PLACEMENT = Placement(-12.1, 3.3, -7.7, 1.05, mirrored=True, inverted=True)
PARTS = {"correlation": 0.1, "embedding": -0.25}
HIT = Hit(3, "m-1", "i-1", 0.1234567890123, PLACEMENT, "Brand", Side.LEFT, "boot", "family", PARTS, 26, 4)
ANSWER = SearchAnswer(
    hits=(HIT, dataclasses.replace(HIT, rank=4, side=Side.RIGHT)),
    gallery="soles",
    edition="e1",
    encoder_hash="h1",
    mode=SearchMode.EXHAUSTIVE,
    searched=7,
    total=2**40,
    degraded=("rerank",),
    visible_fraction=0.3,
    probe_sha256="ab",
    steps=("first", "second"),
    warnings=("small",),
    stage_ms={"decode": 1.7, "encode": 0.1},
    settings={"k": "20"},
)
Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
PAIRS: list[tuple[Any, Pair]] = [
    (PLACEMENT, (convert.placement_to_wire, convert.placement_from_wire)),
    (HIT, (convert.hit_to_wire, convert.hit_from_wire)),
    (ANSWER, (convert.answer_to_wire, convert.answer_from_wire)),
    (
        Explanation(HIT, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), 2, 3, 8, b"probe", b"item"),
        (convert.explanation_to_wire, convert.explanation_from_wire),
    ),
    (
        WearSearch((52, 26), 4, {26: "e1"}),
        (convert_worn.wear_search_to_wire, convert_worn.wear_search_from_wire),
    ),
    (
        ItemFilter(("A", "B"), (Side.UNKNOWN, Side.LEFT, Side.RIGHT), ("boot",), 2019, 2024),
        (convert.item_filter_to_wire, convert.item_filter_from_wire),
    ),
    (
        ShoeMarks(View.BACK, (9.5, 20.0), (3.0, 21.5), (1.0, 2.0, 11.0, 22.0)),
        (convert_shoes.marks_to_wire, convert_shoes.marks_from_wire),
    ),
    (
        TrackFilter(("A", "B"), ("hall",), datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        (convert_shoes.track_filter_to_wire, convert_shoes.track_filter_from_wire),
    ),
    (
        GalleryInfo("soles", "e1", 5, 4, "h1", "2026-01-02T03:04:05Z", {"correlation": "h1", "partial": "h2"}),
        (convert_gallery.gallery_to_wire, convert_gallery.gallery_from_wire),
    ),
    (
        ItemInfo(
            *("i", "m", "Brand", Side.RIGHT, "boot", "family", "ab", b"png"),
            year=2021,
            state=ItemState.DISCONTINUED,
            state_reason="not in the feed",
        ),
        (convert_gallery.item_to_wire, convert_gallery.item_from_wire),
    ),
    (EvidenceRef("ab", 12), (convert.evidence_to_wire, convert.evidence_from_wire)),
    (
        PlacementSearch(-16.0, 16.0, 4.0, try_mirrored=True, try_inverted=True, scales=(0.9, 1.1), pinned=PLACEMENT),
        (convert.placement_search_to_wire, convert.placement_search_from_wire),
    ),
]


@pytest.mark.parametrize(("record", "pair"), PAIRS, ids=[type(record).__name__ for record, _ in PAIRS])
def test_a_record_comes_back_from_the_bytes_of_the_wire_as_it_was(record: Any, pair: Pair) -> None:
    to_wire, from_wire = pair
    message = to_wire(record)
    assert from_wire(type(message).FromString(message.SerializeToString())) == record


@pytest.mark.parametrize(("record", "pair"), PAIRS, ids=[type(record).__name__ for record, _ in PAIRS])
def test_the_record_of_a_round_trip_leaves_no_field_at_its_default(record: Any, pair: Pair) -> None:
    for field in dataclasses.fields(record):
        assert getattr(record, field.name) != field.default, field.name


def test_every_record_of_an_answer_has_a_pair() -> None:
    kinds = {kind for module in (answers, records) for kind in vars(module).values() if dataclasses.is_dataclass(kind)}
    # A frame is sent beside what is asked of the whole stream, and never comes back.
    assert kinds - {records.StreamFrame} == {type(record) for record, _ in PAIRS}


@pytest.mark.parametrize(
    "record", [Placement(), PlacementSearch(), WearSearch(), ItemFilter(), ShoeMarks(), TrackFilter()]
)
def test_a_record_of_defaults_comes_back_as_it_was(record: Any) -> None:
    to_wire, from_wire = next(pair for known, pair in PAIRS if type(known) is type(record))
    assert from_wire(to_wire(record)) == record


@pytest.mark.parametrize("mode", SearchMode)
def test_every_mode_comes_back_as_it_was(mode: SearchMode) -> None:
    assert convert.mode_from_wire(convert.mode_to_wire(mode)) is mode


@pytest.mark.parametrize("side", Side)
def test_every_side_comes_back_as_it_was(side: Side) -> None:
    assert convert.side_from_wire(convert.side_to_wire(side)) is side


def test_an_absent_mode_is_the_shortlist_and_an_unknown_one_is_refused() -> None:
    assert convert.mode_from_wire(0) is SearchMode.SHORTLIST
    with pytest.raises(InvalidInput) as caught:
        convert.mode_from_wire(99)
    assert caught.value.field == "mode"


def test_a_side_of_a_newer_service_reads_as_unknown() -> None:
    assert convert.side_from_wire(77) is Side.UNKNOWN


def test_an_absent_placement_has_scale_one() -> None:
    assert convert.placement_from_wire(common_pb2.Placement()) == Placement()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (common_pb2.ItemFilter(sides=[common_pb2.SIDE_UNSPECIFIED]), "filter.sides[0]"),
        (common_pb2.ItemFilter(brands=["A", ""]), "filter.brands[1]"),
        (common_pb2.ItemFilter(categories=["c"] * 1_001), "filter.categories"),
        (common_pb2.ItemFilter(first_year=1899), "filter.first_year"),
        (common_pb2.ItemFilter(last_year=-1), "filter.last_year"),
        (common_pb2.ItemFilter.FromString(bytes([0x10, 42])), "filter.sides[0]"),
        (common_pb2.ItemFilter.FromString(bytes([0x48, 1])), "filter"),
    ],
)
def test_a_filter_that_cannot_be_obeyed_is_refused_by_field(message: common_pb2.ItemFilter, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        convert.item_filter_from_wire(message)
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (common_pb2.PlacementSearch(rotation_min_deg=float("nan")), "rotation_min_deg"),
        (common_pb2.PlacementSearch(rotation_max_deg=181), "rotation_max_deg"),
        (common_pb2.PlacementSearch(rotation_step_deg=0), "rotation_step_deg"),
        (common_pb2.PlacementSearch(rotation_min_deg=5, rotation_max_deg=4), "rotation_min_deg"),
        (common_pb2.PlacementSearch(scales=[1, 3]), "scales[1]"),
        (common_pb2.PlacementSearch(scales=[1] * 17), "scales"),
        (common_pb2.PlacementSearch(pinned=common_pb2.Placement(scale=9)), "pinned.scale"),
        (common_pb2.PlacementSearch(pinned=common_pb2.Placement(shift_x_px=float("inf"))), "pinned.shift_x_px"),
    ],
)
def test_placements_out_of_range_are_refused_by_field(message: common_pb2.PlacementSearch, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        convert.placement_search_from_wire(message)
    assert caught.value.field == f"placement_search.{field}"


def test_a_polygon_comes_back_as_it_was() -> None:
    points = ((0.0, 0.5), (10.25, 0.0), (3.0, 7.0))
    assert convert.polygon_from_wire(convert.polygon_to_wire(points)) == points


@pytest.mark.parametrize(
    ("points", "field"),
    [
        ([(0, 0), (1, 1)], "mask_polygon"),
        ([(0, 0)] * 10_001, "mask_polygon"),
        ([(0, 0), (1, float("nan")), (1, 1)], "mask_polygon.points[1]"),
        ([(0, 0), (1, 0), (float("-inf"), 1)], "mask_polygon.points[2]"),
    ],
)
def test_a_polygon_that_is_none_is_refused_by_field(points: list[tuple[float, float]], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        convert.polygon_from_wire(convert.polygon_to_wire(points))
    assert caught.value.field == field
