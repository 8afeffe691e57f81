"""The history of a gallery: which edition was in force when, and which ones the vector store let go."""

from __future__ import annotations

import datetime
import enum
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outsole.errors import DataCorrupt, NotFound, PreconditionFailed
from outsole.gallery import journal
from outsole.gallery.layout import Manifest, current_edition, editions_dir, set_current

HISTORY = "history.jsonl"
_LOCK = ".switching"


class Event(enum.Enum):
    """What happened to an edition."""

    IN_FORCE = "in_force"
    RETIRED = "retired"


@dataclass(frozen=True)
class HistoryEntry:
    """One line of the history.

    Attributes:
        at: UTC time, ISO 8601.
        event: What happened.
        edition: To which edition.
        previous: The edition that was in force until then; empty where there was none, and for RETIRED.
        reason: Why, in words.
    """

    at: str
    event: Event
    edition: str
    previous: str
    reason: str


def switch(root: Path, gallery: str, edition: str, *, reason: str) -> bool:
    """Put an edition in force and write it into the history; whether another one was in force before.

    Where it is in force already nothing is changed or written. Who decides by what is in force holds `switching`.

    Raises:
        NotFound: There is no such edition.
        DataCorrupt: Its manifest cannot be understood.
    """
    Manifest.read(editions_dir(root, gallery) / edition)
    previous = edition_in_force(root, gallery)
    if previous == edition:
        return False
    set_current(root, gallery, edition)
    _append(root, gallery, HistoryEntry(now(), Event.IN_FORCE, edition, previous, reason))
    return True


def mark_retired(root: Path, gallery: str, edition: str, *, reason: str) -> None:
    """Write into the history that the vector store let go of an edition; its files stay.

    Raises:
        NotFound: There is no such edition.
        PreconditionFailed: It is in force.
    """
    Manifest.read(editions_dir(root, gallery) / edition)
    if edition_in_force(root, gallery) == edition:
        raise PreconditionFailed(
            f"edition {edition!r} of gallery {gallery!r} is in force", field="edition", remedy="publish another first"
        )
    _append(root, gallery, HistoryEntry(now(), Event.RETIRED, edition, "", reason))


def history(root: Path, gallery: str) -> tuple[HistoryEntry, ...]:
    """Every line, oldest first; empty for a gallery from before there was a history."""
    return tuple(_entry(record) for record in journal.read(_path(root, gallery)))


def in_force_since(root: Path, gallery: str) -> str:
    """When the edition in force came into force, ISO 8601; empty where the history does not say."""
    entries = [entry for entry in history(root, gallery) if entry.event is Event.IN_FORCE]
    current = edition_in_force(root, gallery)
    return entries[-1].at if entries and entries[-1].edition == current else ""


def retired_editions(root: Path, gallery: str) -> frozenset[str]:
    """Editions that were retired and have not been in force since."""
    last = {entry.edition: entry.event for entry in history(root, gallery)}
    return frozenset(edition for edition, event in last.items() if event is Event.RETIRED)


def edition_in_force(root: Path, gallery: str) -> str:
    """The edition in force; empty where there is none, or the file that names it is damaged."""
    try:
        return current_edition(root, gallery)
    except (NotFound, DataCorrupt):
        return ""


def switching(root: Path, gallery: str) -> AbstractContextManager[None]:
    """Held while somebody makes an edition of the one in force and switches to it, so that no change is lost."""
    return journal.held(editions_dir(root, gallery).parent / _LOCK)


def now() -> str:
    """UTC time, ISO 8601, in seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _append(root: Path, gallery: str, entry: HistoryEntry) -> None:
    journal.append(_path(root, gallery), {**asdict(entry), "event": entry.event.value})


def _path(root: Path, gallery: str) -> Path:
    return editions_dir(root, gallery).parent / HISTORY


def _entry(record: dict[str, Any]) -> HistoryEntry:
    try:
        return HistoryEntry(**{**record, "event": Event(record["event"])})
    except (KeyError, TypeError, ValueError) as error:
        raise DataCorrupt(f"{HISTORY} holds a line that this release does not know: {str(record)[:200]}") from error
