"""The folder through which a service and the process that works talk about a piece of long work.

``request.json`` is written once, ``state.json`` is replaced whole, ``errors.jsonl`` grows, ``cancel`` is there once
somebody wants it stopped, and ``pause`` for as long as somebody wants it to hold still.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outsole import errors
from outsole.errors import DataCorrupt, NotFound, OutsoleError
from outsole.operations import SHOWN_ITEM_ERRORS, ItemFailure, OperationInfo, WorkProgress, WorkState

_REQUEST, _STATE, _ERRORS, _LOCK = "request.json", "state.json", "errors.jsonl", ".lock"
_CANCEL, _PAUSE = "cancel", "pause"


class OperationFolder:
    """One operation on disk. One process writes its state at a time: the worker while it runs, else the service."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    @property
    def operation_id(self) -> str:
        """Its id."""
        return self.path.name

    @classmethod
    def create(cls, root: Path, info: OperationInfo, request: Mapping[str, object]) -> OperationFolder:
        """Write an accepted operation down; it is whole or not there."""
        draft = root / f".{info.operation_id}"
        draft.mkdir(parents=True)
        made = cls(draft)
        _replace(draft / _REQUEST, dict(request))
        made.write(info)
        draft.rename(root / info.operation_id)
        return cls(root / info.operation_id)

    def request(self) -> dict[str, Any]:
        """What was asked for."""
        return _read(self.path / _REQUEST)

    def info(self, *, with_items: bool = False) -> OperationInfo:
        """How it is now.

        Raises:
            NotFound: There is no such operation.
            DataCorrupt: Its state cannot be understood.
        """
        record = _read(self.path / _STATE)
        try:
            record["state"] = WorkState(record["state"])
            record["progress"] = WorkProgress(**record["progress"])
            record["error"] = _error(record["error"])
            items = tuple(self.item_errors(SHOWN_ITEM_ERRORS)) if with_items else ()
            return OperationInfo(**record, item_errors=items)
        except (KeyError, TypeError, ValueError) as error:
            raise DataCorrupt(f"the state of operation {self.operation_id!r} cannot be read") from error

    def write(self, info: OperationInfo) -> None:
        """Replace the state; a reader sees the old one or the new one."""
        record = {name: value for name, value in vars(info).items() if name != "item_errors"}
        record["state"] = info.state.value
        record["progress"] = asdict(info.progress)
        record["error"] = None if info.error is None else _plain_error(info.error)
        _replace(self.path / _STATE, record)

    def add_errors(self, failures: Iterable[ItemFailure]) -> None:
        """Add units that failed."""
        with (self.path / _ERRORS).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(failure), ensure_ascii=False) + "\n" for failure in failures)

    def forget_errors(self) -> None:
        """Remove the units that failed: the work begins again, and will meet them again."""
        (self.path / _ERRORS).unlink(missing_ok=True)

    def item_errors(self, limit: int) -> Iterator[ItemFailure]:
        """The first units that failed, in order."""
        with contextlib.suppress(FileNotFoundError), (self.path / _ERRORS).open(encoding="utf-8") as lines:
            for _, line in zip(range(limit), lines, strict=False):
                with contextlib.suppress(ValueError, TypeError):
                    yield ItemFailure(**json.loads(line))

    def ask_to_stop(self) -> None:
        """Note that somebody wants it stopped."""
        (self.path / _CANCEL).touch()

    @property
    def should_stop(self) -> bool:
        """Whether somebody wants it stopped."""
        return (self.path / _CANCEL).exists()

    def ask_to_pause(self) -> None:
        """Note that somebody wants it to hold still."""
        (self.path / _PAUSE).touch()

    def ask_to_go_on(self) -> None:
        """Take the wish that it holds still back."""
        (self.path / _PAUSE).unlink(missing_ok=True)

    @property
    def should_pause(self) -> bool:
        """Whether somebody wants it to hold still."""
        return (self.path / _PAUSE).exists()

    @contextlib.contextmanager
    def working(self) -> Iterator[bool]:
        """Hold the operation while working on it; gives False where another process does."""
        with (self.path / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def now() -> str:
    """UTC time, ISO 8601, in microseconds: operations are told apart and put in order by it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        name = path.parent.name
        raise NotFound(f"there is no operation {name[:100]!r}", field="operation_id") from error
    except ValueError as error:
        raise DataCorrupt(f"{path.name} of operation {path.parent.name!r} is not JSON") from error
    return found


def _replace(path: Path, record: Mapping[str, object]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(record, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _plain_error(error: OutsoleError) -> dict[str, object]:
    kind = next(k.__name__ for k in type(error).__mro__ if getattr(errors, k.__name__, None) is k)
    return {"kind": kind, "message": error.message, "field": error.field, "remedy": error.remedy}


def _error(record: dict[str, str] | None) -> OutsoleError | None:
    if record is None:
        return None
    kind: type[OutsoleError] = getattr(errors, record["kind"])
    return kind(record["message"], field=record["field"], remedy=record["remedy"])
