"""Both clients ask about shoes, archives and traces of a real gRPC server in this process."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from concurrent import futures
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from outsole.answers import ItemFilter, ItemState, ShoeMarks, TrackFilter, View
from outsole.api import AsyncClient, Client, convert_shoes, convert_video
from outsole.api.convert_operations import operation_to_wire
from outsole.api.generated.outsole.v1 import retrieval_pb2, retrieval_pb2_grpc, video_pb2, video_pb2_grpc
from outsole.errors import InvalidInput
from outsole.operations import VIDEO_SEARCH, OperationInfo, WorkState
from outsole.video_answers import RefinedAnswer, RefineMethod, TraceOrder
from tests.unit.outsole.api.made_video import ARCHIVE, FOUND, SHOES, TRACE, TRACKS, track

TRACKS_MADE = [track(f"t{number}") for number in range(5)]
OPERATION = OperationInfo("abc-1", VIDEO_SEARCH, "door", "site", WorkState.QUEUED, "2026-03-01T00:00:00.000001+00:00")
WHERE = TrackFilter(("door",), since=datetime(2026, 3, 1, tzinfo=UTC))


class ScriptedService(retrieval_pb2_grpc.RetrievalServiceServicer, video_pb2_grpc.VideoServiceServicer):
    """Answers from constants."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def SearchShoe(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return convert_video.any_shoe_answer_to_wire(TRACKS if request.archive else SHOES)

    def RefineSearch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return convert_video.refined_to_wire(RefinedAnswer(TRACKS, TRACKS))

    def TracePrint(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return convert_video.trace_to_wire(TRACE)

    def ListTracks(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        start = int(request.page.page_token or 0)
        stop = start + request.page.page_size
        return video_pb2.ListTracksResponse(
            tracks=map(convert_video.track_to_wire, TRACKS_MADE[start:stop]),
            next_page_token=str(stop) if stop < len(TRACKS_MADE) else "",
            edition="e1",
        )

    def GetArchive(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        source = ARCHIVE.sources[bool(request.page.page_token)]
        return video_pb2.GetArchiveResponse(
            archive=convert_video.archive_to_wire(ARCHIVE),
            sources=[convert_video.source_to_wire(source)],
            next_page_token="" if request.page.page_token else "second",
        )

    def StartVideoSearch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return video_pb2.StartVideoSearchResponse(operation=operation_to_wire(OPERATION))

    def GetVideoSearch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        start = int(request.page.page_token or 0)
        page = dataclasses.replace(FOUND, rows=FOUND.rows[start : start + 2])
        return convert_video.found_to_wire(page, "" if start else "2")


class Running:
    """A server on a free port, and a way to call it with either client."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.service = ScriptedService()
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        video_pb2_grpc.add_VideoServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def call(self, name: str, /, *arguments: Any, **options: Any) -> Any:
        if self.kind == "async":
            return asyncio.run(self._call_async(name, arguments, options))
        with Client(self.target, timeout_s=10.0) as client:
            result = getattr(client, name)(*arguments, **options)
            return list(result) if name == "list_tracks" else result

    async def _call_async(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        async with AsyncClient(self.target, timeout_s=10.0) as client:
            result = getattr(client, name)(*arguments, **options)
            return [page async for page in result] if name == "list_tracks" else await result


@pytest.fixture(params=["blocking", "async"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    started = Running(request.param)
    yield started
    started.server.stop(None).wait()


def test_a_search_of_an_archive_sends_its_filter_and_returns_tracks(running: Running) -> None:
    marks = ShoeMarks(View.SIDE, (9.0, 5.0), (1.0, 5.0), (0.0, 0.0, 10.0, 8.0))
    answer = running.call("search_shoe", b"shoe", archive="site", where=WHERE, marks=marks, k=3, with_thumbnails=True)
    (sent,) = running.service.requests
    assert answer == TRACKS
    assert (sent.image, sent.archive, sent.gallery, sent.k, sent.with_thumbnails) == (b"shoe", "site", "", 3, True)
    assert convert_shoes.track_filter_from_wire(sent.track_filter) == WHERE
    assert convert_shoes.marks_from_wire(sent) == marks
    assert not sent.HasField("filter")


def test_a_search_of_a_gallery_returns_models(running: Running) -> None:
    assert running.call("search_shoe", b"shoe", gallery="shoes", where=ItemFilter(("A",))) == SHOES
    (sent,) = running.service.requests
    assert (sent.gallery, sent.archive, list(sent.filter.brands)) == ("shoes", "", ["A"])
    assert not sent.HasField("track_filter")


def test_a_gallery_or_an_archive_has_to_be_named_and_not_both(running: Running) -> None:
    for names in ({}, {"gallery": "a", "archive": "b"}):
        with pytest.raises(InvalidInput, match="exactly one"):
            running.call("search_shoe", b"shoe", **names)
    with pytest.raises(TypeError, match="unknown option 'rows'"):
        running.call("search_shoe", b"shoe", archive="site", rows=3)


def test_a_refined_search_sends_the_marked_hits(running: Running) -> None:
    answer = running.call(
        "refine_shoes",
        b"shoe",
        archive="site",
        relevant=["t1"],
        irrelevant=["t2", "t3"],
        method=RefineMethod.BEST_SCORE,
    )
    (sent,) = running.service.requests
    assert answer == RefinedAnswer(TRACKS, TRACKS)
    assert (list(sent.relevant_ids), list(sent.irrelevant_ids)) == (["t1"], ["t2", "t3"])
    assert sent.method == retrieval_pb2.REFINE_METHOD_BEST_SCORE
    assert sent.shoe.archive == "site"


def test_a_trace_sends_the_search_and_where_to_look(running: Running) -> None:
    answer = running.call(
        "trace_print",
        b"print",
        gallery="soles",
        shoes="shoes",
        archives=["site", "yard"],
        k=7,
        tracks_where=WHERE,
        archive_editions={"yard": "e9"},
        tracks_per_model=4,
        rows=9,
        order=TraceOrder.PRINT_RANK,
        budget_ms=1_500,
    )
    (sent,) = running.service.requests
    assert answer == TRACE
    assert (sent.search.image, sent.search.gallery, sent.search.k, sent.search.budget_ms) == (
        b"print",
        "soles",
        7,
        1500,
    )
    assert (sent.shoe_gallery, list(sent.archives), dict(sent.archive_editions)) == (
        "shoes",
        ["site", "yard"],
        {"yard": "e9"},
    )
    assert (sent.tracks_per_model, sent.rows, sent.order) == (4, 9, retrieval_pb2.TRACE_ORDER_PRINT_RANK)
    assert convert_shoes.track_filter_from_wire(sent.track_filter) == WHERE


def test_tracks_are_listed_page_by_page_on_one_edition(running: Running) -> None:
    pages = running.call("list_tracks", "site", where=WHERE, states=[ItemState.ACTIVE], page_size=2)
    assert [[one.track_id for one in page] for page in pages] == [["t0", "t1"], ["t2", "t3"], ["t4"]]
    assert [request.edition for request in running.service.requests] == ["", "e1", "e1"]
    assert convert_shoes.track_filter_from_wire(running.service.requests[0].filter) == WHERE


def test_an_archive_comes_with_the_sources_of_all_pages(running: Running) -> None:
    assert running.call("get_archive", "site") == ARCHIVE
    assert [request.edition for request in running.service.requests] == ["", "e1"]


def test_a_search_in_bulk_sends_what_is_searched_and_returns_its_operation(running: Running) -> None:
    found = running.call(
        "start_video_search",
        ["m1", "m2"],
        gallery="shoes",
        archives=["site"],
        files=["/video/a.mp4"],
        camera="door",
        start=datetime(2026, 3, 1, 8),
        zone="Europe/Berlin",
        every_s=0.0,
        where=WHERE,
        tracks_per_model=7,
        request_id="mine",
    )
    (sent,) = running.service.requests
    assert found == OPERATION
    assert (list(sent.model_ids), sent.gallery, list(sent.archives), list(sent.files)) == (
        ["m1", "m2"],
        "shoes",
        ["site"],
        ["/video/a.mp4"],
    )
    assert (sent.camera.camera, sent.camera.start, sent.camera.zone) == ("door", "2026-03-01T08:00:00", "Europe/Berlin")
    assert (sent.HasField("every_s"), sent.every_s, sent.tracks_per_model, sent.request_id) == (True, 0.0, 7, "mine")
    assert convert_shoes.track_filter_from_wire(sent.track_filter) == WHERE
    running.call("start_video_search", ["m1"], gallery="shoes", archives=["site"])
    assert not any(running.service.requests[-1].HasField(name) for name in ("camera", "every_s", "track_filter"))


def test_what_a_search_in_bulk_found_comes_with_the_rows_of_all_pages(running: Running) -> None:
    assert running.call("get_video_search", "abc-1", with_thumbnails=True) == FOUND
    assert [(r.operation_id, r.page.page_token, r.with_thumbnails) for r in running.service.requests] == [
        ("abc-1", "", True),
        ("abc-1", "2", True),
    ]
