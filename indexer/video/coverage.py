"""What was looked at: the coverage report of an archive, a source a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import TRACKS
from outsole.gallery.track_rows import SOURCE_SCHEMA, SOURCES, SourceRow, source_rows


@dataclass(frozen=True)
class Coverage:
    """What became of the frames of some sources, see `outsole.gallery.track_rows.SourceRow`.

    Attributes:
        sources: How many.
        duration_s: Of all of them.
        received, decoded, skipped, failed: Frames.
        with_people, with_shoes: Frames in which such were seen.
        shoes, too_small, searched: Sightings.
        tracks, static, short: Walks.
    """

    sources: int = 0
    duration_s: float = 0.0
    received: int = 0
    decoded: int = 0
    skipped: int = 0
    failed: int = 0
    with_people: int = 0
    with_shoes: int = 0
    shoes: int = 0
    too_small: int = 0
    searched: int = 0
    tracks: int = 0
    static: int = 0
    short: int = 0

    @classmethod
    def of(cls, rows: Iterable[SourceRow]) -> Coverage:
        """That of some sources together."""
        sources = tuple(rows)
        names = [entry.name for entry in fields(cls) if entry.name != "sources"]
        return cls(len(sources), **{name: sum(getattr(row, name) for row in sources) for name in names})


def read_source_rows(edition: Edition) -> tuple[SourceRow, ...]:
    """The sources of an archive, in order of id.

    Raises:
        NotFound: The edition is of a gallery that shows something else.
        DataCorrupt: Its table cannot be read.
    """
    if edition.manifest.shows != TRACKS:
        raise NotFound(
            f"gallery {edition.gallery!r} shows {edition.manifest.shows}", field="archive", remedy="name an archive"
        )
    return tuple(source_rows(edition.table(SOURCES, SOURCE_SCHEMA)))
