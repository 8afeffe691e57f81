"""The columns of a manifest, and what their values mean."""

from __future__ import annotations

import datetime
import enum
import math
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from outsole.answers import Role, Side
from outsole.errors import InvalidInput
from outsole.gallery.layout import checked_name

COLUMNS = (
    *("id", "sku", "path", "url", "model", "brand", "retailer", "role", "side"),
    *("category", "tread_family", "release_date", "colourway", "size", "licence"),
)
# Of each of these a manifest has at least one.
NEEDED = (("id", "sku"), ("path", "url"))
# Columns whose values are the same in many rows: each value is kept once.
_FEW_VALUES = frozenset(COLUMNS) - {"id", "sku", "path", "url", "model"}
# What a manifest calls a field of the records that are made of its rows.
_COLUMN_OF = {"item_id": "id", "model_id": "model", "year": "release_date"}
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_Word = TypeVar("_Word", bound=enum.Enum)


def column_of(field: str) -> str:
    """The column that a field of an item or offer is read from."""
    return _COLUMN_OF.get(field, field)


def check_columns(names: Sequence[str], file: Path, *, row: int = 0) -> None:
    """Check the header of a manifest, or the keys of one row where every row has its own.

    Args:
        names: The columns that are there.
        file: The manifest.
        row: The row; 0 for a header, which has to be complete. A row may leave out what it does not fill in.

    Raises:
        InvalidInput: A column is unknown, there twice or missing.
    """
    where = f"row {row} of {file.name!r}" if row else repr(file.name)
    missing = [either for either in NEEDED if not row and not set(either) & set(names)]
    if missing:
        needed = ", ".join(" or ".join(either) for either in NEEDED)
        raise InvalidInput(f"{where} has no column {missing[0][0]!r}", field="source", remedy=f"needed: {needed}")
    unknown = sorted(set(names) - set(COLUMNS))
    if unknown:
        known = ", ".join(COLUMNS)
        raise InvalidInput(f"{where} has an unknown column {unknown[0]!r}", field="source", remedy=f"known: {known}")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidInput(f"{where} has the column {twice[0]!r} twice", field="source")


def texts_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The values of a row by column, all columns, as text without blanks around it; empty where there is none.

    Raises:
        InvalidInput: A value is no text; ``field`` is its column.
    """
    return {column: _text(record.get(column), column) for column in COLUMNS}


def _text(value: object, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return sys.intern(value.strip()) if column in _FEW_VALUES else value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # Tables with types have dates and half sizes as such.
    if column == "release_date" and isinstance(value, datetime.date):
        return value.date().isoformat() if isinstance(value, datetime.datetime) else value.isoformat()
    if column == "size" and isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    raise InvalidInput(f"a value of type {type(value).__name__} is no text", field=column)


def role_of(text: str) -> Role:
    """What a picture shows, in any case; SOLE where nothing is said.

    Raises:
        InvalidInput: It is no role.
    """
    return _word(Role, text.upper() or Role.SOLE.value, "role")


def side_of(text: str) -> Side:
    """Which foot, in any case; unknown where nothing is said.

    Raises:
        InvalidInput: It is no side.
    """
    return _word(Side, text.lower() or Side.UNKNOWN.value, "side")


def _word(words: type[_Word], text: str, column: str) -> _Word:
    try:
        return words(text)
    except ValueError as error:
        known = ", ".join(word.value for word in words)
        raise InvalidInput(f"{text[:60]!r} is no {column}", field=column, remedy=f"{known} or empty") from error


def year_of(release_date: str) -> int:
    """The year of ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; 0 for the empty text.

    Raises:
        InvalidInput: It is no such date.
    """
    if not release_date:
        return 0
    found = _DATE.fullmatch(release_date)
    try:
        if found is None:
            raise ValueError("not of the form")
        return datetime.date(int(found[1]), int(found[2] or 1), int(found[3] or 1)).year
    except ValueError as error:
        remedy = "YYYY, YYYY-MM or YYYY-MM-DD"
        raise InvalidInput(f"{release_date[:60]!r} is no date", field="release_date", remedy=remedy) from error


def id_of(texts: Mapping[str, str], role: Role, side: Side) -> str:
    """The id of a row: the one that it has, or one made of retailer, sku, role and side.

    In a made id the parts that are there are joined by ``.`` in lower case, odd characters turned to ``-``; SOLE and
    an unknown side are left out.

    Raises:
        InvalidInput: It has neither id nor sku, or what it has cannot be a name.
    """
    if texts["id"]:
        return checked_name(texts["id"], field="id")
    if not texts["sku"]:
        raise InvalidInput("the value is missing", field="id", remedy="a row has an id or a sku")
    parts = [texts["retailer"], texts["sku"]]
    parts += [role.value] if role is not Role.SOLE else []
    parts += [side.value] if side is not Side.UNKNOWN else []
    name = plain_name(".".join(part for part in parts if part).lower())
    try:
        return checked_name(name, field="sku")
    except InvalidInput as error:
        raise InvalidInput(error.message, field="sku", remedy="give the row an id") from error


def plain_name(text: str) -> str:
    """A text with odd characters turned to ``-``, and none of ``.``, ``_``, ``-`` in front."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("._-")


def location_column(texts: Mapping[str, str]) -> str:
    """Which of ``path`` and ``url`` says where the picture is.

    Raises:
        InvalidInput: Neither does, or both do.
    """
    if texts["path"] and texts["url"]:
        raise InvalidInput("path and url are both filled in", field="url", remedy="leave one of them empty")
    if not texts["path"] and not texts["url"]:
        raise InvalidInput("the value is missing", field="path", remedy="a row has a path or a url")
    return "path" if texts["path"] else "url"
