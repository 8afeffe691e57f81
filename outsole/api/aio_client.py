"""The client SDK for asyncio: ``outsole.api.client`` with the same methods, awaited.

    async with AsyncClient("127.0.0.1:8500") as client:
        answer = await client.search_print("print.png", gallery="soles", k=10)

Requests, converters, back-off and errors are shared with the blocking client; only the waiting is written twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from types import TracebackType
from typing import Any, TypeVar, Unpack

import grpc
import grpc.aio

from outsole.answers import Explanation, GalleryInfo, ItemInfo, SearchAnswer
from outsole.api import convert, convert_gallery, convert_lifecycle, convert_operations, requests
from outsole.api.aio_video_client import AsyncVideoMethods
from outsole.api.aio_wear_client import AsyncWearMethods
from outsole.api.backoff import Attempts, BackoffSettings
from outsole.api.client import HEALTH_METHOD
from outsole.api.errors import from_rpc_error
from outsole.api.generated.outsole.v1 import (
    common_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    health_pb2,
    index_pb2,
    index_pb2_grpc,
    retrieval_pb2_grpc,
    video_pb2_grpc,
    wear_pb2_grpc,
)
from outsole.api.records import EvidenceRef, ExplainOptions, IngestOptions, ItemsOptions, SearchOptions
from outsole.lifecycle import EditionCheck, EditionInfo, RebuildProgress
from outsole.operations import OperationInfo, WorkState

_T = TypeVar("_T")


class AsyncClient(AsyncVideoMethods, AsyncWearMethods):
    """Calls a running Outsole. Make it inside the event loop that uses it; one loop, any number of tasks.

    Args:
        target: Host and port of the gRPC service, e.g. ``127.0.0.1:8500``.
        timeout_s: Deadline of a call with all its retries, seconds.
        retries: Tries after the first on RESOURCE_EXHAUSTED and UNAVAILABLE.
        application: Name of the Ray Serve application to address.
        credentials: TLS credentials for a gateway; None for a plain connection.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout_s: float = 30.0,
        retries: int = 4,
        application: str = "outsole",
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._backoff = BackoffSettings(retries=retries)
        self._metadata = (("application", application),)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=requests.CHANNEL_OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options=requests.CHANNEL_OPTIONS)
        self._retrieval: Any = retrieval_pb2_grpc.RetrievalServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._galleries: Any = gallery_pb2_grpc.GalleryServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._index: Any = index_pb2_grpc.IndexServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._video: Any = video_pb2_grpc.VideoServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._wear: Any = wear_pb2_grpc.WearServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._check: Any = self._channel.unary_unary(
            HEALTH_METHOD,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls under way end with an error."""
        await self._channel.close()

    async def search_print(
        self, image: requests.Picture, *, gallery: str, **options: Unpack[SearchOptions]
    ) -> SearchAnswer:
        """Ranks the shoe models of a gallery by similarity to a print.

        Args:
            image: Bytes, a path, or evidence uploaded before.
            gallery: Name of the gallery.
            options: See ``SearchOptions``.

        Returns:
            The hits, best first, with everything needed to compute them again.

        Raises:
            OutsoleError: Any of the tree; ``field`` names the request field at fault.
        """
        requests.known_options(options, SearchOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = requests.search_request(image, options, gallery=gallery, timeout_s=timeout_s)
        return convert.answer_from_wire(await self._call(self._retrieval.SearchPrint, request, timeout_s=timeout_s))

    async def explain_hit(
        self, image: requests.Picture, *, gallery: str, item_id: str, **options: Unpack[ExplainOptions]
    ) -> Explanation:
        """Shows which parts of a print made an item's score.

        Args:
            image: The probe of the search.
            gallery: Name of the gallery.
            item_id: The item to compare with.
            options: See ``ExplainOptions``. To explain exactly one hit, give the answer's edition and its placement
                as ``PlacementSearch(pinned=hit.placement)``.
        """
        requests.known_options(options, ExplainOptions)
        timeout_s = options.pop("timeout_s", self._timeout_s)
        request = requests.explain_request(image, options, gallery=gallery, item_id=item_id, timeout_s=timeout_s)
        return convert.explanation_from_wire(await self._call(self._retrieval.ExplainHit, request, timeout_s=timeout_s))

    async def upload_evidence(self, source: requests.EvidenceSource, *, timeout_s: float | None = None) -> EvidenceRef:
        """Stores the untouched bytes of a picture, streamed in chunks of 256 KiB.

        Args:
            source: A path, or a binary stream from where it stands; at most 64 MiB.
            timeout_s: Deadline, seconds; None for the client's.

        Raises:
            OutsoleError: Any of the tree; ``InvalidInput`` where the file cannot be read.
        """
        data, name = requests.read_evidence(source)

        def once(attempt_s: float) -> Any:
            messages = requests.evidence_messages(data, name)
            return self._retrieval.UploadEvidence(messages, timeout=attempt_s, metadata=self._metadata)

        attempts = Attempts(self._backoff, timeout_s or self._timeout_s)
        return convert.evidence_from_wire(await self._retried(once, attempts))

    async def list_galleries(self) -> tuple[GalleryInfo, ...]:
        """Every gallery, by name."""
        found: list[GalleryInfo] = []
        token = ""
        while True:
            page = common_pb2.Page(page_size=requests.DEFAULT_PAGE_SIZE, page_token=token)
            response = await self._call(self._galleries.ListGalleries, gallery_pb2.ListGalleriesRequest(page=page))
            found += map(convert_gallery.gallery_from_wire, response.galleries)
            token = response.next_page_token
            if not token:
                return tuple(found)

    async def get_gallery(self, name: str) -> GalleryInfo:
        """One gallery. Raises ``NotFound`` where there is none."""
        response = await self._call(self._galleries.GetGallery, gallery_pb2.GetGalleryRequest(gallery=name))
        return convert_gallery.gallery_from_wire(response.gallery)

    async def list_items(self, gallery: str, **options: Unpack[ItemsOptions]) -> AsyncIterator[tuple[ItemInfo, ...]]:
        """The items of an edition by item id, page by page as they are asked for.

        Args:
            gallery: Name of the gallery.
            options: See ``ItemsOptions``.
        """
        requests.known_options(options, ItemsOptions)
        token, edition = "", options.get("edition", "")
        while True:
            request = requests.items_request(gallery, options, edition=edition, page_token=token)
            response = await self._call(self._galleries.ListItems, request)
            yield tuple(map(convert_gallery.item_from_wire, response.items))
            token, edition = response.next_page_token, response.edition
            if not token:
                return

    async def get_item(self, gallery: str, item_id: str, *, edition: str = "") -> ItemInfo:
        """One item with its thumbnail. Raises ``NotFound`` where there is none."""
        request = gallery_pb2.GetItemRequest(gallery=gallery, item_id=item_id, edition=edition)
        return convert_gallery.item_from_wire((await self._call(self._galleries.GetItem, request)).item)

    async def retire_item(self, gallery: str, item_id: str, *, reason: str, by: str = "") -> str:
        """Takes an item out of searches; nothing is deleted. Returns the edition that is in force now."""
        request = gallery_pb2.RetireItemRequest(gallery=gallery, item_id=item_id, reason=reason, by=by)
        return str((await self._call(self._galleries.RetireItem, request)).edition)

    async def restore_item(self, gallery: str, item_id: str, *, reason: str, by: str = "") -> str:
        """Takes a retirement back. Returns the edition that is in force now."""
        request = gallery_pb2.RestoreItemRequest(gallery=gallery, item_id=item_id, reason=reason, by=by)
        return str((await self._call(self._galleries.RestoreItem, request)).edition)

    async def list_editions(self, gallery: str) -> tuple[EditionInfo, ...]:
        """Every edition of a gallery, newest first."""
        found: list[EditionInfo] = []
        token = ""
        while True:
            page = common_pb2.Page(page_size=requests.DEFAULT_PAGE_SIZE, page_token=token)
            request = gallery_pb2.ListEditionsRequest(gallery=gallery, page=page)
            response = await self._call(self._galleries.ListEditions, request)
            found += map(convert_lifecycle.edition_from_wire, response.editions)
            token = response.next_page_token
            if not token:
                return tuple(found)

    async def verify_edition(
        self,
        gallery: str,
        *,
        edition: str = "",
        every_vector: bool = False,
        store_only: bool = False,
        timeout_s: float = 600.0,
    ) -> EditionCheck:
        """Compares an edition with its hashes, its rows, its vectors and the vector store.

        Args:
            gallery: Name of the gallery.
            edition: The edition; empty for the current one.
            every_vector: Look at every vector, not only at a sample.
            store_only: Look at the vector store alone.
            timeout_s: Deadline, seconds.
        """
        request = requests.verify_request(
            gallery, edition, every_vector=every_vector, store_only=store_only, timeout_s=timeout_s
        )
        response = await self._call(self._galleries.VerifyEdition, request, timeout_s=timeout_s)
        return convert_lifecycle.check_from_wire(response, gallery)

    async def rebuild_store(self, gallery: str, *, edition: str = "") -> AsyncIterator[RebuildProgress]:
        """Makes what the vector store holds of an edition again; says how far it is until it is done.

        It is not tried again; asked again while it is under way, it is followed.
        """
        request = gallery_pb2.RebuildStoreRequest(gallery=gallery, edition=edition)
        try:
            async for message in self._galleries.RebuildStore(request, metadata=self._metadata):
                yield convert_lifecycle.rebuild_from_wire(message)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error

    async def retire_edition(self, gallery: str, edition: str, *, reason: str) -> None:
        """Takes an edition that is not in force out of the vector store; its files stay."""
        request = gallery_pb2.RetireEditionRequest(gallery=gallery, edition=edition, reason=reason)
        await self._call(self._galleries.RetireEdition, request)

    async def start_ingest(self, gallery: str, source: str, **options: Unpack[IngestOptions]) -> OperationInfo:
        """Starts to take a source's images into a gallery, on the service's host.

        Args:
            gallery: Made if it does not exist.
            source: Absolute path of a directory or a manifest on the service's host.
            options: See ``IngestOptions``.

        Returns:
            The operation; the same one where the same is asked while it waits or works.
        """
        requests.known_options(options, IngestOptions)
        request = requests.ingest_request(gallery, source, options)
        return convert_operations.operation_from_wire((await self._call(self._index.StartIngest, request)).operation)

    async def get_operation(self, operation_id: str) -> OperationInfo:
        """One operation with the first 1,000 units that failed. Raises ``NotFound`` where there is none."""
        request = index_pb2.GetOperationRequest(operation_id=operation_id)
        return convert_operations.operation_from_wire((await self._call(self._index.GetOperation, request)).operation)

    async def list_operations(self, *, states: Collection[WorkState] = ()) -> tuple[OperationInfo, ...]:
        """Every operation in one of the states, newest first; in any state by default."""
        found: list[OperationInfo] = []
        token = ""
        while True:
            response = await self._call(self._index.ListOperations, requests.operations_request(states, token))
            found += map(convert_operations.operation_from_wire, response.operations)
            token = response.next_page_token
            if not token:
                return tuple(found)

    async def cancel_operation(self, operation_id: str) -> OperationInfo:
        """Asks an operation to stop; what it has encoded is kept."""
        request = index_pb2.CancelOperationRequest(operation_id=operation_id)
        return convert_operations.operation_from_wire(
            (await self._call(self._index.CancelOperation, request)).operation
        )

    async def pause_operation(self, operation_id: str) -> OperationInfo:
        """Asks an operation to hold still; what it has finished is kept."""
        request = index_pb2.PauseOperationRequest(operation_id=operation_id)
        return convert_operations.operation_from_wire((await self._call(self._index.PauseOperation, request)).operation)

    async def resume_operation(self, operation_id: str) -> OperationInfo:
        """Lets an operation go on that was paused or failed. Raises ``PreconditionFailed`` for one that is over."""
        request = index_pb2.ResumeOperationRequest(operation_id=operation_id)
        return convert_operations.operation_from_wire(
            (await self._call(self._index.ResumeOperation, request)).operation
        )

    async def health(self, service: str = "") -> bool:
        """Whether the service can do its work: encoder ready, edition loaded, hashes equal.

        Args:
            service: Full name of a gRPC service; empty for the whole.

        Raises:
            Unavailable: Nothing answers; it is not tried again.
        """
        request = health_pb2.HealthCheckRequest(service=service)
        response = await self._call(self._check, request, backoff=BackoffSettings(retries=0))
        return bool(response.status == health_pb2.HEALTH_STATUS_SERVING)

    async def _call(
        self, method: Any, request: Any, *, timeout_s: float | None = None, backoff: BackoffSettings | None = None
    ) -> Any:
        def once(attempt_s: float) -> Any:
            return method(request, timeout=attempt_s, metadata=self._metadata)

        return await self._retried(once, Attempts(backoff or self._backoff, timeout_s or self._timeout_s))

    async def _retried(self, once: Callable[[float], Awaitable[_T]], attempts: Attempts) -> _T:
        while True:
            try:
                return await once(attempts.remaining_s)
            except grpc.RpcError as error:
                translated = from_rpc_error(error)
                translated.__cause__ = error
                wait_s = attempts.wait_after(translated)
            await asyncio.sleep(wait_s)
