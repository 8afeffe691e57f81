"""What an archive has already: sources that need not be looked at again, and what people decided about their tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from indexer.video.coverage import read_source_rows
from indexer.video.model import TRACKING
from indexer.video.tracking import Sightings, TrackedSource, track_source
from indexer.video.writing import KeptPart
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.layout import TRACKS, current_edition
from outsole.gallery.track_rows import SourceRow
from outsole.video.archive_files import tracks_file
from outsole.video.track_edits import TrackEdit, read_edits
from outsole.video.tracking_settings import TrackingSettings

_CLOCK = ("camera", "place", "zone", "clock_offset_s", "start", "start_origin")
_NAMED = 3


def edits_dir(archive: Path, source_id: str) -> Path:
    """Where the edits by hand of a source's tracks are recorded.

    Args:
        archive: ``<root>/<archive>``.
        source_id: The source.
    """
    return archive / "edits" / source_id


def archive_in_force(root: Path, archive: str) -> Edition | None:
    """The edition of an archive that is in force; None where there is none yet.

    Raises:
        InvalidInput: It is a gallery that shows something else.
        NotFound, DataCorrupt: It is damaged; going on without it would lose its sources without a word.
    """
    try:
        current = current_edition(root, archive)
    except NotFound:
        return None
    before = Edition.open(root, archive, current)
    if before.manifest.shows != TRACKS:
        remedy = "another name for an archive of videos"
        raise InvalidInput(f"gallery {archive!r} shows {before.manifest.shows}", field="archive", remedy=remedy)
    return before


class KeptSources:
    """The sources of the edition in force whose sightings are what a new run would find.

    Args:
        before: The edition in force; None where there is none.
        archive: ``<root>/<archive>``.
        encoder_hash, settings: Of the edition to be made.
    """

    def __init__(
        self, before: Edition | None, archive: Path, *, encoder_hash: str, settings: Mapping[str, str]
    ) -> None:
        self._before = before
        self._archive = archive
        self._made_as = (encoder_hash, dict(settings))

    @cached_property
    def rows(self) -> dict[str, SourceRow]:
        """The sources by id, in order of id.

        Raises:
            DataCorrupt: The edition in force is damaged.
        """
        if self._before is None or not self._is_alike(self._before):
            return {}
        self._before.verify()
        return {row.source_id: row for row in read_source_rows(self._before)}

    @property
    def edition(self) -> Edition:
        """The edition in force."""
        if self._before is None:
            raise NotFound("the archive has no edition")
        return self._before

    def check(self, given: Sequence[SourceRow]) -> None:
        """See that no source is lost.

        Raises:
            PreconditionFailed: The edition was made with another model or settings, and has sources that are not given.
        """
        if self._before is None or self.rows:
            return
        there = {row.source_id for row in given}
        lost = [row.name for row in read_source_rows(self._before) if row.source_id not in there]
        if lost:
            raise PreconditionFailed(
                f"archive {self._before.gallery!r} was made with another model or settings, and {len(lost)} of its "
                f"videos are not given: {', '.join(lost[:_NAMED])}",
                field="archive",
                remedy="give all of its videos again, or use another archive",
            )

    def edits(self, source_id: str) -> tuple[TrackEdit, ...]:
        """What people decided about a source's tracks, oldest first."""
        return read_edits(edits_dir(self._archive, source_id))

    def tracked(
        self, row: SourceRow, sightings: Sightings, *, settings: TrackingSettings, folder: Path
    ) -> TrackedSource:
        """A source with its tracks made of its sightings, what people decided about them included.

        Args:
            row, sightings, settings: See `track_source`.
            folder: A folder of its own is made in it.
        """
        own = folder / row.source_id
        own.mkdir()
        return track_source(row, sightings, settings=settings, edits=self.edits(row.source_id), folder=own)

    def part(self, source_id: str, given: SourceRow | None) -> KeptPart | None:
        """The source as it stays; None where its tracks have to be made again of its sightings.

        Args:
            source_id: One of ``rows``.
            given: What is known of it now; None where it was not given.
        """
        row = self.rows[source_id]
        is_same = given is None or all(getattr(given, name) == getattr(row, name) for name in _CLOCK)
        tracking = self.edition.manifest.settings.get(TRACKING) == self._made_as[1].get(TRACKING)
        if not (is_same and tracking and self._has_its_edits(source_id)):
            return None
        return KeptPart(row if given is None else replace(row, name=given.name, path=given.path), self.edition)

    def renewed(self, source_id: str, given: SourceRow | None) -> SourceRow:
        """A source with the counts of its frames, by the clock that it is given now."""
        row = self.rows[source_id]
        if given is None:
            return row
        return replace(row, name=given.name, path=given.path, **{name: getattr(given, name) for name in _CLOCK})

    def _has_its_edits(self, source_id: str) -> bool:
        recorded = {edit.edit_id for edit in self.edits(source_id)}
        if not recorded:
            return True
        tracks = pq.read_table(self.edition.folder / tracks_file(source_id), columns=["edits"])
        return recorded == {edit for edits in tracks["edits"].to_pylist() for edit in edits}

    def _is_alike(self, before: Edition) -> bool:
        encoder_hash, settings = self._made_as
        return before.encoder_hash == encoder_hash and _sightings(before.manifest.settings) == _sightings(settings)


def _sightings(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != TRACKING}
