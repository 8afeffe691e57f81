"""``--report DIR`` of commands that find tracks: a contact sheet of what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import cv2
import numpy as np

from outsole.answers import ShoeMarks
from outsole.api import Client
from outsole.report.contact_sheet import ContactSheet, SheetRow, jpeg_uri, write_sheet
from outsole.report.originals import Originals, marked_jpeg
from outsole.video_answers import SourceInfo, TraceAnswer, TracedArchive, TrackAnswer, TrackInfo

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PROBE_WIDTH_PX = 640
_NO_MARKS = ShoeMarks()


def report_option(function: _Function) -> _Function:
    """Adds ``--report``."""
    return click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Also write a contact sheet of the tracks, one HTML file, into this directory.",
    )(function)


def write_track_report(folder: Path, image: Path, answer: TrackAnswer, client: Client, *, marks: ShoeMarks) -> None:
    """Write the contact sheet of a search of an archive, and say where it is; ``marks`` are those of the search."""
    originals = Originals(_sources(client, [(answer.archive, answer.edition)]))
    rows = [_row(hit.rank, hit.track, {"Score": f"{hit.score:.4f}"}, originals=originals) for hit in answer.hits]
    searched = TracedArchive(answer.archive, answer.edition, answer.searched, answer.total, answer.coverage)
    facts = {"Archive": answer.archive, "Encoder": answer.encoder_hash[:16]}
    told = (facts, answer.probe_sha256, answer.warnings)
    _write(folder, image, rows, archives=[searched], told=told, marks=marks)


def write_trace_report(folder: Path, image: Path, answer: TraceAnswer, client: Client) -> None:
    """Write the contact sheet of a trace, and say where it is."""
    originals = Originals(_sources(client, [(one.archive, one.edition) for one in answer.archives]))
    rows = [
        _row(
            row.rank,
            row.track,
            {
                "Print score": f"{row.print_score:.4f}, rank {row.print_rank} among the candidates of the print",
                "Shoe score": f"{row.shoe_score:.4f}, rank {row.look_rank} among all models for this track",
            },
            originals=originals,
            model_id=row.model_id,
        )
        for row in answer.rows
    ]
    facts = {
        "Gallery of soles": f"{answer.print.gallery}, edition {answer.print.edition}",
        "Gallery of shoes": f"{answer.shoe_gallery}, edition {answer.shoe_edition}",
        "Rows by": answer.settings.get("order", "").replace("_", " "),
        "Encoder of shoes": answer.encoder_hash[:16],
    }
    warnings = (*answer.print.warnings, *answer.warnings)
    _write(folder, image, rows, archives=answer.archives, told=(facts, answer.print.probe_sha256, warnings))


def _row(rank: int, track: TrackInfo, scores: dict[str, str], *, originals: Originals, model_id: str = "") -> SheetRow:
    frame = originals.frame(track)
    return SheetRow(rank, track, scores, frame.jpeg, frame.remark, model_id)


def _write(
    folder: Path,
    image: Path,
    rows: list[SheetRow],
    *,
    archives: Sequence[TracedArchive],
    told: tuple[dict[str, str], str, Iterable[str]],
    marks: ShoeMarks = _NO_MARKS,
) -> None:
    facts, sha256, notes = told
    sheet = ContactSheet(
        title=f"Tracks for {image.name}",
        probe=_picture(image, marks),
        probe_name=image.name,
        probe_sha256=sha256,
        facts=facts,
        archives=archives,
        rows=rows,
        notes=tuple(notes),
        created=datetime.now(UTC),
    )
    click.echo(f"contact sheet: {write_sheet(folder, sheet)}", err=True)


def _sources(client: Client, editions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SourceInfo]:
    return {
        (archive, source.source_id): source
        for archive, edition in editions
        for source in client.get_archive(archive, edition=edition).sources
    }


def _picture(image: Path, marks: ShoeMarks) -> str:
    """The probe as a data address, small, with what was searched for marked; empty where OpenCV cannot read it."""
    found = cv2.imdecode(np.frombuffer(image.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    jpeg = b"" if found is None else marked_jpeg(np.asarray(found, np.uint8), marks, width_px=_PROBE_WIDTH_PX)
    return jpeg_uri(jpeg) if jpeg else ""
