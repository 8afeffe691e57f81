"""Methods of the contract that a later release builds: they exist, and answer UNIMPLEMENTED with a reason."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from outsole.api.generated.outsole.v1 import wear_pb2
from outsole.errors import NotOffered
from services.rpc import GrpcContext, Unary, unary


def _later(name: str, answer: type[Message]) -> Unary[Any]:
    async def method(self: Any, request: Any, grpc_context: GrpcContext) -> Message:
        raise NotOffered(f"{name} is not part of this release", remedy="see CHANGELOG.md for what is")

    method.__name__ = name
    method.__qualname__ = f"LaterMethods.{name}"
    return unary(answer)(method)


class LaterMethods:
    """Mixed into the ingress."""

    PredictWear = _later("PredictWear", wear_pb2.PredictWearResponse)
    ReconstructOutsole = _later("ReconstructOutsole", wear_pb2.ReconstructOutsoleResponse)
