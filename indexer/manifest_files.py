"""Rows of a source, numbered from 1: of a CSV, JSON lines or Parquet manifest, or the files of a directory."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.schema import check_columns, plain_name
from outsole.errors import InvalidInput

_ROWS_AT_ONCE = 4096
_Rows = Iterator[tuple[int, dict[str, Any]]]


def manifest_rows(file: Path) -> _Rows:
    """The rows of a manifest in order, counted from 1: number and value by column, types as the file has them.

    Raises:
        InvalidInput: The file is no manifest or is damaged, or a column is unknown, there twice or missing.
    """
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InvalidInput(f"{file.name!r} is no manifest", field="source", remedy=f"one of {', '.join(readers)}")
    try:
        yield from reader(file)
    except (UnicodeDecodeError, csv.Error, pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{file.name!r} cannot be read as {file.suffix}: {error}", field="source") from error


def _csv_rows(file: Path) -> _Rows:
    # utf-8-sig takes the byte order mark that spreadsheets write.
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
            raise InvalidInput(f"the cells of {file.name!r} are not parted by commas", field="source", remedy="use ','")
        check_columns(header, file)
        for row, cells in enumerate((cells for cells in reader if cells), start=1):
            if len(cells) != len(header):
                raise InvalidInput(
                    f"row {row} of {file.name!r} has {len(cells)} cells, its header {len(header)}", field="source"
                )
            yield row, dict(zip(header, cells, strict=True))


def _jsonl_rows(file: Path) -> _Rows:
    with file.open(encoding="utf-8-sig") as lines:
        for row, line in enumerate((line for line in lines if line.strip()), start=1):
            try:
                # Pairs, because a dictionary would hide a key that is there twice.
                record = json.loads(line, object_pairs_hook=_Pairs)
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"row {row} of {file.name!r} is not JSON", field="source") from error
            if not isinstance(record, _Pairs):
                raise InvalidInput(f"row {row} of {file.name!r} is no object", field="source")
            check_columns([name for name, _ in record], file, row=row)
            yield row, dict(record)


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of a JSON object as they were written."""


def _parquet_rows(file: Path) -> _Rows:
    with pq.ParquetFile(file) as table:
        check_columns(table.schema_arrow.names, file)
        row = 0
        for batch in table.iter_batches(_ROWS_AT_ONCE):
            for record in batch.to_pylist():
                row += 1
                yield row, record


def directory_rows(folder: Path, suffixes: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The files of a directory in order of path, counted from 1: number, and ``id`` and ``path`` below the directory.

    The id is the path without its ending, ``/`` turned to ``.``, other odd characters to ``-``; where two files
    differ in their ending alone, the id of both keeps it. Links to directories are not followed.

    Raises:
        InvalidInput: A directory cannot be listed. What it holds would be taken for gone.
    """
    paths = sorted(path for path in _files(folder) if path.suffix.lower() in suffixes)
    times = Counter(path.with_suffix("") for path in paths)
    for row, path in enumerate(paths, start=1):
        # a.png beside a.jpg: both keep their ending, so that neither loses its place to the other.
        plain = path.with_suffix("") if times[path.with_suffix("")] == 1 else path
        yield row, {"id": plain_name(".".join(plain.parts)), "path": path.as_posix()}


def _files(folder: Path) -> Iterator[Path]:
    for name, _, files in os.walk(folder, onerror=_not_listed):
        base = Path(name).relative_to(folder)
        yield from (base / file for file in files)


def _not_listed(error: OSError) -> None:
    raise InvalidInput(f"{error.filename!r} cannot be listed: {error.strerror}", field="source") from error
