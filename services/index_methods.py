"""Ingest over the wire: the RPCs, and the way to the owner of the operations."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ray.serve.handle import DeploymentHandle

from outsole.api.convert_operations import operation_to_wire, states_from_wire
from outsole.api.generated.outsole.v1 import index_pb2
from outsole.errors import InvalidInput
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name
from outsole.operations import OperationInfo, WorkState
from services import validation
from services.indexing import Asked, VideoSearchAsked
from services.remote import call
from services.rpc import GrpcContext, unary
from services.telemetry import Recorder

_CALL_TIMEOUT_S = 15.0


class RemoteIndexing:
    """The owner of the operations, called through Ray Serve's handle."""

    def __init__(self, handle: DeploymentHandle[Any]) -> None:
        self._handle = handle

    async def one(self, method: str, argument: Asked | VideoSearchAsked | str) -> OperationInfo:
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
        info = await self.indexing.one("operation", validation.operation_id(request.operation_id))
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
        info = await self.indexing.one("cancel_operation", validation.operation_id(request.operation_id))
        return index_pb2.CancelOperationResponse(operation=operation_to_wire(info))

    @unary(index_pb2.PauseOperationResponse)
    async def PauseOperation(
        self, request: index_pb2.PauseOperationRequest, grpc_context: GrpcContext
    ) -> index_pb2.PauseOperationResponse:
        """Ask an operation to hold still."""
        info = await self.indexing.one("pause_operation", validation.operation_id(request.operation_id))
        return index_pb2.PauseOperationResponse(operation=operation_to_wire(info))

    @unary(index_pb2.ResumeOperationResponse)
    async def ResumeOperation(
        self, request: index_pb2.ResumeOperationRequest, grpc_context: GrpcContext
    ) -> index_pb2.ResumeOperationResponse:
        """Let an operation go on."""
        info = await self.indexing.one("resume_operation", validation.operation_id(request.operation_id))
        return index_pb2.ResumeOperationResponse(operation=operation_to_wire(info))


def _asked(request: index_pb2.StartIngestRequest) -> Asked:
    checked_name(request.gallery, field="gallery")
    return Asked(
        gallery=request.gallery,
        source_uri=request.source_uri,
        embedding=checked_text(request.encoder, field="encoder", owner=request.gallery),
        feed=checked_text(request.feed, field="feed", owner=request.gallery),
        dry_run=request.dry_run,
        request_id=validation.request_id(request.request_id),
    )


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
