"""The RPCs about video, called as the wire calls them: answers, statuses, and no method that is missing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from outsole.api.generated.outsole.v1 import common_pb2, gallery_pb2, index_pb2, retrieval_pb2, video_pb2, wear_pb2
from outsole.giving_way import GivingWay, QueriesAtWork
from services.archives import Archives
from services.catalogue import Catalogue, Served
from services.ingress import Ingress
from services.parts import SearchParts
from services.rpc import interactive
from services.telemetry import NullRecorder
from services.video_methods import VideoMethods
from tests.unit.services.made_archives import ENCODER, made_vectors, write_archive, write_shoes


@dataclass
class Context:
    """Keeps what a call says."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    trailing: list[Any] = field(default_factory=list)

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def set_trailing_metadata(self, trailing_metadata: list[tuple[str, str | bytes]]) -> None:
        self.trailing = trailing_metadata


class Host(VideoMethods):
    """The methods without the deployment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recorder = NullRecorder()
        self.queries = QueriesAtWork(root / "queries")
        catalogue = Catalogue(root, Served("made", "00" * 32, {}, shoes=dict([ENCODER])))
        self._parts = cast(SearchParts, SimpleNamespace(archives=Archives(catalogue), catalogue=catalogue))

    def call(self, method: str, request: Any) -> tuple[Any, Context]:
        context = Context()
        return asyncio.run(getattr(self, method)(request, context)), context


@pytest.fixture
def host(tmp_path: Path) -> Host:
    write_archive(tmp_path)
    write_shoes(tmp_path, ["m"], made_vectors(1))
    return Host(tmp_path)


def test_every_method_of_the_contract_has_one_that_answers() -> None:
    files = (retrieval_pb2, video_pb2, gallery_pb2, index_pb2, wear_pb2)
    services = (service for file in files for service in file.DESCRIPTOR.services_by_name.values())
    names = {method.name for service in services for method in service.methods}
    assert [name for name in sorted(names) if not callable(getattr(Ingress, name, None))] == []


def test_pages_of_tracks_and_sources_come_over_the_wire(host: Host) -> None:
    request = video_pb2.ListTracksRequest(archive="site", page=common_pb2.Page(page_size=2), with_thumbnails=True)
    answer, context = host.call("ListTracks", request)
    assert context.code is grpc.StatusCode.OK
    assert [track.track_id for track in answer.tracks] == ["t2", "t1"]
    assert (answer.total_tracks, answer.tracks[0].thumbnail_png) == (5, b"png t2")
    request.page.page_token = answer.next_page_token
    assert [track.track_id for track in host.call("ListTracks", request)[0].tracks] == ["t5", "t3"]
    archive, _ = host.call("GetArchive", video_pb2.GetArchiveRequest(archive="site"))
    assert (archive.archive.coverage.received, len(archive.sources), archive.next_page_token) == (115, 3, "")


def test_what_cannot_be_answered_has_its_status(host: Host) -> None:
    search = retrieval_pb2.SearchPrintRequest(image=b"x", gallery="soles")
    for method, request, code in (
        ("ListTracks", video_pb2.ListTracksRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        ("ListTracks", video_pb2.ListTracksRequest(archive="shoes"), grpc.StatusCode.INVALID_ARGUMENT),
        ("GetArchive", video_pb2.GetArchiveRequest(archive="nowhere"), grpc.StatusCode.NOT_FOUND),
        ("TracePrint", retrieval_pb2.TracePrintRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (
            "RefineSearch",
            retrieval_pb2.RefineSearchRequest(print=search, relevant_ids=["a"]),
            grpc.StatusCode.UNIMPLEMENTED,
        ),
    ):
        assert host.call(method, request)[1].code is code


def test_work_in_bulk_sees_who_is_asked(host: Host) -> None:
    gate = GivingWay(host.root / "queries", quiet_s=0.0, longest_s=0.2)

    async def seen_within() -> bool:
        began = time.monotonic()
        await gate()
        return time.monotonic() - began > 0.15

    class Asked:
        queries = host.queries

        @interactive
        async def answer(self, request: Any, context: Any) -> Any:
            return await seen_within()

    async def asked() -> bool:
        return bool(await Asked().answer(None, None))

    assert asyncio.run(asked())
    assert not asyncio.run(seen_within())
