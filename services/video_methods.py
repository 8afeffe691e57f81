"""The methods about video archives, mixed into the ingress."""

from __future__ import annotations

import asyncio

from outsole.api import convert_video
from outsole.api.generated.outsole.v1 import retrieval_pb2, video_pb2
from outsole.giving_way import QueriesAtWork
from services import validation, video_validation
from services.parts import SearchParts
from services.print_trace import trace_print
from services.refined_search import refine_search
from services.rpc import GrpcContext, interactive, unary
from services.telemetry import Recorder


class VideoMethods:
    """Whoever has the parts of a search."""

    recorder: Recorder
    queries: QueriesAtWork
    _parts: SearchParts

    @unary(retrieval_pb2.TracePrintResponse)
    @interactive
    async def TracePrint(
        self, request: retrieval_pb2.TracePrintRequest, grpc_context: GrpcContext
    ) -> retrieval_pb2.TracePrintResponse:
        """From a print to tracks."""
        return convert_video.trace_to_wire(await trace_print(video_validation.trace_query(request), self._parts))

    @unary(retrieval_pb2.RefineSearchResponse)
    @interactive
    async def RefineSearch(
        self, request: retrieval_pb2.RefineSearchRequest, grpc_context: GrpcContext
    ) -> retrieval_pb2.RefineSearchResponse:
        """Search again with marked hits."""
        return convert_video.refined_to_wire(await refine_search(video_validation.refine_query(request), self._parts))

    @unary(video_pb2.ListTracksResponse)
    async def ListTracks(
        self, request: video_pb2.ListTracksRequest, grpc_context: GrpcContext
    ) -> video_pb2.ListTracksResponse:
        """List the tracks of an archive."""
        size, token = validation.page(request.page)
        wanted = video_validation.tracks_wanted(request)
        page = await asyncio.to_thread(
            self._parts.archives.tracks_page, request.archive, request.edition, wanted, size=size, token=token
        )
        return video_pb2.ListTracksResponse(
            tracks=[convert_video.track_to_wire(track) for track in page.tracks],
            next_page_token=page.next_page_token,
            total_tracks=page.total,
            edition=page.edition,
        )

    @unary(video_pb2.GetArchiveResponse)
    async def GetArchive(
        self, request: video_pb2.GetArchiveRequest, grpc_context: GrpcContext
    ) -> video_pb2.GetArchiveResponse:
        """Describe an archive and its sources."""
        size, token = validation.page(request.page)
        target = video_validation.archive_wanted(request)
        archive, following = await asyncio.to_thread(
            self._parts.archives.archive_page, target.gallery, target.edition, size=size, token=token
        )
        sources = [convert_video.source_to_wire(source) for source in archive.sources]
        return video_pb2.GetArchiveResponse(
            archive=convert_video.archive_to_wire(archive), sources=sources, next_page_token=following
        )
