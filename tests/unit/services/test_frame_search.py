"""Frames that stream in, inside one process: marked shoes in place of the detectors, a stand-in for the encoder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.serve.grpc_util import gRPCInputStream

from outsole.answers import View
from outsole.api.convert_frames import Answer, frame_answer_from_wire
from outsole.api.errors import DETAILS_KEY, from_status
from outsole.api.generated.outsole.v1 import errors_pb2, video_pb2
from outsole.errors import BudgetSpent, InvalidInput, NotFound, Overloaded, PreconditionFailed, Unavailable
from outsole.frame_answers import FrameAnswer, FramesEnd
from outsole.video.finding import FoundShoes, ShoeFinder
from outsole.video.given import GivenShoe, GivenShoes
from outsole.video.records import Frame
from outsole.video.tracking_settings import TrackingSettings
from services import frame_search
from services.frame_methods import FrameMethods
from services.parts import FrameParts, SearchParts, ServedFinder
from services.telemetry import NullRecorder
from tests.unit.services.shoe_house import BOX, House, furnished, picture, png, png_of

pytest.importorskip("onnxruntime")
Request = video_pb2.SearchFramesRequest
LEFT, TOP, RIGHT, BOTTOM = BOX
GONE_S = TrackingSettings().longest_gap_s
# What nobody is seen beside has to go far before it is taken for a walker.
_STEP = 100


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(furnished(tmp_path_factory.mktemp("home")))


class Recorder(NullRecorder):
    """Keeps what is counted and which stages were measured."""

    def __init__(self) -> None:
        self.counts: list[tuple[str, str]] = []
        self.stages: set[str] = set()

    def add(self, name: str, amount: float, labels: Any) -> None:
        if name == "outsole_requests_total":
            self.counts.append((labels["method"], labels["code"]))

    def observe(self, name: str, value: float, labels: Any) -> None:
        if name == "outsole_stage_latency_ms":
            self.stages.add(labels["stage"])


class Context:
    """Keeps the status of a call."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def set_code(self, code: Any) -> None: ...

    def set_details(self, details: str) -> None: ...

    def set_trailing_metadata(self, trailing: Any) -> None:
        self.error = from_status(errors_pb2.Status.FromString(dict(trailing)[DETAILS_KEY]))


class Host(FrameMethods):
    """The method without the deployment."""

    def __init__(self, parts: SearchParts, finder: ShoeFinder | None, **frames: Any) -> None:
        self.recorder = self.kept = Recorder()
        known = {} if finder is None else {"open_finder": lambda: ServedFinder(finder, {"detector": "ab"})}
        self._parts = replace(parts, frames=FrameParts(**{**known, **frames}), recorder=self.recorder)

    async def search(self, requests: AsyncIterator[Request]) -> list[Answer]:
        """The answers, without the one that carries a status; the status is raised."""
        context, found = Context(), []
        stream: gRPCInputStream[Request] = gRPCInputStream(requests)
        async for message in self.SearchFrames(stream, context):
            found.append(message)
        if context.error is not None:
            context.error.answers = [frame_answer_from_wire(message) for message in found[:-1]]  # type: ignore[attr-defined]
            raise context.error
        return [frame_answer_from_wire(message) for message in found]


async def stream_of(requests: Iterable[Request]) -> AsyncIterator[Request]:
    for request in requests:
        yield request


def frames_of(images: Sequence[bytes], *, every_s: float | None = 0.2, **first: Any) -> list[Request]:
    """A stream of pictures to the gallery of the house."""
    asked = {"gallery": "shoes", **first}
    return [
        Request(frame=n, image=image, time_s=None if every_s is None else n * every_s, **(asked if not n else {}))
        for n, image in enumerate(images)
    ]


def shoe_at(*frames: int, box: tuple[float, float, float, float] = BOX) -> list[GivenShoe]:
    return [GivenShoe(frame, box=box, view=View.FRONT) for frame in frames]


def answered(house: House, requests: Sequence[Request], finder: ShoeFinder | None, **frames: Any) -> list[Answer]:
    found: list[Answer] = house.run(lambda parts: Host(parts, finder, **frames).search(stream_of(requests)))
    return found


def ended(house: House, requests: Sequence[Request], kind: type[Exception], **frames: Any) -> tuple[Any, list[Answer]]:
    """The error that ends a stream, and the answers before it."""
    with pytest.raises(kind) as caught:
        answered(house, requests, GivenShoes(shoe_at(0, 1, 2, 3)), **frames)
    return caught.value, caught.value.answers  # type: ignore[attr-defined]


def test_every_frame_is_answered_in_order_with_the_models_of_its_shoes(house: House) -> None:
    answers = answered(house, frames_of([png(seed % 5) for seed in range(11)], k=2), GivenShoes(shoe_at(*range(9))))
    end = answers.pop()
    assert [answer.frame for answer in answers if isinstance(answer, FrameAnswer)] == list(range(11))
    for number, answer in enumerate(answers):
        assert isinstance(answer, FrameAnswer)
        assert len(answer.sightings) == (number < 9)
        for sighting in answer.sightings:
            assert [hit.rank for hit in sighting.hits] == [1, 2]
            assert (sighting.hits[0].model_id, sighting.box, sighting.view) == (f"model-{number % 5}", BOX, View.FRONT)
            assert sighting.hits[0].score == pytest.approx(1.0, abs=2e-3)
    assert isinstance(end, FramesEnd)
    assert (end.gallery, end.settings["k"], end.settings["detector"]) == ("shoes", "2", "ab")
    counts = end.coverage
    assert (counts.received, counts.decoded, counts.with_shoes, counts.searched) == (11, 11, 9, 9)


def test_the_call_is_measured_as_others_are(house: House) -> None:
    async def work(parts: SearchParts) -> Recorder:
        host = Host(parts, GivenShoes(shoe_at(0)))
        await host.search(stream_of(frames_of([png(0)])))
        return host.kept

    recorder: Recorder = house.run(work)
    assert recorder.counts == [("SearchFrames", "OK")]
    assert recorder.stages == {"decode", "find", "crop", "encode", "candidates", "group"}


def test_a_frame_that_is_no_picture_costs_itself_and_another_size_costs_nothing(house: House) -> None:
    large = png_of(np.concatenate([picture(3)] * 2))
    answers = answered(house, frames_of([png(0), b"junk", b"", large]), GivenShoes(shoe_at(0, 1, 3)))
    errors = [answer.error for answer in answers if isinstance(answer, FrameAnswer)]
    assert [error is None for error in errors] == [True, False, False, True]
    assert all(isinstance(error, InvalidInput) and error.field == "image" for error in errors[1:3])
    last, end = answers[-2:]
    assert isinstance(last, FrameAnswer) and isinstance(end, FramesEnd)
    assert last.sightings[0].hits[0].model_id == "model-3"
    assert (end.coverage.received, end.coverage.decoded, end.coverage.failed, end.coverage.searched) == (4, 2, 2, 2)
    assert any("140 x 200" in warning for warning in end.warnings)
    assert any("2 frames of the stream could not be decoded" in warning for warning in end.warnings)


def test_a_shoe_that_is_too_small_is_told_and_not_searched(house: House) -> None:
    answer, end = answered(house, frames_of([png(0)]), GivenShoes(shoe_at(0, box=(20.0, 20.0, 28.0, 26.0))))
    assert isinstance(answer, FrameAnswer) and isinstance(end, FramesEnd)
    assert (answer.sightings[0].too_small, answer.sightings[0].hits) == (True, ())
    assert (end.coverage.too_small, end.coverage.searched) == (1, 0)


def walk(frames: int, *, shoes: int) -> tuple[list[bytes], list[GivenShoe]]:
    """Somebody in the shoe of seed 2 goes to the right, is gone after so many frames, and the street stays empty."""
    ground = np.full((100, 140 + _STEP * shoes, 3), 128, np.uint8)
    images, marks = [], []
    for number in range(frames):
        street = ground.copy()
        if number < shoes:
            street[:, _STEP * number : _STEP * number + 140] = picture(2)
            marks += shoe_at(number, box=(LEFT + _STEP * number, TOP, RIGHT + _STEP * number, BOTTOM))
        images.append(png_of(street))
    return images, marks


def test_a_walk_past_is_told_once_it_has_ended_though_nobody_comes_after(house: House) -> None:
    images, marks = walk(24, shoes=10)
    answers = answered(house, frames_of(images, camera="door"), GivenShoes(marks))
    told = [(answer.frame, walk) for answer in answers if isinstance(answer, FrameAnswer) for walk in answer.walks]
    ((frame, past),) = told
    # The first frame that is later than the longest gap after the last sighting.
    assert frame == 9 + round(GONE_S / 0.2) + 1
    assert (past.track.camera, past.track.first_frame, past.track.last_frame) == ("door", 0, 9)
    assert (past.track.sightings, past.track.archive, past.track.start) == (10, "", None)
    assert past.hits[0].model_id == "model-2"
    end = answers[-1]
    assert isinstance(end, FramesEnd) and end.walks == ()
    assert end.coverage.tracks == 1
    assert end.coverage.duration_s == pytest.approx(23 * 0.2)


def test_a_walk_past_that_still_goes_on_is_told_at_the_end_and_none_without_times(house: House) -> None:
    images, marks = walk(10, shoes=10)
    end = answered(house, frames_of(images), GivenShoes(marks))[-1]
    assert isinstance(end, FramesEnd)
    assert [past.track.last_frame for past in end.walks] == [9]
    untimed = answered(house, frames_of(images, every_s=None), GivenShoes(marks))[-1]
    assert isinstance(untimed, FramesEnd)
    assert (untimed.walks, untimed.coverage.tracks, untimed.coverage.searched) == ((), 0, 10)
    assert any("without times" in warning for warning in untimed.warnings)


def changed(number: int, **fields: Any) -> list[Request]:
    requests = frames_of([png(0)] * 4)
    for name, value in fields.items():
        setattr(requests[number], name, value)
    return requests


def without_time() -> list[Request]:
    requests = frames_of([png(0)] * 4)
    requests[2].ClearField("time_s")
    return requests


@pytest.mark.parametrize(
    ("requests", "kind", "field", "before"),
    [
        ([], InvalidInput, "gallery", 0),
        (changed(0, gallery=""), InvalidInput, "gallery", 0),
        (changed(0, gallery="site"), InvalidInput, "gallery", 0),
        (changed(0, gallery="nowhere"), NotFound, None, 0),
        (changed(0, edition="none"), NotFound, None, 0),
        (changed(0, k=0), InvalidInput, "k", 0),
        (changed(0, k=101), InvalidInput, "k", 0),
        (changed(0, camera="x" * 201), InvalidInput, "camera", 0),
        (changed(0, frame=-1), InvalidInput, "frame", 0),
        (changed(2, frame=1), InvalidInput, "frame", 2),
        (changed(2, time_s=0.1), InvalidInput, "time_s", 2),
        (changed(2, time_s=float("inf")), InvalidInput, "time_s", 2),
        (without_time(), InvalidInput, "time_s", 2),
        (changed(3, gallery="shoes"), InvalidInput, "gallery", 3),
        (changed(3, camera="yard"), InvalidInput, "camera", 3),
    ],
)
def test_what_cannot_be_used_ends_the_stream_by_field_after_the_answers_before_it(
    house: House, requests: list[Request], kind: type[Exception], field: str | None, before: int
) -> None:
    error, answers = ended(house, requests, kind)
    assert [answer.frame for answer in answers if isinstance(answer, FrameAnswer)] == list(range(before))
    assert len(answers) == before
    assert field is None or (error.field, bool(error.remedy)) == (field, True)


def test_without_the_detectors_it_is_a_failed_precondition(house: House, tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed, match="the detectors of shoes are not there") as caught:
        answered(house, frames_of([png(0)]), None)
    assert caught.value.remedy
    bare = replace(house.settings, model_repository=tmp_path)

    async def opened(parts: SearchParts) -> None:
        from services.ingress import open_finder

        with pytest.raises(NotFound):
            open_finder(bare)
        assert set(parts.frames.open_finder().hashes) == {"footwear_detector", "shoe_key_points", "body_pose"}

    house.run(opened)


class Away:
    """Finds nothing: its networks do not answer."""

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        raise Unavailable("Triton is away", retry_after_s=1.0)


def test_networks_that_stay_away_end_the_stream_and_it_may_be_begun_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_search, "_PATIENCE_S", 0.1)
    with pytest.raises(Unavailable) as caught:
        answered(house, frames_of([png(0)]), Away())
    assert caught.value.retryable


class Held:
    """A finder that holds every batch until it is let go, and counts frames."""

    def __init__(self) -> None:
        self.go, self.frames = asyncio.Event(), 0

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        self.frames += len(frames)
        await self.go.wait()
        return await GivenShoes([]).find(frames, timeout_s=timeout_s)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not condition():
            await asyncio.sleep(0.01)


def test_frames_are_not_read_while_the_networks_are_behind_or_answers_are_not_taken(house: House) -> None:
    async def work(parts: SearchParts) -> None:
        finder, taken = Held(), 0
        requests = frames_of([png(0)] * 40)

        async def counted() -> AsyncIterator[Request]:
            nonlocal taken
            for request in requests:
                taken += 1
                yield request

        host = Host(parts, finder, in_flight=6)
        stream: gRPCInputStream[Request] = gRPCInputStream(counted())
        async with aclosing(host.SearchFrames(stream, Context())) as answers:
            first = asyncio.ensure_future(anext(answers))
            await until(lambda: finder.frames > 0 and taken == 6)
            await asyncio.sleep(0.1)
            assert taken == 6
            finder.go.set()
            await first
            await asyncio.sleep(0.2)
            # One answer was given; the next one lets the next frame in.
            assert taken == 6
            await anext(answers)
            await until(lambda: taken == 7)
        assert host._frame_streams == 0

    house.run(work)


def test_streams_are_few_and_one_that_ends_makes_room(house: House) -> None:
    async def work(parts: SearchParts) -> None:
        finder = Held()
        host = Host(parts, finder, streams=2)
        running = [asyncio.create_task(host.search(stream_of(frames_of([png(0)])))) for _ in range(2)]
        await until(lambda: finder.frames == 2)
        with pytest.raises(Overloaded) as caught:
            await host.search(stream_of(frames_of([png(0)])))
        assert caught.value.remedy and caught.value.retry_after_s
        running[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await running[0]
        finder.go.set()
        assert len(await host.search(stream_of(frames_of([png(0)])))) == 2
        await running[1]
        assert sorted(code for _, code in host.kept.counts) == ["CANCELLED", "OK", "OK", "RESOURCE_EXHAUSTED"]

    house.run(work)


def test_a_client_may_wait_for_an_answer_for_as_long_as_it_takes(house: House) -> None:
    answered_first = asyncio.Event()

    class Slow:
        async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
            await asyncio.sleep(0.5)
            return await GivenShoes([]).find(frames, timeout_s=timeout_s)

    async def one_by_one() -> AsyncIterator[Request]:
        first, second = frames_of([png(0), png(1)])
        yield first
        await answered_first.wait()
        yield second

    async def work(parts: SearchParts) -> list[Any]:
        stream: gRPCInputStream[Request] = gRPCInputStream(one_by_one())
        found = []
        async for message in Host(parts, Slow(), wait_s=0.2).SearchFrames(stream, Context()):
            found.append(message)
            answered_first.set()
        return found

    assert [message.HasField("end") for message in house.run(work)] == [False, False, True]


def test_a_client_that_sends_nothing_is_told_and_one_that_left_is_let_go(house: House) -> None:
    async def waiting() -> AsyncIterator[Request]:
        yield frames_of([png(0)])[0]
        await asyncio.sleep(20.0)

    with pytest.raises(BudgetSpent, match=r"no frame came for 0\.2 s") as caught:
        house.run(lambda parts: Host(parts, GivenShoes([]), wait_s=0.2).search(waiting()))
    assert caught.value.remedy

    async def left(parts: SearchParts) -> Recorder:
        host = Host(parts, GivenShoes([]))
        gone = asyncio.Event()

        async def until_gone() -> AsyncIterator[Request]:
            yield frames_of([png(0)])[0]
            await gone.wait()

        stream: gRPCInputStream[Request] = gRPCInputStream(until_gone(), cancel_event=gone)
        async for _ in host.SearchFrames(stream, Context()):
            gone.set()
        assert host._frame_streams == 0
        return host.kept

    assert house.run(left).counts == [("SearchFrames", "CANCELLED")]
