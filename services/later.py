"""Methods of the contract that a later release builds: they exist, and answer UNIMPLEMENTED with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import Message

from outsole.api.generated.outsole.v1 import video_pb2, wear_pb2
from outsole.errors import NotOffered
from services.rpc import GrpcContext, Unary, streaming, unary


def _later(name: str, answer: type[Message]) -> Unary[Any]:
    async def method(self: Any, request: Any, grpc_context: GrpcContext) -> Message:
        raise _refusal(name)

    method.__name__ = name
    method.__qualname__ = f"LaterMethods.{name}"
    return unary(answer)(method)


def _refusal(name: str) -> NotOffered:
    return NotOffered(f"{name} is not part of this release", remedy="see CHANGELOG.md for what is")


class LaterMethods:
    """Mixed into the ingress."""

    PredictWear = _later("PredictWear", wear_pb2.PredictWearResponse)
    ReconstructOutsole = _later("ReconstructOutsole", wear_pb2.ReconstructOutsoleResponse)

    @streaming
    async def SearchFrames(
        self, request: Any, grpc_context: GrpcContext
    ) -> AsyncIterator[video_pb2.SearchFramesResponse]:
        """Not of this release."""
        raise _refusal("SearchFrames")
        yield  # an unreachable statement that makes this a stream
