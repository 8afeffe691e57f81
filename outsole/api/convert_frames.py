"""Answers to frames for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

from outsole.answers import Point, View
from outsole.api.convert import box_from_wire, box_to_wire, hit_from_wire, hit_to_wire, point_from_wire
from outsole.api.convert_shoes import VIEW_FROM_WIRE, VIEW_TO_WIRE
from outsole.api.convert_video import coverage_from_wire, coverage_to_wire, track_from_wire, track_to_wire
from outsole.api.errors import from_status, to_status
from outsole.api.generated.outsole.v1 import common_pb2, video_pb2
from outsole.frame_answers import FrameAnswer, FramesEnd, FrameSighting, Walk

Answer = FrameAnswer | FramesEnd
_Response = video_pb2.SearchFramesResponse


def frame_answer_to_wire(answer: Answer) -> video_pb2.SearchFramesResponse:
    """An answer to a frame, or the end of a stream, for the wire."""
    walks = [_walk_to_wire(walk) for walk in answer.walks]
    if isinstance(answer, FramesEnd):
        end = _Response.End(
            gallery=answer.gallery,
            edition=answer.edition,
            encoder_hash=answer.encoder_hash,
            coverage=coverage_to_wire(answer.coverage),
            warnings=answer.warnings,
            settings=answer.settings,
        )
        return _Response(walks=walks, end=end)
    return _Response(
        frame=answer.frame,
        sightings=[_sighting_to_wire(sighting) for sighting in answer.sightings],
        walks=walks,
        error=None if answer.error is None else to_status(answer.error),
    )


def frame_answer_from_wire(message: video_pb2.SearchFramesResponse) -> Answer:
    """An answer to a frame, or the end of a stream, as it was sent."""
    walks = tuple(Walk(track_from_wire(walk.track), tuple(map(hit_from_wire, walk.hits))) for walk in message.walks)
    if message.HasField("end"):
        end = message.end
        return FramesEnd(
            gallery=end.gallery,
            edition=end.edition,
            encoder_hash=end.encoder_hash,
            coverage=coverage_from_wire(end.coverage),
            walks=walks,
            warnings=tuple(end.warnings),
            settings=dict(end.settings),
        )
    return FrameAnswer(
        frame=message.frame,
        sightings=tuple(_sighting_from_wire(sighting) for sighting in message.sightings),
        walks=walks,
        error=from_status(message.error) if message.HasField("error") else None,
    )


def _walk_to_wire(walk: Walk) -> video_pb2.SearchFramesResponse.Walk:
    return _Response.Walk(track=track_to_wire(walk.track), hits=[hit_to_wire(hit) for hit in walk.hits])


def _sighting_to_wire(sighting: FrameSighting) -> video_pb2.SearchFramesResponse.Sighting:
    return _Response.Sighting(
        box=box_to_wire(sighting.box),
        toe=_point(sighting.toe),
        heel=_point(sighting.heel),
        view=VIEW_TO_WIRE[sighting.view],
        weight=sighting.weight,
        length_px=sighting.length_px,
        too_small=sighting.too_small,
        hits=[hit_to_wire(hit) for hit in sighting.hits],
    )


def _sighting_from_wire(message: video_pb2.SearchFramesResponse.Sighting) -> FrameSighting:
    return FrameSighting(
        box=box_from_wire(message.box),
        toe=point_from_wire(message.toe),
        heel=point_from_wire(message.heel),
        view=VIEW_FROM_WIRE.get(message.view, View.SIDE),
        weight=message.weight,
        length_px=message.length_px,
        too_small=message.too_small,
        hits=tuple(map(hit_from_wire, message.hits)),
    )


def _point(point: Point) -> common_pb2.Point:
    return common_pb2.Point(x_px=point[0], y_px=point[1])
