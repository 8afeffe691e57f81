"""What every RPC method goes through: its errors become statuses with details, and it is counted and timed."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from outsole.answers import SearchMode
from outsole.api import convert
from outsole.api.errors import to_wire
from outsole.api.generated.outsole.v1 import retrieval_pb2
from outsole.errors import InvalidInput, OutsoleError
from outsole.giving_way import QueriesAtWork
from services.telemetry import Recorder

_log = logging.getLogger(__name__)
_M = TypeVar("_M", bound=Message)


class GrpcContext(Protocol):
    """The part of Ray Serve's gRPC context that is used."""

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set the status code of the answer."""

    def set_details(self, details: str) -> None:
        """Set the status text of the answer."""

    def set_trailing_metadata(self, trailing_metadata: list[tuple[str, str | bytes]]) -> None:
        """Set the metadata that follows the answer."""


class Recording(Protocol):
    """Whoever has RPC methods."""

    @property
    def recorder(self) -> Recorder:
        """Takes the measurements."""


class Waited(Protocol):
    """Whoever answers people who wait."""

    @property
    def queries(self) -> QueriesAtWork:
        """Shows that a query is at work."""


Unary = Callable[[Any, Any, Any], Awaitable[_M]]
Streaming = Callable[[Any, Any, Any], AsyncGenerator[_M, None]]


def unary(answer: type[_M]) -> Callable[[Unary[_M]], Unary[_M]]:
    """Wrap a method that gives one answer; on an error an empty one of this type is returned beside the status."""

    def wrap(method: Unary[_M]) -> Unary[_M]:
        @functools.wraps(method)
        async def wrapped(self: Recording, request: Any, grpc_context: GrpcContext) -> _M:
            call = _Call(self.recorder, method.__name__, request)
            try:
                result = await method(self, request, grpc_context)
            except Exception as error:
                # Raising would lose the details, and send the text of whatever went wrong.
                call.failed(error, grpc_context)
                return answer()
            call.ended(grpc.StatusCode.OK)
            return result

        return wrapped

    return wrap


def interactive(method: Unary[_M]) -> Unary[_M]:
    """Wrap a method that a person waits for: work in bulk gives way to it."""

    @functools.wraps(method)
    async def wrapped(self: Waited, request: Any, grpc_context: GrpcContext) -> _M:
        with self.queries.one():
            return await method(self, request, grpc_context)

    return wrapped


class ClientGone(Exception):  # noqa: N818 - nothing went wrong
    """The client has left its stream; there is nobody to answer."""


def streaming(answer: type[_M]) -> Callable[[Streaming[_M]], Streaming[_M]]:
    """Wrap a method that gives a stream of answers; on an error an empty one of this type carries the status.

    Ray Serve hands a status on beside an answer alone. `services.edge` takes the empty one out again.
    """

    def wrap(method: Streaming[_M]) -> Streaming[_M]:
        @functools.wraps(method)
        async def wrapped(self: Recording, request: Any, grpc_context: GrpcContext) -> AsyncGenerator[_M, None]:
            call = _Call(self.recorder, method.__name__, request)
            try:
                async with aclosing(method(self, request, grpc_context)) as items:
                    async for item in items:
                        yield item
            except ClientGone:
                call.ended(grpc.StatusCode.CANCELLED)
                return
            except (asyncio.CancelledError, GeneratorExit):
                call.ended(grpc.StatusCode.CANCELLED)
                raise
            except Exception as error:
                call.failed(error, grpc_context)
            else:
                call.ended(grpc.StatusCode.OK)
                return
            yield answer()

        return wrapped

    return wrap


class _Call:
    """One call of one method, for the metrics."""

    def __init__(self, recorder: Recorder, method: str, request: object) -> None:
        self._recorder = recorder
        self._method = method
        self._mode = _mode(request)
        self._started = time.perf_counter()

    def failed(self, error: Exception, context: GrpcContext) -> None:
        """Log what is a defect, put the error on the call, and count it."""
        if not isinstance(getattr(error, "cause", error), OutsoleError):
            _log.error("%s failed", self._method, exc_info=error)
        wire = to_wire(error)
        context.set_code(wire.code)
        context.set_details(wire.message)
        context.set_trailing_metadata(list(wire.trailing))
        self._recorder.add("outsole_errors_total", 1, {"method": self._method, "code": wire.code.name})
        self.ended(wire.code)

    def ended(self, code: grpc.StatusCode) -> None:
        """Count the call."""
        took_ms = (time.perf_counter() - self._started) * 1000
        self._recorder.add("outsole_requests_total", 1, {"method": self._method, "code": code.name})
        labels = {"method": self._method, "mode": self._mode}
        self._recorder.observe("outsole_request_latency_ms", took_ms, labels)


def _mode(request: object) -> str:
    if not isinstance(request, retrieval_pb2.SearchPrintRequest):
        return ""
    try:
        return convert.mode_from_wire(request.mode).value
    except InvalidInput:
        return SearchMode.SHORTLIST.value
