"""What an archive keeps of a source beside its rows: every sighting, the tracks as they were made, and their crops.

Three Parquet files a source, so that a source that is added costs the others nothing: theirs are the same files in the
new edition. ``sightings-<source>`` has one row for each sighting, in the order in which the tracker was given them,
with its vector and its walk; ``tracks-<source>`` says of each track which of them are its own; ``crops-<source>`` holds
the crops of the best sightings of each track.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.answers import View
from outsole.gallery.editions import Edition
from outsole.video.records import Grade, Sighting
from outsole.video.tracks import KeptSighting, SightingTable, Track, TrackFacts, TrackPart

_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()
_GRADE = ("length_px", "sharpness", "visible", "weight")
SEEN_SCHEMA = pa.schema(
    [
        ("frame", _INT),
        ("time_s", _FLOAT),
        ("box", pa.list_(_FLOAT)),
        ("toe", pa.list_(_FLOAT)),
        ("heel", pa.list_(_FLOAT)),
        ("view", _TEXT),
        ("score", _FLOAT),
        ("person", pa.list_(_FLOAT)),
        *((name, _FLOAT) for name in _GRADE),
        ("is_large_enough", pa.bool_()),
        ("doubts", pa.list_(_TEXT)),
        ("vector", pa.list_(pa.float16())),
    ]
)
"""A sighting and its vector, half precision of unit length; null where it was not encoded."""
SIGHTING_SCHEMA = SEEN_SCHEMA.append(pa.field("walk", _INT))
"""The same with the walk that took it, see `outsole.video.tracks.NO_WALK`."""
_FACTS = tuple(entry.name for entry in fields(TrackFacts))
TRACK_PARTS_SCHEMA = pa.schema(
    [
        ("track_id", _TEXT),
        *((name, _FLOAT if name.endswith("_s") else _INT) for name in _FACTS),
        ("walks", pa.list_(_INT)),
        ("from_s", pa.list_(_FLOAT)),
        ("until_s", pa.list_(_FLOAT)),
        ("best_rows", pa.list_(_INT)),
        ("chosen_row", _INT),
        ("merged_ids", pa.list_(_TEXT)),
        ("edits", pa.list_(_TEXT)),
    ]
)
"""A track: its facts, its parts, the rows of its best sightings, and what people made of it."""
CROP_SCHEMA = pa.schema([("row", _INT), ("crop_jpeg", pa.binary())])
"""Crops as the shoe encoder took them, by row of the sighting; those that people chose may come last."""


def sightings_file(source_id: str) -> str:
    """Name of the file with a source's sightings."""
    return f"sightings-{source_id}.parquet"


def tracks_file(source_id: str) -> str:
    """Name of the file with a source's tracks."""
    return f"tracks-{source_id}.parquet"


def crops_file(source_id: str) -> str:
    """Name of the file with the crops of a source's best sightings."""
    return f"crops-{source_id}.parquet"


def seen_table(sightings: Sequence[Sighting], vectors: Sequence[NDArray[np.float16] | None]) -> pa.Table:
    """Sightings as a table with the columns of `SEEN_SCHEMA`.

    Args:
        sightings: N of them.
        vectors: N vectors float16 [D]; None where there is none.
    """
    plain = ("frame", "time_s", "box", "toe", "heel", "score", "person", "doubts")
    columns: dict[str, list[Any]] = {name: [getattr(each, name) for each in sightings] for name in plain}
    columns |= {name: [getattr(each.grade, name) for each in sightings] for name in (*_GRADE, "is_large_enough")}
    columns |= {"view": [each.view.value for each in sightings], "vector": list(vectors)}
    return pa.table({name: columns[name] for name in SEEN_SCHEMA.names}, schema=SEEN_SCHEMA)


def sightings_of(table: pa.Table) -> list[Sighting]:
    """The sightings of a table with the columns of `SEEN_SCHEMA`, in its order."""
    named = (name for name in SEEN_SCHEMA.names if name != "vector")
    return [_sighting(row) for row in table.select(list(named)).to_pylist()]


def vectors_in(table: pa.Table) -> NDArray[np.float32] | None:
    """The vectors of a table with the columns of `SEEN_SCHEMA`: float32 [N, D], NaN where there is none.

    Returns:
        None where no row has one.
    """
    column = table["vector"].combine_chunks()
    there = np.asarray(column.is_valid())
    if not there.any():
        return None
    flat = column.flatten().to_numpy(zero_copy_only=False).reshape(int(there.sum()), -1)
    vectors = np.full((len(there), flat.shape[1]), np.nan, np.float32)
    vectors[there] = flat
    return vectors


def parts_table(tracks: Sequence[Track]) -> pa.Table:
    """Tracks as a table with the columns of `TRACK_PARTS_SCHEMA`, in their order."""
    rows = [
        {
            "track_id": track.track_id,
            **{name: getattr(track.facts, name) for name in _FACTS},
            "walks": [part.walk for part in track.parts],
            "from_s": [part.from_s for part in track.parts],
            "until_s": [part.until_s for part in track.parts],
            "best_rows": [kept.row for kept in track.best],
            "chosen_row": None if track.chosen is None else track.chosen.row,
            "merged_ids": list(track.merged_ids),
            "edits": list(track.edits),
        }
        for track in tracks
    ]
    return pa.Table.from_pylist(rows, schema=TRACK_PARTS_SCHEMA)


def read_sightings(edition: Edition, source_id: str) -> SightingTable:
    """The sightings of a source, whole, for splitting its tracks and choosing their best frames.

    Raises:
        NotFound: The edition has no such source.
        DataCorrupt: Its file cannot be read.
    """
    return table_of(edition.table(sightings_file(source_id), SIGHTING_SCHEMA))


def table_of(sightings: pa.Table) -> SightingTable:
    """A table with the columns of `SIGHTING_SCHEMA` as tracks and their edits use it."""
    return SightingTable(_Rows(sightings), np.asarray(sightings["walk"], np.int64), vectors=vectors_in(sightings))


def read_tracks(edition: Edition, source_id: str) -> tuple[Track, ...]:
    """The tracks of a source with everything that they keep, also those too small to be searched, in order of id.

    Raises:
        NotFound: The edition has no such source.
        DataCorrupt: Its files cannot be read.
    """
    seen = edition.table(sightings_file(source_id), SIGHTING_SCHEMA)
    parts = edition.table(tracks_file(source_id), TRACK_PARTS_SCHEMA).to_pylist()
    rows = sorted({row for part in parts for row in (*part["best_rows"], part["chosen_row"]) if row is not None})
    chosen = seen.take(pa.array(rows, _INT))
    vectors = vectors_in(chosen)
    kept = {
        row: KeptSighting(row, sighting, _vector(vectors, place))
        for place, (row, sighting) in enumerate(zip(rows, sightings_of(chosen), strict=True))
    }
    return tuple(_track(part, kept) for part in parts)


def read_crops(edition: Edition, source_id: str, rows: Sequence[int]) -> dict[int, bytes]:
    """The crops of sightings as JPEG files, by row; those of which none is kept are left out.

    Raises:
        NotFound: The edition has no such source.
    """
    return dict(crops_in(edition.folder / crops_file(source_id), rows)) if rows else {}


def crops_in(path: Any, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The crops of a file with the columns of `CROP_SCHEMA` by row, as far as they are there."""
    for row in pq.read_table(path, filters=[("row", "in", list(rows))], use_threads=False).to_pylist():
        yield row["row"], row["crop_jpeg"]


class _Rows(Sequence[Sighting]):
    """Sightings of a table, made when they are asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table.drop_columns(["vector", "walk"])

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        return _sighting(self._table.slice(place, 1).to_pylist()[0])


def _sighting(row: dict[str, Any]) -> Sighting:
    return Sighting(
        frame=row["frame"],
        time_s=row["time_s"],
        box=tuple(row["box"]),
        toe=tuple(row["toe"]),
        heel=tuple(row["heel"]),
        view=View(row["view"]),
        score=row["score"],
        person=None if row["person"] is None else tuple(row["person"]),
        grade=Grade(**{name: row[name] for name in (*_GRADE, "is_large_enough")}),
        doubts=tuple(row["doubts"]),
    )


def _track(part: dict[str, Any], kept: dict[int, KeptSighting]) -> Track:
    stretches = zip(part["walks"], part["from_s"], part["until_s"], strict=True)
    return Track(
        track_id=part["track_id"],
        parts=tuple(TrackPart(*stretch) for stretch in stretches),
        facts=TrackFacts(**{name: part[name] for name in _FACTS}),
        best=tuple(kept[row] for row in part["best_rows"]),
        chosen=None if part["chosen_row"] is None else kept[part["chosen_row"]],
        merged_ids=tuple(part["merged_ids"]),
        edits=tuple(part["edits"]),
    )


def _vector(vectors: NDArray[np.float32] | None, place: int) -> NDArray[np.float32] | None:
    return None if vectors is None or not np.isfinite(vectors[place]).all() else vectors[place]
