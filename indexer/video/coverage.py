"""What was looked at: the coverage report of an archive, a source a row."""

from __future__ import annotations

from collections.abc import Iterable

from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import TRACKS
from outsole.gallery.track_rows import COVERED, SOURCE_SCHEMA, SOURCES, SourceRow, source_rows
from outsole.video_answers import Coverage


def coverage_of(rows: Iterable[SourceRow]) -> Coverage:
    """What became of the frames of some sources together."""
    sources = tuple(rows)
    sums = {name: sum(getattr(row, name) for row in sources) for name in ("duration_s", *COVERED)}
    return Coverage(sources=len(sources), **sums)


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
