"""Filters as Milvus expressions."""

from __future__ import annotations

from collections.abc import Sequence

from outsole.gallery.filters import RowFilter, filter_ranges, filter_texts


def filter_expression(where: RowFilter, *, without: Sequence[int] = ()) -> str:
    """A filter as a Milvus expression; every value becomes a quoted literal, so that none can add to the expression.

    Values with control characters are left out: no item can have one, and no literal could hold it.

    Args:
        where: The filter.
        without: Rows that take no part whatever the filter says.
    """
    terms = [
        f"{column} in [{', '.join(_literal(value) for value in values if value.isprintable())}]"
        for column, values in filter_texts(where).items()
    ]
    for column, (first, last) in filter_ranges(where).items():
        terms += [] if first is None else [f"{column} >= {first}"]
        terms += [] if last is None else [f"{column} <= {last}"]
    if without:
        terms.append(f"id not in [{', '.join(map(str, without))}]")
    return " and ".join(terms)


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
