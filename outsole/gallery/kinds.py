"""What the rows of an edition are: items of a catalogue, or tracks of a video archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from outsole.gallery.filters import ITEM_COLUMNS, TRACK_COLUMNS, FilterColumns
from outsole.gallery.items import ITEM_SCHEMA, item_table
from outsole.gallery.layout import TRACKS
from outsole.gallery.track_rows import TRACK_SCHEMA, track_table


@dataclass(frozen=True)
class RowKind:
    """How the rows of an edition are kept.

    Attributes:
        schema: Of the table; every kind has ``item_id``, ``state`` and ``state_reason``.
        table: Makes it of records.
        group: The column whose equal values are one row of an answer.
        filters: The columns that filters of searches are about.
    """

    schema: pa.Schema
    table: Callable[[Sequence[Any]], pa.Table]
    group: str
    filters: FilterColumns


_ITEMS = RowKind(ITEM_SCHEMA, item_table, "model_id", ITEM_COLUMNS)
_TRACKS = RowKind(TRACK_SCHEMA, track_table, "item_id", TRACK_COLUMNS)


def kind_of(shows: str) -> RowKind:
    """The kind of a gallery's rows, by what it shows."""
    return _TRACKS if shows == TRACKS else _ITEMS
