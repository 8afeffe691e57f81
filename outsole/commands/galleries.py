"""``outsole galleries``."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.reporting import text_table
from outsole.answers import GalleryInfo
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
