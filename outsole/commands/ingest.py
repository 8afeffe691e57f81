"""``outsole ingest``: indexing that a running service does, watched from here."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from outsole.api import Client
from outsole.commands.operations import cancel, followed, list_, status, told
from outsole.commands.output import json_option, target_of, target_option


class StartOptions(TypedDict):
    """The options of ``outsole ingest start`` by the names that click gives them."""

    embedding: str
    feed: str
    dry_run: bool
    request_id: str
    wait: bool
    target: str | None
    home: Path
    as_json: bool


@click.group()
def ingest() -> None:
    """Let the running service index a source."""


for _command in (status, list_, cancel):
    ingest.add_command(_command)


@ingest.command("start")
@click.argument("source")
@click.option("--gallery", required=True, help="Name of the gallery; made where there is none.")
@click.option("--embedding", default="", metavar="NAME", help="As of outsole index.")
@click.option("--feed", default="", help="Name under which this source is crawled again and again.")
@click.option("--dry-run", is_flag=True, help="Only read the source and say what could not be used.")
@click.option("--request-id", default="", help="Asked again with it, the same operation is answered.")
@click.option("--wait", is_flag=True, help="Show progress until it is over; exit status 1 unless it succeeded.")
@target_option
@json_option
def start(source: str, gallery: str, **options: Unpack[StartOptions]) -> int:
    """Start to index SOURCE, an absolute path on the service's host, below OUTSOLE_INGEST_ROOTS."""
    with Client(target_of(options["target"], options["home"])) as client:
        found = client.start_ingest(
            gallery,
            source,
            embedding=options["embedding"],
            feed=options["feed"],
            dry_run=options["dry_run"],
            request_id=options["request_id"],
        )
        if options["wait"]:
            found = followed(client, found)
    return told(found, as_json=options["as_json"])
