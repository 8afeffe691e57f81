"""The third stage: the sightings of a source, in the order of time, become walk-pasts.

A source is gone through once, a slice at a time, and what it gives is written to files: its sightings with the walks
that took them, its tracks, the rows of the edition, and the crops of the best sightings.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from indexer.video.sources import clock_of
from indexer.video.work import SliceNotes, SliceTask, VideoWork
from outsole.errors import NotFound, OutsoleError, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.track_rows import NEVER_BEGUN, NEVER_ENDED, TRACK_SCHEMA, SourceRow, TrackRow, track_table
from outsole.video.archive_files import (
    CROP_SCHEMA,
    SEEN_SCHEMA,
    SIGHTING_SCHEMA,
    crops_file,
    crops_in,
    parts_table,
    sightings_file,
    sightings_of,
    table_of,
    tracks_file,
    vectors_in,
)
from outsole.video.clocks import CameraClock
from outsole.video.looking import crop_of
from outsole.video.opening import open_source
from outsole.video.pictures import jpeg_of
from outsole.video.records import Sighting
from outsole.video.track_edits import TrackEdit, apply_edits
from outsole.video.tracking import Tracker, TrackingCounts, TrackingStep
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.tracks import KeptSighting, Track

ROWS = "rows.parquet"
_CROPS_AT_ONCE = 256
BEST_ROW, VECTOR = "best_row", "vector"
_ROWS_SCHEMA = TRACK_SCHEMA.append(pa.field(BEST_ROW, pa.int64())).append(pa.field(VECTOR, pa.list_(pa.float16())))


class Sightings(Protocol):
    """The sightings of a source, wherever they are kept."""

    def tables(self) -> Iterator[pa.Table]:
        """All of them in order, a piece at a time, columns of `SEEN_SCHEMA`."""

    def crops(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """The crops, JPEG files, of some rows, in order of row; those that there are."""


@dataclass(frozen=True)
class NewSightings:
    """Sightings in slices of the work folder."""

    work: VideoWork
    tasks: Sequence[SliceTask]

    def tables(self) -> Iterator[pa.Table]:
        """See `Sightings.tables`; a slice each."""
        return self.work.seen(self.tasks)

    def crops(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """See `Sightings.crops`."""
        return self.work.crops(self.tasks, rows)


@dataclass(frozen=True)
class EditionSightings:
    """Sightings of a source in an edition, of which only the best have crops."""

    edition: Edition
    source_id: str

    def tables(self) -> Iterator[pa.Table]:
        """See `Sightings.tables`; as the slices were when they were written."""
        with pq.ParquetFile(self.edition.folder / sightings_file(self.source_id)) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=SEEN_SCHEMA.names, use_threads=False)

    def crops(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """See `Sightings.crops`."""
        return crops_in(self.edition.folder / crops_file(self.source_id), rows.tolist())


@dataclass(frozen=True)
class TrackedSource:
    """A source whose tracks are made.

    Attributes:
        row: With all counts; its tracks are all walk-pasts, those too small to be searched among them.
        problems: Edits by hand that cannot be applied, a sentence each.
        folder: Where its files are, under the names that they have in an edition, and `ROWS` beside them.
    """

    row: SourceRow
    problems: tuple[str, ...]
    folder: Path


@dataclass
class _Followed:
    """Tracks that have ended; the vectors of their sightings are let go of unless edits need them."""

    keeps_vectors: bool
    tracks: list[Track] = field(default_factory=list)
    embeddings: dict[str, NDArray[np.float16] | None] = field(default_factory=dict)

    def add(self, tracks: Sequence[Track]) -> None:
        for track in tracks:
            embedding = track.embedding
            self.embeddings[track.track_id] = None if embedding is None else embedding.astype(np.float16)
            self.tracks.append(track if self.keeps_vectors else _light(track))


def track_source(
    row: SourceRow, sightings: Sightings, *, settings: TrackingSettings, edits: Sequence[TrackEdit], folder: Path
) -> TrackedSource:
    """Make the tracks of a source, with what people decided about them.

    Args:
        row: The source, with the counts of its frames.
        sightings: All of it.
        settings: How sightings are joined.
        edits: Oldest first.
        folder: Where its files are written; empty.
    """
    followed, counts = _follow(row, sightings, settings, folder / sightings_file(row.source_id), bool(edits))
    tracks, problems = _edited(followed.tracks, edits, folder / sightings_file(row.source_id))
    embeddings = followed.embeddings if not edits else {track.track_id: _embedding(track) for track in tracks}
    tracks = sorted(tracks, key=lambda track: track.track_id)
    searched = [track for track in tracks if embeddings[track.track_id] is not None]
    pq.write_table(parts_table(tracks), folder / tracks_file(row.source_id))
    pq.write_table(_rows(searched, embeddings, row), folder / ROWS)
    _write_crops(folder / crops_file(row.source_id), tracks, sightings, row)
    counted = replace(row, tracks=len(tracks), static=counts.static, short=counts.short)
    return TrackedSource(counted, tuple(problems), folder)


def tracks_unedited(
    row: SourceRow, sightings: Sightings, *, settings: TrackingSettings, folder: Path
) -> tuple[Track, ...]:
    """The tracks of a source as the tracker makes them, with all vectors that they keep.

    Args:
        row, sightings, settings: See `track_source`.
        folder: For files that nobody needs afterwards; empty.
    """
    return tuple(_follow(row, sightings, settings, folder / sightings_file(row.source_id), True)[0].tracks)


def with_notes(row: SourceRow, notes: SliceNotes) -> SourceRow:
    """A source with what its slices tell of it."""
    return replace(row, **dataclasses.asdict(notes.counts), issues=tuple(map(str, notes.issues)))


def _follow(
    row: SourceRow, sightings: Sightings, settings: TrackingSettings, path: Path, keeps_vectors: bool
) -> tuple[_Followed, TrackingCounts]:
    tracker = Tracker(row.sha256, settings=settings)
    followed = _Followed(keeps_vectors)
    with _SightingsWriter(path) as writer:
        for table in sightings.tables():
            writer.add(table)
            step = tracker.update(sightings_of(table), vectors_in(table))
            followed.add(step.finished)
            writer.settle(step)
        step = tracker.close()
        followed.add(step.finished)
        writer.settle(step)
    return followed, tracker.counts


class _SightingsWriter:
    """Writes sightings with their walks, a row group a slice, as soon as the walks of all of its rows are known."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetWriter(path, SIGHTING_SCHEMA)
        self._waiting: deque[pa.Table] = deque()
        self._walks = np.empty(0, np.int64)

    def __enter__(self) -> _SightingsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, table: pa.Table) -> None:
        """The next sightings."""
        if table.num_rows:
            self._waiting.append(table)

    def settle(self, step: TrackingStep) -> None:
        """Which walks took the next rows."""
        self._walks = np.concatenate([self._walks, step.walks[:, 1]])
        while self._waiting and self._waiting[0].num_rows <= len(self._walks):
            table = self._waiting.popleft()
            walks, self._walks = self._walks[: table.num_rows], self._walks[table.num_rows :]
            columns = [*table.select(SEEN_SCHEMA.names).combine_chunks().columns, pa.array(walks)]
            self._file.write_table(pa.table(columns, schema=SIGHTING_SCHEMA), row_group_size=table.num_rows)


def _edited(tracks: list[Track], edits: Sequence[TrackEdit], path: Path) -> tuple[list[Track], list[str]]:
    """Tracks after edits; an edit of a track that is no longer made is left out and told."""
    if not edits:
        return tracks, []
    table, problems = table_of(pq.read_table(path, use_threads=False)), []
    for edit in edits:
        try:
            tracks = list(apply_edits(tracks, [edit], table))
        except (NotFound, PreconditionFailed) as error:
            problems.append(f"edit {edit.edit_id} cannot be applied: {error.message}")
    return tracks, problems


def _rows(tracks: Sequence[Track], embeddings: dict[str, NDArray[np.float16] | None], source: SourceRow) -> pa.Table:
    clock = clock_of(source)
    table = track_table([_row(track, source, clock) for track in tracks])
    best = pa.array([track.best_frame.row for track in tracks], pa.int64())
    vectors = pa.array([embeddings[track.track_id] for track in tracks], pa.list_(pa.float16()))
    return pa.table([*table.columns, best, vectors], schema=_ROWS_SCHEMA)


def _row(track: Track, source: SourceRow, clock: CameraClock) -> TrackRow:
    return TrackRow(
        item_id=track.track_id,
        source_id=source.source_id,
        camera=source.camera,
        place=source.place,
        start_ms=_utc_ms(clock, track.facts.first_time_s, NEVER_BEGUN),
        end_ms=_utc_ms(clock, track.facts.last_time_s, NEVER_ENDED),
        **track.told(),
    )


def _utc_ms(clock: CameraClock, time_s: float, unknown: int) -> int:
    moment = clock.utc_time(time_s)
    return unknown if moment is None else round(moment.timestamp() * 1000)


def _write_crops(path: Path, tracks: Sequence[Track], sightings: Sightings, source: SourceRow) -> None:
    wanted = {kept.row: kept.sighting for track in tracks for kept in (*track.best, track.best_frame)}
    lacking = {row: wanted[row] for row in sorted(track.best_frame.row for track in tracks)}
    with pq.ParquetWriter(path, CROP_SCHEMA) as file:
        held: list[tuple[int, bytes]] = []
        for row, crop in sightings.crops(np.array(sorted(wanted), np.int64)):
            lacking.pop(row, None)
            held.append((row, crop))
            if len(held) == _CROPS_AT_ONCE:
                file.write_table(_crop_table(held))
                held = []
        # A person may have chosen a frame of which no crop was kept: the video still has it, if it is still there.
        held += [(row, crop) for row, sighting in lacking.items() if (crop := _cut_again(source, sighting))]
        if held:
            file.write_table(_crop_table(held))


def _crop_table(crops: Sequence[tuple[int, bytes]]) -> pa.Table:
    rows, pictures = zip(*crops, strict=True)
    return pa.table([pa.array(rows, pa.int64()), pa.array(pictures, pa.binary())], schema=CROP_SCHEMA)


def _cut_again(source: SourceRow, sighting: Sighting) -> bytes:
    """The crop of a sighting out of its video; empty where that is not to be had."""
    if not sighting.grade.is_large_enough:
        return b""
    try:
        opened = open_source(Path(source.path))
        if opened.identity().sha256 != source.sha256:
            return b""
        with opened.frames(sighting.time_s) as reading:
            frame = next((frame for frame in reading if frame.number >= sighting.frame), None)
    except OutsoleError:
        return b""
    crop = None if frame is None or frame.number != sighting.frame else crop_of(frame, sighting)
    return b"" if crop is None else jpeg_of(crop)


def _embedding(track: Track) -> NDArray[np.float16] | None:
    embedding = track.embedding
    return None if embedding is None else embedding.astype(np.float16)


def _light(track: Track) -> Track:
    return replace(track, best=tuple(KeptSighting(kept.row, kept.sighting) for kept in track.best))
