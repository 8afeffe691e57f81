"""The table beside pictures that says when each was taken: CSV with a header, or JSON lines.

CSV has the columns ``file`` and ``time``; a line of JSON has the same two names. A time is an ISO date and time, or a
number of seconds; one table keeps to one kind. The same form serves a folder of videos: the start of each file.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from outsole.errors import InvalidInput

SIDECAR_NAMES = ("times.csv", "times.jsonl")
_REMEDY = "columns file and time; a time is ISO (2024-01-31T23:59:59.5+01:00) or a number of seconds, all of one kind"


@dataclass(frozen=True)
class Sidecar:
    """Times by file name.

    Attributes:
        seconds: Seconds of each file after the earliest one.
        start: Time of the earliest one, with or without a zone; None where the table has only seconds.
        by_name: The moments themselves; empty where the table has only seconds.
    """

    seconds: dict[str, float]
    start: datetime | None
    by_name: dict[str, datetime]


def read_sidecar(data: bytes, *, field: str = "sidecar") -> Sidecar:
    """A table of times.

    Times without a zone are differences of a clock's hands: where summer time changes within a table, give offsets.

    Args:
        data: UTF-8; JSON lines where the first character is a brace, CSV otherwise.
        field: Name of the input, for errors.

    Raises:
        InvalidInput: No such columns, no rows, a file named twice, or times that are none or not of one kind.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("the table of times is not UTF-8", field=field, remedy=_REMEDY) from error
    rows = _json_rows(text, field) if text.lstrip().startswith("{") else _csv_rows(text, field)
    times: dict[str, float | datetime] = {}
    for place, (name, value) in enumerate(rows, start=1):
        if name in times:
            raise InvalidInput(f"{name!r} is there twice", field=f"{field}[{place}]", remedy="one time a file")
        times[name] = _time(value, f"{field}[{place}]")
    return _of_one_kind(times, field)


def _csv_rows(text: str, field: str) -> Iterator[tuple[str, str]]:
    try:
        for row in csv.DictReader(io.StringIO(text), strict=True):
            yield _row(row, field)
    except csv.Error as error:
        raise InvalidInput("the table is not CSV", field=field, remedy=_REMEDY) from error


def _json_rows(text: str, field: str) -> Iterator[tuple[str, str]]:
    for line in filter(str.strip, text.splitlines()):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{line[:40]!r} is not JSON", field=field, remedy=_REMEDY) from error
        yield _row(row if isinstance(row, dict) else {}, field)


def _row(row: dict[str, object], field: str) -> tuple[str, str]:
    name, value = row.get("file"), row.get("time")
    if not name or value is None or isinstance(value, bool):
        raise InvalidInput("a row has no file or no time", field=field, remedy=_REMEDY)
    return str(name).strip(), str(value).strip()


def _time(value: str, field: str) -> float | datetime:
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return seconds
        raise InvalidInput(f"{value!r} is not a time", field=field, remedy=_REMEDY)
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(f"{value!r} is not a time", field=field, remedy=_REMEDY) from error


def _of_one_kind(times: dict[str, float | datetime], field: str) -> Sidecar:
    plain = {name: time for name, time in times.items() if isinstance(time, float)}
    moments = {name: time for name, time in times.items() if isinstance(time, datetime)}
    if not times or (plain and moments) or len({moment.tzinfo is None for moment in moments.values()}) > 1:
        kinds = "of several kinds" if times else "not there"
        raise InvalidInput(f"the times are {kinds}", field=field, remedy=_REMEDY)
    if plain:
        first_s = min(plain.values())
        return Sidecar({name: time - first_s for name, time in plain.items()}, None, {})
    start = min(moments.values())
    return Sidecar({name: (moment - start).total_seconds() for name, moment in moments.items()}, start, moments)
