"""SearchFrames through real Triton, Ray Serve and Milvus Lite: frames go in, hits come out, whatever a client does."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole import cli
from outsole.api import Client
from outsole.api.generated.outsole.v1 import gallery_pb2, gallery_pb2_grpc, video_pb2, video_pb2_grpc
from outsole.api.records import StreamFrame
from outsole.errors import InvalidInput, NotFound, Overloaded
from outsole.frame_answers import FrameAnswer, FramesEnd
from outsole.video.pictures import jpeg_of
from tests.end_to_end.stack import GALLERY, SHOE_GALLERY, SHOE_MODELS, Stack, wait_until
from training.detectors.figures import figures

SIDE_PX, WIDTH_PX, STEPS = 480, 840, 10
JUNK = b"no picture at all " * 3_600
# So large that few lie in gRPC's windows, whose size is gRPC's own: 1 to 8 of these were seen.
LARGE_JUNK = JUNK * 32
# A client that holds little of what it does not read.
NARROW = (("grpc.http2.lookahead_bytes", 4_096), ("grpc.http2.bdp_probe", 0))


def walk() -> Iterator[NDArray[np.uint8]]:
    """Somebody who is drawn goes to the right, uint8 [480, 840, 3]."""
    (figure,) = figures(1, SIDE_PX)
    ground = np.repeat(figure[:, :1], WIDTH_PX, axis=1)
    for step in range(STEPS):
        picture = ground.copy()
        left = round(step * (WIDTH_PX - SIDE_PX) / (STEPS - 1))
        picture[:, left : left + SIDE_PX] = figure
        yield picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The walk as a video, five frames a second."""
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=5, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, SIDE_PX, "yuv420p"
        for number, picture in enumerate(walk()):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def junk(count: int | None = None) -> Iterator[StreamFrame]:
    """Frames that are no pictures."""
    numbers = itertools.count() if count is None else range(count)
    return (StreamFrame(number, JUNK, number / 25) for number in numbers)


def test_a_clip_is_searched_by_the_command_and_its_walker_is_one_row(
    stack: Stack, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["search", "frames", str(clip), "--gallery", SHOE_GALLERY, "-k", "3", "--camera", "door", "--json"]
    assert cli.run([*arguments, "--target", stack.target]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    end = lines.pop()
    assert [line["frame"] for line in lines] == list(range(STEPS))
    seen = [sighting for line in lines for sighting in line["sightings"]]
    assert len(seen) > STEPS
    for sighting in seen:
        assert [hit["rank"] for hit in sighting["hits"]] == ([] if sighting["too_small"] else [1, 2, 3])
    walks = [walk for line in [*lines, end] for walk in line["walks"]]
    assert [walk["track"]["camera"] for walk in walks] == ["door"]
    assert walks[0]["track"]["sightings"] == len(seen)
    assert [hit["rank"] for hit in walks[0]["hits"]] == [1, 2, 3]
    coverage = end["coverage"]
    assert (coverage["received"], coverage["decoded"], coverage["failed"]) == (STEPS, STEPS, 0)
    assert (coverage["with_people"], coverage["shoes"], coverage["tracks"]) == (STEPS, len(seen), 1)
    assert (end["gallery"], end["settings"]["k"]) == (SHOE_GALLERY, "3")


def test_answers_come_while_frames_are_sent_and_junk_costs_itself(stack: Stack, client: Client) -> None:
    answered = threading.Event()
    picture = jpeg_of(next(walk()))

    def frames() -> Iterator[StreamFrame]:
        yield StreamFrame(3, picture, 1.0)
        assert answered.wait(30.0)
        yield StreamFrame(4, JUNK, 1.5)
        yield StreamFrame(9, jpeg_of(np.full((200, 300, 3), 90, np.uint8)), 2.0)

    answers = client.search_frames(frames(), gallery=SHOE_GALLERY, k=SHOE_MODELS)
    first = next(answers)
    answered.set()
    assert isinstance(first, FrameAnswer)
    assert len(first.sightings) == 2
    assert len(first.sightings[0].hits) == SHOE_MODELS
    wrong, other, end = answers
    assert isinstance(wrong, FrameAnswer) and isinstance(other, FrameAnswer) and isinstance(end, FramesEnd)
    assert isinstance(wrong.error, InvalidInput)
    assert (wrong.frame, wrong.error.field, other.frame, other.error) == (4, "image", 9, None)
    assert (end.coverage.received, end.coverage.failed, end.coverage.duration_s) == (3, 1, 1.0)
    assert any("300 x 200" in warning for warning in end.warnings)


@pytest.mark.parametrize(
    ("options", "kind", "field"),
    [
        ({"gallery": GALLERY}, InvalidInput, "gallery"),
        ({"gallery": ""}, InvalidInput, "gallery"),
        ({"gallery": "nowhere"}, NotFound, ""),
        ({"gallery": SHOE_GALLERY, "k": 101}, InvalidInput, "k"),
        ({"gallery": SHOE_GALLERY, "edition": "none"}, NotFound, ""),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_details(
    stack: Stack, client: Client, options: dict[str, Any], kind: type[Exception], field: str
) -> None:
    with pytest.raises(kind) as caught:
        list(client.search_frames(junk(1), **options))
    error: Any = caught.value
    assert error.message and (not field or (error.field, bool(error.remedy)) == (field, True))


def test_every_stream_that_fails_says_why(stack: Stack) -> None:
    with grpc.insecure_channel(stack.target) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)  # type: ignore[no-untyped-call]
        answers = stub.RebuildStore(gallery_pb2.RebuildStoreRequest(gallery="nowhere"), timeout=20)
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert caught.value.trailing_metadata()


def test_a_client_that_does_not_read_stops_what_it_sends_and_is_told_at_a_deadline(stack: Stack) -> None:
    asked = itertools.count()
    sent = 0

    def messages() -> Iterator[video_pb2.SearchFramesRequest]:
        nonlocal sent
        for number in asked:
            sent = number
            yield video_pb2.SearchFramesRequest(
                gallery="" if number else SHOE_GALLERY, frame=number, image=LARGE_JUNK, time_s=number / 25
            )

    def is_still() -> bool:
        before = sent
        time.sleep(1.5 * stack.settings.stream_wait_s)
        return 0 < before == sent

    with grpc.insecure_channel(stack.target, options=NARROW) as channel:
        call = video_pb2_grpc.VideoServiceStub(channel).SearchFrames(messages(), timeout=120)  # type: ignore[no-untyped-call]
        assert wait_until(is_still, 60.0)
        read = 0
        with pytest.raises(grpc.RpcError) as caught:
            for _ in call:
                read += 1
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "was not read" in caught.value.details()
    # What is let in is exact, see tests/unit/services/test_edge.py; gRPC holds some more, and less than that.
    let_in = read + stack.settings.frames_in_flight
    assert read <= sent <= 2 * let_in


def test_streams_are_few_and_one_that_is_left_makes_room(stack: Stack, client: Client) -> None:
    hold = threading.Event()

    def waiting() -> Iterator[StreamFrame]:
        yield StreamFrame(0, JUNK)
        hold.wait(20.0)

    streams = [client.search_frames(waiting(), gallery=SHOE_GALLERY) for _ in range(stack.settings.frame_streams)]
    assert all(isinstance(next(stream), FrameAnswer) for stream in streams)
    with pytest.raises(Overloaded) as caught:
        next(client.search_frames(junk(1), gallery=SHOE_GALLERY))
    assert caught.value.remedy and caught.value.retry_after_s
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]

    def is_free() -> bool:
        try:
            return len(list(client.search_frames(junk(1), gallery=SHOE_GALLERY))) == 2
        except Overloaded:
            return False

    assert wait_until(is_free, 10.0)
    hold.set()


def test_a_client_that_sends_nothing_is_told_at_a_deadline(stack: Stack, client: Client) -> None:
    ended = threading.Event()

    def waiting() -> Iterator[StreamFrame]:
        yield StreamFrame(0, JUNK)
        ended.wait(20.0)

    with pytest.raises(Exception, match="no frame came for"):
        list(client.search_frames(waiting(), gallery=SHOE_GALLERY))
    ended.set()
