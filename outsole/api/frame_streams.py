"""The two ends of a stream of frames as a client holds them: what it sends, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any

import grpc
import grpc.aio

from outsole.api.convert_frames import Answer, frame_answer_from_wire
from outsole.api.errors import from_rpc_error
from outsole.api.generated.outsole.v1 import video_pb2
from outsole.api.records import FramesOptions, StreamFrame
from outsole.api.video_requests import frame_request

_NOT_SENT = "Internal error from Core"


class Sender:
    """Turns frames into messages as gRPC asks for them, and keeps the error that ends them: gRPC would hide it.

    Args:
        gallery, options: What is asked of all frames.
    """

    def __init__(self, gallery: str, options: FramesOptions) -> None:
        self._gallery, self._options = gallery, options
        self._is_first = True
        self.failure: Exception | None = None

    def messages(self, frames: Iterable[StreamFrame]) -> Generator[video_pb2.SearchFramesRequest, None, None]:
        """One message a frame."""
        try:
            for frame in frames:
                yield self._message(frame)
        except Exception as error:
            self.failure = error
            raise

    async def messages_async(
        self, frames: AsyncIterable[StreamFrame] | Iterable[StreamFrame]
    ) -> AsyncGenerator[video_pb2.SearchFramesRequest, None]:
        """The same where frames may have to be waited for."""
        try:
            if isinstance(frames, AsyncIterable):
                async for frame in frames:
                    yield self._message(frame)
            else:
                for frame in frames:
                    yield self._message(frame)
        except Exception as error:
            self.failure = error
            raise

    def _message(self, frame: StreamFrame) -> video_pb2.SearchFramesRequest:
        is_first, self._is_first = self._is_first, False
        return frame_request(frame, self._options, gallery=self._gallery, is_first=is_first)


def answers(begin: Callable[[], Any], sender: Sender) -> Generator[Answer, None, None]:
    """The answers of a call, which is begun when the first is asked for, and cancelled where they are left.

    Raises:
        OutsoleError: Any of the tree.
        Exception: What the frames themselves raised.
    """
    call = begin()
    try:
        for message in call:
            yield frame_answer_from_wire(message)
    except grpc.RpcError as error:
        raise (sender.failure or from_rpc_error(error)) from error
    finally:
        call.cancel()


async def answers_async(begin: Callable[[], Any], sender: Sender) -> AsyncGenerator[Answer, None]:
    """The same for the asyncio client."""
    call = begin()
    statuses: list[grpc.RpcError] = []
    call.add_done_callback(lambda ended: statuses.append(_status_of(ended)))
    try:
        async for message in call:
            yield frame_answer_from_wire(message)
    except grpc.RpcError as error:
        raise (sender.failure or from_rpc_error(_said_by_the_service(error, statuses))) from error
    except asyncio.CancelledError:
        # grpc.aio cancels a call whose frames fail.
        if sender.failure is not None:
            raise sender.failure from None
        raise
    finally:
        call.cancel()


def _said_by_the_service(error: grpc.RpcError, statuses: Sequence[grpc.RpcError]) -> grpc.RpcError:
    """The status of a call, where a frame that could not be sent any more has put grpc.aio's own in its place."""
    return next((status for status in (error, *statuses) if status.details() != _NOT_SENT), error)


def _status_of(call: Any) -> grpc.RpcError:
    code, details, trailing = (_now(ask()) for ask in (call.code, call.details, call.trailing_metadata))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing or grpc.aio.Metadata(), details)


def _now(answer: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine answers that has nothing to wait for: the status may be another a moment later."""
    try:
        answer.send(None)
    except StopIteration as result:
        return result.value
    answer.close()
    return None
