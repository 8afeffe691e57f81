"""``outsole galleries`` and ``outsole items``."""

from __future__ import annotations

import itertools
from pathlib import Path

import click

from benchmarks.reporting import text_table
from outsole.answers import GalleryInfo, ItemFilter
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option


@click.command()
@target_option
@json_option
def galleries(target: str | None, home: Path, as_json: bool) -> None:
    """List the galleries and the edition that answers for each."""
    with Client(target_of(target, home)) as client:
        found = client.list_galleries()
    rows = [(g.name, g.edition, g.items, g.models, _encoders(g), g.created) for g in found]
    headers = ("gallery", "edition", "items", "models", "encoders", "created")
    show(found, lambda: text_table(headers, rows), as_json=as_json)


def _encoders(gallery: GalleryInfo) -> str:
    """Name and hash of each; a service of an earlier release says the hash of one."""
    found = gallery.encoders or {"": gallery.encoder_hash}
    return ", ".join(f"{name} {digest[:12]}".strip() for name, digest in found.items())


@click.command()
@click.argument("gallery")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Items to list.")
@click.option("--brand", multiple=True, help="Only items of this brand; may be given more than once.")
@target_option
@json_option
def items(gallery: str, *, limit: int, brand: tuple[str, ...], target: str | None, home: Path, as_json: bool) -> None:
    """List the items of GALLERY by id."""
    with Client(target_of(target, home)) as client:
        pages = client.list_items(gallery, where=ItemFilter(brands=brand), page_size=min(limit, 1000))
        found = list(itertools.islice(itertools.chain.from_iterable(pages), limit))
    rows = [(i.item_id, i.model_id, i.brand, i.side.value, i.category, i.sha256[:12]) for i in found]
    headers = ("item", "model", "brand", "side", "category", "sha256")
    show(found, lambda: text_table(headers, rows), as_json=as_json)
