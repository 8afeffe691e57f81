"""Numbers and times of a video file's frames, from one pass over its packets; nothing is decoded for it.

A frame's number is the place of its timestamp among all timestamps, so that a slice that begins at a key frame in the
middle counts as the whole does, and a lost frame leaves a gap and moves nobody else. Where timestamps cannot say the
order (there are none, or they run backwards) frames are counted from the start of the file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from outsole.errors import DataCorrupt
from outsole.video.sources import TimesFrom

_VERSION = 1
# H.264 and HEVC hold back at most 16 frames.
_MOST_REORDERED = 16
_UNEVEN_SHARE = 0.1
_EVEN_FILES = 0.9
_GAP = 1.5
_RESTART_S = 1.0


@dataclass(frozen=True, slots=True)
class Packet:
    """What a packet says about its frame: timestamps in ticks (None where it has none), and whether it is a key."""

    pts: int | None
    dts: int | None
    is_key: bool


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """The frames of a file, at least one.

    Attributes:
        ticks: int64 [N], timestamps by frame number, never falling; numbers themselves where times come of a rate.
        tick_s: Seconds of a tick.
        entries: int64 [K], numbers of the frames from which decoding can begin, rising; empty unless ``is_exact``.
        seek_ticks: int64 [K], when each is decoded.
        is_exact: Whether a decoded frame's timestamp tells its number; otherwise frames are counted from the start.
        times_from: Presentation, decoding or rate.
        lost: What the container announces and does not have, one sentence; empty where it is whole.
        lost_frames: How many frames that are; 0 where nobody can tell.
        damaged: Places of the container that could not be read.
        size_bytes: Of the file that it was made from.
    """

    ticks: NDArray[np.int64]
    tick_s: Fraction
    entries: NDArray[np.int64]
    seek_ticks: NDArray[np.int64]
    is_exact: bool
    times_from: TimesFrom
    lost: str = ""
    lost_frames: int = 0
    damaged: int = 0
    size_bytes: int = 0

    def __len__(self) -> int:
        return len(self.ticks)

    def seconds(self, ticks: int) -> float:
        """Seconds of a timestamp after the first frame."""
        return float((ticks - int(self.ticks[0])) * self.tick_s)

    def time_s(self, number: int) -> float:
        """Time of a frame; a number beyond the last has the last one's time."""
        return self.seconds(int(self.ticks[min(number, len(self.ticks) - 1)]))

    def number_of(self, ticks: int) -> int | None:
        """Number of the frame with this timestamp; None where there is none."""
        place = int(np.searchsorted(self.ticks, ticks))
        return place if place < len(self.ticks) and self.ticks[place] == ticks else None

    def missing(self, first: int, end: int) -> list[tuple[int, int]]:
        """Where frames are missing before frames ``first`` .. ``end`` - 1: (number of the next frame, about how many).

        Only where nine in ten intervals are alike: in other files an interval says nothing.
        """
        steps = self._steps
        usual = float(np.median(steps)) if len(steps) else 0.0
        if usual <= 0.0 or (np.abs(steps - usual) <= max(_UNEVEN_SHARE * usual, 1.0)).mean() < _EVEN_FILES:
            return []
        after = np.flatnonzero(steps >= _GAP * usual + 1.0) + 1
        after = after[(after >= first) & (after < end)]
        return [(int(number), round(steps[number - 1] / usual) - 1) for number in after]

    def stamps(self) -> Stamps:
        """For reading timestamps that may begin again, frame by frame from the start of the file."""
        usual = float(np.median(self._steps)) if len(self) > 1 else 0.0
        return Stamps(int(self.ticks[0]), self.tick_s, usual_s=usual * float(self.tick_s))

    def first_at(self, time_s: float) -> int:
        """Number of the first frame at or after a time; N where there is none."""
        low, high = 0, len(self.ticks)
        while low < high:  # by the same arithmetic as ``seconds``, so that a slice ends where the next one begins
            middle = (low + high) // 2
            if self.time_s(middle) < time_s:
                low = middle + 1
            else:
                high = middle
        return low

    def seeks_for(self, number: int) -> tuple[int, ...]:
        """Timestamps to try to seek to for decoding a frame; none where that is best done from the start of the file.

        Some containers seek by one kind of timestamp and some by the other: by the first a seek may come out behind the
        key frame, by the second it may come out a key frame too early.
        """
        place = int(np.searchsorted(self.entries, number, side="right")) - 1
        if place <= 0:
            return ()
        return int(self.ticks[self.entries[place]]), int(self.seek_ticks[place])

    @property
    def duration_s(self) -> float | None:
        """From the first frame to the end of the last, which is shown as long as most are; None for a single one."""
        return None if len(self) < 2 else self.time_s(len(self) - 1) + float(np.median(self._steps) * self.tick_s)

    @property
    def average_rate(self) -> float | None:
        """Frames a second between the first and the last; None where that has no meaning."""
        span_s = self.time_s(len(self) - 1)
        return (len(self) - 1) / span_s if span_s > 0.0 else None

    @property
    def is_variable_rate(self) -> bool:
        """Whether an interval differs from most by more than a tenth, and by more than rounding to a tick does."""
        steps = self._steps
        if len(steps) < 2:
            return False
        most = float(np.median(steps))
        return bool((np.abs(steps - most) > max(_UNEVEN_SHARE * most, 1.0)).any())

    @property
    def _steps(self) -> NDArray[np.int64]:
        return np.diff(self.ticks)

    def to_bytes(self) -> bytes:
        """As a file of arrays, about eight bytes a frame, for the workers of other slices."""
        plain = {
            "version": _VERSION,
            "tick_s": [self.tick_s.numerator, self.tick_s.denominator],
            "is_exact": self.is_exact,
            "times_from": self.times_from,
            "lost": self.lost,
            "lost_frames": self.lost_frames,
            "damaged": self.damaged,
            "size_bytes": self.size_bytes,
        }
        buffer = io.BytesIO()
        np.savez(
            buffer,
            plain=np.frombuffer(json.dumps(plain).encode(), np.uint8),
            ticks=self.ticks,
            entries=self.entries,
            seek_ticks=self.seek_ticks,
        )
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> FrameIndex:
        """What ``to_bytes`` wrote.

        Raises:
            DataCorrupt: It is something else, or of another version; make the index again.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                plain = json.loads(arrays["plain"].tobytes())
                if plain.pop("version") != _VERSION:
                    raise ValueError("another version")
                plain["tick_s"] = Fraction(*plain["tick_s"])
                plain["times_from"] = TimesFrom(plain["times_from"])
                return FrameIndex(**{name: arrays[name] for name in ("ticks", "entries", "seek_ticks")}, **plain)
        except Exception as error:  # damaged archives make numpy raise almost anything
            raise DataCorrupt("the index of frames cannot be read", remedy="make it again from the file") from error


class Stamps:
    """Seconds after the first frame, from timestamps that may begin again.

    Where they fall by more than a second they have begun again (two files joined, a recorder that was restarted): the
    frames after it follow the ones before at the usual interval, for the true pause is in no timestamp.
    """

    def __init__(self, first: int, tick_s: Fraction, *, usual_s: float) -> None:
        self._first = first
        self._tick_s = tick_s
        self._usual_s = usual_s
        self._highest_s = 0.0
        self._shift_s = 0.0

    def seconds(self, ticks: int) -> tuple[float, bool]:
        """Time of the next frame, and whether the timestamps begin again with it."""
        plain_s = float((ticks - self._first) * self._tick_s)
        restarts = plain_s + self._shift_s < self._highest_s - _RESTART_S
        if restarts:
            self._shift_s = self._highest_s + self._usual_s - plain_s
        self._highest_s = max(self._highest_s, plain_s + self._shift_s)
        return plain_s + self._shift_s, restarts


def index_packets(packets: Sequence[Packet], *, tick_s: Fraction, rate: Fraction, has_true_pts: bool) -> FrameIndex:
    """Numbers and times from the packets of a file.

    Args:
        packets: Those that are shown, in the order of the file; at least one.
        tick_s: Seconds of a tick.
        rate: Frames a second, for files without any timestamp.
        has_true_pts: Whether presentation timestamps are the container's own; AVI's are made up of decoding timestamps.
    """
    dts = [packet.dts for packet in packets if packet.dts is not None]
    if has_true_pts and (exact := _exact(packets, tick_s)) is not None:
        return exact
    if has_true_pts and any(packet.pts is not None for packet in packets):
        return _counted(_unrolled(packets, tick_s), tick_s, TimesFrom.PRESENTATION)
    if len(dts) == len(packets):
        return _counted(np.sort(np.array(dts, np.int64)), tick_s, TimesFrom.DECODING)
    return _counted(np.arange(len(packets), dtype=np.int64), 1 / rate, TimesFrom.RATE)


def index_seconds(seconds: NDArray[np.float64], times_from: TimesFrom) -> FrameIndex:
    """The index of frames whose times are known: float [N], seconds, never falling; kept to the microsecond."""
    return _counted(np.rint(seconds * 1e6).astype(np.int64), Fraction(1, 1_000_000), times_from)


def _unrolled(packets: Sequence[Packet], tick_s: Fraction) -> NDArray[np.int64]:
    """Timestamps that begin again or run backwards, as rising ticks."""
    known = [packet.pts for packet in packets if packet.pts is not None]
    steps = np.abs(np.diff(np.array(known, np.int64)))
    usual_s = float(np.median(steps) * tick_s) if len(steps) else 0.0
    stamps = Stamps(known[0], tick_s, usual_s=usual_s)
    seconds = np.maximum.accumulate([stamps.seconds(ticks)[0] for ticks in known])
    return known[0] + np.rint(seconds / float(tick_s)).astype(np.int64)


def _counted(ticks: NDArray[np.int64], tick_s: Fraction, times_from: TimesFrom) -> FrameIndex:
    none = np.empty(0, np.int64)
    return FrameIndex(ticks, tick_s, none, none, is_exact=False, times_from=times_from)


def _exact(packets: Sequence[Packet], tick_s: Fraction) -> FrameIndex | None:
    """The index by presentation timestamps; None where they do not give the order of frames."""
    if any(packet.pts is None for packet in packets):
        return None
    pts = np.array([packet.pts for packet in packets], np.int64)
    order = np.argsort(pts, kind="stable")
    numbers = np.empty(len(pts), np.int64)
    numbers[order] = np.arange(len(pts))
    ticks = pts[order]
    if (np.diff(ticks) <= 0).any() or np.abs(numbers - np.arange(len(pts))).max() > _MOST_REORDERED:
        return None
    if not _agree(packets):
        return None
    # Everything before an entry in the file is shown before it; what follows it and is shown before is not needed.
    highest = np.maximum.accumulate(numbers)
    is_entry = np.array([packet.is_key for packet in packets]) & (highest == numbers)
    seeks = np.array([packet.pts if packet.dts is None else min(packet.dts, packet.pts or 0) for packet in packets])
    return FrameIndex(ticks, tick_s, numbers[is_entry], seeks[is_entry].astype(np.int64), True, TimesFrom.PRESENTATION)


def _agree(packets: Sequence[Packet]) -> bool:
    """Whether decoding timestamps rise, and no frame is shown before it is decoded; timestamps set back break one."""
    known = [(packet.dts, packet.pts) for packet in packets if packet.dts is not None and packet.pts is not None]
    if len(known) < 2:
        return True
    dts, pts = np.array(known, np.int64).T
    return bool((np.diff(dts) > 0).all() and (pts >= dts).all())
