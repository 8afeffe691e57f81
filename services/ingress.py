"""The gRPC ingress: every method of the contract, each a few lines between the wire and what does the work."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

from grpc_health.v1 import health_pb2
from ray.serve.grpc_util import gRPCInputStream
from ray.serve.handle import DeploymentHandle

from outsole.api import convert, convert_gallery, convert_shoes, convert_video
from outsole.api.generated.outsole.v1 import gallery_pb2, retrieval_pb2
from outsole.errors import InvalidInput, NotFound, Overloaded
from outsole.giving_way import QueriesAtWork
from outsole.imaging.decode import DecodeLimits
from outsole.inference.encoder import Encoder, ModelContract
from outsole.matching.print_system import PrintSystem
from outsole.matching.shoe_system import find_shoe_encoders
from outsole.video.finding import DetectedShoes
from outsole.video.networks import open_networks
from outsole.wear.model import Direction, WearModel, find_wear_models
from services import validation
from services.archives import Archives
from services.catalogue import Catalogue, Served
from services.evidence import EvidenceStore, EvidenceUpload
from services.frame_methods import FrameMethods
from services.health import HealthMonitor
from services.index_methods import IndexMethods, RemoteIndexing
from services.lifecycle import EditionMethods, Lifecycle
from services.parts import (
    CandidateFinder,
    FrameParts,
    Reranking,
    SearchDefaults,
    SearchParts,
    ServedFinder,
    ServedShoes,
    ServedWear,
    WearParts,
)
from services.print_search import explain_hit, search_print
from services.queries import TrackQuery
from services.remote import RemoteCandidates, RemoteReranking
from services.rpc import GrpcContext, interactive, streaming, unary
from services.settings import ServiceSettings
from services.shoe_search import search_shoe
from services.telemetry import NullRecorder, RayRecorder, Recorder
from services.track_search import search_tracks
from services.video_methods import VideoMethods
from services.video_searches import VideoSearchMethods
from services.wear_methods import WearMethods

_MAX_WATCHERS = 32
_READY_TIMEOUT_S = 3.0


class Ingress(EditionMethods, IndexMethods, VideoMethods, VideoSearchMethods, FrameMethods, WearMethods):
    """The deployment that answers all RPCs.

    Its readiness does not depend on Triton or Milvus: an outage is reported, and must not restart this process.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        store: DeploymentHandle[Any],
        reranker: DeploymentHandle[Any],
        indexing: DeploymentHandle[Any],
    ) -> None:
        self.recorder: Recorder = RayRecorder()
        candidates = RemoteCandidates(store)
        self._parts = search_parts(
            settings, candidates=candidates, reranking=RemoteReranking(reranker), recorder=self.recorder
        )
        self._catalogue = self._parts.catalogue
        self.lifecycle = Lifecycle(
            settings.editions_dir, candidates, self._catalogue, budget_ms=settings.default_budget_ms
        )
        self.indexing = RemoteIndexing(indexing)
        self.operations_dir = settings.operations_dir
        self.queries = QueriesAtWork(settings.queries_file)
        self._watchers = 0

        async def milvus() -> bool:
            return await candidates.is_ready(timeout_s=_READY_TIMEOUT_S)

        self._health = HealthMonitor(
            self._catalogue,
            triton=self._parts.encoders_ready,
            video=self._parts.video_ready,
            wear=self._parts.wear_found,
            milvus=milvus,
            recorder=self.recorder,
            max_age_s=settings.probe_interval_s,
        )
        self._refreshing = asyncio.create_task(self._health.refresh_forever())

    @unary(retrieval_pb2.SearchPrintResponse)
    @interactive
    async def SearchPrint(
        self, request: retrieval_pb2.SearchPrintRequest, grpc_context: GrpcContext
    ) -> retrieval_pb2.SearchPrintResponse:
        """Rank shoe models by a print."""
        return convert.answer_to_wire(await search_print(validation.print_query(request), self._parts))

    @unary(retrieval_pb2.SearchShoeResponse)
    @interactive
    async def SearchShoe(
        self, request: retrieval_pb2.SearchShoeRequest, grpc_context: GrpcContext
    ) -> retrieval_pb2.SearchShoeResponse:
        """Rank shoe models, or tracks, by a picture of a shoe."""
        query = validation.shoe_query(request)
        if isinstance(query, TrackQuery):
            return convert_video.track_answer_to_wire(await search_tracks(query, self._parts))
        return convert_shoes.shoe_answer_to_wire(await search_shoe(query, self._parts))

    @unary(retrieval_pb2.ExplainHitResponse)
    @interactive
    async def ExplainHit(
        self, request: retrieval_pb2.ExplainHitRequest, grpc_context: GrpcContext
    ) -> retrieval_pb2.ExplainHitResponse:
        """Say which parts of a print made a score."""
        return convert.explanation_to_wire(await explain_hit(validation.explain_query(request), self._parts))

    @unary(retrieval_pb2.UploadEvidenceResponse)
    async def UploadEvidence(
        self, request: gRPCInputStream[retrieval_pb2.UploadEvidenceRequest], grpc_context: GrpcContext
    ) -> retrieval_pb2.UploadEvidenceResponse:
        """Store the bytes of a picture under their sha256."""
        first = await anext(aiter(request), None)
        if first is None or first.WhichOneof("part") != "metadata":
            raise InvalidInput("the stream does not begin with metadata", field="metadata", remedy="send it first")
        upload = await asyncio.to_thread(
            self._parts.evidence.begin, file_name=first.metadata.file_name, sha256=first.metadata.sha256
        )
        with upload:
            await _take_chunks(upload, request)
            return convert.evidence_to_wire(await asyncio.to_thread(upload.finish))

    @unary(gallery_pb2.ListGalleriesResponse)
    async def ListGalleries(
        self, request: gallery_pb2.ListGalleriesRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.ListGalleriesResponse:
        """List galleries by name."""
        size, token = validation.page(request.page)
        found, following = await asyncio.to_thread(self._catalogue.galleries_page, size=size, token=token)
        wire = [convert_gallery.gallery_to_wire(gallery) for gallery in found]
        return gallery_pb2.ListGalleriesResponse(galleries=wire, next_page_token=following)

    @unary(gallery_pb2.GetGalleryResponse)
    async def GetGallery(
        self, request: gallery_pb2.GetGalleryRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.GetGalleryResponse:
        """Describe a gallery."""
        edition = await asyncio.to_thread(self._catalogue.edition, request.gallery)
        return gallery_pb2.GetGalleryResponse(gallery=convert_gallery.gallery_to_wire(edition.info()))

    @unary(gallery_pb2.ListItemsResponse)
    async def ListItems(
        self, request: gallery_pb2.ListItemsRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.ListItemsResponse:
        """List the items of an edition."""
        size, token = validation.page(request.page)
        page = await asyncio.to_thread(
            self._catalogue.items_page,
            request.gallery,
            request.edition,
            validation.items_wanted(request),
            size=size,
            token=token,
        )
        return gallery_pb2.ListItemsResponse(
            items=[convert_gallery.item_to_wire(item) for item in page.items],
            next_page_token=page.next_page_token,
            total_items=page.total,
            edition=page.edition,
        )

    @unary(gallery_pb2.GetItemResponse)
    async def GetItem(
        self, request: gallery_pb2.GetItemRequest, grpc_context: GrpcContext
    ) -> gallery_pb2.GetItemResponse:
        """Describe an item."""
        item = await asyncio.to_thread(self._catalogue.item, request.gallery, request.edition, request.item_id)
        return gallery_pb2.GetItemResponse(item=convert_gallery.item_to_wire(item))

    @unary(health_pb2.HealthCheckResponse)
    async def Check(
        self, request: health_pb2.HealthCheckRequest, grpc_context: GrpcContext
    ) -> health_pb2.HealthCheckResponse:
        """Say whether a service can do its work now."""
        return health_pb2.HealthCheckResponse(status=await self._health.status(request.service))

    @streaming(health_pb2.HealthCheckResponse)
    async def Watch(
        self, request: health_pb2.HealthCheckRequest, grpc_context: GrpcContext
    ) -> AsyncGenerator[health_pb2.HealthCheckResponse, None]:
        """Say it again whenever it changes."""
        if self._watchers >= _MAX_WATCHERS:
            raise Overloaded(f"{self._watchers} watch already", remedy="use Check", retry_after_s=5.0)
        self._watchers += 1
        try:
            async for status in self._health.watch(request.service):
                yield health_pb2.HealthCheckResponse(status=status)
        finally:
            self._watchers -= 1


def search_parts(
    settings: ServiceSettings,
    *,
    candidates: CandidateFinder,
    reranking: Reranking,
    recorder: Recorder | None = None,
) -> SearchParts:
    """Put the parts of a search together; without a recorder nothing is recorded."""
    shoes = find_shoe_encoders((settings.model_dir.parent, settings.encoders_dir))
    system = PrintSystem.load(settings.model_dir, more=[settings.encoders_dir])
    spec = system.spec
    served = Served(
        spec.name,
        spec.hash,
        system.index_settings,
        embeddings={name: embedding.hash for name, embedding in system.embeddings.items()},
        shoes={name: shoe.spec.hash for name, shoe in shoes.items()},
    )
    catalogue = Catalogue(settings.editions_dir, served)
    return SearchParts(
        system=system,
        encoder=encoder_of(settings, settings.model_dir, spec.contract()),
        catalogue=catalogue,
        archives=Archives(catalogue),
        candidates=candidates,
        reranking=reranking,
        evidence=EvidenceStore(settings.evidence_dir, max_bytes=settings.evidence_max_bytes),
        defaults=SearchDefaults(
            budget_ms=settings.default_budget_ms,
            rotation_limit_deg=settings.rotation_limit_deg,
            rotation_step_deg=settings.rotation_step_deg,
            decode_limits=DecodeLimits(max_bytes=settings.evidence_max_bytes, max_pixels=settings.max_pixels),
        ),
        recorder=recorder or NullRecorder(),
        encoder_slots=asyncio.Semaphore(settings.searches_in_encoder),
        embeddings={
            name: encoder_of(settings, embedding.folder, embedding.contract())
            for name, embedding in system.embeddings.items()
        },
        shoes={
            name: ServedShoes(shoe, encoder_of(settings, shoe.folder, shoe.contract())) for name, shoe in shoes.items()
        },
        frames=FrameParts(
            open_finder=functools.cache(functools.partial(open_finder, settings)),
            in_flight=settings.frames_in_flight,
            streams=settings.frame_streams,
            wait_s=settings.stream_wait_s,
        ),
        wear=wear_parts(settings),
    )


def open_finder(settings: ServiceSettings) -> ServedFinder:
    """The detectors of shoes in frames. Raises ``NotFound`` or ``DataCorrupt`` where a model folder is no good."""

    def opened(contract: ModelContract, folder: Path) -> Encoder:
        # The stack does not load detectors by itself: whoever searches prints does without their memory.
        return encoder_of(settings, folder, contract, load_missing=True)

    networks, hashes = open_networks(settings.model_repository, opened)
    return ServedFinder(DetectedShoes(networks), hashes)


def wear_parts(settings: ServiceSettings) -> WearParts:
    """The models of wear; they are looked for at first use, and each is opened at its own first use."""

    @functools.cache
    def find() -> dict[Direction, WearModel]:
        return find_wear_models((settings.model_dir.parent, settings.encoders_dir))

    @functools.cache
    def opened(direction: Direction) -> ServedWear:
        model = find().get(direction)
        if model is None:
            raise NotFound(
                f"the model repository has no model of wear that looks {direction}",
                remedy="put its folder into the model repository and start the service again",
            )
        # As with the detectors: whoever asks nothing about wear does without the model's memory.
        return ServedWear(model, encoder_of(settings, model.folder, model.contract(), load_missing=True))

    return WearParts(opened, find)


def encoder_of(
    settings: ServiceSettings, model_dir: Path, contract: ModelContract, *, load_missing: bool = False
) -> Encoder:
    """The encoder of a model folder where the settings say: behind Triton, or in this process.

    ``load_missing`` asks Triton to load the model where it has not.
    """
    if settings.encoder_backend == "in_process":
        from outsole.inference.in_process import InProcessEncoder

        return InProcessEncoder(model_dir, contract=contract)
    from outsole.inference.triton_client import TritonClientSettings, TritonEncoder

    how = TritonClientSettings(load_missing=load_missing)
    return TritonEncoder(settings.triton_url, contract.model, contract=contract, settings=how)


async def _take_chunks(upload: EvidenceUpload, messages: AsyncIterator[retrieval_pb2.UploadEvidenceRequest]) -> None:
    async for message in messages:
        if message.WhichOneof("part") != "chunk":
            raise InvalidInput("a message without bytes", field="chunk", remedy="metadata once, then chunks alone")
        await asyncio.to_thread(upload.write, message.chunk)
