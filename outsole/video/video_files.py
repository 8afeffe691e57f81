"""Video files of any container that FFmpeg reads; the only module that imports PyAV.

A file is gone through twice: once over its packets, which gives numbers and times (``frame_index``), and once decoding
the slice that is wanted, one frame in memory. Where a file is damaged, which frames can be decoded may hang on where
decoding began; numbers and times do not. Errors of FFmpeg end here: what cannot be opened is an error of
``outsole.errors``, what breaks on the way is counted and costs its own frame.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, MissingPart, NotFound, PreconditionFailed
from outsole.video.frame_index import FrameIndex, Packet, index_packets
from outsole.video.sources import (
    Candidate,
    Identity,
    IssueKind,
    Notes,
    Probe,
    Reading,
    Selection,
    TimesFrom,
    check_rate,
    identify_file,
    read_selected,
)

# Lists of other files and addresses, which a file that claims to be a video must not make FFmpeg open, and text, which
# FFmpeg draws as a video of a terminal.
_NOT_FILES = {"concat", "dash", "hls", "image2", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"}
_NOT_VIDEOS = {"adf", "bin", "idf", "tty", "xbin"}
_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(av.formats_available - _NOT_FILES - _NOT_VIDEOS)),
}
_STRICT = {"err_detect": "explode"}
_MOST_ERRORS_IN_A_ROW = 10
# Sound may go on a little longer than the pictures, and headers are rounded.
_MISSING_S = 1.0
_USUAL_RATE = Fraction(25)
_COVER_PICTURE = av.stream.Disposition.attached_pic
# The first byte of a VP8 frame says whether it is shown; the others only help to decode.
_VP8_SHOWN = 0x10
_CREATED = ("com.apple.quicktime.creationdate", "creation_time", "date")
_UNSET_CLOCKS = (1904, 1970)


class VideoFile:
    """Frames of a video file.

    Args:
        path: The file; it is only read.
        index: Its index, where it was made before; otherwise it is made when first needed.
        rate: Frames a second for a file without any timestamps (an elementary stream); None takes what its codec says.
        threads: Of the decoder.
        keep_patched: Also give pictures that the decoder patched up from their neighbours where bytes are damaged. They
            show what was not there at that time, so they have failed unless they are asked for.

    Raises:
        NotFound: There is no such file.
        InvalidInput: Zero bytes, not a video, no pictures in it (sound alone), or an impossible rate.
        MissingPart: Its codec is not in this FFmpeg.
        PreconditionFailed: The index is that of another file.
    """

    def __init__(
        self,
        path: Path,
        *,
        index: FrameIndex | None = None,
        rate: float | None = None,
        threads: int = 1,
        keep_patched: bool = False,
    ) -> None:
        check_rate(rate)
        self._path = path
        self._given = index
        self._rate = rate
        self._threads = threads
        self._options = {} if keep_patched else _STRICT
        size_bytes = _size_of(path)
        if index is not None and index.size_bytes != size_bytes:
            raise PreconditionFailed(
                f"the index was made from {index.size_bytes} bytes and {path.name} has {size_bytes}",
                field="index",
                remedy="make it again",
            )
        with _opened(path):
            pass

    @cached_property
    def _identity(self) -> Identity:
        return identify_file(self._path)

    @cached_property
    def index(self) -> FrameIndex:
        """Numbers and times of its frames; reads the file once, without decoding.

        Raises:
            InvalidInput: There is not one frame in it.
        """
        return self._given or _index(self._path, self._rate)

    def identity(self) -> Identity:
        """Native name, sha256 and size of the file."""
        return self._identity

    def probe(self) -> Probe:
        """What the file holds; rate and duration come from its packets, not from its header."""
        index = self.index
        with _opened(self._path) as (container, stream):
            width_px, height_px = _upright_size(container, stream)
            return Probe(
                codec=stream.codec_context.name,
                width_px=width_px,
                height_px=height_px,
                frames=len(index),
                average_rate=index.average_rate,
                duration_s=index.duration_s,
                is_variable_rate=index.is_variable_rate,
                times_from=index.times_from,
                created=_created(container, stream),
            )

    def frames(
        self,
        start_s: float | None = None,
        end_s: float | None = None,
        *,
        every_s: float | None = None,
        step: int | None = None,
    ) -> Reading:
        """The frames of [start_s, end_s), see ``Selection``; decoding begins at a key frame before the slice."""
        selection = Selection(start_s, end_s, every_s, step)
        notes = Notes()
        candidates = self._exact(selection, notes) if self.index.is_exact else self._counted(notes)
        return Reading(read_selected(candidates, selection, notes), notes)

    def _exact(self, selection: Selection, notes: Notes) -> Generator[Candidate, None, None]:
        """Every frame of the slice by its timestamp; what the decoder does not give is lost."""
        index = self.index
        first = index.first_at(selection.start_s or 0.0)
        end = len(index) if selection.end_s is None else index.first_at(selection.end_s)
        if first > 0:
            yield Candidate(first - 1, index.time_s(first - 1), None)
        due = first
        for number, picture in self._numbered(first):
            if due <= number:
                yield from (Candidate(lost, index.time_s(lost), None) for lost in range(due, min(number, end)))
                due = number + 1
            if number >= end:
                return
            if number == due - 1:
                yield Candidate(number, index.time_s(number), partial(_rgb, picture))
        yield from (Candidate(lost, index.time_s(lost), None) for lost in range(due, end))
        self._note_missing(first, end, notes)
        if end == len(index):
            self._note_end(notes)

    def _numbered(self, first: int) -> Iterator[tuple[int, Any]]:
        """Decoded frames from ``first`` on, at the latest, with their numbers."""
        for seek in self.index.seeks_for(first):
            numbered = self._decoded(seek)
            head = next(numbered, None)
            # Where seeking came out behind the slice, or the key frame is broken, only the whole file tells.
            if head is not None and head[0] <= first:
                yield head
                yield from numbered
                return
        yield from self._decoded(None)

    def _decoded(self, seek: int | None) -> Iterator[tuple[int, Any]]:
        with _decoding(self._path, self._threads, self._options) as (container, stream):
            if seek is not None:
                try:
                    container.seek(seek, stream=stream, backward=True)
                except av.FFmpegError:
                    return
            for picture in _pictures(container, stream):
                if picture is None or picture.pts is None or picture.is_corrupt:
                    continue
                number = self.index.number_of(picture.pts)
                if number is not None:
                    yield number, picture

    def _counted(self, notes: Notes) -> Generator[Candidate, None, None]:
        """Every frame from the start of the file, counted; only what the decoder complains about is known as lost."""
        stamps = self.index.stamps() if self.index.times_from is TimesFrom.PRESENTATION else None
        time_s = 0.0
        with _decoding(self._path, self._threads, self._options) as (container, stream):
            for number, picture in enumerate(_pictures(container, stream)):
                if stamps is None:
                    time_s = self.index.time_s(number)
                elif picture is not None and picture.pts is not None:
                    time_s, restarts = stamps.seconds(picture.pts)
                    if restarts:
                        message = f"timestamps begin again at frame {number}; how long the pause was is not known"
                        notes.add(IssueKind.RESTARTED, message, frame=number)
                is_lost = picture is None or picture.is_corrupt
                yield Candidate(number, time_s, None if is_lost else partial(_rgb, picture))
        self._note_missing(0, len(self.index), notes)
        self._note_end(notes)

    def _note_missing(self, first: int, end: int, notes: Notes) -> None:
        for number, count in self.index.missing(first, end):
            notes.add(IssueKind.GAP, f"before frame {number} about {count} are missing", count=count, frame=number)

    def _note_end(self, notes: Notes) -> None:
        index = self.index
        if index.damaged:
            notes.add(IssueKind.DAMAGED, "places of the file cannot be read", count=index.damaged)
        if index.lost:
            notes.add(IssueKind.TRUNCATED, index.lost, count=index.lost_frames)


def _size_of(path: Path) -> int:
    if not path.is_file():
        raise NotFound(f"there is no file {path}", field="path", remedy="a file that exists")
    size_bytes = path.stat().st_size
    if not size_bytes:
        raise InvalidInput(f"{path.name} is empty (0 bytes)", field="path", remedy="a whole video file")
    return size_bytes


@contextmanager
def _decoding(path: Path, threads: int, options: dict[str, str]) -> Iterator[tuple[Any, Any]]:
    """Container and video stream, for reading pictures."""
    with _opened(path) as (container, stream):
        stream.codec_context.thread_count = threads
        stream.codec_context.options = options
        yield container, stream


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Container and video stream."""
    try:
        # An absolute path is never taken for a protocol.
        container = av.open(str(path.absolute()), options=_OPTIONS)
    except (FileNotFoundError, PermissionError) as error:  # PyAV's own are these as well
        raise NotFound(f"{path} cannot be read", field="path", remedy="a file that may be read") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InvalidInput(
            f"{path.name} is not a video, or its beginning or table of contents is missing",
            field="path",
            remedy="a whole file of a container that FFmpeg reads",
        ) from error
    with container:
        yield container, _video_stream(container, path.name)


def _video_stream(container: Any, name: str) -> Any:
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER_PICTURE]
    if not streams:
        raise InvalidInput(f"{name} has no pictures, only sound or data", field="path", remedy="a video file")
    if streams[0].codec_context is None:
        raise MissingPart(
            f"the codec of {name} is not in this FFmpeg",
            field="path",
            remedy="have the recorder's own player export it as H.264",
        )
    return streams[0]


def _packets(container: Any, stream: Any, errors: list[Exception]) -> Iterator[Any]:
    """Packets with something in them; reading goes on behind what cannot be read, which is appended to ``errors``."""
    in_a_row = 0
    while in_a_row < _MOST_ERRORS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    in_a_row = 0
                    yield packet
            return
        except av.FFmpegError as error:
            in_a_row += 1
            errors.append(error)


def _pictures(container: Any, stream: Any) -> Iterator[Any]:
    """Decoded frames in the order in which they are shown; None where the decoder gave up on a packet."""
    for packet in _packets(container, stream, []):
        try:
            yield from stream.decode(packet)
        except av.FFmpegError:
            yield None
    try:
        yield from stream.decode(None)
    except av.FFmpegError:
        return


def _index(path: Path, rate: float | None) -> FrameIndex:
    errors: list[Exception] = []
    with _opened(path) as (container, stream):
        is_vp8 = stream.codec_context.name == "vp8"
        hidden = 0
        packets = []
        for packet in _packets(container, stream, errors):
            if packet.is_discard or (is_vp8 and not memoryview(packet)[0] & _VP8_SHOWN):
                hidden += 1
            else:
                packets.append(Packet(packet.pts, packet.dts, packet.is_keyframe))
        if not packets:
            raise InvalidInput(f"{path.name} has not one frame", field="path", remedy="a whole video file")
        index = index_packets(
            packets,
            tick_s=Fraction(stream.time_base),
            rate=Fraction(rate).limit_denominator(100_000) if rate else stream.guessed_rate or _USUAL_RATE,
            has_true_pts=container.format.name != "avi" or not stream.codec_context.has_b_frames,
        )
        lost, lost_frames = _lost(stream, index, hidden)
    return replace(index, lost=lost, lost_frames=lost_frames, damaged=len(errors), size_bytes=path.stat().st_size)


def _lost(stream: Any, index: FrameIndex, hidden: int) -> tuple[str, int]:
    """What the container announces beyond what is there: a sentence, and how many frames."""
    missing = stream.frames - len(index) - hidden
    rate = float(stream.average_rate or _USUAL_RATE)
    there_s = max(index.duration_s or 0.0, float(index.ticks[-1] * index.tick_s))
    # An AVI also announces frames that its recorder dropped; those are no loss at the end.
    if missing > 0 and stream.frames / rate - there_s > missing / (2 * rate):
        return f"the file announces {stream.frames} frames and has {len(index) + hidden}", missing
    announced_s = _announced_s(stream)
    if announced_s > there_s + _MISSING_S:
        return f"the file announces {announced_s:.1f} s and has {there_s:.1f} s", 0
    return "", 0


def _announced_s(stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return 0.0


def _created(container: Any, stream: Any) -> datetime | None:
    """The creation time; a clock that was never set (its system's first year) is none."""
    for tags in (container.metadata, stream.metadata):
        for name in _CREATED:
            try:
                created = datetime.fromisoformat(tags.get(name, ""))
            except ValueError:
                continue
            if created.year not in _UNSET_CLOCKS and "T" in tags[name]:
                return created if created.tzinfo else created.replace(tzinfo=UTC)
    return None


def _upright_size(container: Any, stream: Any) -> tuple[int, int]:
    width_px, height_px = stream.codec_context.width, stream.codec_context.height
    picture = next((picture for picture in _pictures(container, stream) if picture is not None), None)
    if picture is None:
        return width_px, height_px
    is_turned = picture.rotation % 180 != 0
    return (picture.height, picture.width) if is_turned else (picture.width, picture.height)


def _rgb(picture: Any) -> NDArray[np.uint8]:
    """uint8 [H, W, 3], turned upright as the file says."""
    try:
        rgb: NDArray[np.uint8] = picture.to_ndarray(format="rgb24")
    except (av.FFmpegError, ValueError) as error:
        raise InvalidInput("its pixels cannot be turned to RGB", field="frame") from error
    quarters = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(rgb, quarters)) if quarters else rgb
