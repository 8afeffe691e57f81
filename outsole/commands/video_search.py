"""``outsole video search`` and ``outsole video found``: shoe models looked for in whole archives, as long work."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from outsole.answers import TrackFilter
from outsole.api import Client
from outsole.api.records import VideoSearchOptions
from outsole.commands.operations import followed, told
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.commands.video_output import (
    LEAD,
    TRACK_HEADERS,
    TRACK_SHOWN,
    LocalTime,
    Time,
    coverage_text,
    csv_option,
    csv_text,
    shown_cells,
    track_cells,
)
from outsole.commands.video_report import report_option, write_found_report
from outsole.errors import InvalidInput
from outsole.operations import WorkState
from outsole.video_answers import VideoSearchAnswer

_SHOWN_PER_MODEL = 20


class SearchOptions(TypedDict):
    """The options of ``outsole video search`` by the names that click gives them."""

    gallery: str
    archives: tuple[str, ...]
    files: tuple[Path, ...]
    files_archive: str
    camera: str
    place: str
    start: datetime | None
    zone: str
    clock_offset_s: float
    every_s: float | None
    only_cameras: tuple[str, ...]
    only_places: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    tracks: int
    request_id: str
    wait: bool
    report: Path | None
    target: str | None
    home: Path
    as_json: bool
    as_csv: bool


@click.command("search")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--gallery", required=True, help="Name of the gallery that shows the models' shoes.")
@click.option("--archive", "archives", multiple=True, help="Archive to search; may be given again.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File on the service's host to index and search, below OUTSOLE_INGEST_ROOTS; may be given again.",
)
@click.option("--into", "files_archive", default="", metavar="NAME", help="Archive for the files; one of their own.")
@click.option("--camera", default="", metavar="ID", help="The camera that took the files.")
@click.option("--place", default="", help="Where it hangs.")
@click.option("--start", type=LocalTime(), help="When the one file began by the camera's clock, ISO 8601.")
@click.option("--zone", default="", metavar="IANA", help="Time zone of the camera's clock; UTC by default.")
@click.option("--clock-offset-s", default=0.0, metavar="S", help="How far the clock was fast, seconds.")
@click.option(
    "--every-s", type=float, metavar="S", help="Seconds between frames of the files; 0 for all, 0.1 by default."
)
@click.option(
    "--only-camera", "only_cameras", multiple=True, metavar="ID", help="Only tracks of it; may be given again."
)
@click.option(
    "--only-place", "only_places", multiple=True, metavar="PLACE", help="Only tracks of it, as --only-camera."
)
@click.option("--since", type=Time(), help="Only tracks seen then or later, ISO 8601 with its zone.")
@click.option("--until", type=Time(), help="Only tracks seen then or before, ISO 8601 with its zone.")
@click.option("--tracks", default=100, show_default=True, help="Tracks for each model, 1 to 1,000.")
@click.option("--request-id", default="", help="Asked again with it, the same operation is answered.")
@click.option("--wait", is_flag=True, help="Show progress until it is over, and then what was found.")
@report_option
@target_option
@csv_option
@json_option
def search(models: tuple[str, ...], **options: Unpack[SearchOptions]) -> int:
    """Look for shoe MODELs of a gallery in whole archives, and in files that are not indexed yet.

    The running service does the work, and lets searches that a person waits for go first. Without --wait the operation
    is printed; outsole operations watches, pauses and cancels it, and outsole video found says what was found.
    """
    if not options["wait"] and (options["report"] is not None or options["as_csv"]):
        raise InvalidInput("nothing is found yet", field="wait", remedy="give --wait, or ask outsole video found later")
    with Client(target_of(options["target"], options["home"]), timeout_s=120.0) as client:
        info = client.start_video_search(models, gallery=options["gallery"], **_asked(options))
        if options["wait"]:
            info = followed(client, info)
        if not options["wait"] or info.state is not WorkState.SUCCEEDED:
            return told(info, as_json=options["as_json"])
        _found(client, info.operation_id, options["report"], as_json=options["as_json"], as_csv=options["as_csv"])
    return 0


def _asked(options: SearchOptions) -> VideoSearchOptions:
    asked = VideoSearchOptions(
        archives=options["archives"],
        files=[str(file.absolute()) for file in options["files"]],
        files_archive=options["files_archive"],
        camera=options["camera"],
        place=options["place"],
        zone=options["zone"],
        clock_offset_s=options["clock_offset_s"],
        start=options["start"],
        where=TrackFilter(options["only_cameras"], options["only_places"], options["since"], options["until"]),
        tracks_per_model=options["tracks"],
        request_id=options["request_id"],
    )
    if options["every_s"] is not None:
        asked["every_s"] = options["every_s"]
    return asked


@click.command("found")
@click.argument("operation")
@report_option
@target_option
@csv_option
@json_option
def found(operation: str, *, report: Path | None, target: str | None, home: Path, as_csv: bool, as_json: bool) -> None:
    """Say what the search OPERATION found: tracks by model, and the coverage of what was searched."""
    with Client(target_of(target, home), timeout_s=120.0) as client:
        _found(client, operation, report, as_json=as_json, as_csv=as_csv)


def _found(client: Client, operation: str, report: Path | None, *, as_json: bool, as_csv: bool) -> None:
    answer = client.get_video_search(operation, with_thumbnails=report is not None)
    if report is not None:
        write_found_report(report, answer, client)
    if as_csv:
        rows = [
            (row.model_id, row.hit.rank, f"{row.hit.score:.6f}", *track_cells(row.hit.track)) for row in answer.rows
        ]
        click.echo(csv_text(("model", "rank", "score", *TRACK_HEADERS), rows))
    else:
        show(answer, lambda: _text(answer), as_json=as_json)


def _text(answer: VideoSearchAnswer) -> str:
    rows = [
        (row.model_id, row.hit.rank, f"{row.hit.score:.4f}", row.hit.track.archive, *shown_cells(row.hit.track))
        for row in answer.rows
        if row.hit.rank <= _SHOWN_PER_MODEL
    ]
    models = [(model.model_id, model.pictures, model.tracks) for model in answer.models]
    lines = [
        f"{answer.gallery} edition {answer.edition}: {answer.total_rows:,} tracks for {len(models):,} models",
        text_table(("model", "rank", "score", "archive", *TRACK_SHOWN), rows),
        text_table(("model", "pictures", "tracks"), models),
        LEAD,
    ]
    for one in answer.archives:
        lines += [f"{one.archive} edition {one.edition}: {one.searched:,} of {one.total:,} tracks"]
    lines += [coverage_text(answer.coverage), *(f"note: {warning}" for warning in answer.warnings)]
    if len(rows) < len(answer.rows):
        lines.append(f"shown are the first {_SHOWN_PER_MODEL} of each model; --csv and --json have all")
    return "\n".join(lines)
