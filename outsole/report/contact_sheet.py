"""Writes a contact sheet of tracks: one HTML file that needs nothing else, see ``outsole.report.html``."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from outsole.report.html import report_environment, write_whole
from outsole.video_answers import TracedArchive, TrackInfo

SHEET = "contact_sheet.html"


@dataclass(frozen=True)
class SheetRow:
    """One track on the sheet.

    Attributes:
        rank: From 1.
        track: The track, with its crop where the archive has one.
        scores: By name, in the order in which they are shown; none of them is a probability.
        frame_jpeg: The full frame with the box, JPEG bytes; empty where there is none.
        remark: Where the frame comes from, or why there is none.
        model_id: The candidate model that it was found by; empty where a picture of a shoe was searched with.
    """

    rank: int
    track: TrackInfo
    scores: Mapping[str, str]
    frame_jpeg: bytes = b""
    remark: str = ""
    model_id: str = ""


@dataclass(frozen=True)
class ContactSheet:
    """What a contact sheet says.

    Attributes:
        title: Heading.
        probe: What was searched with: a data address of the picture, empty where it cannot be shown.
        probe_name, probe_sha256: Its file and the hex digest of its bytes.
        facts: What was computed on what, by name.
        archives: What was looked through.
        rows: The tracks, in order.
        notes: What a reader should know, a sentence each.
        created: When the sheet was made, UTC.
    """

    title: str
    probe: str
    probe_name: str
    probe_sha256: str
    facts: Mapping[str, str]
    archives: Sequence[TracedArchive]
    rows: Sequence[SheetRow]
    notes: Sequence[str]
    created: datetime


def write_sheet(folder: Path, sheet: ContactSheet) -> Path:
    """Write ``contact_sheet.html`` into a folder, which is made where missing; returns its path."""
    return write_whole(folder / SHEET, render_sheet(sheet))


def render_sheet(sheet: ContactSheet) -> str:
    """The sheet as HTML text."""
    environment = report_environment()
    environment.filters["moment"] = _moment_text
    environment.filters["jpeg_uri"] = jpeg_uri
    return environment.get_template("contact_sheet.html.j2").render(sheet=sheet)


def _moment_text(time: datetime | None) -> str:
    return "not known" if time is None else time.isoformat(sep=" ", timespec="milliseconds")


def jpeg_uri(jpeg: bytes) -> str:
    """A JPEG file as a data address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
