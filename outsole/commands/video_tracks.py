"""``outsole video tracks``: the tracks of an archive, one by one."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from outsole.answers import ItemState
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.commands.video_output import (
    TRACK_HEADERS,
    TRACK_SHOWN,
    csv_option,
    csv_text,
    shown_cells,
    track_cells,
    track_filter,
    track_options,
)


class TracksOptions(TypedDict):
    """The options of ``outsole video tracks`` by the names that click gives them."""

    limit: int
    state: tuple[str, ...]
    cameras: tuple[str, ...]
    places: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    target: str | None
    home: Path
    as_json: bool
    as_csv: bool


@click.command()
@click.argument("archive")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Tracks to list.")
@click.option(
    "--state",
    multiple=True,
    type=click.Choice([ItemState.ACTIVE.value, ItemState.RETIRED.value]),
    help="Only tracks in this state; may be given more than once.",
)
@track_options
@target_option
@csv_option
@json_option
def tracks(archive: str, **options: Unpack[TracksOptions]) -> None:
    """List the tracks of ARCHIVE by camera and time."""
    limit = options["limit"]
    where = track_filter(options["cameras"], options["places"], options["since"], options["until"])
    states = [ItemState(state) for state in options["state"]]
    with Client(target_of(options["target"], options["home"])) as client:
        pages = client.list_tracks(archive, where=where, states=states, page_size=min(limit, 1000))
        found = list(itertools.islice(itertools.chain.from_iterable(pages), limit))
    if options["as_csv"]:
        click.echo(csv_text(TRACK_HEADERS, [track_cells(track) for track in found]))
    else:
        rows = [shown_cells(track) for track in found]
        show(found, lambda: text_table(TRACK_SHOWN, rows), as_json=options["as_json"])
