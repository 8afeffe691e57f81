"""Writes a page about the wear of one print: one HTML file that needs nothing else, see ``outsole.report.html``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.report.html import report_environment, write_whole
from outsole.report.pictures import palette_stops, png_bytes
from outsole.report.wear_pictures import MAP_TITLE, UNSURE_TOP, fitted, shown_prints
from outsole.wear_answers import WearAnswer

_SHOWN_SIDE_PX = 800


@dataclass(frozen=True)
class WearPage:
    """What the page says.

    Attributes:
        name: Name of the file with the print.
        given: The print, upright, uint8 [H, W].
        answer: What the service predicted from it.
        created: When the page was made, UTC.
    """

    name: str
    given: NDArray[np.uint8]
    answer: WearAnswer
    created: datetime


def write_wear_page(path: Path, page: WearPage) -> Path:
    """Write the page to a file, whose folder is made where missing; returns its path."""
    return write_whole(path, render_wear_page(page))


def render_wear_page(page: WearPage) -> str:
    """The page as HTML text; pictures larger than 800 px are shown smaller."""
    return (
        report_environment()
        .get_template("wear.html.j2")
        .render(
            page=page,
            answer=page.answer,
            created=page.created.strftime("%Y-%m-%d %H:%M UTC"),
            given_png=png_bytes(fitted(page.given, side_px=_SHOWN_SIDE_PX)),
            prints=shown_prints(page.answer, side_px=_SHOWN_SIDE_PX),
            palette=", ".join(palette_stops(9)),
            map_title=MAP_TITLE,
            top=UNSURE_TOP,
        )
    )
