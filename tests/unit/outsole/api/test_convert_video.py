"""Records of archives and traces survive the wire, and what makes no sense is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from outsole.answers import TrackFilter
from outsole.api import convert_shoes, convert_video
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2
from outsole.errors import InvalidInput
from outsole.video_answers import RefinedAnswer, RefineMethod, TraceOrder
from tests.unit.outsole.api.made_video import ARCHIVE, SHOES, TRACE, TRACKS, track

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_track_comes_back_whole_with_native_times_and_without_times() -> None:
    for made in (track(thumbnail=b"png"), track(is_timed=False)):
        assert convert_video.track_from_wire(convert_video.track_to_wire(made)) == made
    native = convert_video.track_to_wire(track()).native_start
    assert native == "2026-03-01T13:01:05.250000+01:00"


def test_answers_come_back_as_they_were() -> None:
    wire = convert_video.any_shoe_answer_to_wire
    assert convert_video.any_shoe_answer_from_wire(wire(TRACKS)) == TRACKS
    assert convert_video.any_shoe_answer_from_wire(wire(SHOES)) == SHOES
    refined = RefinedAnswer(TRACKS, TRACKS)
    assert convert_video.refined_from_wire(convert_video.refined_to_wire(refined)) == refined
    assert convert_video.trace_from_wire(convert_video.trace_to_wire(TRACE)) == TRACE


def test_an_archive_comes_back_with_its_sources() -> None:
    sources = tuple(convert_video.source_from_wire(convert_video.source_to_wire(one)) for one in ARCHIVE.sources)
    assert convert_video.archive_from_wire(convert_video.archive_to_wire(ARCHIVE), sources) == ARCHIVE


def test_a_filter_of_tracks_comes_back_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    where = TrackFilter(("door",), ("hall",), NOON.astimezone(east), NOON + timedelta(hours=1))
    found = convert_shoes.track_filter_from_wire(convert_shoes.track_filter_to_wire(where))
    assert found == where
    assert convert_shoes.track_filter_from_wire(common_pb2.TrackFilter()) == TrackFilter()


def test_filters_that_make_no_sense_are_refused_by_field() -> None:
    backwards = convert_shoes.track_filter_to_wire(TrackFilter(since=NOON, until=NOON - timedelta(seconds=1)))
    never = common_pb2.TrackFilter()
    never.since.seconds = 2**60
    unknown = common_pb2.TrackFilter.FromString(b"\x9a\x06\x01x")
    for message, field in (
        (common_pb2.TrackFilter(cameras=["a", ""]), "track_filter.cameras[1]"),
        (common_pb2.TrackFilter(places=["p"] * 1_001), "track_filter.places"),
        (backwards, "track_filter.until"),
        (never, "track_filter.since"),
        (unknown, "track_filter"),
    ):
        with pytest.raises(InvalidInput) as caught:
            convert_shoes.track_filter_from_wire(message)
        assert caught.value.field == field


def test_every_order_and_method_has_its_number_and_others_are_refused() -> None:
    for order in TraceOrder:
        assert convert_video.order_from_wire(convert_video.ORDER_TO_WIRE[order]) is order
    for method in RefineMethod:
        assert convert_video.method_from_wire(convert_video.METHOD_TO_WIRE[method]) is method
    assert convert_video.order_from_wire(retrieval_pb2.TRACE_ORDER_UNSPECIFIED) is TraceOrder.JOINT_RANKS
    assert convert_video.method_from_wire(retrieval_pb2.REFINE_METHOD_UNSPECIFIED) is RefineMethod.ROCCHIO
    with pytest.raises(InvalidInput, match="order"):
        convert_video.order_from_wire(9)
    with pytest.raises(InvalidInput, match="method"):
        convert_video.method_from_wire(9)
