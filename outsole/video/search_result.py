"""What a search of archives in bulk found, as its operation keeps it: one Parquet file, written whole or not at all.

A row is a model and a track, named by their places in the lists of models and archives, which are beside the rows. The
tracks themselves stay in their editions, which never change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from outsole.answers import TrackFilter
from outsole.errors import DataCorrupt
from outsole.matching.model_tracks import ModelTracks

_FILE = "found.parquet"
_FACTS = b"outsole"
_COLUMNS = {"models": pa.int64(), "archives": pa.int64(), "rows": pa.int64(), "scores": pa.float32()}


@dataclass(frozen=True)
class SearchFacts:
    """What a search was computed on.

    Attributes:
        gallery, edition, encoder_hash: Of the shoes.
        models: Ids, in the order of the request.
        pictures: Pictures of each in the gallery.
        archives: Names, in the order searched.
        editions: Edition of each.
        totals: Tracks of each that took part; all of them were compared.
        where: Which took part, see ``filter_record``.
        warnings: What a person should know.
        settings: In force, as text.
    """

    gallery: str
    edition: str
    encoder_hash: str
    models: tuple[str, ...]
    pictures: tuple[int, ...]
    archives: tuple[str, ...]
    editions: tuple[str, ...]
    totals: tuple[int, ...]
    where: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def track_filter(self) -> TrackFilter:
        """The filter of the search."""
        return filter_of(self.where)


def write_result(folder: Path, facts: SearchFacts, found: ModelTracks) -> None:
    """Keep what was found in the folder of its operation, in order of the models, best first."""
    schema = pa.schema(list(_COLUMNS.items()), metadata={_FACTS: json.dumps(vars(facts), ensure_ascii=False).encode()})
    table = pa.table({name: getattr(found, name) for name in _COLUMNS}).cast(schema)
    draft = folder / f".{_FILE}.{os.getpid()}"
    pq.write_table(table, draft)
    draft.replace(folder / _FILE)


def read_result(folder: Path) -> tuple[SearchFacts, ModelTracks]:
    """What a search found. Raises ``DataCorrupt`` where its file is missing or cannot be understood."""
    try:
        table = pq.read_table(folder / _FILE)
        record = json.loads(table.schema.metadata[_FACTS])
        kept = {entry.name: record[entry.name] for entry in fields(SearchFacts)}
        lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
        return SearchFacts(**{**kept, **lists}), ModelTracks(**{name: table[name].to_numpy() for name in _COLUMNS})
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise DataCorrupt(f"what operation {folder.name!r} found cannot be read", remedy="search again") from error


def filter_record(where: TrackFilter) -> dict[str, Any]:
    """A filter of tracks as plain values."""
    times = {name: None if time is None else time.isoformat() for name, time in _times(where).items()}
    return {"cameras": list(where.cameras), "places": list(where.places), **times}


def filter_of(record: Mapping[str, Any]) -> TrackFilter:
    """The filter that ``filter_record`` wrote down; every track where nothing is written."""
    times = {name: datetime.fromisoformat(record[name]) for name in _times(TrackFilter()) if record.get(name)}
    return TrackFilter(tuple(record.get("cameras", ())), tuple(record.get("places", ())), **times)


def _times(where: TrackFilter) -> dict[str, datetime | None]:
    return {"since": where.since, "until": where.until}
