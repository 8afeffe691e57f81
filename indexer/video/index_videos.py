"""Index videos into an archive: one call a stage, from the files to the edition in force.

read -> slice (decode, find, crop, encode: ``indexer.video.slices``) -> track -> write edition -> publish.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from indexer.crawl import OnRejects, Progress, ProgressOf
from indexer.encoded import only_indexing
from indexer.rejects import Reject, rejects_csv
from indexer.video.coverage import coverage_of, read_source_rows
from indexer.video.kept import KeptSources, archive_in_force
from indexer.video.model import Opener, VideoModel, VideoSettings
from indexer.video.slices import BrokenSource, SliceLooker, Spent, Unheard
from indexer.video.sources import CameraPlan, VideoSource, read_sources, reject
from indexer.video.tracking import EditionSightings, NewSightings, TrackedSource, with_notes
from indexer.video.work import SliceNotes, VideoWork
from indexer.video.writing import ArchiveFacts, EditionPart, NewPart, write_edition
from outsole.errors import InvalidInput
from outsole.gallery.layout import checked_name
from outsole.gallery.revisions import put_in_force
from outsole.gallery.track_rows import SourceRow
from outsole.video_answers import Coverage


def progress_bar(total: int) -> contextlib.AbstractContextManager[Progress]:
    """A bar of frames on standard error with rate and time left."""
    bar: contextlib.AbstractContextManager[Progress] = tqdm(total=total, desc="video", unit="frame", smoothing=0.1)
    return bar


@dataclass(frozen=True)
class VideoOptions:
    """How an indexing goes about its work.

    Attributes:
        settings: How videos are looked at.
        on_ray: Makes the model in other processes, where slices are to be spread by Ray; None for this process alone.
        on_rejects: Told what is left out, as soon as it is known.
        progress: Told how many frames are done.
        gate: Awaited before each batch of frames that is looked at in this process; the work pauses for as long as it
            takes. What is kept already does not wait for it.
    """

    settings: VideoSettings = field(default_factory=VideoSettings)
    on_ray: Opener | None = None
    on_rejects: OnRejects | None = None
    progress: ProgressOf = progress_bar
    gate: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class VideoIndexReport:
    """What an indexing did.

    Attributes:
        archive, edition: What is now in force.
        tracks: Tracks that can be searched, of all sources of the edition.
        sources: Those that were given, each with its coverage.
        coverage: Of these together.
        in_all: Of all sources of the edition together.
        reused: How many of those given were not looked at again.
        rejects: Files that were left out, with reasons; also in the edition's ``rejects.csv``.
        problems: Edits of tracks by hand that could not be applied, a sentence each.
        is_new: Whether another edition, or none, was in force before.
        seconds: Wall clock.
        stage_seconds: How long each stage was busy; stages work at the same time.
    """

    archive: str
    edition: str
    tracks: int
    sources: tuple[SourceRow, ...]
    coverage: Coverage
    in_all: Coverage
    reused: int
    rejects: tuple[Reject, ...]
    problems: tuple[str, ...]
    is_new: bool
    seconds: float
    stage_seconds: Mapping[str, float]


async def index_videos(
    files: Sequence[Path],
    archive: str,
    *,
    root: Path,
    model: VideoModel,
    camera: CameraPlan,
    options: VideoOptions | None = None,
) -> VideoIndexReport:
    """Index videos of one camera, and put the new edition of the archive in force.

    A file that cannot be used is rejected with its reason and the rest is indexed. Sources that are in the archive
    stay; one that is given again is not looked at again. A run that is stopped, in whatever way, is gone on with by the
    next one with the same model and settings, and the result is the same.

    Args:
        files: Video files, folders and archives of pictures.
        archive: Its name; made where there is none.
        root: Directory of all galleries and archives.
        model: Finds and describes shoes.
        camera: That took all of the videos.
        options: How the work is done.

    Raises:
        InvalidInput: The archive's name cannot be one, it is a gallery that shows something else, no file can be used,
            or a start by hand was given for several videos.
        PreconditionFailed: Another process is indexing into this archive, or it was made with another model or settings
            and has videos that were not given.
        DataCorrupt: The edition in force, or what people decided about its tracks, is damaged.
        BudgetSpent, Unavailable, Overloaded: A network did not answer; what was seen is kept for the next run.
    """
    started, how, spent = time.monotonic(), options or VideoOptions(), Spent()
    settings, folder = how.settings, root / checked_name(archive, field="archive")
    with only_indexing(root, archive):
        before = archive_in_force(root, archive)
        work = VideoWork.of(folder, model.hash, settings.sightings_of(model))
        with spent.on("read"):
            found = await asyncio.to_thread(read_sources, files, camera, work=work, slice_s=settings.slice_s)
        _tell(how, found.rejects)
        if not found.sources:
            raise InvalidInput(f"no video can be used: {found.rejects[0].reason}" if found.rejects else "no videos")
        kept = KeptSources(before, folder, encoder_hash=model.hash, settings=settings.edition_of(model))
        kept.check([source.row for source in found.sources])
        looked = await _look(found.sources, kept, model=model, work=work, how=how, spent=spent)
        rejects = (*found.rejects, *looked.rejects)
        with spent.on("track"):
            tracked = await asyncio.to_thread(_track, found.sources, looked, kept, work=work, settings=settings)
        if not tracked.parts:
            raise InvalidInput(f"no video can be used: {rejects[0].reason}")
        facts = await _facts(model, settings, tracked.parts)
        with spent.on("write"):
            edition = await asyncio.to_thread(
                write_edition, folder, tracked.parts, facts=facts, rejects_csv=rejects_csv(rejects)
            )
        edition = await asyncio.to_thread(put_in_force, edition, reason="indexed")
        work.clear()
    given = {source.row.source_id for source in found.sources}
    rows = read_source_rows(edition)
    return VideoIndexReport(
        archive=archive,
        edition=edition.id,
        tracks=len(edition),
        sources=tuple(row for row in rows if row.source_id in given),
        coverage=coverage_of(row for row in rows if row.source_id in given),
        in_all=coverage_of(rows),
        reused=len(given & kept.rows.keys()),
        rejects=rejects,
        problems=tuple(tracked.problems),
        is_new=before is None or before.id != edition.id,
        seconds=time.monotonic() - started,
        stage_seconds=dict(spent.seconds),
    )


def _tell(how: VideoOptions, rejects: Sequence[Reject]) -> None:
    if how.on_rejects is not None and rejects:
        how.on_rejects(rejects)


@dataclass(frozen=True)
class _Looked:
    """What the slices of new sources told, by source, and sources that could not be read to their end."""

    notes: dict[str, SliceNotes] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


async def _look(
    sources: Sequence[VideoSource],
    kept: KeptSources,
    *,
    model: VideoModel,
    work: VideoWork,
    how: VideoOptions,
    spent: Spent,
) -> _Looked:
    """Look at all slices of the sources that the archive has not."""
    fresh = [source for source in sources if source.row.source_id not in kept.rows]
    looked, looker = _Looked(), SliceLooker(model, work, how.settings, spent=spent, gate=how.gate)
    with how.progress(sum(source.frames for source in fresh)) as bar:
        if how.on_ray is not None:
            tasks = [task for source in fresh for task in source.slices]
            # Imported here: Ray takes a second to import, and most runs do without.
            from indexer.video.slices_on_ray import RayPlan, look_on_ray

            await look_on_ray(tasks, plan=RayPlan(how.on_ray, work.path, how.settings), progress=bar)
            # They are kept now, and have been told.
            bar = Unheard()
        for source in fresh:
            try:
                looked.notes[source.row.source_id] = await _notes(source, looker, bar)
            except BrokenSource as error:
                looked.rejects.append(reject(source.number, source.slices[0].path, error.cause))
    _tell(how, looked.rejects)
    return looked


async def _notes(source: VideoSource, looker: SliceLooker, bar: Progress) -> SliceNotes:
    notes = SliceNotes()
    for task in source.slices:
        notes += await looker.look(task, bar)
    return notes


@dataclass(frozen=True)
class _Tracked:
    """The parts of the new edition, and edits by hand that could not be applied."""

    parts: list[EditionPart] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, source: TrackedSource) -> None:
        self.parts.append(NewPart(source))
        self.problems.extend(source.problems)


def _track(
    sources: Sequence[VideoSource], looked: _Looked, kept: KeptSources, *, work: VideoWork, settings: VideoSettings
) -> _Tracked:
    """Make the tracks of new sources; those of the others only where something about them has changed."""
    folder, tracked = work.folder("tracked"), _Tracked()
    for source in sources:
        notes = looked.notes.get(source.row.source_id)
        if notes is not None:
            new = NewSightings(work, source.slices)
            tracked.add(kept.tracked(with_notes(source.row, notes), new, settings=settings.tracking, folder=folder))
    given = {source.row.source_id: source.row for source in sources}
    for source_id in kept.rows:
        part = kept.part(source_id, given.get(source_id))
        if part is not None:
            tracked.parts.append(part)
            continue
        row, old = kept.renewed(source_id, given.get(source_id)), EditionSightings(kept.edition, source_id)
        tracked.add(kept.tracked(row, old, settings=settings.tracking, folder=folder))
    return tracked


async def _facts(model: VideoModel, settings: VideoSettings, parts: Sequence[EditionPart]) -> ArchiveFacts:
    facts = ArchiveFacts(model.name, model.hash, settings.edition_of(model))
    if any(part.row.searched for part in parts):
        return facts
    # Not one shoe was encoded, and an array has to have a shape all the same.
    return replace(facts, vector_length=await model.vector_length(timeout_s=settings.encode_timeout_s))
