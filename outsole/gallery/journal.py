"""Journals: files of one JSON object a line that only ever grow, and survive a machine that stops while it writes."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outsole.gallery.layout import sync_dir

_log = logging.getLogger(__name__)


def append(path: Path, record: Mapping[str, object]) -> None:
    """Add a line and wait until it is on the disk; the directory is made where there is none.

    Processes may append to the same file at once. A line that was cut short before is closed first, so that it does
    not swallow this one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        file.write(line if _ends_whole(path) else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_dir(path.parent)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The lines in the order in which they were written; nothing where there is no file.

    A line that is no JSON object was cut short by a machine that stopped; it is left out, and the log says so.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if isinstance(record, dict):
            yield record
        else:
            _log.warning("line %d of %s was cut short and is left out", number, path)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file for the length of the block; others wait, and it is let go when the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
