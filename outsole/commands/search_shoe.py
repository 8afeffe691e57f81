"""``outsole search shoe``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from outsole.answers import SearchAnswer, ShoeMarks, TrackFilter, View
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.commands.video_output import (
    LEAD,
    TRACK_HEADERS,
    Numbers,
    csv_option,
    csv_text,
    track_cells,
    track_filter,
    track_options,
    tracks_text,
)
from outsole.commands.video_report import report_option, write_track_report
from outsole.errors import InvalidInput
from outsole.video_answers import TrackAnswer


class ShoeOptions(TypedDict):
    """The options of ``outsole search shoe`` by the names that click gives them."""

    gallery: str
    archive: str
    count: int
    box: tuple[float, float, float, float] | None
    toe: tuple[float, float] | None
    heel: tuple[float, float] | None
    view: str | None
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
@click.argument("image", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--gallery", default="", help="Name of a gallery that shows shoes; this or --archive.")
@click.option("--archive", default="", help="Name of a video archive.")
@click.option("-k", "count", default=20, show_default=True, help="Models or tracks wanted, 1 to 1,000.")
@click.option("--box", type=Numbers("L,T,R,B"), help="Where the shoe is, pixels; the whole picture where left out.")
@click.option("--toe", type=Numbers("X,Y"), help="Tip of its sole, pixels; with --heel.")
@click.option("--heel", type=Numbers("X,Y"), help="Back end of its sole, pixels.")
@click.option("--view", type=click.Choice([view.value for view in View]), help="From where it is seen.")
@track_options
@report_option
@target_option
@csv_option
@json_option
def shoe(image: Path, **options: Unpack[ShoeOptions]) -> None:
    """Rank the models of a gallery, or the tracks of an archive, by similarity to the shoe in IMAGE."""
    where = track_filter(options["cameras"], options["places"], options["since"], options["until"])
    _check(options, where)
    with Client(target_of(options["target"], options["home"]), timeout_s=120.0) as client:
        marks = _marks(options)
        answer = _asked(client, image, options, where, marks=marks)
        if options["report"] is not None and isinstance(answer, TrackAnswer):
            write_track_report(options["report"], image, answer, client, marks=marks)
    if options["as_csv"]:
        click.echo(_csv(answer))
    else:
        show(answer, lambda: _text(answer), as_json=options["as_json"])


def _check(options: ShoeOptions, where: TrackFilter) -> None:
    if bool(options["gallery"]) == bool(options["archive"]):
        raise InvalidInput("name a gallery or an archive", field="gallery", remedy="exactly one of them")
    for name, is_given in (("report", options["report"] is not None), ("camera", where != TrackFilter())):
        if is_given and not options["archive"]:
            raise InvalidInput("it is for archives alone", field=name, remedy="give --archive")


def _marks(options: ShoeOptions) -> ShoeMarks:
    view = None if options["view"] is None else View(options["view"])
    return ShoeMarks(view, options["toe"], options["heel"], options["box"])


def _asked(
    client: Client, image: Path, options: ShoeOptions, where: TrackFilter, *, marks: ShoeMarks
) -> SearchAnswer | TrackAnswer:
    count = options["count"]
    if options["gallery"]:
        return client.search_shoe(image, gallery=options["gallery"], k=count, marks=marks)
    pictured = options["report"] is not None
    return client.search_shoe(
        image, archive=options["archive"], k=count, marks=marks, where=where, with_thumbnails=pictured
    )


def _text(answer: SearchAnswer | TrackAnswer) -> str:
    if isinstance(answer, TrackAnswer):
        return tracks_text(answer)
    head = (
        f"{answer.gallery} edition {answer.edition}: {answer.searched:,} of {answer.total:,} items compared, "
        f"{sum(answer.stage_ms.values()):.0f} ms"
    )
    rows = [(hit.rank, hit.model_id, hit.item_id, hit.brand, f"{hit.score:.4f}") for hit in answer.hits]
    lines = [head, text_table(("rank", "model", "item", "brand", "score"), rows), LEAD]
    return "\n".join([*lines, *(f"note: {warning}" for warning in answer.warnings)])


def _csv(answer: SearchAnswer | TrackAnswer) -> str:
    if isinstance(answer, TrackAnswer):
        rows = [(hit.rank, f"{hit.score:.6f}", *track_cells(hit.track)) for hit in answer.hits]
        return csv_text(("rank", "score", *TRACK_HEADERS), rows)
    headers = ("rank", "score", "model", "item", "brand", "side", "category")
    return csv_text(
        headers,
        [
            (hit.rank, f"{hit.score:.6f}", hit.model_id, hit.item_id, hit.brand, hit.side.value, hit.category)
            for hit in answer.hits
        ],
    )
