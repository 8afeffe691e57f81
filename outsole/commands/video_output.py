"""What commands about shoes and video share: their options, tables and comma-separated rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from benchmarks.reporting import InputValue, text_table
from outsole.answers import TrackFilter
from outsole.video_answers import Coverage, TraceAnswer, TrackAnswer, TrackInfo

_Function = TypeVar("_Function", bound=Callable[..., Any])
LEAD = "Candidates, ranked by similarity; a class-level lead that requires examination."
TRACK_HEADERS = (
    *("track", "archive", "camera", "place", "start", "end", "clock_start", "time_known_by", "source", "sha256"),
    *("best_frame", "best_time_s", "view", "length_px", "weight", "sightings", "too_small", "state"),
)
"""Names of the comma-separated cells of a track."""
TRACK_SHOWN = ("track", "camera", "place", "start (UTC)", "camera's clock", "known by", "source", "view", "px")
"""Names of the cells of a track in tables."""


class Time(click.ParamType[datetime]):
    """An ISO 8601 time with its zone."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time. Fails with a sentence where there is none, or no zone: an hour is the difference that matters."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time, for example 2026-03-01T12:00+01:00", param, ctx)
        if found.tzinfo is None:
            self.fail(f"{value!r} has no zone, for example 2026-03-01T12:00+01:00 or 2026-03-01T11:00Z", param, ctx)
        return found


class LocalTime(click.ParamType[datetime]):
    """An ISO 8601 time by a camera's clock, which has a zone of its own."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time. Fails with a sentence where there is none."""
        try:
            return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time, for example 2024-01-31T23:59:00", param, ctx)


class Numbers(click.ParamType[tuple[float, ...]]):
    """So many numbers with commas between them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers. Fails with a sentence where there are not as many."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) != len(self.name.split(",")):
            self.fail(f"{value!r} is not {self.name} in pixels of the picture", param, ctx)
        return found


def track_options(function: _Function) -> _Function:
    """Adds ``--camera``, ``--place``, ``--since`` and ``--until``: which tracks of an archive take part."""
    for option in (
        click.option("--until", type=Time(), help="Only tracks seen then or before, ISO 8601 with its zone."),
        click.option("--since", type=Time(), help="Only tracks seen then or later, ISO 8601 with its zone."),
        click.option(
            "--place", "places", multiple=True, help="Only tracks of this place; may be given more than once."
        ),
        click.option(
            "--camera", "cameras", multiple=True, metavar="ID", help="Only tracks of this camera; as --place."
        ),
    ):
        function = option(function)
    return function


def csv_option(function: _Function) -> _Function:
    """Adds ``--csv``."""
    return click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated rows in place of the table.")(
        function
    )


def track_filter(
    cameras: Sequence[str], places: Sequence[str], since: datetime | None, until: datetime | None
) -> TrackFilter:
    """The filter that the options ask for."""
    return TrackFilter(tuple(cameras), tuple(places), since, until)


def csv_text(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated rows under their names, without the last line's end."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return text.getvalue().removesuffix("\n")


def track_cells(track: TrackInfo) -> tuple[object, ...]:
    """A track as the comma-separated rows tell it, see ``TRACK_HEADERS``."""
    return (
        *(track.track_id, track.archive, track.camera, track.place),
        *("" if time is None else time.isoformat() for time in (track.start, track.end, track.native_start)),
        *(track.time_origin, track.source_name, track.source_sha256, track.best_frame, f"{track.best_time_s:.3f}"),
        *(track.view.value, f"{track.length_px:.1f}", f"{track.weight:.3f}", track.sightings, track.too_small),
        track.state.value,
    )


def shown_cells(track: TrackInfo) -> tuple[InputValue, ...]:
    """A track as the tables tell it."""
    return (
        *(track.track_id, track.camera, track.place),
        *("not known" if time is None else _to_the_second(time) for time in (track.start, track.native_start)),
        *(
            track.time_origin.replace("_", " ") or "nothing",
            track.source_name,
            track.view.value,
            f"{track.length_px:.0f}",
        ),
    )


def tracks_text(answer: TrackAnswer) -> str:
    """An answer over an archive for a person: what was searched, the tracks, what became of every frame."""
    head = (
        f"{answer.archive} edition {answer.edition}: {answer.searched:,} of {answer.total:,} tracks compared, "
        f"{sum(answer.stage_ms.values()):.0f} ms"
    )
    rows = [(hit.rank, f"{hit.score:.4f}", *shown_cells(hit.track)) for hit in answer.hits]
    lines = [head, text_table(("rank", "score", *TRACK_SHOWN), rows), LEAD, coverage_text(answer.coverage)]
    return "\n".join([*lines, *(f"note: {warning}" for warning in answer.warnings)])


def trace_text(answer: TraceAnswer) -> str:
    """A trace for a person: rows over all models, the candidates of the print, what was looked through."""
    rows: list[tuple[InputValue, ...]] = [
        (row.rank, row.model_id, row.print_rank, f"{row.print_score:.4f}", f"{row.shoe_score:.4f}", row.look_rank)
        + (row.track.archive, *shown_cells(row.track))
        for row in answer.rows
    ]
    headers = ("rank", "model", "print rank", "print score", "shoe score", "look rank", "archive", *TRACK_SHOWN)
    models: list[tuple[InputValue, ...]] = [
        (
            *(trace.hit.rank, trace.hit.model_id, f"{trace.hit.score:.4f}", trace.pictures, len(trace.tracks)),
            f"{trace.tracks[0].score:.4f}" if trace.tracks else "",
        )
        for trace in answer.traces
    ]
    lines = [
        f"{answer.print.gallery} edition {answer.print.edition}, {answer.shoe_gallery} edition {answer.shoe_edition}, "
        f"rows by {answer.settings.get('order', '')}, {sum(answer.stage_ms.values()):.0f} ms",
        text_table(headers, rows),
        text_table(("print rank", "model", "print score", "pictures", "tracks", "best shoe score"), models),
        LEAD,
        "The two scores measure different things, and no product of them is a probability.",
    ]
    for archive in answer.archives:
        lines.append(f"{archive.archive} edition {archive.edition}: {archive.searched:,} of {archive.total:,} tracks")
        lines.append(coverage_text(archive.coverage))
    return "\n".join([*lines, *(f"note: {warning}" for warning in answer.warnings)])


def coverage_text(coverage: Coverage) -> str:
    """What became of every frame, in a sentence."""
    left = f", {coverage.sources_left_out:,} left out by the filter" if coverage.sources_left_out else ""
    return (
        f"coverage: {coverage.sources:,} sources{left}, {coverage.duration_s / 3600:.2f} h; "
        f"{coverage.received:,} frames received, {coverage.decoded:,} decoded, {coverage.skipped:,} skipped, "
        f"{coverage.failed:,} failed; {coverage.with_people:,} with people, {coverage.with_shoes:,} with shoes; "
        f"{coverage.shoes:,} sightings, {coverage.too_small:,} too small, {coverage.searched:,} encoded; "
        f"{coverage.tracks:,} tracks, {coverage.static:,} never moved, {coverage.short:,} too short"
    )


def _to_the_second(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
