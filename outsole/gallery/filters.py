"""Filters of searches as every back end applies them: texts that a column may have, and ranges of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from outsole.answers import ItemFilter, ItemState, TrackFilter
from outsole.errors import InvalidInput

RowFilter = ItemFilter | TrackFilter
"""Which rows of an edition take part: items by what they are, tracks by where and when they were seen."""
Range = tuple[int | None, int | None]
"""First and last number allowed; None for an open end."""


@dataclass(frozen=True)
class FilterColumns:
    """The columns of an edition's table that filters are about; a vector store keeps them beside the vectors.

    Attributes:
        texts, numbers: Their names.
    """

    texts: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, texts first."""
        return (*self.texts, *self.numbers)


ITEM_COLUMNS = FilterColumns(("brand", "side", "category"), ("year",))
TRACK_COLUMNS = FilterColumns(("camera", "place"), ("start_ms", "end_ms"))


def rows_allowed(rows: pa.Table, where: RowFilter) -> NDArray[np.bool_]:
    """Which rows of an edition's table a search under a filter looks at: those that pass and are searched at all.

    Args:
        rows: The edition's table, N rows.
        where: The filter.

    Returns:
        bool [N].
    """
    searched = pa.array([state.value for state in ItemState if state.is_searched], pa.string())
    allowed: NDArray[np.bool_] = pc.is_in(rows["state"], value_set=searched).to_numpy()
    return allowed & rows_matching(rows, where)


def rows_matching(rows: pa.Table, where: RowFilter) -> NDArray[np.bool_]:
    """Which rows of an edition's table pass a filter, whatever their state.

    Args:
        rows: The edition's table, N rows.
        where: The filter; its fields are combined with "and", the values of a field with "or".

    Returns:
        bool [N].

    Raises:
        InvalidInput: A range that ends before it begins.
    """
    matching = np.ones(rows.num_rows, dtype=bool)
    for column, values in filter_texts(where).items():
        matching &= pc.is_in(rows[column], value_set=pa.array(values, pa.string())).to_numpy()
    for column, (first, last) in filter_ranges(where).items():
        numbers = rows[column].to_numpy()
        matching &= True if first is None else numbers >= first
        matching &= True if last is None else numbers <= last
    return matching


def filter_texts(where: RowFilter) -> dict[str, tuple[str, ...]]:
    """The columns that a filter restricts to a few texts, with those, sorted so that equal filters compile alike."""
    wanted: Mapping[str, tuple[str, ...]]
    if isinstance(where, TrackFilter):
        wanted = {"camera": where.cameras, "place": where.places}
    else:
        sides = tuple(side.value for side in where.sides)
        wanted = {"brand": where.brands, "side": sides, "category": where.categories}
    return {column: tuple(sorted(set(values))) for column, values in wanted.items() if values}


def filter_ranges(where: RowFilter) -> dict[str, Range]:
    """The columns that a filter restricts to a range of numbers, with that.

    A track takes part where any of it lies in the filter's time.

    Raises:
        InvalidInput: A range that ends before it begins.
    """
    if isinstance(where, TrackFilter):
        _check_order(where.since, where.until, what="time", field="filter.until")
        ranges: dict[str, Range] = {"start_ms": (None, _ms(where.until)), "end_ms": (_ms(where.since), None)}
    else:
        first, last = where.first_year or None, where.last_year or None
        _check_order(first, last, what="years", field="filter.last_year")
        # An unknown year is 0, and in no range.
        ranges = {"year": (1 if first is None and last is not None else first, last)}
    return {column: ends for column, ends in ranges.items() if ends != (None, None)}


def _check_order(first: int | datetime | None, last: int | datetime | None, *, what: str, field: str) -> None:
    if first is not None and last is not None and first > last:  # type: ignore[operator]
        raise InvalidInput(
            f"the {what} run from {first} to {last}", field=field, remedy="an end that is not before the beginning"
        )


def _ms(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1000)
