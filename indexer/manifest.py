"""What is to be indexed: a directory of images, or a manifest (CSV, JSON lines or Parquet) that lists them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from outsole.answers import Side
from outsole.errors import InvalidInput, NotFound
from outsole.gallery.items import ItemRow
from outsole.gallery.layout import checked_name

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
COLUMNS = ("id", "path", "model", "brand", "side", "category", "tread_family")
REQUIRED = ("id", "path")
# What the manifest calls a column, by the name that an item has for it.
_COLUMN_OF = {"item_id": "id", "model_id": "model"}


@dataclass(frozen=True)
class Entry:
    """One image to index.

    Attributes:
        row: 1-based row of the manifest, its header not counted, or place in the directory.
        file: Where the image is.
        item: What is known of it; hash and size are not yet.
    """

    row: int
    file: Path
    item: ItemRow


@dataclass(frozen=True)
class Reject:
    """One image that is not indexed, and why.

    Attributes:
        row: As in `Entry`.
        column: The manifest's column at fault; empty where the image itself is.
        item_id, path: As far as they are known.
        reason: One sentence for a person.
    """

    row: int
    column: str
    item_id: str
    path: str
    reason: str


@dataclass(frozen=True)
class Source:
    """What was found: entries in order of item id, rejects in order of row."""

    entries: tuple[Entry, ...]
    rejects: tuple[Reject, ...]


def read_source(source: Path) -> Source:
    """Read a directory of images (all of them, recursively), or a manifest beside its images.

    A manifest has the columns ``id`` and ``path``, and may have ``model`` (the id by default), ``brand``, ``side``
    (left or right), ``category`` and ``tread_family``. Paths are relative to the manifest and stay in its directory.
    In a directory the id is the path without its ending, ``/`` turned to ``.``, other odd characters to ``-``; where
    two files differ in their ending alone, the id of both keeps it.

    Raises:
        NotFound: There is nothing at ``source``.
        InvalidInput: It is no manifest, a column is missing or unknown, or it lists nothing.
    """
    if source.is_dir():
        base, records = source, _directory_records(source)
    elif source.is_file():
        base, records = source.parent, _manifest_records(source)
    else:
        raise NotFound(f"there is nothing at {str(source)!r}", field="source")
    found = _sift(base, records)
    if not found.entries and not found.rejects:
        raise InvalidInput(
            f"{source.name!r} holds no images", field="source", remedy=f"endings: {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return found


def rejects_csv(rejects: Iterable[Reject]) -> bytes:
    """Rejects as a CSV file, in order of row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("row", "column", "item_id", "path", "reason"))
    for reject in sorted(rejects, key=lambda r: (r.row, r.item_id)):
        writer.writerow((reject.row, reject.column, reject.item_id, reject.path, reject.reason))
    return text.getvalue().encode()


def _sift(base: Path, records: Iterable[tuple[int, dict[str, Any]]]) -> Source:
    entries: dict[str, Entry] = {}
    rejects = []
    for row, record in records:
        try:
            entry = _entry(base, row, record)
            first = entries.setdefault(entry.item.item_id, entry)
            if first is not entry:
                raise InvalidInput(f"{entry.item.item_id!r} is already the id of row {first.row}", field="id")
        except InvalidInput as error:
            rejects.append(
                Reject(
                    row=row,
                    column=_COLUMN_OF.get(error.field, error.field),
                    item_id=_shown(record.get("id")),
                    path=_shown(record.get("path")),
                    reason=f"{error.message} ({error.remedy})" if error.remedy else error.message,
                )
            )
    return Source(tuple(entries[item] for item in sorted(entries)), tuple(rejects))


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:200]


def _entry(base: Path, row: int, record: dict[str, Any]) -> Entry:
    texts = {column: _text(record, column) for column in COLUMNS}
    item_id = checked_name(texts["id"], field="id")
    file = _inside(base, texts["path"])
    item = ItemRow(
        item_id=item_id,
        model_id=texts["model"] or item_id,
        brand=texts["brand"],
        side=_side(texts["side"]),
        category=texts["category"],
        tread_family=texts["tread_family"],
        path=texts["path"],
    )
    return Entry(row, file, item)


def _text(record: dict[str, Any], column: str) -> str:
    value = record.get(column)
    if value is None or value == "":
        if column in REQUIRED:
            raise InvalidInput("the value is missing", field=column)
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(f"{_shown(value)!r} is no text", field=column)
    return str(value).strip()


def _side(text: str) -> Side:
    try:
        return Side(text.lower() or "unknown")
    except ValueError as error:
        raise InvalidInput(f"{text[:60]!r} is no side", field="side", remedy="left, right or empty") from error


def _inside(base: Path, text: str) -> Path:
    try:
        file = (base / text).resolve()
        # Links are followed first: one that leads out of the directory is refused like "..".
        if not file.is_relative_to(base.resolve()):
            raise InvalidInput(f"{text[:200]!r} leads out of the source's directory", field="path")
        if not file.is_file():
            raise InvalidInput(f"there is no file {text[:200]!r}", field="path")
    except (ValueError, OSError) as error:
        raise InvalidInput(f"{text[:200]!r} cannot be a path", field="path") from error
    return file


def _directory_records(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    paths = [file.relative_to(folder) for file in files]
    times = Counter(path.with_suffix("") for path in paths)
    for row, path in enumerate(paths, start=1):
        # a.png beside a.jpg: both keep their ending, so that neither loses its place to the other.
        plain = path.with_suffix("") if times[path.with_suffix("")] == 1 else path
        name = re.sub(r"[^A-Za-z0-9._-]", "-", ".".join(plain.parts)).lstrip("._-")
        yield row, {"id": name, "path": path.as_posix()}


def _manifest_records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    readers = {".csv": _csv_records, ".jsonl": _jsonl_records, ".parquet": _parquet_records}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InvalidInput(f"{file.name!r} is no manifest", field="source", remedy=f"one of {', '.join(readers)}")
    try:
        yield from reader(file)
    except (UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise InvalidInput(f"{file.name!r} cannot be read as {file.suffix}: {error}", field="source") from error


def _check_columns(names: Iterable[str], file: Path, *, row: int = 0) -> None:
    given = set(names)
    where = f"row {row} of {file.name!r}" if row else repr(file.name)
    missing = [column for column in REQUIRED if column not in given]
    if missing:
        raise InvalidInput(f"{where} has no column {missing[0]!r}", field="source", remedy=f"needed: {_list(REQUIRED)}")
    unknown = sorted(str(name) for name in given - set(COLUMNS))
    if unknown:
        raise InvalidInput(
            f"{where} has an unknown column {unknown[0]!r}", field="source", remedy=f"known: {_list(COLUMNS)}"
        )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _csv_records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    # utf-8-sig takes the byte order mark that spreadsheets write.
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_columns(header, file)
        for row, cells in enumerate((cells for cells in reader if cells), start=1):
            if len(cells) != len(header):
                raise InvalidInput(
                    f"row {row} of {file.name!r} has {len(cells)} cells, its header {len(header)}", field="source"
                )
            yield row, dict(zip(header, cells, strict=True))


def _jsonl_records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8-sig") as lines:
        for row, line in enumerate((line for line in lines if line.strip()), start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"row {row} of {file.name!r} is not JSON", field="source") from error
            if not isinstance(record, dict):
                raise InvalidInput(f"row {row} of {file.name!r} is no object", field="source")
            _check_columns({*record, *REQUIRED}, file, row=row)
            yield row, record


def _parquet_records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with pq.ParquetFile(file) as table:
        _check_columns(table.schema_arrow.names, file)
        row = 0
        for batch in table.iter_batches():
            for record in batch.to_pylist():
                row += 1
                yield row, record
