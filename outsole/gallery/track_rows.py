"""Tracks and their sources as the tables of a video archive's edition hold them.

A track is one walk-past of one walker, searched like an item; a source is the video file or the pictures in which it
was seen. Beside both an edition keeps every sighting of every source, so that a person can still cut a track in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import pyarrow as pa

from outsole.answers import Box, ItemState, Point, View
from outsole.errors import InvalidInput
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name

NEVER_BEGUN, NEVER_ENDED = 2**62, -1
"""Times of a track whose time nobody knows: no range of times holds them."""
_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
SOURCES = "sources.parquet"
"""The file of an archive's edition that holds its sources."""
COVERED = (
    *("received", "decoded", "skipped", "failed", "with_people", "with_shoes"),
    *("shoes", "too_small", "searched", "tracks", "static", "short"),
)
"""What is counted of a source; `outsole.video_answers.Coverage` has the same names."""
_POINTS = ("left_px", "top_px", "right_px", "bottom_px", "toe_x_px", "toe_y_px", "heel_x_px", "heel_y_px")
TRACK_SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("item_id", "source_id", "camera", "place")),
        *((name, _INT) for name in ("start_ms", "end_ms", "first_frame", "last_frame", "best_frame")),
        *((name, _FLOAT) for name in ("first_time_s", "last_time_s", "best_time_s", *_POINTS)),
        ("view", _TEXT),
        *((name, _FLOAT) for name in ("weight", "length_px")),
        *((name, _INT) for name in ("sightings", "side_views", "front_views", "back_views", "too_small")),
        ("state", _TEXT),
        ("state_reason", _TEXT),
    ]
)
SOURCE_SCHEMA = pa.schema(
    [
        *((name, _TEXT) for name in ("source_id", "name", "path", "sha256", "camera", "place")),
        ("size_bytes", _INT),
        *((name, _TEXT) for name in ("zone", "start", "start_origin", "times_from", "codec")),
        *((name, _FLOAT) for name in ("clock_offset_s", "duration_s")),
        *((name, _INT) for name in ("width_px", "height_px")),
        *((name, _INT) for name in COVERED),
        ("issues", pa.list_(_TEXT)),
    ]
)


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track as the archive's table holds it.

    Attributes:
        item_id: Its id, see `outsole.gallery.layout.checked_name`.
        source_id: The source in which it was seen.
        camera, place: Of the source; free text of at most 200 characters, the place empty where unknown.
        start_ms, end_ms: First and last sighting, corrected UTC, milliseconds since 1970; ``NEVER_BEGUN`` and
            ``NEVER_ENDED`` where nobody knows.
        first_frame, last_frame, best_frame: Numbers of frames of the source.
        first_time_s, last_time_s, best_time_s: Their times, seconds after the source's first frame.
        box, toe, heel: Where the shoe is in the best frame, pixels.
        view: From where it is seen there.
        weight, length_px: Of that sighting's grade.
        sightings: Shoes seen; two in a frame where both feet are.
        side_views, front_views, back_views: How many of them from each view.
        too_small: How many were not large enough to be searched.
        state, state_reason: Whether it takes part in searches, and why not.
    """

    item_id: str
    source_id: str
    camera: str
    place: str
    start_ms: int
    end_ms: int
    first_frame: int
    last_frame: int
    best_frame: int
    first_time_s: float
    last_time_s: float
    best_time_s: float
    box: Box
    toe: Point
    heel: Point
    view: View
    weight: float
    length_px: float
    sightings: int
    side_views: int = 0
    front_views: int = 0
    back_views: int = 0
    too_small: int = 0
    state: ItemState = ItemState.ACTIVE
    state_reason: str = ""

    def __post_init__(self) -> None:
        checked_name(self.item_id, field="item_id")
        for name in ("camera", "place"):
            checked_text(getattr(self, name), field=name, owner=self.item_id)
        if not self.camera:
            raise InvalidInput(f"track {self.item_id!r} has no camera", field="camera", remedy="name the camera")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source as the archive's table holds it, with what became of it: its part of the coverage report.

    Attributes:
        source_id: Its id; tracks name it.
        name: Native file name.
        path: Where it was read.
        sha256, size_bytes: Of the original bytes.
        camera, place: Of the camera; free text of at most 200 characters.
        zone, clock_offset_s: Of its clock, see `outsole.video.clocks.CameraClock`.
        start: When the source began by that clock, ISO 8601; empty where nobody knows.
        start_origin: Where that came from; empty where nobody knows.
        times_from: Where the times of frames come from.
        codec: FFmpeg's name, or ``pictures``.
        duration_s: From the first frame to the end of the last; 0 where unknown.
        width_px, height_px: Of the first frame.
        received, decoded, skipped, failed: Frames; received = decoded + skipped + failed.
        with_people, with_shoes: Frames in which such were seen.
        shoes, too_small, searched: Sightings, those not large enough, and those that were encoded.
        tracks, static, short: Walk-pasts; walks that never moved, and those too short to be one.
        issues: What was wrong with it, a sentence each.
    """

    source_id: str
    name: str
    path: str
    sha256: str
    size_bytes: int
    camera: str
    place: str = ""
    zone: str = "UTC"
    clock_offset_s: float = 0.0
    start: str = ""
    start_origin: str = ""
    times_from: str = ""
    codec: str = ""
    duration_s: float = 0.0
    width_px: int = 0
    height_px: int = 0
    received: int = 0
    decoded: int = 0
    skipped: int = 0
    failed: int = 0
    with_people: int = 0
    with_shoes: int = 0
    shoes: int = 0
    too_small: int = 0
    searched: int = 0
    tracks: int = 0
    static: int = 0
    short: int = 0
    issues: tuple[str, ...] = ()


def track_table(rows: Sequence[TrackRow]) -> pa.Table:
    """Tracks as a table with the columns of `TRACK_SCHEMA`, in their order."""
    plain = [name for name in TRACK_SCHEMA.names if name not in (*_POINTS, "view", "state")]
    columns = {name: [getattr(row, name) for row in rows] for name in plain}
    points = zip(*((*row.box, *row.toe, *row.heel) for row in rows), strict=True) if rows else ([] for _ in _POINTS)
    columns |= {name: list(values) for name, values in zip(_POINTS, points, strict=True)}
    columns |= {"view": [row.view.value for row in rows], "state": [row.state.value for row in rows]}
    return pa.table({name: columns[name] for name in TRACK_SCHEMA.names}, schema=TRACK_SCHEMA)


def track_rows(tracks: pa.Table) -> list[TrackRow]:
    """The tracks of a table as records, in its order."""
    return [_track(row) for row in tracks.to_pylist()]


def source_table(rows: Sequence[SourceRow]) -> pa.Table:
    """Sources as a table with the columns of `SOURCE_SCHEMA`, in their order."""
    columns = {name: [getattr(row, name) for row in rows] for name in SOURCE_SCHEMA.names}
    return pa.table(columns, schema=SOURCE_SCHEMA)


def source_rows(sources: pa.Table) -> list[SourceRow]:
    """The sources of a table as records, in its order."""
    return [SourceRow(**{**row, "issues": tuple(row["issues"])}) for row in sources.to_pylist()]


def _track(row: dict[str, object]) -> TrackRow:
    left, top, right, bottom, toe_x, toe_y, heel_x, heel_y = (float(str(row.pop(name))) for name in _POINTS)
    known = {field.name: row[field.name] for field in fields(TrackRow) if field.name in row}
    known |= {"view": View(row["view"]), "state": ItemState(row["state"])}
    marks = {"box": (left, top, right, bottom), "toe": (toe_x, toe_y), "heel": (heel_x, heel_y)}
    return TrackRow(**known, **marks)  # type: ignore[arg-type]
