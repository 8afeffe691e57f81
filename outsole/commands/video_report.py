"""``--report DIR`` of commands that find tracks: a contact sheet of what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
from outsole.video_answers import SourceInfo, TraceAnswer, TracedArchive, TrackAnswer, TrackInfo, VideoSearchAnswer

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PROBE_WIDTH_PX = 640
_NO_MARKS = ShoeMarks()
_SHEET_TRACKS = 10
_NAMED_MODELS = 5


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
    probe = _Probe.of(image, answer.probe_sha256, marks)
    _write(folder, probe, rows, archives=[searched], told=(facts, answer.warnings))


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
    probe = _Probe.of(image, answer.print.probe_sha256)
    _write(folder, probe, rows, archives=answer.archives, told=(facts, warnings))


def write_found_report(folder: Path, answer: VideoSearchAnswer, client: Client) -> None:
    """Write the contact sheet of a search in bulk, the first tracks of each model, and say where it is."""
    originals = Originals(_sources(client, [(one.archive, one.edition) for one in answer.archives]))
    rows = [
        _row(row.hit.rank, row.hit.track, {"Score": f"{row.hit.score:.4f}"}, originals=originals, model_id=row.model_id)
        for row in answer.rows
        if row.hit.rank <= _SHEET_TRACKS
    ]
    facts = {
        "Gallery of shoes": f"{answer.gallery}, edition {answer.edition}",
        "Encoder": answer.encoder_hash[:16],
        "Shown": f"the first {_SHEET_TRACKS} tracks of each model",
    }
    models = [model.model_id for model in answer.models]
    named = ", ".join(models[:_NAMED_MODELS]) + (" and others" if len(models) > _NAMED_MODELS else "")
    _write(folder, _Probe(f"models {named}"), rows, archives=answer.archives, told=(facts, answer.warnings))


@dataclass(frozen=True)
class _Probe:
    """What was searched with: its name, and a data address and digest where it is a picture."""

    name: str
    picture: str = ""
    sha256: str = ""

    @classmethod
    def of(cls, image: Path, sha256: str, marks: ShoeMarks = _NO_MARKS) -> _Probe:
        """A picture, with what was marked in it."""
        return cls(image.name, _picture(image, marks), sha256)


def _row(rank: int, track: TrackInfo, scores: dict[str, str], *, originals: Originals, model_id: str = "") -> SheetRow:
    frame = originals.frame(track)
    return SheetRow(rank, track, scores, frame.jpeg, frame.remark, model_id)


def _write(
    folder: Path,
    probe: _Probe,
    rows: list[SheetRow],
    *,
    archives: Sequence[TracedArchive],
    told: tuple[dict[str, str], Iterable[str]],
) -> None:
    facts, notes = told
    sheet = ContactSheet(
        title=f"Tracks for {probe.name}",
        probe=probe.picture,
        probe_name=probe.name,
        probe_sha256=probe.sha256,
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
