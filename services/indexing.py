"""Ingest over the wire: what may be read, the owner of the operations, and the RPCs."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ray.serve.handle import DeploymentHandle

from outsole.api.convert_operations import operation_to_wire, states_from_wire
from outsole.api.generated.outsole.v1 import index_pb2
from outsole.errors import InvalidInput, OutsoleError
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name
from outsole.operations import OperationInfo, WorkState
from services import validation
from services.operations import Operations
from services.remote import call
from services.rpc import GrpcContext, unary
from services.settings import ServiceSettings
from services.telemetry import Recorder

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_CALL_TIMEOUT_S = 15.0
_REQUEST_ID_CHARACTERS = 100


@dataclass(frozen=True)
class Asked:
    """An ingest as a caller asks for it; the attributes are those of the contract's StartIngestRequest."""

    gallery: str
    source_uri: str
    embedding: str = ""
    feed: str = ""
    dry_run: bool = False
    request_id: str = ""


class IndexOwner:
    """The deployment that owns the operations; there is one replica of it. Its calls return at once.

    Args:
        settings: Of the services.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._operations = Operations(settings.operations_dir)
        self._looking = asyncio.create_task(self._look_forever())

    async def start_ingest(self, asked: Asked, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """Accept an ingest. Raises ``InvalidInput`` for a source that the operator does not allow."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._start, asked)

    async def operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.get`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.get, operation_id)

    async def operations(
        self, states: frozenset[WorkState], *, timeout_s: float, sent_at: float
    ) -> tuple[OperationInfo, ...]:
        """See `services.operations.Operations.listed`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.listed, states)

    async def cancel_operation(self, operation_id: str, *, timeout_s: float, sent_at: float) -> OperationInfo:
        """See `services.operations.Operations.cancel`."""
        del timeout_s, sent_at
        return await asyncio.to_thread(self._operations.cancel, operation_id)

    def _start(self, asked: Asked) -> OperationInfo:
        request = ingest_order(asked, self._settings)
        return self._operations.start(
            request, gallery=asked.gallery, source=asked.source_uri, request_id=asked.request_id
        )

    async def _look_forever(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._operations.look)
            except (OSError, OutsoleError):
                # A full disk, for example, passes; whoever waits must not wait for ever.
                _log.exception("the operations could not be looked at; they are looked at again")
            await asyncio.sleep(_LOOK_EVERY_S)

    def __del__(self) -> None:
        # Ray Serve calls this when it stops a replica.
        with contextlib.suppress(Exception):
            self._operations.close()


class RemoteIndexing:
    """The owner of the operations, called through Ray Serve's handle."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        self._handle = handle

    async def one(self, method: str, argument: Asked | str) -> OperationInfo:
        """Call a method that answers one operation."""
        info: OperationInfo = await call(self._handle, method, argument, timeout_s=_CALL_TIMEOUT_S)
        return info

    async def page(
        self, states: frozenset[WorkState], *, size: int, token: str
    ) -> tuple[tuple[OperationInfo, ...], str]:
        """A page of operations, newest first, and the token of the next. Raises ``InvalidInput`` for another token."""
        after = _after(token)
        everything: tuple[OperationInfo, ...] = await call(
            self._handle, "operations", states, timeout_s=_CALL_TIMEOUT_S
        )
        # By its place in time and not by its number: newer ones may have come since the page before.
        older = [info for info in everything if not after or (info.created, info.operation_id) < after]
        following = older[size - 1] if len(older) > size else None
        return tuple(older[:size]), "" if following is None else _token(following)


class IndexMethods:
    """Mixed into the ingress: the RPCs of the index service."""

    recorder: Recorder
    indexing: RemoteIndexing

    @unary(index_pb2.StartIngestResponse)
    async def StartIngest(
        self, request: index_pb2.StartIngestRequest, grpc_context: GrpcContext
    ) -> index_pb2.StartIngestResponse:
        """Start to take a source's images into a gallery."""
        info = await self.indexing.one("start_ingest", _asked(request))
        return index_pb2.StartIngestResponse(operation=operation_to_wire(info))

    @unary(index_pb2.GetOperationResponse)
    async def GetOperation(
        self, request: index_pb2.GetOperationRequest, grpc_context: GrpcContext
    ) -> index_pb2.GetOperationResponse:
        """Say how an operation is."""
        info = await self.indexing.one("operation", _operation_id(request.operation_id))
        return index_pb2.GetOperationResponse(operation=operation_to_wire(info))

    @unary(index_pb2.ListOperationsResponse)
    async def ListOperations(
        self, request: index_pb2.ListOperationsRequest, grpc_context: GrpcContext
    ) -> index_pb2.ListOperationsResponse:
        """List operations, newest first."""
        size, token = validation.page(request.page)
        found, following = await self.indexing.page(states_from_wire(request.states), size=size, token=token)
        wire = [operation_to_wire(info) for info in found]
        return index_pb2.ListOperationsResponse(operations=wire, next_page_token=following)

    @unary(index_pb2.CancelOperationResponse)
    async def CancelOperation(
        self, request: index_pb2.CancelOperationRequest, grpc_context: GrpcContext
    ) -> index_pb2.CancelOperationResponse:
        """Ask an operation to stop."""
        info = await self.indexing.one("cancel_operation", _operation_id(request.operation_id))
        return index_pb2.CancelOperationResponse(operation=operation_to_wire(info))


def ingest_order(asked: Asked, settings: ServiceSettings) -> dict[str, object]:
    """What ``indexer.operation.IngestOrder`` reads: the caller's wish, and the operator's places.

    Raises:
        InvalidInput: The source lies outside of what the operator allows, or is not there.
    """
    return {
        "gallery": asked.gallery,
        "source": str(allowed_source(asked.source_uri, settings.ingest_dirs)),
        "place": {
            "model_dir": str(settings.model_dir),
            "encoders_dir": str(settings.encoders_dir),
            "editions_dir": str(settings.editions_dir),
            "triton_url": settings.triton_url if settings.encoder_backend == "triton" else "",
        },
        "embedding": asked.embedding,
        "feed": asked.feed,
        "dry_run": asked.dry_run,
    }


def allowed_source(uri: str, roots: tuple[Path, ...]) -> Path:
    """The directory or file that a source names, if it lies in a directory that the operator allows.

    Raises:
        InvalidInput: It does not, is no absolute path, or is not there.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise InvalidInput(f"{uri[:200]!r} cannot be read", field="source_uri", remedy="a path, or file:// and a path")
    path = Path(unquote(parts.path) if parts.scheme else uri)
    if not path.is_absolute():
        raise InvalidInput(
            f"{uri[:200]!r} is no absolute path", field="source_uri", remedy="as the service's host sees it"
        )
    # Links are followed first, and what is not allowed is told alike whether or not it exists.
    found = path.resolve()
    if not any(found.is_relative_to(root.resolve()) for root in roots):
        raise InvalidInput(
            f"{uri[:200]!r} lies outside of what this service may read",
            field="source_uri",
            remedy="the operator names directories in OUTSOLE_INGEST_ROOTS",
        )
    if not found.exists():
        raise InvalidInput(f"there is nothing at {uri[:200]!r}", field="source_uri")
    return found


def _asked(request: index_pb2.StartIngestRequest) -> Asked:
    checked_name(request.gallery, field="gallery")
    if len(request.request_id) > _REQUEST_ID_CHARACTERS:
        raise InvalidInput("a long request_id", field="request_id", remedy=f"at most {_REQUEST_ID_CHARACTERS}")
    return Asked(
        gallery=request.gallery,
        source_uri=request.source_uri,
        embedding=checked_text(request.encoder, field="encoder", owner=request.gallery),
        feed=checked_text(request.feed, field="feed", owner=request.gallery),
        dry_run=request.dry_run,
        request_id=request.request_id,
    )


def _operation_id(text: str) -> str:
    if not text:
        raise InvalidInput("no operation is named", field="operation_id", remedy="one of ListOperations")
    return checked_name(text, field="operation_id")


def _token(last: OperationInfo) -> str:
    return base64.urlsafe_b64encode(f"{last.created} {last.operation_id}".encode()).decode("ascii")


def _after(token: str) -> tuple[str, str] | None:
    if not token:
        return None
    try:
        created, operation_id = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii").split(" ")
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            "the page token is not of this list", field="page.page_token", remedy="start again without a token"
        ) from error
    return created, operation_id
