"""Frames of original recordings, decoded again for a report, and the shoe that was seen marked in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Point, ShoeMarks
from outsole.errors import OutsoleError
from outsole.video.opening import open_source
from outsole.video.sources import FrameSource
from outsole.video_answers import SourceInfo, TrackInfo

_SHOWN_WIDTH_PX = 960
_JPEG_QUALITY = 85
# Frames before the best one are decoded as well: a time may have been rounded on its way.
_LEAD_S = 0.5
_GREEN = (64, 220, 64)


@dataclass(frozen=True)
class FullFrame:
    """A frame of an original, or why there is none.

    Attributes:
        jpeg: The frame with the shoe's box drawn in, JPEG bytes; empty where there is none.
        remark: A sentence: that the original has its hash, or why it is not shown.
    """

    jpeg: bytes
    remark: str


class Originals:
    """The originals of tracks where they still lie where they were read; each is looked at once.

    Args:
        sources: Sources by archive and id.
    """

    def __init__(self, sources: Mapping[tuple[str, str], SourceInfo]) -> None:
        self._sources = sources
        self._opened: dict[tuple[str, str], FrameSource | str] = {}

    def frame(self, track: TrackInfo) -> FullFrame:
        """The best frame of a track, as large as a report shows it."""
        key = (track.archive, track.source_id)
        if key not in self._opened:
            self._opened[key] = self._open(key)
        source = self._opened[key]
        if isinstance(source, str):
            return FullFrame(b"", source)
        try:
            rgb = _decoded(source, track)
        except OutsoleError as error:
            return FullFrame(b"", f"The original could not be decoded again: {error}.")
        if rgb is None:
            return FullFrame(b"", f"Frame {track.best_frame} could not be decoded again from the original.")
        return FullFrame(_marked(rgb, track), "Decoded again from the original, whose sha256 is the recorded one.")

    def _open(self, key: tuple[str, str]) -> FrameSource | str:
        """The original, or a sentence that says why it cannot be shown."""
        record = self._sources.get(key)
        if record is None:
            return "The archive does not say where the original is."
        path = Path(record.path)
        if not path.exists():
            return "The original is not on this machine where it was read; only the crop is shown."
        try:
            # Its size is compared first: reading a large file for nothing takes long.
            if path.is_file() and path.stat().st_size != record.size_bytes:
                return "The file at the original's place has another size; only the crop is shown."
            source = open_source(path)
            if source.identity().sha256 != record.sha256:
                return "The file at the original's place has another sha256; only the crop is shown."
        except (OutsoleError, OSError) as error:
            return f"The original cannot be read on this machine: {error}."
        return source


def _decoded(source: FrameSource, track: TrackInfo) -> NDArray[np.uint8] | None:
    with source.frames(max(track.best_time_s - _LEAD_S, 0.0)) as frames:
        for frame in frames:
            if frame.number >= track.best_frame:
                return frame.rgb if frame.number == track.best_frame else None
    return None


def _marked(rgb: NDArray[np.uint8], track: TrackInfo) -> bytes:
    """JPEG bytes of the frame with the shoe's box."""
    return marked_jpeg(rgb[..., ::-1], ShoeMarks(box=track.box), width_px=_SHOWN_WIDTH_PX)


def marked_jpeg(bgr: NDArray[np.uint8], marks: ShoeMarks, *, width_px: int) -> bytes:
    """A picture with what is known of a shoe in it: its box, and the line of its sole, as far as they are known.

    Args:
        bgr: uint8 [H, W, 3].
        marks: Pixels of the picture.
        width_px: The picture is made smaller where it is wider.

    Returns:
        JPEG bytes; empty where it cannot be written as JPEG.
    """
    scale = min(width_px / bgr.shape[1], 1.0)
    size = (max(round(bgr.shape[1] * scale), 1), max(round(bgr.shape[0] * scale), 1))
    shown = np.ascontiguousarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA))
    if marks.box is not None:
        left, top, right, bottom = marks.box
        cv2.rectangle(shown, _pixel((left, top), scale), _pixel((right, bottom), scale), _GREEN, 2)
    if marks.toe is not None and marks.heel is not None:
        cv2.line(shown, _pixel(marks.heel, scale), _pixel(marks.toe, scale), _GREEN, 2, cv2.LINE_AA)
    done, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes() if done else b""


def _pixel(point: Point, scale: float) -> tuple[int, int]:
    return round(point[0] * scale), round(point[1] * scale)
