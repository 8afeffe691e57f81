"""Tracks, archives and traces for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime

from outsole.answers import ItemState, View
from outsole.api.convert import (
    answer_from_wire,
    answer_to_wire,
    box_from_wire,
    box_to_wire,
    facts_from_wire,
    facts_to_wire,
    hit_from_wire,
    hit_to_wire,
    point_from_wire,
)
from outsole.api.convert_gallery import STATE_FROM_WIRE, STATE_TO_WIRE
from outsole.api.convert_shoes import (
    VIEW_FROM_WIRE,
    VIEW_TO_WIRE,
    shoe_answer_from_wire,
    shoe_answer_to_wire,
)
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2, video_pb2
from outsole.errors import InvalidInput
from outsole.video_answers import (
    ArchiveInfo,
    Coverage,
    FoundTrack,
    Refinable,
    RefinedAnswer,
    RefineMethod,
    SearchedModel,
    SourceInfo,
    Trace,
    TraceAnswer,
    TracedArchive,
    TraceOrder,
    TraceRow,
    TrackAnswer,
    TrackHit,
    TrackInfo,
    VideoSearchAnswer,
)

ORDER_TO_WIRE = {
    TraceOrder.JOINT_RANKS: retrieval_pb2.TRACE_ORDER_JOINT_RANKS,
    TraceOrder.SHOE_SCORE: retrieval_pb2.TRACE_ORDER_SHOE_SCORE,
    TraceOrder.PRINT_RANK: retrieval_pb2.TRACE_ORDER_PRINT_RANK,
}
_ORDER_FROM_WIRE: dict[int, TraceOrder] = {number: order for order, number in ORDER_TO_WIRE.items()}
METHOD_TO_WIRE = {
    RefineMethod.ROCCHIO: retrieval_pb2.REFINE_METHOD_ROCCHIO,
    RefineMethod.BEST_SCORE: retrieval_pb2.REFINE_METHOD_BEST_SCORE,
}
_METHOD_FROM_WIRE: dict[int, RefineMethod] = {number: method for method, number in METHOD_TO_WIRE.items()}
_COUNTS = tuple(entry.name for entry in fields(Coverage))
# Fields of a track and of a source that are called and typed alike in the record and on the wire.
_OF_TRACK = (
    *("track_id", "archive", "source_id", "source_name", "source_sha256", "camera", "place", "time_origin"),
    *("first_frame", "last_frame", "best_frame", "first_time_s", "last_time_s", "best_time_s"),
    *("weight", "length_px", "sightings", "side_views", "front_views", "back_views", "too_small"),
    *("state_reason", "thumbnail_png"),
)
_OF_SOURCE = tuple(entry.name for entry in fields(SourceInfo) if entry.name not in ("coverage", "issues"))


def order_from_wire(number: int) -> TraceOrder:
    """The order of rows; JOINT_RANKS where none is said. Raises ``InvalidInput`` for a value that is not one."""
    if not number:
        return TraceOrder.JOINT_RANKS
    if number not in _ORDER_FROM_WIRE:
        raise InvalidInput(f"{number} is no order", field="order", remedy="a value of TraceOrder")
    return _ORDER_FROM_WIRE[number]


def method_from_wire(number: int) -> RefineMethod:
    """The method; ROCCHIO where none is said. Raises ``InvalidInput`` for a value that is not one."""
    if not number:
        return RefineMethod.ROCCHIO
    if number not in _METHOD_FROM_WIRE:
        raise InvalidInput(f"{number} is no method", field="method", remedy="a value of RefineMethod")
    return _METHOD_FROM_WIRE[number]


def coverage_to_wire(coverage: Coverage) -> video_pb2.Coverage:
    """Coverage for the wire."""
    return video_pb2.Coverage(**{name: getattr(coverage, name) for name in _COUNTS})


def coverage_from_wire(message: video_pb2.Coverage) -> Coverage:
    """Coverage as it was sent."""
    return Coverage(**{name: getattr(message, name) for name in _COUNTS})


def track_to_wire(track: TrackInfo) -> video_pb2.Track:
    """A track for the wire."""
    message = video_pb2.Track(
        **{name: getattr(track, name) for name in _OF_TRACK},
        native_start="" if track.native_start is None else track.native_start.isoformat(),
        native_end="" if track.native_end is None else track.native_end.isoformat(),
        best_box=box_to_wire(track.box),
        toe=common_pb2.Point(x_px=track.toe[0], y_px=track.toe[1]),
        heel=common_pb2.Point(x_px=track.heel[0], y_px=track.heel[1]),
        view=VIEW_TO_WIRE[track.view],
        state=STATE_TO_WIRE[track.state],
    )
    for field, time in ((message.start, track.start), (message.end, track.end)):
        if time is not None:
            field.FromDatetime(time)
            field.SetInParent()
    return message


def track_from_wire(message: video_pb2.Track) -> TrackInfo:
    """A track as it was sent."""
    return TrackInfo(
        **{name: getattr(message, name) for name in _OF_TRACK},
        start=message.start.ToDatetime(tzinfo=UTC) if message.HasField("start") else None,
        end=message.end.ToDatetime(tzinfo=UTC) if message.HasField("end") else None,
        native_start=_native(message.native_start),
        native_end=_native(message.native_end),
        box=box_from_wire(message.best_box),
        toe=point_from_wire(message.toe),
        heel=point_from_wire(message.heel),
        view=VIEW_FROM_WIRE.get(message.view, View.SIDE),
        state=STATE_FROM_WIRE.get(message.state, ItemState.ACTIVE),
    )


def track_answer_to_wire(answer: TrackAnswer) -> retrieval_pb2.SearchShoeResponse:
    """An answer over an archive for the wire."""
    return retrieval_pb2.SearchShoeResponse(
        **facts_to_wire(answer),
        track_hits=[_hit_to_wire(hit) for hit in answer.hits],
        gallery=answer.archive,
        coverage=coverage_to_wire(answer.coverage),
    )


def track_answer_from_wire(message: retrieval_pb2.SearchShoeResponse) -> TrackAnswer:
    """An answer over an archive as it was sent."""
    return TrackAnswer(
        **facts_from_wire(message),
        hits=tuple(_hit_from_wire(hit) for hit in message.track_hits),
        archive=message.gallery,
        coverage=coverage_from_wire(message.coverage),
    )


def any_shoe_answer_to_wire(answer: Refinable) -> retrieval_pb2.SearchShoeResponse:
    """An answer over a gallery or an archive for the wire."""
    return track_answer_to_wire(answer) if isinstance(answer, TrackAnswer) else shoe_answer_to_wire(answer)


def any_shoe_answer_from_wire(message: retrieval_pb2.SearchShoeResponse) -> Refinable:
    """An answer as it was sent: over an archive where it tells coverage, else over a gallery."""
    return track_answer_from_wire(message) if message.HasField("coverage") else shoe_answer_from_wire(message)


def refined_to_wire(answer: RefinedAnswer) -> retrieval_pb2.RefineSearchResponse:
    """A refined answer for the wire."""
    return retrieval_pb2.RefineSearchResponse(
        refined=any_shoe_answer_to_wire(answer.refined), unrefined=any_shoe_answer_to_wire(answer.unrefined)
    )


def refined_from_wire(message: retrieval_pb2.RefineSearchResponse) -> RefinedAnswer:
    """A refined answer as it was sent."""
    return RefinedAnswer(any_shoe_answer_from_wire(message.refined), any_shoe_answer_from_wire(message.unrefined))


def source_to_wire(source: SourceInfo) -> video_pb2.Source:
    """A source for the wire."""
    plain = {name: getattr(source, name) for name in _OF_SOURCE}
    return video_pb2.Source(**plain, coverage=coverage_to_wire(source.coverage), issues=source.issues)


def source_from_wire(message: video_pb2.Source) -> SourceInfo:
    """A source as it was sent."""
    plain = {name: getattr(message, name) for name in _OF_SOURCE}
    return SourceInfo(**plain, coverage=coverage_from_wire(message.coverage), issues=tuple(message.issues))


def archive_to_wire(archive: ArchiveInfo) -> video_pb2.Archive:
    """An archive for the wire; its sources go beside it, page by page."""
    return video_pb2.Archive(
        name=archive.name,
        edition=archive.edition,
        created=archive.created,
        encoder=archive.encoder,
        encoder_hash=archive.encoder_hash,
        tracks=archive.tracks,
        coverage=coverage_to_wire(archive.coverage),
    )


def archive_from_wire(message: video_pb2.Archive, sources: tuple[SourceInfo, ...] = ()) -> ArchiveInfo:
    """An archive as it was sent, with the sources of its pages."""
    return ArchiveInfo(
        name=message.name,
        edition=message.edition,
        created=message.created,
        encoder=message.encoder,
        encoder_hash=message.encoder_hash,
        tracks=message.tracks,
        coverage=coverage_from_wire(message.coverage),
        sources=sources,
    )


def trace_to_wire(answer: TraceAnswer) -> retrieval_pb2.TracePrintResponse:
    """A trace for the wire."""
    return retrieval_pb2.TracePrintResponse(
        traces=[
            retrieval_pb2.TracePrintResponse.Trace(
                hit=hit_to_wire(trace.hit), tracks=map(_hit_to_wire, trace.tracks), pictures=trace.pictures
            )
            for trace in answer.traces
        ],
        print=answer_to_wire(answer.print),
        rows=[_row_to_wire(row) for row in answer.rows],
        archives=[_traced_to_wire(archive) for archive in answer.archives],
        shoe_gallery=answer.shoe_gallery,
        shoe_edition=answer.shoe_edition,
        encoder_hash=answer.encoder_hash,
        warnings=answer.warnings,
        stage_ms=answer.stage_ms,
        settings=answer.settings,
    )


def trace_from_wire(message: retrieval_pb2.TracePrintResponse) -> TraceAnswer:
    """A trace as it was sent."""
    return TraceAnswer(
        rows=tuple(_row_from_wire(row) for row in message.rows),
        traces=tuple(
            Trace(hit_from_wire(trace.hit), tuple(map(_hit_from_wire, trace.tracks)), trace.pictures)
            for trace in message.traces
        ),
        print=answer_from_wire(message.print),
        archives=tuple(map(_traced_from_wire, message.archives)),
        shoe_gallery=message.shoe_gallery,
        shoe_edition=message.shoe_edition,
        encoder_hash=message.encoder_hash,
        warnings=tuple(message.warnings),
        stage_ms=dict(message.stage_ms),
        settings=dict(message.settings),
    )


def found_to_wire(answer: VideoSearchAnswer, next_page_token: str = "") -> video_pb2.GetVideoSearchResponse:
    """A page of what a search in bulk found, for the wire."""
    response = video_pb2.GetVideoSearchResponse
    return response(
        rows=[response.Row(model_id=row.model_id, hit=_hit_to_wire(row.hit)) for row in answer.rows],
        next_page_token=next_page_token,
        total_rows=answer.total_rows,
        models=[response.Model(**vars(model)) for model in answer.models],
        archives=map(_traced_to_wire, answer.archives),
        coverage=coverage_to_wire(answer.coverage),
        gallery=answer.gallery,
        edition=answer.edition,
        encoder_hash=answer.encoder_hash,
        warnings=answer.warnings,
        settings=answer.settings,
    )


def found_from_wire(message: video_pb2.GetVideoSearchResponse, before: Sequence[FoundTrack] = ()) -> VideoSearchAnswer:
    """What a search in bulk found as it was sent, with the rows of the pages before."""
    return VideoSearchAnswer(
        rows=(*before, *(FoundTrack(row.model_id, _hit_from_wire(row.hit)) for row in message.rows)),
        models=tuple(SearchedModel(model.model_id, model.pictures, model.tracks) for model in message.models),
        archives=tuple(map(_traced_from_wire, message.archives)),
        coverage=coverage_from_wire(message.coverage),
        gallery=message.gallery,
        edition=message.edition,
        encoder_hash=message.encoder_hash,
        total_rows=message.total_rows,
        warnings=tuple(message.warnings),
        settings=dict(message.settings),
    )


def _row_to_wire(row: TraceRow) -> retrieval_pb2.TraceRow:
    plain = {entry.name: getattr(row, entry.name) for entry in fields(TraceRow) if entry.name != "track"}
    return retrieval_pb2.TraceRow(**plain, track=track_to_wire(row.track))


def _row_from_wire(message: retrieval_pb2.TraceRow) -> TraceRow:
    plain = {entry.name: getattr(message, entry.name) for entry in fields(TraceRow) if entry.name != "track"}
    return TraceRow(**plain, track=track_from_wire(message.track))


def _traced_to_wire(archive: TracedArchive) -> video_pb2.TracedArchive:
    return video_pb2.TracedArchive(
        archive=archive.archive,
        edition=archive.edition,
        searched=archive.searched,
        total=archive.total,
        coverage=coverage_to_wire(archive.coverage),
    )


def _traced_from_wire(message: video_pb2.TracedArchive) -> TracedArchive:
    coverage = coverage_from_wire(message.coverage)
    return TracedArchive(message.archive, message.edition, message.searched, message.total, coverage)


def _hit_to_wire(hit: TrackHit) -> video_pb2.TrackHit:
    return video_pb2.TrackHit(rank=hit.rank, score=hit.score, track=track_to_wire(hit.track))


def _hit_from_wire(message: video_pb2.TrackHit) -> TrackHit:
    return TrackHit(message.rank, message.score, track_from_wire(message.track))


def _native(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
