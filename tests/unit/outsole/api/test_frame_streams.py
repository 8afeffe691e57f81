"""Both clients stream frames to a real gRPC server in this process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from outsole.api import AsyncClient, Client
from outsole.api.convert_frames import Answer, frame_answer_from_wire, frame_answer_to_wire
from outsole.api.records import StreamFrame
from outsole.errors import NotFound
from outsole.frame_answers import FrameAnswer
from tests.unit.outsole.api.made_frames import END, NO_PICTURE, FrameService, answer, frame_service

FRAMES = [StreamFrame(number, bytes([number]), 0.2 * number) for number in range(6)]


class Running:
    """A server, and either client."""

    def __init__(self, kind: str, service: FrameService, target: str) -> None:
        self.kind, self.service, self.target = kind, service, target

    def search(self, frames: Iterator[StreamFrame], **options: object) -> list[Answer]:
        asked = {"gallery": "shoes", **options}
        if self.kind == "blocking":
            with Client(self.target) as client:
                return list(client.search_frames(frames, **asked))  # type: ignore[arg-type]
        return asyncio.run(self._search_async(frames, asked))

    async def _search_async(self, frames: Iterator[StreamFrame], asked: dict[str, object]) -> list[Answer]:
        async with AsyncClient(self.target) as client:
            given = _waited_for(frames) if self.kind == "async" else frames
            return [found async for found in client.search_frames(given, **asked)]  # type: ignore[arg-type]


async def _waited_for(frames: Iterator[StreamFrame]) -> AsyncIterator[StreamFrame]:
    for frame in frames:
        await asyncio.sleep(0)
        yield frame


@pytest.fixture(params=["blocking", "async", "async with plain frames"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with frame_service() as (service, target):
        yield Running(request.param, service, target)


def without_error(answers: list[Answer]) -> list[Answer]:
    """Errors are equal where they say the same."""
    for found in answers:
        if isinstance(found, FrameAnswer) and found.error is not None:
            assert (type(found.error), str(found.error)) == (type(NO_PICTURE), str(NO_PICTURE))
            object.__setattr__(found, "error", NO_PICTURE)
    return answers


def test_answers_survive_the_wire() -> None:
    made: list[Answer] = [*map(answer, range(6)), END]
    assert without_error([frame_answer_from_wire(frame_answer_to_wire(one)) for one in made]) == made


def test_frames_are_sent_with_what_is_asked_in_the_first_and_answers_come_back(running: Running) -> None:
    answers = running.search(iter(FRAMES), k=2, camera="door", edition="e1")
    assert without_error(answers) == [*map(answer, range(6)), END]
    first, *others = running.service.requests
    assert (first.gallery, first.k, first.camera, first.edition) == ("shoes", 2, "door", "e1")
    assert [(one.gallery, one.HasField("k"), one.camera, one.edition) for one in others] == [("", False, "", "")] * 5
    assert [(one.frame, one.image, one.time_s) for one in running.service.requests] == [
        (frame.number, frame.image, frame.time_s) for frame in FRAMES
    ]


def test_an_error_of_the_service_comes_though_frames_are_still_sent(running: Running) -> None:
    never_ending = (StreamFrame(number, b"x" * 10_000) for number in itertools.count())
    with pytest.raises(NotFound) as caught:
        running.search(never_ending, gallery="nowhere")
    assert caught.value.field == "gallery"


def test_an_error_of_the_frames_comes_as_it_is(running: Running) -> None:
    def broken() -> Iterator[StreamFrame]:
        yield FRAMES[0]
        raise RuntimeError("the camera fell down")

    with pytest.raises(RuntimeError, match="fell down"):
        running.search(broken())


def test_an_option_that_is_none_is_refused_before_a_frame_is_asked_for(running: Running) -> None:
    with pytest.raises(TypeError, match="unknown option 'rows'"):
        running.search(iter(()), rows=3)


def test_answers_come_while_frames_are_sent_and_a_stream_that_is_left_ends_at_the_service() -> None:
    answered = threading.Event()

    def frames() -> Iterator[StreamFrame]:
        yield FRAMES[0]
        assert answered.wait(10.0)
        yield FRAMES[1]
        time.sleep(10.0)

    with frame_service() as (service, target), Client(target) as client:
        with contextlib.closing(client.search_frames(frames(), gallery="shoes")) as answers:  # type: ignore[type-var]
            assert next(answers) == answer(0)
            answered.set()
            assert next(answers) == answer(1)
        (call,) = service.calls
        deadline = time.monotonic() + 5.0
        while call.is_active() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not call.is_active()
