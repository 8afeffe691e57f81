"""Frames that a client sends one by one, as a source: checked when they come, decoded when they are read.

One thread puts frames in and waits while the queue is full; another reads them. What is wrong with the order or the
times is the sender's to hear at once; a picture that cannot be decoded costs itself.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

from outsole.errors import InvalidInput, Overloaded, PreconditionFailed
from outsole.imaging.decode import DecodeLimits
from outsole.video.pictures import rgb_of
from outsole.video.records import Frame
from outsole.video.sources import (
    Candidate,
    Identity,
    Notes,
    Probe,
    Reading,
    Selection,
    TimesFrom,
    check_rate,
    read_selected,
)

_LOOKS_AGAIN_S = 0.1
_LIMITS = DecodeLimits()


@dataclass(frozen=True)
class _Sent:
    number: int
    time_s: float
    data: bytes


class FrameStream:
    """Frames as they are sent.

    Args:
        name: What the sender calls the source.
        rate: Frames a second, where the sender gives no times; None where it does.
        limits: Largest picture.
        queued: Frames that wait at most; what bounds the memory.

    Raises:
        InvalidInput: An impossible rate or queue.
    """

    def __init__(
        self, name: str, *, rate: float | None = None, limits: DecodeLimits = _LIMITS, queued: int = 16
    ) -> None:
        check_rate(rate)
        if queued < 1:
            raise InvalidInput(f"queued is {queued}", field="queued", remedy="1 or more")
        self._name = name
        self._rate = rate
        self._limits = limits
        self._queue: queue.Queue[_Sent] = queue.Queue(queued)
        self._ended = threading.Event()
        self._left = threading.Event()
        self._is_read = False
        self._last: int | None = None
        self._first: _Sent | None = None

    def push(self, number: int, data: bytes, time_s: float | None = None, *, wait_s: float = 10.0) -> None:
        """Put a frame in; waits while as many as may wait are waiting.

        Args:
            number: From 0, rising; gaps are frames that the sender left out, and nobody's fault.
            data: A JPEG, PNG, TIFF or WebP.
            time_s: Seconds on the sender's clock, of any beginning; needed unless a rate was named, and not beside it.
            wait_s: How long to wait for room.

        Raises:
            InvalidInput: A number that does not rise, a time that is none, or bytes over the limit. The frame is not
                taken, the stream goes on.
            Overloaded: No room came free; send it again later.
            PreconditionFailed: The stream has ended, or its reader has left.
        """
        sent = self._checked(number, data, time_s)
        until_s = time.monotonic() + wait_s
        while not self._left.is_set():
            try:
                self._queue.put(sent, timeout=_LOOKS_AGAIN_S)
            except queue.Full:
                if time.monotonic() >= until_s:
                    raise Overloaded(
                        f"frame {number} found no room in {wait_s:g} s", field="number", retry_after_s=wait_s
                    ) from None
                continue
            self._first = self._first or sent
            self._last = number
            return
        raise PreconditionFailed("nobody reads this stream any more", field="number", remedy="begin another")

    def end(self) -> None:
        """No frame comes after those that were put in."""
        self._ended.set()

    def identity(self) -> Identity:
        """The sender's name for it; a stream has no bytes to hash."""
        return Identity(self._name, None, None)

    def probe(self) -> Probe:
        """Little is known of a stream before its frames are read."""
        times_from = TimesFrom.SENDER if self._rate is None else TimesFrom.RATE
        return Probe("pictures", 0, 0, None, self._rate, None, self._rate is None, times_from)

    def frames(
        self,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        every_s: float | None = None,
        step: int | None = None,
    ) -> Reading:
        """The frames as they come, once; ends when the stream does.

        Raises:
            PreconditionFailed: It is read already.
        """
        selection = Selection(start_s, end_s, every_s, step)
        if self._is_read:
            raise PreconditionFailed("this stream is read already", field="stream", remedy="read it once")
        self._is_read = True
        notes = Notes()
        return _Once(read_selected(self._candidates(), selection, notes), notes, self._left)

    def _candidates(self) -> Generator[Candidate, None, None]:
        while (sent := self._next()) is not None:
            first = self._first or sent
            yield Candidate(sent.number, sent.time_s - first.time_s, partial(rgb_of, sent.data, self._limits))

    def _next(self) -> _Sent | None:
        while True:
            is_last = self._ended.is_set()  # asked before looking: what was put in before the end is still given
            try:
                return self._queue.get(timeout=0.0 if is_last else _LOOKS_AGAIN_S, block=not is_last)
            except queue.Empty:
                if is_last:
                    return None

    def _checked(self, number: int, data: bytes, time_s: float | None) -> _Sent:
        if self._ended.is_set():
            raise PreconditionFailed("the stream has ended", field="number", remedy="begin another")
        if number < 0 or (self._last is not None and number <= self._last):
            raise InvalidInput(f"number is {number}", field="number", remedy=f"more than {self._last or 0}")
        if len(data) > self._limits.max_bytes:
            raise InvalidInput(
                f"the frame has {len(data)} bytes", field="image", remedy=f"at most {self._limits.max_bytes} bytes"
            )
        if (time_s is None) == (self._rate is None):
            found = "no time and no rate" if time_s is None else "a time beside a rate"
            raise InvalidInput(f"frame {number} has {found}", field="time_s", remedy="one of the two")
        if time_s is None:
            return _Sent(number, number / (self._rate or 1.0), data)
        if not math.isfinite(time_s):
            raise InvalidInput(f"time_s is {time_s}", field="time_s", remedy="a number of seconds")
        return _Sent(number, time_s, data)


class _Once(Reading):
    """A reading whose end tells the sender that nobody reads."""

    def __init__(self, frames: Generator[Frame, None, None], notes: Notes, left: threading.Event) -> None:
        super().__init__(frames, notes)
        self._left = left

    def __next__(self) -> Frame:
        try:
            return super().__next__()
        except BaseException:
            self._left.set()
            raise

    def close(self) -> None:
        self._left.set()
        super().close()
