"""Answers to frames, and a gRPC service that gives them, for tests of what carries and prints them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc

from outsole.answers import Hit, View
from outsole.api.convert_frames import frame_answer_to_wire
from outsole.api.errors import to_wire
from outsole.api.generated.outsole.v1 import video_pb2_grpc
from outsole.errors import InvalidInput, NotFound
from outsole.frame_answers import FrameAnswer, FramesEnd, FrameSighting, Walk
from tests.unit.outsole.api.made_video import COVERAGE, track

_HITS = (Hit(1, "m1", "i1", 0.75), Hit(2, "m2", "i2", 0.5))
SIGHTINGS = (
    FrameSighting((1.0, 2.0, 61.0, 32.0), (60.0, 30.0), (2.5, 31.0), View.SIDE, 0.75, 57.5, False, _HITS),
    FrameSighting((70.0, 2.0, 80.0, 9.0), (70.0, 9.0), (80.0, 9.0), View.FRONT, 0.25, 7.0, True),
)
UNTIMED = track(is_timed=False)
END = FramesEnd("shoes", "e1", "h1", COVERAGE, (Walk(UNTIMED),), ("two frames were lost",), {"k": "2"})
NO_PICTURE = InvalidInput("it is empty", field="image", remedy="JPEG")


def answer(number: int) -> FrameAnswer:
    """Every third frame is no picture, and with every fifth a walk-past has ended."""
    if number % 3 == 2:
        return FrameAnswer(number, error=NO_PICTURE)
    return FrameAnswer(number, SIGHTINGS, (Walk(UNTIMED, _HITS),) if number % 5 == 4 else ())


class FrameService(video_pb2_grpc.VideoServiceServicer):
    """Answers every frame as it comes; knows one gallery."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.calls: list[grpc.ServicerContext] = []

    def SearchFrames(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        self.calls.append(context)
        for request in requests:
            self.requests.append(request)
            if self.requests[0].gallery != "shoes":
                wire = to_wire(NotFound("no such gallery", field="gallery"))
                context.set_trailing_metadata(wire.trailing)
                context.abort(wire.code, wire.message)
            yield frame_answer_to_wire(answer(request.frame))
        yield frame_answer_to_wire(END)


@contextmanager
def frame_service() -> Iterator[tuple[FrameService, str]]:
    """The service on a free port, and its address."""
    service, server = FrameService(), grpc.server(futures.ThreadPoolExecutor(4))
    video_pb2_grpc.add_VideoServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield service, f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait(5)
