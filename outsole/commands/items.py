"""``outsole items``, ``retire`` and ``restore``: the items of a gallery, one by one."""

from __future__ import annotations

import getpass
import itertools
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from outsole.answers import ItemFilter, ItemState
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option, years_options


class ItemsOptions(TypedDict):
    """The options of ``outsole items`` by the names that click gives them."""

    limit: int
    brand: tuple[str, ...]
    state: tuple[str, ...]
    since: int
    until: int
    target: str | None
    home: Path
    as_json: bool


@click.command()
@click.argument("gallery")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Items to list.")
@click.option("--brand", multiple=True, help="Only items of this brand; may be given more than once.")
@click.option(
    "--state",
    multiple=True,
    type=click.Choice([state.value for state in ItemState]),
    help="Only items in this state; may be given more than once.",
)
@years_options
@target_option
@json_option
def items(gallery: str, **options: Unpack[ItemsOptions]) -> None:
    """List the items of GALLERY by id."""
    limit = options["limit"]
    where = ItemFilter(brands=options["brand"], first_year=options["since"], last_year=options["until"])
    states = [ItemState(state) for state in options["state"]]
    with Client(target_of(options["target"], options["home"])) as client:
        pages = client.list_items(gallery, where=where, states=states, page_size=min(limit, 1000))
        found = list(itertools.islice(itertools.chain.from_iterable(pages), limit))
    rows = [
        (i.item_id, i.model_id, i.brand, i.side.value, i.category, str(i.year or ""), i.state.value, i.sha256[:12])
        for i in found
    ]
    headers = ("item", "model", "brand", "side", "category", "year", "state", "sha256")
    show(found, lambda: text_table(headers, rows), as_json=options["as_json"])


@click.command()
@click.argument("gallery")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@target_option
def retire(gallery: str, item: str, *, reason: str, target: str | None, home: Path) -> None:
    """Take ITEM out of the searches of GALLERY; nothing is deleted, and new crawls do not bring it back."""
    with Client(target_of(target, home)) as client:
        edition = client.retire_item(gallery, item, reason=reason, by=getpass.getuser())
    click.echo(f"{item} is out of searches; edition {edition} of {gallery} is in force")


@click.command()
@click.argument("gallery")
@click.argument("item")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@target_option
def restore(gallery: str, item: str, *, reason: str, target: str | None, home: Path) -> None:
    """Take the retirement of ITEM of GALLERY back."""
    with Client(target_of(target, home)) as client:
        edition = client.restore_item(gallery, item, reason=reason, by=getpass.getuser())
    click.echo(f"{item} is searched again; edition {edition} of {gallery} is in force")
