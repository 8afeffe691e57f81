"""The method that searches frames as they stream in, mixed into the ingress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from ray.serve.grpc_util import gRPCInputStream

from outsole.api import convert_frames
from outsole.api.generated.outsole.v1 import video_pb2
from outsole.errors import BudgetSpent, InvalidInput, Overloaded
from services.frame_search import RawFrame, search_frames
from services.parts import SearchParts
from services.queries import DEFAULT_FRAME_K, MAX_FRAME_K, FramesQuery, Target
from services.rpc import ClientGone, GrpcContext, streaming
from services.telemetry import Recorder
from services.validation import in_range

_BUSY_S = 5.0
_MAX_CAMERA = 200
_OF_THE_FIRST = ("gallery", "k", "camera", "edition")
_Request = video_pb2.SearchFramesRequest


class FrameMethods:
    """Whoever has the parts of a search."""

    recorder: Recorder
    _parts: SearchParts
    _frame_streams = 0

    @streaming(video_pb2.SearchFramesResponse)
    async def SearchFrames(
        self, request: gRPCInputStream[_Request], grpc_context: GrpcContext
    ) -> AsyncGenerator[video_pb2.SearchFramesResponse, None]:
        """Answer frames in their order while they come."""
        frames = self._parts.frames
        if self._frame_streams >= frames.streams:
            raise Overloaded(
                f"{self._frame_streams} streams of frames run already",
                remedy="end one of them, or try again later",
                retry_after_s=_BUSY_S,
            )
        self._frame_streams += 1
        try:
            inbox = _Inbox(request, frames.wait_s)
            messages = inbox.messages()
            first = await anext(messages, None)
            if first is None:
                raise InvalidInput("the stream is empty", field="gallery", remedy="name a gallery, and send frames")
            answers = search_frames(frames_query(first), _raw_frames(first, messages), self._parts)
            async with aclosing(messages), aclosing(answers):
                async for answer in answers:
                    yield convert_frames.frame_answer_to_wire(answer)
                    inbox.answered()
        finally:
            self._frame_streams -= 1


def frames_query(first: _Request) -> FramesQuery:
    """What the first message of a stream asks for. Raises ``InvalidInput`` for a field that cannot be used."""
    if not first.gallery:
        raise InvalidInput("no gallery is named", field="gallery", remedy="the name of a gallery that shows shoes")
    if len(first.camera) > _MAX_CAMERA:
        raise InvalidInput(f"{len(first.camera)} characters", field="camera", remedy=f"at most {_MAX_CAMERA}")
    k = in_range(first, "k", (1, MAX_FRAME_K)) or DEFAULT_FRAME_K
    return FramesQuery(Target(first.gallery, first.edition), k, first.camera)


async def _raw_frames(first: _Request, others: AsyncIterator[_Request]) -> AsyncGenerator[RawFrame, None]:
    yield _raw(first)
    async for message in others:
        for name in _OF_THE_FIRST:
            if getattr(message, name):
                raise InvalidInput(
                    f"frame {message.frame} names it again", field=name, remedy="say it in the first message alone"
                )
        yield _raw(message)


def _raw(message: _Request) -> RawFrame:
    return message.frame, message.image, message.time_s if message.HasField("time_s") else None


class _Inbox:
    """The messages of a stream, as long as its client does something.

    Args:
        request: The stream.
        wait_s: Seconds for which a client may do nothing. While an answer is owed to it, it may wait for that.
    """

    def __init__(self, request: gRPCInputStream[_Request], wait_s: float) -> None:
        self._request, self._wait_s = request, wait_s
        self._owed, self._since = 0, time.monotonic()

    def answered(self) -> None:
        """Say that a message was answered."""
        self._owed, self._since = self._owed - 1, time.monotonic()

    async def messages(self) -> AsyncGenerator[_Request, None]:
        """All of them.

        Raises:
            BudgetSpent: None came, and none was owed an answer, for so long.
            ClientGone: The client has left.
        """
        while (message := await self._next()) is not None:
            self._owed, self._since = self._owed + 1, time.monotonic()
            yield message
        if self._request.is_cancelled():
            raise ClientGone

    async def _next(self) -> _Request | None:
        # A wait that is given up would lose the message, so the same one is waited for again.
        coming = asyncio.ensure_future(anext(self._request, None))
        try:
            while not coming.done():
                left_s = self._wait_s if self._owed else self._since + self._wait_s - time.monotonic()
                if left_s <= 0:
                    raise BudgetSpent(
                        f"no frame came for {self._wait_s:g} s",
                        remedy="send frames, read answers as they come, and end the stream",
                    )
                await asyncio.wait([coming], timeout=left_s)
            return coming.result()
        finally:
            coming.cancel()
