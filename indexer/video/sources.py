"""The first stage: which videos there are, what they hold, and when they began."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from indexer.rejects import Reject, shown
from indexer.video.work import SliceTask, VideoWork
from outsole.errors import InvalidInput, OutsoleError
from outsole.gallery.items import checked_text
from outsole.gallery.track_rows import SourceRow
from outsole.video.clocks import CameraClock, Start, StartOrigin, choose_start
from outsole.video.opening import open_source
from outsole.video.sources import FrameSource
from outsole.video.video_files import VideoFile

_ID_CHARACTERS = 16
# A file whose frames have to be counted from its start is gone through once for each slice: it gets few.
_MOST_COUNTED_SLICES = 8


@dataclass(frozen=True)
class CameraPlan:
    """The camera of some videos, and what is known of its clock.

    Attributes:
        camera: Its name; at most 200 characters, not empty.
        place: Where it hangs; at most 200 characters.
        start: When the video began by the camera's clock; None where sidecar, file name or container are to say it.
        zone: IANA name of the zone that the clock keeps.
        clock_offset_s: What the clock showed minus the true time, seconds.

    Raises:
        InvalidInput: A text that cannot be kept, or no such zone.
    """

    camera: str
    place: str = ""
    start: datetime | None = None
    zone: str = "UTC"
    clock_offset_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("camera", "place"):
            checked_text(getattr(self, name), field=name, owner="of the videos")
        if not self.camera:
            raise InvalidInput("the videos have no camera", field="camera", remedy="name the camera")
        CameraClock(zone=self.zone, offset_s=self.clock_offset_s)


@dataclass(frozen=True)
class VideoSource:
    """A video that can be used.

    Attributes:
        number: Its place among the files that were given, from 1.
        row: What is known of it before its frames are looked at.
        frames: How many it has; 0 where nobody knows.
        slices: Into which it is cut.
    """

    number: int
    row: SourceRow
    frames: int
    slices: tuple[SliceTask, ...]


@dataclass(frozen=True)
class FoundSources:
    """What was found in a list of files.

    Attributes:
        sources: In the order of the files, each original once.
        rejects: Files that cannot be used.
    """

    sources: tuple[VideoSource, ...]
    rejects: tuple[Reject, ...]


def read_sources(files: Sequence[Path], camera: CameraPlan, *, work: VideoWork, slice_s: float) -> FoundSources:
    """Look into video files, folders and archives of pictures; their indexes of frames are kept in ``work``.

    A file that cannot be used is a reject and costs only itself; the same original twice is one source.

    Raises:
        InvalidInput: A start by hand for several videos.
    """
    found: dict[str, VideoSource] = {}
    rejects = []
    for number, path in enumerate(files, start=1):
        try:
            row, opened = _read(path.absolute(), camera)
        except OutsoleError as error:
            rejects.append(reject(number, path, error))
            continue
        if row.source_id not in found:
            found[row.source_id] = _cut(number, path.absolute(), row, opened, work=work, slice_s=slice_s)
    if camera.start is not None and len(found) > 1:
        remedy = "index them one by one, or have the time in their names"
        raise InvalidInput(f"{len(found)} videos cannot begin at one time", field="start", remedy=remedy)
    return FoundSources(tuple(found.values()), tuple(rejects))


def reject(number: int, path: Path, error: OutsoleError) -> Reject:
    """A file that is left out; ``number`` is its place among those given, from 1."""
    column = error.field if error.field in ("start", "zone") else ""
    return Reject(number, column, "", shown(str(path)), shown(str(error)))


def clock_of(row: SourceRow) -> CameraClock:
    """The camera's clock during a source."""
    start = Start(datetime.fromisoformat(row.start), StartOrigin(row.start_origin)) if row.start else None
    return CameraClock(zone=row.zone, offset_s=row.clock_offset_s, start=start)


def _read(path: Path, camera: CameraPlan) -> tuple[SourceRow, FrameSource]:
    source = open_source(path)
    probe, identity = source.probe(), source.identity()
    digest = identity.sha256 or ""
    start = choose_start(
        by_hand=camera.start, sidecar=probe.sidecar_start, file_name=identity.name, container=probe.created
    )
    row = SourceRow(
        source_id=digest[:_ID_CHARACTERS],
        name=shown(identity.name),
        path=str(path).encode("utf-8", "backslashreplace").decode(),
        sha256=digest,
        size_bytes=identity.size_bytes or 0,
        camera=camera.camera,
        place=camera.place,
        zone=camera.zone,
        clock_offset_s=camera.clock_offset_s,
        start="" if start is None else start.moment.isoformat(),
        start_origin="" if start is None else start.origin.value,
        times_from=probe.times_from.value,
        codec=probe.codec,
        duration_s=probe.duration_s or 0.0,
        width_px=probe.width_px,
        height_px=probe.height_px,
    )
    # A start that the change of summer time skips is found now, and not when the work is done.
    clock_of(row)
    return row, source


def _cut(
    number: int, path: Path, row: SourceRow, source: FrameSource, *, work: VideoWork, slice_s: float
) -> VideoSource:
    if isinstance(source, VideoFile):
        work.keep_index(row.sha256, source.index)
    length_s = max(slice_s, row.duration_s / _MOST_COUNTED_SLICES) if _is_counted(source) else slice_s
    slices = _slices(path, row.sha256, row.duration_s, length_s)
    return VideoSource(number, row, source.probe().frames or 0, slices)


def _is_counted(source: FrameSource) -> bool:
    return isinstance(source, VideoFile) and not source.index.is_exact


def _slices(path: Path, digest: str, duration_s: float, length_s: float) -> tuple[SliceTask, ...]:
    count = max(1, math.ceil(duration_s / length_s))
    cut = [SliceTask(path, digest, number, number * length_s, (number + 1) * length_s) for number in range(count)]
    # What a file holds beyond the time that it was found to end belongs to its last slice.
    return (*cut[:-1], replace(cut[-1], end_s=None))
