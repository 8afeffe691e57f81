"""``outsole editions``, ``diff``, ``verify``, ``rebuild`` and ``retire-edition``: a gallery's editions, one by one."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import click
from tqdm import tqdm

from benchmarks.reporting import text_table
from outsole.api import Client
from outsole.commands.output import home_option, json_option, show, target_of, target_option
from outsole.commands.stack import read_state
from outsole.errors import DataCorrupt
from outsole.gallery.backends import open_store
from outsole.gallery.editions import Edition
from outsole.gallery.history import mark_retired
from outsole.gallery.overview import diff as difference
from outsole.gallery.overview import overview
from outsole.gallery.verification import check_own_vectors, verify_edition
from outsole.lifecycle import EditionCheck, EditionInfo, RebuildProgress
from outsole.matching.print_system import PrintSystem
from services.settings import ServiceSettings

_SHOWN_CHANGES = 50
_LONG_S = 600.0


@click.command()
@click.argument("gallery")
@target_option
@json_option
def editions(gallery: str, *, target: str | None, home: Path, as_json: bool) -> None:
    """List the editions of GALLERY, newest first."""
    if target:
        with Client(target) as client:
            found = client.list_editions(gallery)
    else:
        found = overview(editions_root(home), gallery)
    rows = [_edition_row(info) for info in found]
    headers = ("edition", "created", "items", "models", "by state", "in force since", "files")
    show(found, lambda: text_table(headers, rows), as_json=as_json)


def _edition_row(info: EditionInfo) -> tuple[str | int, ...]:
    states = ", ".join(f"{count:,} {state}" for state, count in info.states.items())
    force = (info.in_force_since or "yes, since when is not known") if info.in_force else ""
    marks = "retired" if info.retired else force
    return info.edition, info.created, info.items, info.models, states, marks, info.damage or "whole"


@click.command()
@click.argument("gallery")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@home_option
@json_option
def diff(gallery: str, before: str, after: str, *, home: Path, as_json: bool) -> None:
    """Say what differs between the editions A and B of GALLERY: items, metadata, pictures, states."""
    root = editions_root(home)
    found = difference(Edition.open(root, gallery, before), Edition.open(root, gallery, after))
    shown = found.changes[:_SHOWN_CHANGES]
    rows = [(change.item_id, change.kind, change.before, change.after) for change in shown]
    lines = [", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())]
    lines += [text_table(("item", "change", "before", "after"), rows)] if rows else []
    lines += (
        [f"and {len(found.changes) - len(shown):,} more; --json has all"] if len(found.changes) > len(shown) else []
    )
    record = {**dataclasses.asdict(found), "counts": found.counts}
    show(record, lambda: "\n".join(lines), as_json=as_json)


@click.command()
@click.argument("gallery")
@click.argument("edition", required=False, default="")
@click.option("--all", "every_vector", is_flag=True, help="Look at every vector, not only at a sample of 1,000.")
@target_option
@json_option
def verify(gallery: str, edition: str, *, every_vector: bool, target: str | None, home: Path, as_json: bool) -> int:
    """Compare an edition of GALLERY, by default the one in force, with its hashes, its rows and its vectors.

    Where a stack runs, what its vector store holds is looked at too. Exit status 1 where there is a difference.
    """
    if stack_runs(target, home):
        with Client(target_of(target, home)) as client:
            check = client.verify_edition(gallery, edition=edition, every_vector=every_vector, timeout_s=_LONG_S)
    else:
        check = check_files(Edition.open(editions_root(home), gallery, edition or None), every_vector=every_vector)
    show(check, lambda: _check_text(check), as_json=as_json)
    return 0 if check.is_whole else 1


def check_files(edition: Edition, *, every_vector: bool = False) -> EditionCheck:
    """Verify an edition where no stack runs: the exact store takes the vector store's place."""
    check = verify_edition(edition, every_vector=every_vector)
    if not check.is_whole:
        return check
    try:
        return dataclasses.replace(check, own_vectors=check_own_vectors(edition))
    except DataCorrupt as error:
        return dataclasses.replace(check, difference=str(error))


def _check_text(check: EditionCheck) -> str:
    head = f"{check.gallery} edition {check.edition}: "
    if not check.is_whole:
        return head + check.difference
    store = "no stack runs" if check.store_rows is None else f"the vector store holds {check.store_rows:,} rows"
    size_mib = check.size_bytes / 2**20
    return (
        f"{head}whole; {check.files} files of {size_mib:,.1f} MiB, {check.vectors:,} vectors looked at, "
        f"{check.own_vectors} of them found their own items; {store}"
    )


@click.command()
@click.argument("gallery")
@click.argument("edition", required=False, default="")
@target_option
def rebuild(gallery: str, edition: str, *, target: str | None, home: Path) -> None:
    """Make the vector store's collections of an edition, by default the one in force, again from its files."""
    began = time.monotonic()
    with contextlib.ExitStack() as closing:
        if stack_runs(target, home):
            client = closing.enter_context(Client(target_of(target, home)))
            steps = client.rebuild_store(gallery, edition=edition)
        else:
            steps = _rebuild_here(gallery, edition, home)
        last = _shown(steps)
    took_s = max(time.monotonic() - began, 1e-3)
    click.echo(f"{last.total:,} vectors in {took_s:.1f} s, {last.total / took_s:,.0f} a second")


def _shown(steps: Iterator[RebuildProgress]) -> RebuildProgress:
    last = RebuildProgress(0, 0)
    with tqdm(desc="rebuild", unit="vector", total=0) as bar:
        for last in steps:
            bar.total = last.total
            bar.set_postfix_str(last.field, refresh=False)
            bar.update(last.done - bar.n)
    return last


def _rebuild_here(gallery: str, edition: str, home: Path) -> Iterator[RebuildProgress]:
    opened = Edition.open(editions_root(home), gallery, edition or None)
    fields = [field for field in PrintSystem.candidate_fields if field in opened.array_names]
    total = len(opened) * len(fields)
    store = open_store(service_settings(home).milvus)
    with contextlib.closing(store):
        for number, field in enumerate(fields):
            yield RebuildProgress(number * len(opened), total, field)
            store.rebuild(opened, [field])
    yield RebuildProgress(total, total)


@click.command("retire-edition")
@click.argument("gallery")
@click.argument("edition")
@click.option("--reason", required=True, help="Why; kept in the gallery's history.")
@target_option
def retire_edition(gallery: str, edition: str, *, reason: str, target: str | None, home: Path) -> None:
    """Take EDITION, which is not in force, out of the vector store; its files stay."""
    if stack_runs(target, home):
        with Client(target_of(target, home)) as client:
            client.retire_edition(gallery, edition, reason=reason)
    else:
        root = editions_root(home)
        opened = Edition.open(root, gallery, edition)
        mark_retired(root, gallery, edition, reason=reason)
        with contextlib.closing(open_store(service_settings(home).milvus)) as store:
            store.retire(opened)
    click.echo(f"edition {edition} of {gallery} is out of the vector store; its files stay")


def service_settings(home: Path) -> ServiceSettings:
    """The services' settings for a home directory."""
    return ServiceSettings.from_environment(overrides={"home": home})


def editions_root(home: Path) -> Path:
    """Directory of the galleries of a home directory."""
    return service_settings(home).editions_dir


def stack_runs(target: str | None, home: Path) -> bool:
    """Whether a service has to be asked: it has the vector store, and nobody else may open it."""
    return bool(target) or read_state(home) is not None
