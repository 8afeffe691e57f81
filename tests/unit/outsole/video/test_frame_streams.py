"""Frames that a client sends: what ends the stream, and what costs itself."""

from __future__ import annotations

import pytest

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodeLimits
from outsole.video.frame_streams import FRAME_LIMITS, FrameStream
from outsole.video.sources import FrameCounts, IssueKind
from tests.unit.outsole.video.clips import png


def test_frames_keep_the_senders_numbers_and_count_their_times_from_the_first() -> None:
    stream = FrameStream()
    sent = [stream.take(number, png(number), time_s) for number, time_s in ((4, 100.0), (5, 100.5), (9, 100.5))]
    frames = [stream.decoded(one) for one in sent]
    found = [(frame.number, frame.time_s, int(frame.rgb[0, 0, 0])) for frame in frames]
    assert found == [(4, 0.0, 4), (5, 0.5, 5), (9, 0.5, 9)]
    assert stream.counts == FrameCounts(received=3, decoded=3)
    assert (stream.is_timed, stream.duration_s, stream.issues) == (True, 0.5, ())


def test_frames_without_times_are_all_at_the_beginning() -> None:
    stream = FrameStream()
    assert [stream.take(number, b"").time_s for number in range(3)] == [0.0, 0.0, 0.0]
    assert (stream.is_timed, stream.duration_s) == (False, 0.0)


@pytest.mark.parametrize(
    ("number", "time_s", "field"),
    [
        (-1, 2.0, "frame"),
        (3, 2.0, "frame"),
        (2, 2.0, "frame"),
        (4, None, "time_s"),
        (4, float("nan"), "time_s"),
        (4, 0.9, "time_s"),
    ],
)
def test_a_frame_without_its_place_is_refused_by_field(number: int, time_s: float | None, field: str) -> None:
    stream = FrameStream()
    stream.take(3, b"", 1.0)
    with pytest.raises(InvalidInput) as caught:
        stream.take(number, b"", time_s)
    assert caught.value.field == field
    assert caught.value.remedy


def test_a_time_after_frames_without_is_refused_and_so_is_a_first_number_below_zero() -> None:
    stream = FrameStream()
    with pytest.raises(InvalidInput, match="0 or more"):
        stream.take(-1, b"")
    stream.take(0, b"")
    with pytest.raises(InvalidInput, match="every frame, or none"):
        stream.take(1, b"", 1.0)


def test_a_picture_that_cannot_be_decoded_costs_itself() -> None:
    stream = FrameStream(limits=DecodeLimits(max_bytes=2_000))
    decoded = []
    for number, data in enumerate([png(0), png(1)[:30], b"", b"x" * 2_001, png(3)]):
        sent = stream.take(number, data)
        try:
            decoded.append(stream.decoded(sent).number)
        except InvalidInput as error:
            assert error.field == "image"
    assert decoded == [0, 4]
    assert stream.counts == FrameCounts(received=5, decoded=2, failed=3)
    assert [(issue.kind, issue.count, issue.first_frame) for issue in stream.issues] == [(IssueKind.UNDECODABLE, 3, 1)]


def test_a_frame_of_another_size_is_taken_and_told() -> None:
    stream = FrameStream()
    for number, size_px in enumerate([(20, 16), (20, 16), (40, 32)]):
        stream.decoded(stream.take(number, png(number, size_px)))
    assert stream.counts.decoded == 3
    assert [(issue.kind, issue.first_frame) for issue in stream.issues] == [(IssueKind.SIZE_CHANGED, 2)]


def test_a_stream_takes_a_frame_of_the_largest_cameras_and_no_more() -> None:
    assert 3840 * 2160 < FRAME_LIMITS.max_pixels < 2 * 3840 * 2160
