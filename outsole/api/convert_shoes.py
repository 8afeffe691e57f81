"""Searches with shoes for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.unknown_fields import UnknownFieldSet

from outsole.answers import Box, Point, SearchAnswer, SearchMode, ShoeMarks, TrackFilter, View
from outsole.api.convert import (
    MAX_FILTER_VALUES,
    box_from_wire,
    box_to_wire,
    facts_from_wire,
    facts_to_wire,
    hit_from_wire,
    hit_to_wire,
    point_from_wire,
)
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2
from outsole.errors import InvalidInput

VIEW_TO_WIRE = {
    View.SIDE: common_pb2.SHOE_VIEW_SIDE,
    View.FRONT: common_pb2.SHOE_VIEW_FRONT,
    View.BACK: common_pb2.SHOE_VIEW_BACK,
}
_Values = TypeVar("_Values", Point, Box)
VIEW_FROM_WIRE: dict[int, View] = {number: view for view, number in VIEW_TO_WIRE.items()}


def marks_to_wire(marks: ShoeMarks) -> retrieval_pb2.SearchShoeRequest:
    """A request that says what is known of the shoe, and nothing else."""
    request = retrieval_pb2.SearchShoeRequest()
    if marks.view is not None:
        request.view = VIEW_TO_WIRE[marks.view]
    for field, point in ((request.toe, marks.toe), (request.heel, marks.heel)):
        if point is not None:
            field.x_px, field.y_px = point
            field.SetInParent()
    if marks.box is not None:
        request.box.CopyFrom(box_to_wire(marks.box))
    return request


def marks_from_wire(request: retrieval_pb2.SearchShoeRequest) -> ShoeMarks:
    """What is known of the shoe.

    Raises:
        InvalidInput: A view that is none, or a mark that is not finite.
    """
    if request.view and request.view not in VIEW_FROM_WIRE:
        raise InvalidInput(f"{request.view} is no view", field="view", remedy="a value of ShoeView")
    return ShoeMarks(
        view=VIEW_FROM_WIRE.get(request.view),
        toe=_point(request.toe, "toe") if request.HasField("toe") else None,
        heel=_point(request.heel, "heel") if request.HasField("heel") else None,
        box=_box(request.box) if request.HasField("box") else None,
    )


def shoe_answer_to_wire(answer: SearchAnswer) -> retrieval_pb2.SearchShoeResponse:
    """An answer for the wire."""
    hits = [hit_to_wire(hit) for hit in answer.hits]
    return retrieval_pb2.SearchShoeResponse(**facts_to_wire(answer), hits=hits, gallery=answer.gallery)


def shoe_answer_from_wire(message: retrieval_pb2.SearchShoeResponse) -> SearchAnswer:
    """An answer as it was sent."""
    return SearchAnswer(
        **facts_from_wire(message),
        hits=tuple(hit_from_wire(hit) for hit in message.hits),
        gallery=message.gallery,
        mode=SearchMode.EXHAUSTIVE,
        visible_fraction=1.0,
    )


def track_filter_to_wire(where: TrackFilter) -> common_pb2.TrackFilter:
    """A filter of tracks for the wire."""
    message = common_pb2.TrackFilter(cameras=where.cameras, places=where.places)
    for field, time in ((message.since, where.since), (message.until, where.until)):
        if time is not None:
            field.FromDatetime(time)
            field.SetInParent()
    return message


def track_filter_from_wire(message: common_pb2.TrackFilter, *, field: str = "track_filter") -> TrackFilter:
    """The filter of tracks that a caller wants.

    Raises:
        InvalidInput: An empty entry, a list that is too long, a time that is none, an end before its beginning, or a
            field that this release does not know.
    """
    unknown = UnknownFieldSet(message)
    if len(unknown):
        raise InvalidInput(
            f"unknown filter field {unknown[0].field_number}", field=field, remedy="cameras, places, since or until"
        )
    for name, values in (("cameras", message.cameras), ("places", message.places)):
        if len(values) > MAX_FILTER_VALUES:
            raise InvalidInput(
                f"{len(values)} values", field=f"{field}.{name}", remedy=f"at most {MAX_FILTER_VALUES:,}"
            )
        if "" in values:
            raise InvalidInput("an empty value", field=f"{field}.{name}[{list(values).index('')}]", remedy="a name")
    since, until = (_time(message, name, field) for name in ("since", "until"))
    if since is not None and until is not None and since > until:
        raise InvalidInput(f"{until} is before {since}", field=f"{field}.until", remedy="not before since")
    return TrackFilter(tuple(message.cameras), tuple(message.places), since, until)


def _time(message: common_pb2.TrackFilter, name: str, field: str) -> datetime | None:
    if not message.HasField(name):
        return None
    try:
        found: datetime = getattr(message, name).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("it is no time", field=f"{field}.{name}", remedy="year 1 to 9999") from error
    return found


def _point(message: common_pb2.Point, field: str) -> Point:
    return _finite(point_from_wire(message), field)


def _box(message: common_pb2.Box) -> Box:
    return _finite(box_from_wire(message), "box")


def _finite(values: _Values, field: str) -> _Values:
    if not all(map(math.isfinite, values)):
        raise InvalidInput(f"{values} is not finite", field=field, remedy="finite pixels")
    return values
