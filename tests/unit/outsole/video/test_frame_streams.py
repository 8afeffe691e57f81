"""Frames that a client sends: what is refused at once, what costs itself, and who waits for whom."""

from __future__ import annotations

import threading

import pytest

from outsole.errors import InvalidInput, Overloaded, PreconditionFailed
from outsole.imaging.decode import DecodeLimits
from outsole.video.frame_streams import FrameStream
from outsole.video.sources import FrameCounts, IssueKind, TimesFrom
from tests.unit.outsole.video.clips import png


def test_frames_come_with_the_senders_numbers_and_times_after_the_first() -> None:
    stream = FrameStream("gate 3")
    for number, time_s in ((4, 100.0), (5, 100.5), (9, 102.0)):
        stream.push(number, png(number), time_s)
    stream.end()
    reading = stream.frames()
    frames = list(reading)
    assert [(frame.number, frame.time_s, int(frame.rgb[0, 0, 0])) for frame in frames] == [
        (4, 0.0, 4),
        (5, 0.5, 5),
        (9, 2.0, 9),
    ]
    assert reading.counts == FrameCounts(received=3, decoded=3)
    assert stream.probe().times_from is TimesFrom.SENDER
    assert (stream.identity().name, stream.identity().sha256) == ("gate 3", None)


def test_a_named_rate_takes_the_place_of_times() -> None:
    stream = FrameStream("gate 3", rate=4.0)
    stream.push(2, png(0))
    stream.push(3, png(0))
    stream.end()
    assert [frame.time_s for frame in stream.frames()] == [0.0, 0.25]
    assert stream.probe().times_from is TimesFrom.RATE


def test_frames_are_read_while_more_are_sent_and_a_full_queue_waits() -> None:
    stream = FrameStream("gate 3", rate=25.0, queued=2)

    def send() -> None:
        for number in range(30):
            stream.push(number, png(number))
        stream.end()

    sender = threading.Thread(target=send)
    sender.start()
    assert [frame.number for frame in stream.frames()] == list(range(30))
    sender.join()


def test_a_sender_that_nobody_reads_is_told_to_wait_and_the_frame_can_be_sent_again() -> None:
    stream = FrameStream("gate 3", rate=25.0, queued=1)
    stream.push(0, png(0))
    with pytest.raises(Overloaded) as caught:
        stream.push(1, png(1), wait_s=0.05)
    assert caught.value.retryable and caught.value.retry_after_s == 0.05
    reading = stream.frames()
    assert next(reading).number == 0
    stream.push(1, png(1))
    assert next(reading).number == 1


def test_a_reader_that_leaves_frees_the_sender() -> None:
    stream = FrameStream("gate 3", rate=25.0, queued=1)
    stream.push(0, png(0))
    failed: list[Exception] = []

    def send() -> None:
        try:
            stream.push(1, png(1), wait_s=60.0)
        except PreconditionFailed as error:
            failed.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    stream.frames().close()
    sender.join(timeout=5.0)
    assert len(failed) == 1


@pytest.mark.parametrize(
    ("number", "time_s", "field"),
    [(-1, 1.0, "number"), (3, 1.0, "number"), (2, 1.0, "number"), (4, None, "time_s"), (4, float("nan"), "time_s")],
)
def test_a_frame_that_cannot_be_placed_is_refused_and_the_stream_goes_on(
    number: int, time_s: float | None, field: str
) -> None:
    stream = FrameStream("gate 3")
    stream.push(3, png(3), 0.0)
    with pytest.raises(InvalidInput) as caught:
        stream.push(number, png(0), time_s)
    assert caught.value.field == field
    stream.push(5, png(5), 1.0)
    stream.end()
    assert [frame.number for frame in stream.frames()] == [3, 5]


def test_times_beside_a_rate_and_pictures_over_the_limit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="time beside a rate"):
        FrameStream("gate 3", rate=4.0).push(0, png(0), 1.0)
    with pytest.raises(InvalidInput, match="bytes"):
        FrameStream("gate 3", rate=4.0, limits=DecodeLimits(max_bytes=10)).push(0, png(0))
    for wrong in ({"rate": 0.0}, {"rate": float("nan")}, {"queued": 0}):
        with pytest.raises(InvalidInput):
            FrameStream("gate 3", **wrong)


def test_a_picture_that_cannot_be_decoded_costs_itself() -> None:
    stream = FrameStream("gate 3", rate=1.0)
    for number, data in enumerate([png(0), png(1)[:30], b"", png(3)]):
        stream.push(number, data)
    stream.end()
    reading = stream.frames()
    assert [frame.number for frame in reading] == [0, 3]
    assert reading.counts == FrameCounts(received=4, decoded=2, failed=2)


def test_times_that_run_backwards_stay_at_the_time_before() -> None:
    stream = FrameStream("gate 3")
    for number, time_s in enumerate([5.0, 6.0, 5.5, 7.0]):
        stream.push(number, png(number), time_s)
    stream.end()
    reading = stream.frames()
    assert [frame.time_s for frame in reading] == [0.0, 1.0, 1.0, 2.0]
    assert [(issue.kind, issue.count, issue.first_frame) for issue in reading.issues] == [(IssueKind.BACKWARDS, 1, 2)]


def test_a_stream_is_read_once_and_takes_nothing_after_its_end() -> None:
    stream = FrameStream("gate 3", rate=1.0)
    stream.end()
    assert list(stream.frames()) == []
    with pytest.raises(PreconditionFailed, match="read already"):
        stream.frames()
    with pytest.raises(PreconditionFailed, match="ended"):
        stream.push(0, png(0))
