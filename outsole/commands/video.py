"""``outsole video``: videos become tracks in an archive, and what was looked at."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from indexer.rejects import Reject
from indexer.video.compose import index_videos_into, opened_video_model
from indexer.video.coverage import coverage_of, read_source_rows
from indexer.video.index_videos import VideoIndexReport, VideoOptions
from indexer.video.model import VideoSettings
from indexer.video.sources import CameraPlan
from outsole.commands.editions import editions_root
from outsole.commands.index import HERE, RAY, place_of, workers_of
from outsole.commands.output import home_option, json_option, show
from outsole.commands.stack import read_state
from outsole.commands.video_output import LocalTime
from outsole.commands.video_search import found, search
from outsole.commands.video_tracks import tracks
from outsole.gallery.editions import Edition
from outsole.gallery.track_rows import SourceRow
from outsole.video_answers import Coverage

_SHOWN = 10
_COUNTS = ("received", "decoded", "skipped", "failed", "with_people", "with_shoes", "shoes", "too_small", "searched")
_WALKS = ("tracks", "static", "short")


class IndexOptions(TypedDict):
    """The options of ``outsole video index`` by the names that click gives them."""

    archive: str
    camera: str
    place: str
    start: datetime.datetime | None
    zone: str
    clock_offset_s: float
    every_s: float
    encoder: str
    workers: str
    home: Path
    as_json: bool


@click.group()
def video() -> None:
    """Shoes in surveillance video: archives of tracks."""


for _command in (tracks, search, found):
    video.add_command(_command)


@video.command("index")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--archive", required=True, help="Name of the archive; made where there is none.")
@click.option("--camera", required=True, help="The camera that took the videos.")
@click.option("--place", default="", help="Where it hangs.")
@click.option("--start", type=LocalTime(), help="When the one video began by the camera's clock, ISO 8601.")
@click.option("--zone", default="UTC", show_default=True, metavar="IANA", help="Time zone of the camera's clock.")
@click.option("--clock-offset-s", default=0.0, metavar="S", help="How far the clock was fast, seconds.")
@click.option("--every-s", default=0.1, show_default=True, metavar="S", help="Seconds between frames; 0 for all.")
@click.option("--encoder", default="", metavar="NAME", help="The shoe encoder; the shipped one by default.")
@click.option(
    "--workers",
    type=click.Choice([HERE, RAY]),
    default=HERE,
    show_default=True,
    help="Where slices are looked at.",
)
@home_option
@json_option
def index_files(files: tuple[Path, ...], **options: Unpack[IndexOptions]) -> None:
    """Index FILES of one camera: videos, and folders or archives of pictures with their times.

    Everybody who walks past is one track. What cannot be used is listed with the reason; the rest is indexed. Videos
    that the archive has already stay in it and are not looked at again; a run that was stopped goes on where it was.
    """
    home = options["home"]
    state = read_state(home)
    asks_triton = state is not None and state.encoder_backend == "triton"
    place = place_of(home, triton_url=state.settings(home).triton_url if state is not None and asks_triton else "")
    camera = CameraPlan(
        camera=options["camera"],
        place=options["place"],
        start=options["start"],
        zone=options["zone"],
        clock_offset_s=options["clock_offset_s"],
    )
    how = VideoOptions(settings=VideoSettings(every_s=options["every_s"] or None))
    with workers_of(options["workers"]):
        if options["workers"] == RAY:
            how = dataclasses.replace(how, on_ray=functools.partial(opened_video_model, place, options["encoder"]))
        work = index_videos_into(
            files, options["archive"], place=place, camera=camera, shoe_encoder=options["encoder"], options=how
        )
        report = asyncio.run(work)
    show(report, lambda: _report_text(report), as_json=options["as_json"])


@video.command("coverage")
@click.argument("archive")
@home_option
@json_option
def coverage(archive: str, *, home: Path, as_json: bool) -> None:
    """Say of every video of ARCHIVE what became of its frames, and what was found."""
    rows = read_source_rows(Edition.open(editions_root(home), archive))
    in_all = coverage_of(rows)
    show({"sources": rows, "in_all": in_all}, lambda: coverage_text(rows, in_all), as_json=as_json)


def coverage_text(rows: Sequence[SourceRow], in_all: Coverage) -> str:
    """The coverage report as a table: a row a video, and one for all of them."""
    columns = (*_COUNTS, *_WALKS)
    headers = ("video", "camera", "seconds", *(name.replace("_", " ") for name in columns))
    lines = [
        (row.name, row.camera, f"{row.duration_s:,.0f}", *(f"{getattr(row, name):,}" for name in columns))
        for row in rows
    ]
    total = ("all", "", f"{in_all.duration_s:,.0f}", *(f"{getattr(in_all, name):,}" for name in columns))
    issues = [f"{row.name}: {issue}" for row in rows for issue in row.issues]
    return "\n".join([text_table(headers, [*lines, total]), *issues])


def _report_text(report: VideoIndexReport) -> str:
    state = "new edition" if report.is_new else "nothing changed: edition"
    found, too_small = report.coverage, report.in_all.tracks - report.tracks
    rate = found.received / report.seconds if report.seconds > 0 and report.reused < found.sources else 0.0
    head = (
        f"{report.archive}: {state} {report.edition} with {report.tracks:,} tracks of {report.in_all.sources:,} videos "
        f"({found.sources - report.reused:,} looked at, {report.reused:,} reused, {len(report.rejects):,} rejected) "
        f"in {report.seconds:.1f} s" + (f", {rate:,.0f} frames/s" if rate else "")
    )
    busy = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.stage_seconds.items())
    lines = [head, coverage_text(report.sources, found), f"busy: {busy}", *report.problems]
    if too_small:
        lines.append(f"{too_small:,} walk-pasts of the archive are too small to be searched")
    return "\n".join([*lines, *_reject_lines(report.rejects)])


def _reject_lines(rejects: Sequence[Reject]) -> list[str]:
    if not rejects:
        return []
    rows = [(reject.row, reject.path, reject.reason) for reject in rejects[:_SHOWN]]
    return [text_table(("file", "path", "reason"), rows), "all of them are in the edition's rejects.csv"]
