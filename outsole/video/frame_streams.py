"""Frames that a client sends one by one: checked when they come, decoded in their turn.

What is wrong with their order or their times ends the stream, since nothing after it could be trusted; a picture that
cannot be decoded costs itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodeLimits
from outsole.video.pictures import rgb_of
from outsole.video.records import Frame
from outsole.video.sources import FrameCounts, IssueKind, Notes, SourceIssue, note_size

FRAME_LIMITS = DecodeLimits(max_bytes=16 * 2**20, max_pixels=16_000_000)
"""A few frames are in memory at once: 16 megapixels are twice those of a 4K camera."""


@dataclass(frozen=True)
class SentFrame:
    """A frame as it was sent.

    Attributes:
        number: The sender's.
        time_s: Seconds after the stream's first frame; 0 where the sender gives no times.
        data: The picture's file.
    """

    number: int
    time_s: float
    data: bytes


class FrameStream:
    """The frames of one sender, in order.

    Args:
        limits: Largest picture.
    """

    def __init__(self, *, limits: DecodeLimits = FRAME_LIMITS) -> None:
        self._limits = limits
        self._notes = Notes()
        self._last: SentFrame | None = None
        self._begun_s: float | None = None
        self._shape: tuple[int, ...] | None = None

    @property
    def is_timed(self) -> bool:
        """Whether the sender gives times; False before the first frame."""
        return self._begun_s is not None

    @property
    def duration_s(self) -> float:
        """From the first frame to the last; 0 without times."""
        return 0.0 if self._last is None else self._last.time_s

    @property
    def counts(self) -> FrameCounts:
        """Frames received, decoded and failed up to here."""
        return self._notes.counts

    @property
    def issues(self) -> tuple[SourceIssue, ...]:
        """What was found wrong up to here, one a kind."""
        return self._notes.issues

    def take(self, number: int, data: bytes, time_s: float | None = None) -> SentFrame:
        """Check the place of the next frame.

        Args:
            number: From 0, rising; gaps are frames that the sender left out, and nobody's fault.
            data: A JPEG, PNG, TIFF or WebP; it is not looked at yet.
            time_s: Seconds on the sender's clock, of any beginning, never falling; given of every frame or of none.

        Raises:
            InvalidInput: A number that does not rise, or a time that is none, falls, or is given of some frames alone.
        """
        last = self._last
        if number < 0 or (last is not None and number <= last.number):
            least = 0 if last is None else last.number + 1
            raise InvalidInput(f"frame is {number}", field="frame", remedy=f"numbers rise: {least} or more")
        self._last = SentFrame(number, self._after_the_first(number, time_s), data)
        self._notes.counts.received += 1
        return self._last

    def _after_the_first(self, number: int, time_s: float | None) -> float:
        if time_s is not None and not math.isfinite(time_s):
            raise InvalidInput(f"time_s is {time_s}", field="time_s", remedy="a number of seconds")
        if self._last is None:
            self._begun_s = time_s
            return 0.0
        if (time_s is None) is self.is_timed:
            found = "no time" if time_s is None else "a time"
            raise InvalidInput(
                f"frame {number} has {found}, unlike those before", field="time_s", remedy="every frame, or none"
            )
        if time_s is None or self._begun_s is None:
            return 0.0
        after_s = time_s - self._begun_s
        if after_s < self._last.time_s:
            raise InvalidInput(
                f"frame {number} is {self._last.time_s - after_s:.3f} s before frame {self._last.number}",
                field="time_s",
                remedy="times never fall",
            )
        return after_s

    def decoded(self, sent: SentFrame) -> Frame:
        """Make the picture of a frame that was taken; frames come here in their order.

        Raises:
            InvalidInput: It cannot be decoded, or is too large; the stream goes on.
        """
        try:
            rgb = rgb_of(sent.data, self._limits)
        except InvalidInput as error:
            self._notes.counts.failed += 1
            self._notes.add(IssueKind.UNDECODABLE, f"frame {sent.number}: {error}", frame=sent.number)
            raise
        if self._shape not in (None, rgb.shape):
            note_size(sent.number, rgb, self._notes)
        self._shape = rgb.shape
        self._notes.counts.decoded += 1
        return Frame(sent.number, sent.time_s, rgb)
