"""The requests about shoes in galleries and archives that both clients send; see ``outsole.api.requests``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outsole.answers import ItemFilter, ShoeMarks, TrackFilter
from outsole.api import convert, convert_gallery, convert_shoes, convert_video
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2, video_pb2
from outsole.api.records import (
    FramesOptions,
    RefineOptions,
    ShoeOptions,
    StreamFrame,
    TraceOptions,
    TracksOptions,
    VideoSearchOptions,
)
from outsole.api.requests import DEFAULT_PAGE_SIZE, Picture, search_request, set_probe
from outsole.errors import InvalidInput
from outsole.video_answers import RefineMethod, TraceOrder

SOURCES_PAGE_SIZE = 1_000
_EVERY_TRACK = TrackFilter()


@dataclass(frozen=True)
class Places:
    """Where a trace looks: the gallery of soles, that of shoes, and the archives."""

    gallery: str
    shoes: str
    archives: Sequence[str]


def shoe_request(
    image: Picture, options: ShoeOptions, *, gallery: str, archive: str, timeout_s: float
) -> retrieval_pb2.SearchShoeRequest:
    """Searches a gallery or an archive with a picture of a shoe; see ``ShoeOptions``.

    Raises:
        InvalidInput: Both or none of them, a filter of the other kind, or as ``outsole.api.requests.search_request``.
    """
    if bool(gallery) == bool(archive):
        raise InvalidInput("name a gallery or an archive", field="gallery", remedy="exactly one of them")
    request = retrieval_pb2.SearchShoeRequest(
        gallery=gallery,
        archive=archive,
        edition=options.get("edition", ""),
        k=options.get("k"),
        with_thumbnails=options.get("with_thumbnails", False),
    )
    where = options.get("where")
    if isinstance(where, TrackFilter) and where != _EVERY_TRACK:
        request.track_filter.CopyFrom(convert_shoes.track_filter_to_wire(where))
    if isinstance(where, ItemFilter) and not where.is_empty:
        request.filter.CopyFrom(convert.item_filter_to_wire(where))
    request.MergeFrom(convert_shoes.marks_to_wire(options.get("marks", ShoeMarks())))
    set_probe(request, image, options, timeout_s)
    return request


def refine_request(
    image: Picture, options: RefineOptions, *, gallery: str, archive: str, timeout_s: float
) -> retrieval_pb2.RefineSearchRequest:
    """Searches again with marked hits; see ``RefineOptions``. Raises ``InvalidInput`` as ``shoe_request``."""
    shoe = shoe_request(image, options, gallery=gallery, archive=archive, timeout_s=timeout_s)
    return retrieval_pb2.RefineSearchRequest(
        shoe=shoe,
        relevant_ids=options.get("relevant", ()),
        irrelevant_ids=options.get("irrelevant", ()),
        method=convert_video.METHOD_TO_WIRE[options.get("method", RefineMethod.ROCCHIO)],
    )


def trace_request(
    image: Picture, options: TraceOptions, *, places: Places, timeout_s: float
) -> retrieval_pb2.TracePrintRequest:
    """From a print to tracks; see ``TraceOptions``. Raises ``InvalidInput`` as ``search_request``."""
    where = options.get("tracks_where", _EVERY_TRACK)
    return retrieval_pb2.TracePrintRequest(
        search=search_request(image, options, gallery=places.gallery, timeout_s=timeout_s),
        archives=places.archives,
        tracks_per_model=options.get("tracks_per_model"),
        shoe_gallery=places.shoes,
        shoe_edition=options.get("shoe_edition", ""),
        archive_editions=options.get("archive_editions", {}),
        track_filter=None if where == _EVERY_TRACK else convert_shoes.track_filter_to_wire(where),
        order=convert_video.ORDER_TO_WIRE[options.get("order", TraceOrder.JOINT_RANKS)],
        rows=options.get("rows"),
        with_thumbnails=options.get("with_thumbnails", False),
    )


def tracks_request(
    archive: str, options: TracksOptions, *, edition: str, page_token: str
) -> video_pb2.ListTracksRequest:
    """Asks for one page of tracks; see ``TracksOptions``."""
    where = options.get("where", _EVERY_TRACK)
    return video_pb2.ListTracksRequest(
        archive=archive,
        edition=edition,
        filter=None if where == _EVERY_TRACK else convert_shoes.track_filter_to_wire(where),
        states=[convert_gallery.STATE_TO_WIRE[state] for state in options.get("states", ())],
        page=common_pb2.Page(page_size=options.get("page_size", DEFAULT_PAGE_SIZE), page_token=page_token),
        with_thumbnails=options.get("with_thumbnails", False),
    )


def archive_request(archive: str, *, edition: str, page_token: str) -> video_pb2.GetArchiveRequest:
    """Asks for an archive and one page of its sources."""
    page = common_pb2.Page(page_size=SOURCES_PAGE_SIZE, page_token=page_token)
    return video_pb2.GetArchiveRequest(archive=archive, edition=edition, page=page)


def frame_request(
    frame: StreamFrame, options: FramesOptions, *, gallery: str, is_first: bool
) -> video_pb2.SearchFramesRequest:
    """A frame of a stream, the first one with what is asked of all; see ``FramesOptions``."""
    request = video_pb2.SearchFramesRequest(frame=frame.number, image=frame.image, time_s=frame.time_s)
    if is_first:
        request.gallery = gallery
        request.camera = options.get("camera", "")
        request.edition = options.get("edition", "")
        if (k := options.get("k")) is not None:
            request.k = k
    return request


def video_search_request(
    models: Sequence[str], gallery: str, options: VideoSearchOptions
) -> video_pb2.StartVideoSearchRequest:
    """Starts a search of archives in bulk; see ``VideoSearchOptions``."""
    where, start = options.get("where", _EVERY_TRACK), options.get("start")
    camera = video_pb2.Camera(
        camera=options.get("camera", ""),
        place=options.get("place", ""),
        zone=options.get("zone", ""),
        clock_offset_s=options.get("clock_offset_s", 0.0),
        start="" if start is None else start.isoformat(),
    )
    return video_pb2.StartVideoSearchRequest(
        archives=options.get("archives", ()),
        files=options.get("files", ()),
        model_ids=models,
        gallery=gallery,
        track_filter=None if where == _EVERY_TRACK else convert_shoes.track_filter_to_wire(where),
        camera=camera if camera.ByteSize() else None,
        files_archive=options.get("files_archive", ""),
        tracks_per_model=options.get("tracks_per_model"),
        every_s=options.get("every_s"),
        request_id=options.get("request_id", ""),
    )


def found_request(operation_id: str, *, with_thumbnails: bool, page_token: str) -> video_pb2.GetVideoSearchRequest:
    """Asks for one page of what a search in bulk found."""
    page = common_pb2.Page(page_size=DEFAULT_PAGE_SIZE, page_token=page_token)
    return video_pb2.GetVideoSearchRequest(operation_id=operation_id, page=page, with_thumbnails=with_thumbnails)
