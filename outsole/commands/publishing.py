"""``outsole publish`` and ``outsole canary``: an edition is tried out before it comes into force."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from benchmarks.reporting import text_table
from indexer.publish import CanaryRank, PublishReport, Search, try_canaries
from indexer.publish import publish as put_in_force
from outsole.api import Client
from outsole.commands.editions import editions_root, stack_runs
from outsole.commands.output import home_option, json_option, show, target_of, target_option
from outsole.errors import BudgetSpent, DataCorrupt, InvalidInput, NotFound, Unavailable
from outsole.gallery.canaries import DEFAULT_WITHIN, add_canary, read_canaries
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force
from outsole.imaging.decode import decode_image

_DEADLINE_S = 600.0
_AGAIN_AFTER_S = 1.0
_T = TypeVar("_T")


@click.command()
@click.argument("gallery")
@click.argument("edition")
@click.option("--no-canaries", is_flag=True, help="Do not look at the canaries; files and vectors are looked at.")
@target_option
@json_option
def publish(gallery: str, edition: str, *, no_canaries: bool, target: str | None, home: Path, as_json: bool) -> int:
    """Put EDITION of GALLERY in force, if it stands its trial; otherwise everything stays as it was.

    Every file must have its hash, 16 vectors of the edition must find their own items, and no canary may fall below
    its rank. Where no stack runs, canaries cannot be searched and are not looked at.
    """
    opened = Edition.open(editions_root(home), gallery, edition)
    at = target_of(target, home) if stack_runs(target, home) else ""
    report = tried_and_published(opened, target=at, with_canaries=not no_canaries)
    show(report, lambda: _publish_text(report), as_json=as_json)
    return 0 if report.published else 1


def tried_and_published(edition: Edition, *, target: str, with_canaries: bool = True) -> PublishReport:
    """Try an edition out and put it in force; see ``indexer.publish.publish``.

    Args:
        edition: Written and not in force.
        target: ``host:port`` of the stack that searches it; empty where none runs.
        with_canaries: Look at the canaries.
    """
    if not target:
        return put_in_force(edition, with_canaries=with_canaries)
    with Client(target, timeout_s=_DEADLINE_S) as client:
        return put_in_force(
            edition,
            search=search_through(client, edition.gallery),
            own_vectors=own_vectors_through(client),
            with_canaries=with_canaries,
        )


def search_through(client: Client, gallery: str, *, deadline_s: float = _DEADLINE_S) -> Search:
    """Searches through a running stack; while the vector store takes an edition up, it asks again."""

    def search(edition: str, picture: Path, k: int) -> Sequence[str]:
        answer = _again(
            lambda: client.search_print(picture, gallery=gallery, edition=edition, k=k, require_complete=True),
            deadline_s=deadline_s,
        )
        return [hit.model_id for hit in answer.hits]

    return search


def own_vectors_through(client: Client, *, deadline_s: float = _DEADLINE_S) -> Callable[[Edition], int]:
    """Searches for vectors of an edition in the vector store of a running stack."""

    def own_vectors(edition: Edition) -> int:
        check = _again(
            lambda: client.verify_edition(edition.gallery, edition=edition.id, store_only=True, timeout_s=deadline_s),
            deadline_s=deadline_s,
        )
        if check.difference:
            raise DataCorrupt(check.difference)
        return check.own_vectors

    return own_vectors


def _again(ask: Callable[[], _T], *, deadline_s: float) -> _T:
    """Ask until there is an answer. Raises the last error where there is none within the deadline."""
    deadline = time.monotonic() + deadline_s
    while True:
        try:
            return ask()
        except (BudgetSpent, Unavailable) as error:
            if time.monotonic() + _AGAIN_AFTER_S > deadline:
                raise
            time.sleep(max(error.retry_after_s or 0.0, _AGAIN_AFTER_S))


def _publish_text(report: PublishReport) -> str:
    what = f"{report.gallery} edition {report.edition}"
    lines = [f"{what} is in force" if report.published else f"{what} is not in force: {report.reason}"]
    if not report.published:
        lines.append(f"edition {report.previous} stays in force" if report.previous else "no edition is in force")
    lines.append(f"{report.own_vectors} vectors found their own items")
    lines += [_ranks_text(report.canaries)] if report.canaries else []
    lines += [f"note: {report.canaries_left_out} canaries were not looked at"] if report.canaries_left_out else []
    return "\n".join(lines)


def _ranks_text(ranks: Sequence[CanaryRank]) -> str:
    rows = [
        (
            rank.canary.name,
            rank.canary.model,
            rank.canary.within_rank,
            _rank_text(rank.rank),
            _rank_text(rank.before),
            "fell" if rank.has_fallen else "",
        )
        for rank in ranks
    ]
    return text_table(("canary", "model", "within", "rank", "before", ""), rows)


def _rank_text(rank: int | None) -> str:
    return "-" if rank is None else str(rank)


@click.group()
def canary() -> None:
    """Prints whose shoe is known, which every new edition has to find."""


@canary.command("add")
@click.argument("gallery")
@click.argument("image", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", required=True, help="The shoe model that the print shows.")
@click.option("--within", default=DEFAULT_WITHIN, show_default=True, help="Worst rank at which it may be found.")
@click.option("--name", default="", help="Name of the canary; the file's where left out.")
@home_option
def add(gallery: str, image: Path, *, model: str, within: int, name: str, home: Path) -> None:
    """Register the print in IMAGE as a canary of GALLERY."""
    root = editions_root(home)
    current = edition_in_force(root, gallery)
    if current and model not in set(Edition.open(root, gallery, current).items["model_id"].to_pylist()):
        raise NotFound(f"edition {current} of {gallery!r} has no model {model[:100]!r}", field="model")
    _check_picture(image)
    made = add_canary(root, gallery, image, model=model, within_rank=within, name=name)
    click.echo(f"canary {made.name}: {made.model} within rank {made.within_rank}")


def _check_picture(image: Path) -> None:
    try:
        decode_image(image.read_bytes(), field="image")
    except OSError as error:
        raise InvalidInput(f"{image.name}: {error.strerror}", field="image", remedy="a readable file") from error


@canary.command("list")
@click.argument("gallery")
@home_option
@json_option
def list_(gallery: str, *, home: Path, as_json: bool) -> None:
    """List the canaries of GALLERY."""
    found = read_canaries(editions_root(home), gallery)
    rows = [(each.name, each.model, each.within_rank, each.file) for each in found]
    show(found, lambda: text_table(("canary", "model", "within", "file"), rows), as_json=as_json)


@canary.command("run")
@click.argument("gallery")
@click.argument("edition", required=False, default="")
@target_option
@json_option
def run(gallery: str, edition: str, *, target: str | None, home: Path, as_json: bool) -> int:
    """Search an edition of GALLERY, by default the one in force, with every canary. Exit status 1 where one fell."""
    if not stack_runs(target, home):
        raise Unavailable("no stack runs here", remedy="outsole up")
    root = editions_root(home)
    opened = Edition.open(root, gallery, edition or None)
    with Client(target_of(target, home), timeout_s=_DEADLINE_S) as client:
        ranks = try_canaries(opened, search=search_through(client, gallery), before=edition_in_force(root, gallery))
    show(ranks, lambda: _ranks_text(ranks), as_json=as_json)
    return 1 if any(rank.has_fallen for rank in ranks) else 0
