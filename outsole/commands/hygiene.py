"""``outsole coverage`` and ``outsole quarantine``: what a gallery holds, and what in it is doubted."""

from __future__ import annotations

import getpass
from pathlib import Path

import click
import pyarrow.compute as pc

from benchmarks.reporting import text_table
from indexer import coverage as counts
from outsole.answers import ItemState
from outsole.commands.editions import editions_root
from outsole.commands.output import home_option, json_option, show
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.editions import Edition
from outsole.gallery.layout import REJECTS
from outsole.gallery.revisions import decide


@click.command()
@click.argument("gallery")
@click.argument("edition", default="")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report to this file.")
@home_option
@json_option
def coverage(gallery: str, edition: str, *, html: Path | None, home: Path, as_json: bool) -> None:
    """Say what GALLERY holds: models by brand, year and category, offers, duplicates, and what was rejected and why."""
    opened = Edition.open(editions_root(home), gallery, edition or None)
    rejects = counts.rejects_table((opened.folder / REJECTS).read_bytes())
    found = counts.coverage(opened.items, opened.offers, rejects)
    if html is not None:
        html.write_text(counts.as_html(found, title=f"{gallery}, edition {opened.id}"), encoding="utf-8")
    click.echo(counts.as_json(found) if as_json else counts.as_text(found))


@click.group()
def quarantine() -> None:
    """Items that are kept out of searches because their picture is unlike the others of their model."""


@quarantine.command("list")
@click.argument("gallery")
@home_option
@json_option
def list_items(gallery: str, *, home: Path, as_json: bool) -> None:
    """List the items of GALLERY that are in quarantine, with the reason."""
    items = Edition.open(editions_root(home), gallery).items
    held = items.filter(pc.equal(items["state"], ItemState.QUARANTINED.value))
    rows = held.select(["item_id", "model_id", "path", "state_reason"]).to_pylist()
    show(
        rows,
        lambda: text_table(("item", "model", "picture", "reason"), [tuple(row.values()) for row in rows]),
        as_json=as_json,
    )


@quarantine.command("release")
@click.argument("gallery")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@home_option
def release(gallery: str, item: str, *, reason: str, home: Path) -> None:
    """Let ITEM of GALLERY take part in searches; it is not put into quarantine again."""
    _decide(DecisionKind.RELEASE, gallery, item, reason=reason, home=home)


@quarantine.command("add")
@click.argument("gallery")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@home_option
def add(gallery: str, item: str, *, reason: str, home: Path) -> None:
    """Put ITEM of GALLERY into quarantine."""
    _decide(DecisionKind.QUARANTINE, gallery, item, reason=reason, home=home)


def _decide(kind: DecisionKind, gallery: str, item: str, *, reason: str, home: Path) -> None:
    decision = Decision(kind, item, reason, by=getpass.getuser())
    edition = decide(editions_root(home), gallery, decision)
    click.echo(f"{kind.value} {item}: edition {edition.id} of {gallery} is in force")
