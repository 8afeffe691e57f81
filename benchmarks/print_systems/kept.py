"""Results that an interrupted benchmark finds again: rows as JSON, scores as arrays, named by what they depend on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.print_systems.rows import Row

_SAVE_EVERY = 5


class Kept:
    """A folder of results.

    Args:
        folder: Made when the first result is kept; None keeps scores in memory alone.
        data: What the data are, part of every key.
    """

    def __init__(self, folder: Path | None, data: str = "") -> None:
        self._folder = folder
        self._data = data
        self._tables: dict[tuple[str, str], NDArray[np.float32]] = {}

    def row(self, name: str, key: str, make: Callable[[], Row]) -> Row:
        """The row kept under a name and key (the hash of the weights, say), else a new one."""
        path = self._path(name, key, "json")
        if path is not None and path.is_file():
            try:
                return Row.from_record(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                # A row of another release, or cut short: it is measured again.
                path.unlink()
        row = make()
        if path is not None:
            _write(path, (json.dumps(row.to_record(), indent=2) + "\n").encode())
        return row

    def scores(
        self, name: str, key: str, shape: tuple[int, int], one: Callable[[int], NDArray[np.floating]]
    ) -> NDArray[np.float32]:
        """Scores of all probes.

        Args:
            name: Of the system, for the bar and the file.
            key: Hash of what the scores depend on.
            shape: (Q, N).
            one: Index of a probe -> its scores [N]; only asked for probes whose scores are not kept.

        Returns:
            float32 [Q, N].
        """
        if (name, key) in self._tables:
            return self._tables[name, key]
        path = self._path(name, key, "npy")
        table = _read(path, shape)
        waiting = np.flatnonzero(np.isnan(table).any(axis=1)).tolist()
        for done, index in enumerate(tqdm(waiting, desc=name, unit="probe", disable=not waiting), start=1):
            table[index] = one(index)
            if path is not None and (done % _SAVE_EVERY == 0 or done == len(waiting)):
                _write_array(path, table)
        self._tables[name, key] = table
        return table

    def _path(self, name: str, key: str, ending: str) -> Path | None:
        if self._folder is None:
            return None
        digest = hashlib.sha256(f"{self._data}\n{key}".encode()).hexdigest()[:16]
        return self._folder / f"{name.replace(':', '_').replace(' ', '_')}-{digest}.{ending}"


def _read(path: Path | None, shape: tuple[int, int]) -> NDArray[np.float32]:
    if path is not None and path.is_file():
        try:
            table = np.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError):
            table = None
        if table is not None and table.shape == shape and table.dtype == np.float32:
            return np.asarray(table, np.float32)
    return np.full(shape, np.nan, np.float32)


def _write_array(path: Path, table: NDArray[np.float32]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(draft, table)
    draft.replace(path)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
