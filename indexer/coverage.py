"""What a gallery holds and what it lacks: plain counts of its items, offers, rejects and duplicates."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import jinja2
import pyarrow as pa

from outsole.errors import DataCorrupt
from outsole.gallery.items import Likeness

ASPECTS = ("brand", "year", "category", "side", "state")
UNKNOWN = "unknown"
REJECT_COLUMNS = ("row", "column", "item_id", "path", "reason")
_IMAGE = "the image itself"
_SHOWN_ROWS = 20
_BAR_CHARACTERS = 24
# What differs from row to row within one class of reasons: quoted values, numbers, and the remedy at the end.
_REMEDY = re.compile(r"\s*\([^()]*\)\s*$")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class Count:
    """Items and models with one value of an aspect."""

    items: int
    models: int


@dataclass(frozen=True)
class Coverage:
    """Counts of a gallery; every mapping is in the order in which it is shown.

    Attributes:
        items, models, offers, rejects: How many of each.
        by: Aspect (`ASPECTS`) -> value -> items and models with it; a model counts with every value that one of its
            items has. Empty values, and the year 0, are called ``unknown``.
        offers_by_retailer: Offers by retailer.
        rejects_by_reason: Rejects by class of reason, see `reason_class`.
        rejects_by_column: Rejects by the manifest's column at fault.
        offers_by_likeness: Offers by how their picture is that of their item; all but ``own`` are duplicates.
    """

    items: int
    models: int
    offers: int
    rejects: int
    by: Mapping[str, Mapping[str, Count]]
    offers_by_retailer: Mapping[str, int]
    rejects_by_reason: Mapping[str, int]
    rejects_by_column: Mapping[str, int]
    offers_by_likeness: Mapping[str, int]

    @property
    def duplicates(self) -> int:
        """Offers whose picture is not the item's own."""
        return sum(self.offers_by_likeness.values()) - self.offers_by_likeness.get(Likeness.OWN.value, 0)


def coverage(items: pa.Table, offers: pa.Table, rejects: pa.Table) -> Coverage:
    """Count what a gallery holds.

    Args:
        items: Columns of `outsole.gallery.items.ITEM_SCHEMA`.
        offers: Columns of `outsole.gallery.items.OFFER_SCHEMA`.
        rejects: Columns `REJECT_COLUMNS`, see `rejects_table`.
    """
    return Coverage(
        items=items.num_rows,
        models=len(set(items["model_id"].to_pylist())),
        offers=offers.num_rows,
        rejects=rejects.num_rows,
        by={aspect: _by(items, aspect) for aspect in ASPECTS},
        offers_by_retailer=_ranked(_named(offers["retailer"])),
        rejects_by_reason=_ranked(reason_class(reason) for reason in rejects["reason"].to_pylist()),
        rejects_by_column=_ranked(column or _IMAGE for column in rejects["column"].to_pylist()),
        offers_by_likeness=_likenesses(offers),
    )


def rejects_table(data: bytes) -> pa.Table:
    """Read an edition's ``rejects.csv``; a table without rows of an empty one.

    Raises:
        DataCorrupt: It has other columns than it should, or is no UTF-8.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataCorrupt("rejects.csv cannot be read") from error
    if rows and (tuple(rows[0]) != REJECT_COLUMNS or {len(row) for row in rows} != {len(REJECT_COLUMNS)}):
        raise DataCorrupt("rejects.csv has other columns than it should")
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else ([] for _ in REJECT_COLUMNS)
    return pa.table({name: pa.array(list(c), pa.string()) for name, c in zip(REJECT_COLUMNS, columns, strict=True)})


def reason_class(reason: str) -> str:
    """A reason without what differs from row to row: quoted values become ``...``, numbers ``N``, the remedy goes.

    >>> reason_class("there is no file 'shoes/17.png' (see row 3)")
    'there is no file ...'
    """
    return _NUMBER.sub("N", _QUOTED.sub("...", _REMEDY.sub("", reason))).strip() or UNKNOWN


def as_json(found: Coverage) -> str:
    """The counts as JSON, indented, with a line's end."""
    return json.dumps({**asdict(found), "duplicates": found.duplicates}, indent=1, ensure_ascii=False) + "\n"


def as_text(found: Coverage) -> str:
    """The counts for a terminal: every table with its 20 largest rows."""
    lines = [f"{name:<22}{value:>12,}" for name, value in _totals(found)]
    for title, heads, rows in _tables(found):
        lines += ["", f"{title:<40}" + "".join(f"{head:>10}" for head in heads)]
        largest = max((row[1][0] for row in rows), default=0)
        for name, counts in rows:
            bar = "#" * round(_BAR_CHARACTERS * counts[0] / max(largest, 1))
            numbers = "".join(f"{count:>10,}" for count in counts).ljust(10 * len(heads))
            lines.append(f"  {_cut(name, 37):<38}{numbers}  {bar}".rstrip())
    return "\n".join(lines) + "\n"


def as_html(found: Coverage, *, title: str) -> str:
    """The counts as one self-contained page in the style of the search report: no script, no file beside it.

    Args:
        title: Heading of the page, for example the gallery and its edition.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("outsole.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template("coverage.html.j2")
    return template.render(title=title, totals=_totals(found), tables=_tables(found))


def _named(column: pa.ChunkedArray) -> list[str]:
    """Texts of a column; what is empty or no year is called unknown."""
    return [str(value) if value else UNKNOWN for value in column.to_pylist()]


def _ranked(names: Iterable[str]) -> dict[str, int]:
    """Counts by name, the largest first, equal ones by name."""
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _by(items: pa.Table, aspect: str) -> dict[str, Count]:
    names = _named(items[aspect])
    models = Counter(name for name, _ in set(zip(names, items["model_id"].to_pylist(), strict=True)))
    counts = _ranked(names)
    # Years are read as a row of years; all else by how much there is.
    order = sorted(counts, key=lambda name: (name == UNKNOWN, name)) if aspect == "year" else list(counts)
    return {name: Count(counts[name], models[name]) for name in order}


def _likenesses(offers: pa.Table) -> dict[str, int]:
    counts = Counter(offers["likeness"].to_pylist())
    return {likeness.value: counts[likeness.value] for likeness in Likeness}


def _totals(found: Coverage) -> list[tuple[str, int]]:
    return [
        ("Items", found.items),
        ("Models", found.models),
        ("Offers", found.offers),
        ("Duplicates", found.duplicates),
        ("Rejects", found.rejects),
    ]


_Rows = list[tuple[str, tuple[int, ...]]]


def _tables(found: Coverage) -> list[tuple[str, tuple[str, ...], _Rows]]:
    """Every table as title, heads of its columns of numbers, and rows of a name and numbers."""
    tables: list[tuple[str, tuple[str, ...], _Rows]] = []
    for aspect, counts in found.by.items():
        rows: _Rows = [(name, (count.items, count.models)) for name, count in counts.items()]
        # Years are not summed up: a hole in their row is what one looks for.
        shown = rows if aspect == "year" else _shortened(rows)
        tables.append((f"By {aspect}", ("items", "models"), shown))
    for title, head, plain in (
        ("Offers by retailer", "offers", found.offers_by_retailer),
        ("Offers by likeness of the picture", "offers", found.offers_by_likeness),
        ("Rejects by reason", "rejects", found.rejects_by_reason),
        ("Rejects by column", "rejects", found.rejects_by_column),
    ):
        tables.append((title, (head,), _shortened([(name, (count,)) for name, count in plain.items()])))
    return tables


def _shortened(rows: _Rows) -> _Rows:
    """The first rows, and one for all others: their items are summed, models would be counted twice."""
    if len(rows) <= _SHOWN_ROWS + 1:
        return rows
    rest = rows[_SHOWN_ROWS:]
    return [*rows[:_SHOWN_ROWS], (f"{len(rest)} others", (sum(counts[0] for _, counts in rest),))]


def _cut(name: str, characters: int) -> str:
    return name if len(name) <= characters else name[: characters - 3] + "..."
