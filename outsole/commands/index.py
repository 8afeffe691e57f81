"""``outsole index``: a directory of images or a manifest becomes the edition in force of a gallery."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks.reporting import text_table
from indexer.access import Access
from indexer.compose import IndexPlace, index_into, index_worn
from indexer.index_pictures import CrawlOptions, IndexReport
from indexer.manifest import Reject, Source, read_source
from outsole.answers import Role
from outsole.commands.editions import service_settings
from outsole.commands.output import home_option, json_option, show
from outsole.commands.publishing import tried_and_published
from outsole.commands.stack import read_state
from outsole.commands.weeks import WeeksList
from outsole.errors import InvalidInput, PreconditionFailed, Unavailable
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOES, SOLES, root_of
from outsole.matching.embedding import DEFAULT_EMBEDDING
from outsole.wear.weeks import checked_worn_views

_SHOWN_REJECTS = 10
_SHOWN_CHARACTERS = 300
HERE, RAY = "here", "ray"


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery; made where there is none.")
@click.option("--feed", default="default", show_default=True, help="Name under which this source is crawled again.")
@click.option("--shows", type=click.Choice([SOLES, SHOES]), default=SOLES, show_default=True, help="What is pictured.")
@click.option("--embedding", default="", metavar="NAME", help=f"{DEFAULT_EMBEDDING} where there is one; none for none.")
@click.option(
    "--allow-root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Directory to read from, beside SOURCE.",
)
@click.option("--allow-host", "hosts", multiple=True, help="Host that pictures may be fetched from.")
@click.option("--allow-bucket", "buckets", multiple=True, help="Bucket that pictures may be read from, s3://NAME.")
@click.option("--workers", type=click.Choice([HERE, RAY]), default=HERE, show_default=True, help="Where work is done.")
@click.option("--worn", type=WeeksList(), default=(), help="Weeks of wear, as 26,52: a companion gallery for each.")
@click.option("--dry-run", is_flag=True, help="Read and check the manifest, and do nothing else.")
@home_option
@json_option
def index(
    source: Path,
    gallery: str,
    *,
    feed: str,
    shows: str,
    embedding: str,
    roots: tuple[Path, ...],
    hosts: tuple[str, ...],
    buckets: tuple[str, ...],
    workers: str,
    worn: tuple[int, ...],
    dry_run: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Index SOURCE, a directory of images or a manifest (CSV, JSON lines, Parquet).

    With --shows shoes a gallery for shoes in video is made: photographs from the side, the front and the heel.

    Images that cannot be used are listed with the reason; the rest is indexed. Running it again changes nothing. What
    an earlier crawl of the same feed had and this one has not is kept as discontinued. With --workers ray the pictures
    are prepared and encoded by the Ray cluster of RAY_ADDRESS, or by processes of this machine. What was encoded when
    a run was stopped is not encoded again.

    With --worn 26,52 the soles are indexed twice more, into GALLERY.worn26 and GALLERY.worn52, as a model of wear
    predicts them to print after so many weeks; outsole search print --worn compares them too.
    """
    _check_worn(worn, shows=shows)
    own = source if source.is_dir() else source.parent
    access = Access(roots=(own, *roots), hosts=hosts, buckets=buckets)
    if dry_run:
        found = read_source(source, feed=feed, access=access, role=Role.SOLE if shows == SOLES else Role.SIDE)
        show(found, lambda: _dry_text(found), as_json=as_json)
        return
    state = read_state(home)
    if state is None:
        raise Unavailable("no stack runs here", remedy="outsole up")
    triton_url = state.settings(home).triton_url if state.encoder_backend == "triton" else ""
    place = place_of(home, triton_url=triton_url)
    if worn:
        # Said before the gallery itself is indexed, which may take hours.
        place.wear_model()
    publish = functools.partial(_tried_and_published, target=state.settings(home).target)
    options = CrawlOptions(feed=feed, access=access, publish=publish)
    with workers_of(workers):
        if workers == RAY:
            options = dataclasses.replace(options, on_ray=functools.partial(place.opened, embedding, shows=shows))
        report = asyncio.run(
            index_into(source, gallery, place=place, embedding=embedding, shows=shows, options=options)
        )
        how = functools.partial(index_worn, place=place, embedding=embedding, options=options)
        every = (report, *(asyncio.run(how(source, gallery, weeks=weeks)) for weeks in worn))
    show(every if worn else report, lambda: "\n".join(map(_text, every)), as_json=as_json)


def _check_worn(weeks: tuple[int, ...], *, shows: str) -> None:
    checked_worn_views(weeks, field="worn")
    if weeks and shows != SOLES:
        raise InvalidInput(f"a gallery of {shows} is not worn", field="worn", remedy=f"for --shows {SOLES}")


def index_source(source: Path, gallery: str, *, home: Path, triton_url: str, embedding: str = "") -> IndexReport:
    """Index a source into a gallery of a home directory, with a progress bar on standard error.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        home: State directory of the stack that is to search it.
        triton_url: ``host:port`` of Triton; empty to encode with ONNX Runtime in this process.
        embedding: See ``indexer.compose.index_into``.

    Raises:
        OutsoleError: See ``indexer.compose.index_into``.
    """
    place = place_of(home, triton_url=triton_url)
    return asyncio.run(index_into(source, gallery, place=place, embedding=embedding))


def place_of(home: Path, *, triton_url: str) -> IndexPlace:
    """Encoders and galleries of a home directory."""
    settings = service_settings(home)
    return IndexPlace(settings.model_dir, settings.encoders_dir, settings.editions_dir, triton_url)


async def _tried_and_published(edition: Edition, *, target: str) -> Edition:
    """The edition that is in force now. Raises ``PreconditionFailed`` where it did not stand its trial."""
    report = await asyncio.to_thread(tried_and_published, edition, target=target)
    if not report.published:
        raise PreconditionFailed(
            f"edition {edition.id} is written and not in force: {report.reason}",
            field="edition",
            remedy=f"outsole canary run {edition.gallery} {edition.id}; outsole publish puts it in force",
        )
    return Edition.open(root_of(edition.folder), edition.gallery, report.edition)


@contextlib.contextmanager
def workers_of(kind: str) -> Iterator[None]:
    """Ray for as long as the block lasts, where it is wanted. Raises ``Unavailable`` where it does not start."""
    if kind == HERE:
        yield
        return
    from outsole.local_ray import local_ray

    # It warns whenever it starts, beside the progress bar and of nothing that a user can do.
    logging.getLogger("ray").setLevel(logging.ERROR)
    with contextlib.ExitStack() as cleanup:
        try:
            cleanup.enter_context(local_ray(address=os.environ.get("RAY_ADDRESS", "local")))
        except Exception as error:  # Ray has no class of its own for this.
            told = " ".join(str(error).split())[:_SHOWN_CHARACTERS]
            remedy = "try again, or work without --workers ray"
            raise Unavailable(f"Ray does not start: {told}", remedy=remedy) from error
        yield


def _dry_text(found: Source) -> str:
    lines = [f"{len(found.entries):,} entries can be read, {len(found.rejects):,} are rejected; nothing was done"]
    return "\n".join([*lines, *_reject_lines(found.rejects)])


def _text(report: IndexReport) -> str:
    state = "new edition" if report.is_new else "nothing changed: edition"
    lines = [
        f"{report.gallery}: {state} {report.edition} with {report.items:,} items "
        f"({report.encoded:,} encoded, {report.reused:,} reused, {len(report.rejects):,} rejected) "
        f"in {report.seconds:.1f} s"
    ]
    if report.offers != report.items or report.discontinued or report.quarantined:
        lines.append(
            f"{report.offers:,} offers; {report.discontinued:,} items discontinued, {report.quarantined:,} quarantined"
        )
    lines += _reject_lines(report.rejects)
    if report.rejects:
        lines.append("all of them are in the edition's rejects.csv")
    return "\n".join(lines)


def _reject_lines(rejects: Sequence[Reject]) -> list[str]:
    if not rejects:
        return []
    rows = [(r.row, r.item_id or r.path, r.reason) for r in rejects[:_SHOWN_REJECTS]]
    return [text_table(("row", "item", "reason"), rows)]
