"""The fourth stage: an edition of the sources that were there and those that are new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from indexer.video.tracking import BEST_ROW, ROWS, VECTOR, TrackedSource
from outsole.gallery.editions import Edition
from outsole.gallery.layout import THUMBNAILS, THUMBNAILS_PER_GROUP
from outsole.gallery.track_rows import SOURCES, TRACK_SCHEMA, SourceRow, TrackRow, source_table, track_rows
from outsole.gallery.writer import EditionWriter
from outsole.matching.shoe_system import SHOE
from outsole.video.archive_files import crops_file, crops_in, sightings_file, tracks_file

_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class TrackBatch:
    """Tracks as they are appended to an edition: rows, vectors float16 [N, D], and PNG pictures of the best frames."""

    rows: list[TrackRow]
    vectors: NDArray[np.float16]
    thumbnails: list[bytes]


class EditionPart(Protocol):
    """The part of an edition that one source is."""

    @property
    def row(self) -> SourceRow:
        """The source."""

    def batches(self) -> Iterator[TrackBatch]:
        """Its tracks, in order of id."""

    def file(self, name: str) -> Path:
        """One of its files."""


@dataclass(frozen=True)
class NewPart:
    """A source whose tracks were made now."""

    source: TrackedSource

    @property
    def row(self) -> SourceRow:
        """See `EditionPart.row`."""
        return self.source.row

    def batches(self) -> Iterator[TrackBatch]:
        """See `EditionPart.batches`."""
        crops = self.file(crops_file(self.row.source_id))
        with pq.ParquetFile(self.file(ROWS)) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
                table = pa.Table.from_batches([batch])
                best = table[BEST_ROW].to_pylist()
                pictures = dict(crops_in(crops, best))
                vectors = table[VECTOR].combine_chunks().flatten().to_numpy(zero_copy_only=False)
                yield TrackBatch(
                    track_rows(table.select(TRACK_SCHEMA.names)),
                    vectors.reshape(len(best), -1),
                    [_as_png(pictures.get(row, b"")) for row in best],
                )

    def file(self, name: str) -> Path:
        """See `EditionPart.file`."""
        return self.source.folder / name


@dataclass(frozen=True)
class KeptPart:
    """A source of the edition before, which stays as it is but for its name and place.

    Attributes:
        row: The source.
        edition: The edition before.
    """

    row: SourceRow
    edition: Edition

    def batches(self) -> Iterator[TrackBatch]:
        """See `EditionPart.batches`."""
        edition = self.edition
        places = np.flatnonzero(np.asarray(pc.equal(edition.items["source_id"], self.row.source_id)))
        for start in range(0, len(places), _ROWS_AT_ONCE):
            part = places[start : start + _ROWS_AT_ONCE]
            rows = track_rows(edition.items.take(part))
            yield TrackBatch(rows, np.asarray(edition.array(SHOE)[part]), _thumbnails(edition, part))

    def file(self, name: str) -> Path:
        """See `EditionPart.file`."""
        return self.edition.folder / name


@dataclass(frozen=True)
class ArchiveFacts:
    """What an edition of an archive is made with.

    Attributes:
        name, hash: Of the shoe encoder.
        settings: Everything else that shapes it.
        vector_length: Numbers of a vector; read where not one shoe was encoded.
    """

    name: str
    hash: str
    settings: Mapping[str, str]
    vector_length: int = 0


def write_edition(archive: Path, parts: Sequence[EditionPart], *, facts: ArchiveFacts, rejects_csv: bytes) -> Edition:
    """Write an edition of an archive, which is not yet in force; the same parts give the same edition.

    Args:
        archive: ``<root>/<archive>``.
        parts: The sources, in any order.
        facts: What they were made with.
        rejects_csv: What was left out, see ``indexer.rejects.rejects_csv``.
    """
    ordered = sorted(parts, key=lambda part: part.row.source_id)
    writer = EditionWriter(
        archive.parent, archive.name, encoder_hash=facts.hash, encoder_name=facts.name, settings=facts.settings
    )
    with writer:
        for part in ordered:
            for batch in part.batches():
                writer.append(batch.rows, {SHOE: batch.vectors}, thumbnails=batch.thumbnails)
            for name in (sightings_file, tracks_file, crops_file):
                writer.add_file(name(part.row.source_id), part.file(name(part.row.source_id)))
        if SHOE not in writer.array_names:
            length = facts.vector_length or _vector_length(ordered)
            writer.append([], {SHOE: np.zeros((0, length), np.float16)})
        writer.add_table(SOURCES, source_table([part.row for part in ordered]))
        return writer.write(rejects_csv=rejects_csv)


def _vector_length(parts: Sequence[EditionPart]) -> int:
    """Numbers of a vector, by the sightings: some were encoded, though no walk-past is searched."""
    for part in parts:
        seen = pq.read_table(part.file(sightings_file(part.row.source_id)), columns=["vector"], use_threads=False)
        vectors = seen["vector"].drop_null()
        if len(vectors):
            return len(vectors[0])
    return 0


def _thumbnails(edition: Edition, places: NDArray[np.intp]) -> list[bytes]:
    """The pictures of neighbouring rows; each group of the file is read once."""
    first, last = (int(places[end]) // THUMBNAILS_PER_GROUP for end in (0, -1))
    with pq.ParquetFile(edition.folder / THUMBNAILS, memory_map=True) as file:
        table = file.read_row_groups(list(range(first, last + 1)), columns=["thumbnail_png"], use_threads=False)
    pictures: list[bytes] = table["thumbnail_png"].take(places - first * THUMBNAILS_PER_GROUP).to_pylist()
    return pictures


def _as_png(jpeg: bytes) -> bytes:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    return b"" if picture is None else cv2.imencode(".png", picture)[1].tobytes()
