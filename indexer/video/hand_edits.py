"""Tracks merged, split and shown by another frame, by hand: recorded, and put in force as a new edition."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from indexer.encoded import only_indexing
from indexer.video.kept import KeptSources, archive_in_force, edits_dir
from indexer.video.model import TRACKING
from indexer.video.tracking import EditionSightings, tracks_unedited
from indexer.video.writing import ArchiveFacts, EditionPart, NewPart, write_edition
from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.layout import REJECTS
from outsole.gallery.revisions import put_in_force
from outsole.matching.shoe_system import SHOE
from outsole.video.archive_files import read_sightings
from outsole.video.track_edits import TrackEdit, record_edits
from outsole.video.tracking_settings import TrackingSettings


def edit_tracks(root: Path, archive: str, source_id: str, edits: Sequence[TrackEdit]) -> Edition:
    """Decide something about the tracks of a source, for good; returns the edition that is now in force.

    No frame is looked at again: the archive keeps every sighting. Later indexings keep to what was decided.

    Args:
        root: Directory of all galleries and archives.
        archive: Its name.
        source_id: The source.
        edits: In the order in which they are to be applied.

    Raises:
        NotFound: There is no such archive, source or track.
        PreconditionFailed: An edit that cannot be applied, none of them is then recorded; or another process is
            indexing into this archive.
        DataCorrupt: The archive's files are damaged.
    """
    folder = root / archive
    with only_indexing(root, archive), tempfile.TemporaryDirectory(dir=folder, prefix=".edits-") as scratch:
        before = archive_in_force(root, archive)
        if before is None:
            raise NotFound(f"there is no archive {archive!r}", field="archive", remedy="index videos first")
        kept = KeptSources(before, folder, encoder_hash=before.encoder_hash, settings=before.manifest.settings)
        _record(kept, folder, source_id, edits, Path(scratch))
        facts = ArchiveFacts(
            before.manifest.encoder_name, before.encoder_hash, before.manifest.settings, before.array(SHOE).shape[1]
        )
        parts = [_part(kept, known, Path(scratch)) for known in kept.rows]
        edition = write_edition(folder, parts, facts=facts, rejects_csv=(before.folder / REJECTS).read_bytes())
        return put_in_force(edition, reason=f"{len(edits)} edits of tracks of {source_id}")


def _record(kept: KeptSources, folder: Path, source_id: str, edits: Sequence[TrackEdit], scratch: Path) -> None:
    if source_id not in kept.rows:
        raise NotFound(f"there is no source {source_id[:100]!r}", field="source_id", remedy="list the sources")
    unedited = scratch / "unedited"
    unedited.mkdir()
    sightings = EditionSightings(kept.edition, source_id)
    tracks = tracks_unedited(kept.rows[source_id], sightings, settings=_tracking(kept.edition), folder=unedited)
    table = read_sightings(kept.edition, source_id)
    record_edits(edits_dir(folder, source_id), edits, tracks=tracks, table=table)


def _part(kept: KeptSources, source_id: str, scratch: Path) -> EditionPart:
    part = kept.part(source_id, None)
    if part is not None:
        return part
    sightings, settings = EditionSightings(kept.edition, source_id), _tracking(kept.edition)
    return NewPart(kept.tracked(kept.rows[source_id], sightings, settings=settings, folder=scratch))


def _tracking(edition: Edition) -> TrackingSettings:
    return TrackingSettings(**json.loads(edition.manifest.settings[TRACKING]))
