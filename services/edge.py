"""What stands between gRPC and Ray Serve in the proxy's process, for what Ray Serve does not hand on of streams.

Ray Serve takes every answer of a replica at once, whether the client reads or not, and hands a status on beside an
answer alone. So an answer that only carries a status is taken out here, and frames are let in while few are
unanswered: a client that does not read stops the stream that it sends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc

from outsole.api.errors import to_wire
from outsole.api.generated.outsole.v1 import (
    gallery_pb2_grpc,
    index_pb2_grpc,
    retrieval_pb2_grpc,
    video_pb2_grpc,
    wear_pb2_grpc,
)
from outsole.errors import BudgetSpent
from services.settings import ServiceSettings

SEARCH_FRAMES = "/outsole.v1.VideoService/SearchFrames"
Stream = Callable[[Any, Any], AsyncIterator[bytes]]
"""A method as the proxy has it: a request or requests, and the call's context; gives answers, serialised."""
_REGISTERED: tuple[Callable[[Any, Any], None], ...] = (
    retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server,
    gallery_pb2_grpc.add_GalleryServiceServicer_to_server,
    index_pb2_grpc.add_IndexServiceServicer_to_server,
    video_pb2_grpc.add_VideoServiceServicer_to_server,
    wear_pb2_grpc.add_WearServiceServicer_to_server,
    health_pb2_grpc.add_HealthServicer_to_server,
)


def add_services_to_server(servicer: Any, server: Any) -> None:
    """Register every service of the contract; for ``grpc_servicer_functions`` of Ray Serve."""
    settings = ServiceSettings.from_environment()
    held = partial(held_back, in_flight=settings.frames_in_flight, wait_s=settings.stream_wait_s)
    for add in _REGISTERED:
        add(servicer, _Edge(server, held))


class _Edge:
    """A server as generated code sees it."""

    def __init__(self, server: Any, held: Callable[[Stream], Any]) -> None:
        self._server, self._held = server, held

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Register methods. Ray Serve puts its own behaviours into them."""
        self._server.add_generic_rpc_handlers(tuple(_Methods(handler, self._held) for handler in handlers))

    def add_registered_method_handlers(self, service_name: str, method_handlers: Any) -> None:
        """Nothing: the same methods, which would go before those above."""


class _Methods(grpc.GenericRpcHandler):
    """The methods of a service, those that stream with what is missing."""

    def __init__(self, handler: Any, held: Callable[[Stream], Any]) -> None:
        # The name by which Ray Serve finds and replaces them.
        self._method_handlers = handler._method_handlers
        self._held = held

    def service(self, handler_call_details: Any) -> Any:
        """The method that is called; None where it is another service's."""
        found = self._method_handlers.get(handler_call_details.method)
        if found is None or not found.response_streaming:
            return found
        if handler_call_details.method == SEARCH_FRAMES:
            return found._replace(stream_stream=self._held(found.stream_stream))
        kind = "stream_stream" if found.request_streaming else "unary_stream"
        return found._replace(**{kind: answered(getattr(found, kind))})


def answered(method: Stream) -> Stream:
    """The same method without the answer that only carries a status."""

    async def stream(request: Any, context: Any) -> AsyncGenerator[bytes, None]:
        async for answer in method(request, context):
            if not context.code():
                yield answer

    return stream


def held_back(method: Stream, *, in_flight: int, wait_s: float) -> Callable[[Any, Any], Any]:
    """The same method, which gets a request only while fewer than so many are unanswered.

    Args:
        method: Gives an answer to each request, in their order, and may give more at the end.
        in_flight: Requests that may be unanswered.
        wait_s: Seconds for which a client may leave an answer unread; then it gets DEADLINE_EXCEEDED.
    """

    async def stream(requests: AsyncIterator[Any], context: Any) -> None:
        room = asyncio.Semaphore(in_flight)
        answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        # In a task of its own, which is always at an await: only there a call that ends takes the replica's with it.
        taking = asyncio.create_task(_take(answered(method)(_let_in(requests, room), context), answers))
        try:
            while (answer := await answers.get()) is not None:
                async with asyncio.timeout(wait_s):
                    await context.write(answer)
                room.release()
            await taking
        except TimeoutError:
            await _end(taking)
            wire = to_wire(
                BudgetSpent(f"an answer was not read for {wait_s:g} s", remedy="read answers while frames are sent")
            )
            await context.abort(wire.code, wire.message, wire.trailing)
        finally:
            await _end(taking)

    return stream


async def _let_in(requests: AsyncIterator[Any], room: asyncio.Semaphore) -> AsyncGenerator[Any, None]:
    while True:
        await room.acquire()
        try:
            request = await anext(requests)
        except StopAsyncIteration:
            return
        yield request


async def _take(stream: AsyncIterator[bytes], answers: asyncio.Queue[bytes | None]) -> None:
    try:
        async for answer in stream:
            answers.put_nowait(answer)
    finally:
        answers.put_nowait(None)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([task])
