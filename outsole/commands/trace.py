"""``outsole trace``: from a print to the tracks in which such shoes walk past."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.commands.video_output import (
    TRACK_HEADERS,
    csv_option,
    csv_text,
    trace_text,
    track_cells,
    track_filter,
    track_options,
)
from outsole.commands.video_report import report_option, write_trace_report
from outsole.video_answers import TraceAnswer, TraceOrder


class TraceOptions(TypedDict):
    """The options of ``outsole trace`` by the names that click gives them."""

    shoes: str
    archives: tuple[str, ...]
    count: int
    tracks: int
    rows: int
    order: str
    cameras: tuple[str, ...]
    places: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    report: Path | None
    target: str | None
    home: Path
    as_json: bool
    as_csv: bool


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery of soles.")
@click.option("--shoes", required=True, help="Name of the gallery that shows the same models' shoes.")
@click.option("--archive", "archives", required=True, multiple=True, help="Archive to look in; may be given again.")
@click.option("-k", "count", default=20, show_default=True, help="Models of the print that are traced, 1 to 1,000.")
@click.option("--tracks", default=10, show_default=True, help="Tracks for each model, 1 to 1,000.")
@click.option("--rows", default=50, show_default=True, help="Rows over all models, 1 to 1,000.")
@click.option(
    "--order",
    type=click.Choice([order.value for order in TraceOrder]),
    default=TraceOrder.JOINT_RANKS.value,
    show_default=True,
)
@track_options
@report_option
@target_option
@csv_option
@json_option
def trace(file: Path, gallery: str, **options: Unpack[TraceOptions]) -> None:
    """From the print in FILE to shoe models, and to the tracks of archives in which such shoes walk past."""
    with Client(target_of(options["target"], options["home"]), timeout_s=300.0) as client:
        answer = client.trace_print(
            file,
            gallery=gallery,
            shoes=options["shoes"],
            archives=options["archives"],
            k=options["count"],
            tracks_per_model=options["tracks"],
            rows=options["rows"],
            order=TraceOrder(options["order"]),
            tracks_where=track_filter(options["cameras"], options["places"], options["since"], options["until"]),
            with_thumbnails=options["report"] is not None,
        )
        if options["report"] is not None:
            write_trace_report(options["report"], file, answer, client)
    if options["as_csv"]:
        click.echo(_csv(answer))
    else:
        show(answer, lambda: trace_text(answer), as_json=options["as_json"])


def _csv(answer: TraceAnswer) -> str:
    headers = ("rank", "model", "print_rank", "print_score", "shoe_score", "look_rank", *TRACK_HEADERS)
    rows = [
        (row.rank, row.model_id, row.print_rank, f"{row.print_score:.6f}", f"{row.shoe_score:.6f}", row.look_rank)
        + track_cells(row.track)
        for row in answer.rows
    ]
    return csv_text(headers, rows)
