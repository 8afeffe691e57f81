"""Filters as Milvus expressions."""

from __future__ import annotations

from collections.abc import Sequence

from outsole.answers import ItemFilter
from outsole.gallery.store import filter_columns, filter_years


def filter_expression(where: ItemFilter, *, without: Sequence[int] = ()) -> str:
    """A filter as a Milvus expression; every value becomes a quoted literal, so that none can add to the expression.

    Values with control characters are left out: no item can have one, and no literal could hold it.

    Args:
        where: The filter.
        without: Rows that take no part whatever the filter says.
    """
    terms = [
        f"{column} in [{', '.join(_literal(value) for value in values if value.isprintable())}]"
        for column, values in filter_columns(where).items()
    ]
    first, last = filter_years(where)
    if first or last:
        terms.append(f"year >= {max(first, 1)}")
    if last:
        terms.append(f"year <= {last}")
    if without:
        terms.append(f"id not in [{', '.join(map(str, without))}]")
    return " and ".join(terms)


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
