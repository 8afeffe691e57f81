"""What every source of frames offers: who it is, what it holds, and its frames with their times.

Files of video, folders and archives of pictures, and streams differ only in how they come by a frame. What they share
is here: slices and sampling, counts for the coverage report, and what was found wrong on the way.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, NotFound
from outsole.video.records import Frame

# Times are sums of fractions: 0.6 / 0.2 is a little less than 3.
_ROUNDING = 1e-6
_HASHED_AT_ONCE = 1 << 20


class TimesFrom(StrEnum):
    """Where the times of a source's frames come from, the best first."""

    PRESENTATION = "presentation"
    """The container's presentation timestamps."""
    SIDECAR = "sidecar"
    """A table beside the pictures."""
    DECODING = "decoding"
    """The container's decoding timestamps: AVI has no others where frames are reordered."""
    RATE = "rate"
    """Number over a rate, because there is nothing better: an elementary stream, or pictures without a table."""


class IssueKind(StrEnum):
    """What can be wrong with a source without ending it."""

    TRUNCATED = "truncated"
    """The file ends before its container says so; what is there was given."""
    DAMAGED = "damaged"
    """Places of the container that cannot be read; reading went on behind them."""
    UNDECODABLE = "undecodable"
    """Frames whose picture cannot be decoded: counted as failed."""
    BACKWARDS = "backwards"
    """Frames whose timestamp is up to a second before that of the frame before: kept, at that frame's time."""
    RESTARTED = "restarted"
    """Timestamps that begin again (files joined end to end): the times after it go on at the usual interval."""
    GAP = "gap"
    """Places where frames are missing in a file whose frames come evenly otherwise; ``count`` is how many are."""
    SIZE_CHANGED = "size_changed"
    """Frames of another size than the one before: kept, in their own size."""
    UNTIMED = "untimed"
    """Pictures that the sidecar does not name: left out."""


@dataclass(frozen=True)
class SourceIssue:
    """Something wrong with a source, that a coverage report tells.

    Attributes:
        kind: What it is.
        message: One sentence about its first occurrence.
        count: How many frames (or places) it concerns; 0 where nobody can tell how many are lost.
        first_frame: Number of the first frame that it concerns; None where no frame stands for it.
    """

    kind: IssueKind
    message: str
    count: int = 1
    first_frame: int | None = None

    def __str__(self) -> str:
        return self.message if self.count < 2 else f"{self.message} ({self.count} times)"


@dataclass(frozen=True)
class Identity:
    """Which original it is.

    Attributes:
        name: Native file name, without its folder; a stream has the name that its sender gave.
        sha256: Hex digest of the original bytes; of a folder, of its sorted list of names and digests. None for a
            stream, whose bytes nobody has as a whole.
        size_bytes: Of the original; None for a stream.
    """

    name: str
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True)
class Probe:
    """What a source holds, as found and not as announced.

    Attributes:
        codec: FFmpeg's name of the codec, or ``pictures``.
        width_px, height_px: Of the first frame, as it stands upright; 0 where it is not known before a frame came.
        frames: How many there are; None while a stream runs.
        average_rate: Frames a second over the whole source; None where that has no meaning (one frame, no frames).
        duration_s: From the first frame to the end of the last; None where it is not known.
        is_variable_rate: Whether frames come at uneven intervals. Their times are right either way.
        times_from: Where the times come from.
        created: The container's creation time, with its zone; None where it has none. Some recorders write the end.
        sidecar_start: Time of the first frame in the sidecar, with or without a zone; None where it has only seconds.
    """

    codec: str
    width_px: int
    height_px: int
    frames: int | None
    average_rate: float | None
    duration_s: float | None
    is_variable_rate: bool
    times_from: TimesFrom
    created: datetime | None = None
    sidecar_start: datetime | None = None


@dataclass
class FrameCounts:
    """The sources' part of the coverage report; at the end of a reading received = skipped + decoded + failed.

    Attributes:
        received: Frames that the slice holds, as far as it was read.
        skipped: Of those, left out by ``every_s`` or ``step``.
        decoded: Of those, given.
        failed: Of those, wanted and lost.
    """

    received: int = 0
    skipped: int = 0
    decoded: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Selection:
    """Which frames are wanted; the same frames with the same numbers and times, whatever the slice.

    Attributes:
        start_s: First time, seconds after the source's first frame; None is the beginning.
        end_s: Time at which to stop, itself not included; None is the end.
        every_s: Only the first frame at or after each multiple of it, seconds; None is every frame.
        step: Only frames whose number it divides; None is every frame.
    """

    start_s: float | None = None
    end_s: float | None = None
    every_s: float | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        for field in ("start_s", "end_s", "every_s"):
            value = getattr(self, field)
            if value is not None and not (math.isfinite(value) and value >= 0.0):
                raise InvalidInput(f"{field} is {value}", field=field, remedy="0 or more seconds")
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise InvalidInput(f"end_s is {self.end_s}", field="end_s", remedy="later than start_s")
        if self.every_s is not None and self.step is not None:
            raise InvalidInput("every_s and step are both given", field="step", remedy="one of them")
        if self.every_s == 0.0:
            raise InvalidInput("every_s is 0", field="every_s", remedy="more than 0 seconds")
        if self.step is not None and self.step < 1:
            raise InvalidInput(f"step is {self.step}", field="step", remedy="1 or more")

    def is_past(self, time_s: float) -> bool:
        """Whether the slice ends before this time."""
        return self.end_s is not None and time_s >= self.end_s

    def is_before(self, time_s: float) -> bool:
        """Whether the slice begins after this time."""
        return self.start_s is not None and time_s < self.start_s

    def takes(self, number: int, time_s: float, before_s: float | None) -> bool:
        """Whether a frame of the slice is sampled; ``before_s`` is the time of the frame before it."""
        if self.step is not None:
            return number % self.step == 0
        if self.every_s is None or before_s is None:
            return True
        return math.floor(time_s / self.every_s + _ROUNDING) > math.floor(before_s / self.every_s + _ROUNDING)


@dataclass(frozen=True)
class Candidate:
    """A frame that a source has, before anyone knows whether it is wanted.

    Attributes:
        number, time_s: As in ``Frame``; the time as the source has it.
        picture: Gives uint8 [H, W, 3], or raises InvalidInput; None where it is lost.
    """

    number: int
    time_s: float
    picture: Callable[[], NDArray[np.uint8]] | None


class Notes:
    """What a reading counts and finds wrong, filled while it is read."""

    def __init__(self) -> None:
        self.counts = FrameCounts()
        self._issues: dict[IssueKind, SourceIssue] = {}

    @property
    def issues(self) -> tuple[SourceIssue, ...]:
        """One a kind, in the order in which they were met."""
        return tuple(self._issues.values())

    def add(self, kind: IssueKind, message: str, *, count: int = 1, frame: int | None = None) -> None:
        """Note an occurrence; the first of a kind gives the message, the later ones are counted."""
        known = self._issues.get(kind)
        self._issues[kind] = (
            SourceIssue(kind, message, count, frame) if known is None else replace(known, count=known.count + count)
        )


class Reading:
    """Frames of a slice, one at a time, with what was counted and found wrong so far.

    Leave it by its end, by ``close`` or as a context manager; each gives the file back.
    """

    def __init__(self, frames: Generator[Frame, None, None], notes: Notes) -> None:
        self._frames = frames
        self._notes = notes

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def counts(self) -> FrameCounts:
        """Frames received, skipped, decoded and failed up to here."""
        return self._notes.counts

    @property
    def issues(self) -> tuple[SourceIssue, ...]:
        """What was found wrong up to here, one a kind."""
        return self._notes.issues

    def close(self) -> None:
        """Stop here; may be called again."""
        self._frames.close()


class FrameSource(Protocol):
    """Something that has frames."""

    def identity(self) -> Identity:
        """Native name, hash and size of the original; reads all of its bytes the first time."""

    def probe(self) -> Probe:
        """What it holds; no more than the first picture is decoded for it."""

    def frames(
        self,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        every_s: float | None = None,
        step: int | None = None,
    ) -> Reading:
        """The frames of [start_s, end_s), see ``Selection``; one in memory at a time."""


def read_selected(
    candidates: Generator[Candidate, None, None], selection: Selection, notes: Notes
) -> Generator[Frame, None, None]:
    """Cut, sample and count what a source has; a picture is made only where it is wanted.

    A time before that of the frame before is raised to it. ``candidates`` come from the frame before the slice on, at
    the latest, so that what is sampled does not hang on where the slice begins.
    """
    counts = notes.counts
    before_s: float | None = None
    shape: tuple[int, ...] | None = None
    with closing(candidates):
        for candidate in candidates:
            time_s = _never_falling(candidate, before_s, selection, notes)
            if selection.is_past(time_s):
                return
            is_taken = selection.takes(candidate.number, time_s, before_s)
            before_s = time_s
            if selection.is_before(time_s):
                continue
            counts.received += 1
            if not is_taken:
                counts.skipped += 1
                continue
            rgb = _picture(candidate, notes)
            if rgb is None:
                continue
            if shape not in (None, rgb.shape):
                note_size(candidate.number, rgb, notes)
            shape = rgb.shape
            counts.decoded += 1
            yield Frame(candidate.number, time_s, rgb)


def _never_falling(candidate: Candidate, before_s: float | None, selection: Selection, notes: Notes) -> float:
    if before_s is None or candidate.time_s >= before_s:
        return candidate.time_s
    if not selection.is_before(before_s):
        notes.add(
            IssueKind.BACKWARDS,
            f"frame {candidate.number} is {before_s - candidate.time_s:.3f} s before the frame before it",
            frame=candidate.number,
        )
    return before_s


def _picture(candidate: Candidate, notes: Notes) -> NDArray[np.uint8] | None:
    message = f"frame {candidate.number} cannot be decoded"
    try:
        if candidate.picture is not None:
            return candidate.picture()
    except InvalidInput as error:
        message = f"frame {candidate.number}: {error}"
    notes.counts.failed += 1
    notes.add(IssueKind.UNDECODABLE, message, frame=candidate.number)
    return None


def note_size(number: int, rgb: NDArray[np.uint8], notes: Notes) -> None:
    """Note that pictures have another size from a frame on."""
    height, width = rgb.shape[:2]
    notes.add(IssueKind.SIZE_CHANGED, f"from frame {number} on pictures are {width} x {height} px", frame=number)


def check_rate(rate: float | None) -> None:
    """Refuse a rate that no camera has.

    Raises:
        InvalidInput: Not above 0, or above 1000 frames a second.
    """
    if rate is not None and not 0.0 < rate <= 1000.0:
        raise InvalidInput(f"rate is {rate}", field="rate", remedy="more than 0 and at most 1000 frames a second")


def identify_file(path: Path) -> Identity:
    """Name, sha256 and size of a file, read in pieces.

    Raises:
        NotFound: There is no such file, or it may not be read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_HASHED_AT_ONCE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise NotFound(f"{path} cannot be read", field="path", remedy="a file that exists and may be read") from error
    return Identity(path.name, digest.hexdigest(), size)
