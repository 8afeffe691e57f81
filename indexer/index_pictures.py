"""Index a crawl of pictures of soles or of shoes: one call a stage, from the source to the edition in force.

read -> fetch, decode, check role, predict depth, align, encode (``indexer.encode_here`` or ``indexer.encode_on_ray``)
-> merge with what was there -> find outliers -> write edition -> publish.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.access import Access
from indexer.crawl import Crawl, IndexSettings, OnRejects, Progress, ProgressOf, progress_bar
from indexer.encode_here import encode_here
from indexer.encoded import BatchOrigin, Origin, WorkFolder, gather, only_indexing, reusable_rows
from indexer.fetch import Fetcher
from indexer.loading import Loader, rejected
from indexer.manifest import Entry, Reject, read_source, rejects_csv
from indexer.merging import Merged, merge
from indexer.model import IndexEmbedding, IndexModel, Opener, PreparedImage
from indexer.quarantine import outliers
from outsole.answers import ItemState
from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery.decisions import Decisions, decided_states, read_decisions
from outsole.gallery.editions import Edition
from outsole.gallery.layout import checked_name, current_edition
from outsole.gallery.revisions import put_in_force
from outsole.gallery.writer import EditionWriter

__all__ = [
    "CrawlOptions",
    "IndexEmbedding",
    "IndexModel",
    "IndexReport",
    "IndexSettings",
    "PreparedImage",
    "Progress",
    "index_pictures",
    "progress_bar",
]
_GATHERED_ITEMS = 64
Publish = Callable[[Edition], Awaitable[Edition]]


@dataclass(frozen=True)
class CrawlOptions:
    """How a source is crawled.

    Attributes:
        feed: Name under which the source is crawled again and again: what an earlier crawl of it had and this one has
            not becomes discontinued.
        access: Where pictures may be read; beside the manifest alone where None.
        on_ray: Makes the model in other processes, where the work is to be spread by Ray; None for this process alone.
        find_outliers: Whether pictures unlike the others of their model go into quarantine.
        publish: Tries the new edition, puts it in force and returns the one in force; without a trial where None.
        on_rejects: Told what is left out, as soon as it is known.
    """

    feed: str = "default"
    access: Access | None = None
    on_ray: Opener | None = None
    find_outliers: bool = True
    publish: Publish | None = None
    on_rejects: OnRejects | None = None


@dataclass(frozen=True)
class IndexReport:
    """What an indexing did.

    Attributes:
        gallery, edition: What is now in force.
        items: Items in the edition.
        offers: Offers that show them.
        encoded, reused: Pictures encoded now, and all others: they were in an earlier edition or an interrupted run, or
            another entry is the same file.
        discontinued, quarantined: Items of the edition in these states.
        rejects: Images that were left out, with reasons; also in the edition's ``rejects.csv``.
        is_new: Whether another edition, or none, was in force before.
        seconds: Wall clock.
    """

    gallery: str
    edition: str
    items: int
    offers: int
    encoded: int
    reused: int
    discontinued: int
    quarantined: int
    rejects: tuple[Reject, ...]
    is_new: bool
    seconds: float


async def index_pictures(
    source: Path,
    gallery: str,
    *,
    root: Path,
    model: IndexModel,
    settings: IndexSettings | None = None,
    options: CrawlOptions | None = None,
    progress: ProgressOf = progress_bar,
) -> IndexReport:
    """Index a directory of images or a manifest, and put the new edition in force.

    An image that cannot be used is rejected with its reason and the rest is indexed. The same crawls, encoder and
    settings give the same edition; what an edition or an interrupted run holds already is not encoded again.

    Raises:
        NotFound: There is nothing at ``source``.
        InvalidInput: The gallery's name or the manifest cannot be used, no image can, or the gallery shows something
            else.
        PreconditionFailed: Another process is indexing into this gallery, or the new edition did not pass its canaries.
        BudgetSpent, Unavailable, Overloaded: The encoder did not answer; what was encoded is kept for the next run.
    """
    started = time.monotonic()
    how = options or CrawlOptions()
    checked_name(gallery, field="gallery")
    found = await asyncio.to_thread(read_source, source, feed=how.feed, access=how.access, role=model.roles[0])
    with only_indexing(root, gallery):
        before = _current(root, gallery)
        _check_kind(before, model)
        work = WorkFolder(_work_dir(root, gallery, model))
        crawl = Crawl(await asyncio.to_thread(_known, root, gallery, model, work), on_rejects=how.on_rejects)
        crawl.reject(*found.rejects)
        wanted, access = _shown(found.entries, crawl, model), found.access
        # Of tens of thousands of entries each is held once: here until it is loaded, in the crawl until it is merged.
        del found
        with progress(len(wanted)) as bar:
            await _encode(
                wanted,
                crawl,
                model=model,
                work=work,
                settings=settings or IndexSettings(),
                access=access,
                on_ray=how.on_ray,
                bar=bar,
            )
        merged, lost = await asyncio.to_thread(merge, crawl, before, feed=how.feed)
        crawl.reject(*lost)
        edition = await asyncio.to_thread(_write, root / gallery, crawl, merged, model=model, how=how)
        edition = await _published(edition, how.publish)
        work.clear()
    return _report(edition, crawl, is_new=before is None or edition.id != before.id, started=started)


def _current(root: Path, gallery: str) -> Edition | None:
    try:
        return Edition.open(root, gallery, current_edition(root, gallery))
    except (NotFound, DataCorrupt):
        return None


def _known(root: Path, gallery: str, model: IndexModel, work: WorkFolder) -> dict[str, tuple[Origin, int]]:
    """Pictures whose arrays are there already: of the edition in force, and of a crawl that was interrupted."""
    places = reusable_rows(root, gallery, encoder_hash=model.hash, settings=model.settings, embeddings=model.embeddings)
    return {**places, **work.known()}


def _work_dir(root: Path, gallery: str, model: IndexModel) -> Path:
    key = json.dumps([model.hash, dict(model.settings), model.embeddings], sort_keys=True)
    return root / gallery / "work" / hashlib.sha256(key.encode()).hexdigest()[:16]


def _check_kind(before: Edition | None, model: IndexModel) -> None:
    if before is not None and before.manifest.shows != model.shows:
        raise InvalidInput(
            f"gallery {before.gallery!r} shows {before.manifest.shows}",
            field="gallery",
            remedy=f"another name for a gallery that shows {model.shows}",
        )


def _shown(entries: Sequence[Entry], crawl: Crawl, model: IndexModel) -> deque[Entry]:
    """The entries that show what the gallery does; the others are noted as left out."""
    wanted = deque(entry for entry in entries if entry.role in model.roles)
    others = [entry for entry in entries if entry.role not in model.roles]
    crawl.reject(
        *(rejected(e, f"shows {e.role.value}: this gallery shows {model.shows}", column="role") for e in others)
    )
    return wanted


async def _encode(
    entries: deque[Entry],
    crawl: Crawl,
    *,
    model: IndexModel,
    work: WorkFolder,
    settings: IndexSettings,
    access: Access,
    on_ray: Opener | None,
    bar: Progress,
) -> None:
    if on_ray is None:
        loader = Loader(Fetcher(access).fetch, model.prepare, crawl.places.keys())
        await encode_here(entries, crawl, model=model, loader=loader, work=work, settings=settings, progress=bar)
        return
    # Imported here: Ray takes a second to import, and most crawls do without.
    from indexer.encode_on_ray import RayPlan, encode_on_ray

    plan = RayPlan(on_ray, access, work.path, settings)
    await encode_on_ray(entries, crawl, plan=plan, progress=bar)


def _write(
    folder: Path,
    crawl: Crawl,
    merged: deque[Merged],
    *,
    model: IndexModel,
    how: CrawlOptions,
) -> Edition:
    if not merged:
        first = crawl.rejects[0]
        raise InvalidInput(f"no image can be used; row {first.row}: {first.reason}", field="source")
    writer = EditionWriter(
        folder.parent,
        folder.name,
        encoder_hash=model.hash,
        encoder_name=model.name,
        settings=model.settings,
        embeddings=model.embeddings,
    )
    with writer:
        while merged:
            _append(writer, [merged.popleft() for _ in range(min(_GATHERED_ITEMS, len(merged)))], crawl.places)
        # What follows takes memory of its own, and nothing is looked up any more.
        crawl.places.clear()
        doubts = outliers(writer, model.vectors) if how.find_outliers else {}
        decisions = Decisions.of(read_decisions(folder.parent, folder.name))
        writer.restate(decided_states(decisions, writer.items(), outliers=doubts))
        return writer.write(rejects_csv=rejects_csv(crawl.rejects))


def _append(writer: EditionWriter, merged: Sequence[Merged], places: Mapping[str, tuple[Origin, int]]) -> None:
    found = [places[each.item.sha256] for each in merged]
    arrays, facts = gather(found)
    items = [
        dataclasses.replace(each.item, width_px=f.width_px, height_px=f.height_px)
        for each, f in zip(merged, facts, strict=True)
    ]
    offers = [offer for each in merged for offer in each.offers]
    writer.append(items, arrays, thumbnails=[f.thumbnail_png for f in facts], offers=offers)
    for origin in {origin for origin, _ in found if isinstance(origin, BatchOrigin)}:
        origin.forget()


async def _published(edition: Edition, publish: Publish | None) -> Edition:
    if publish is not None:
        return await publish(edition)
    return await asyncio.to_thread(put_in_force, edition, reason="indexed")


def _report(edition: Edition, crawl: Crawl, *, is_new: bool, started: float) -> IndexReport:
    states = edition.states()
    return IndexReport(
        gallery=edition.gallery,
        edition=edition.id,
        items=len(edition),
        offers=edition.offer_count,
        encoded=crawl.encoded,
        reused=crawl.read - crawl.encoded,
        discontinued=states.get(ItemState.DISCONTINUED.value, 0),
        quarantined=states.get(ItemState.QUARANTINED.value, 0),
        rejects=tuple(crawl.rejects),
        is_new=is_new,
        seconds=time.monotonic() - started,
    )
