"""``outsole wear``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from benchmarks.reporting import text_table
from outsole.api import Client
from outsole.commands.output import json_option, show, target_of, target_option
from outsole.commands.weeks import WeeksList
from outsole.errors import InvalidInput
from outsole.imaging.decode import decode_image
from outsole.report.wear_page import WearPage, write_wear_page
from outsole.report.wear_pictures import wear_strip
from outsole.wear.weeks import checked_weeks
from outsole.wear_answers import WearAnswer


class WearOptions(TypedDict):
    """The options of ``outsole wear`` by the names that click gives them."""

    weeks: tuple[int, ...]
    out: Path | None
    backward: bool
    report: Path | None
    target: str | None
    home: Path
    as_json: bool


@click.command()
@click.argument("file", metavar="PRINT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--weeks",
    type=WeeksList(),
    default="4,12,26,52",
    show_default=True,
    help="Weeks of wear between PRINT and each picture: even numbers from 0 to 52.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Strip of all weeks to write, PNG.")
@click.option("--backward", is_flag=True, help="Take wear off, in place of adding it.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Page to write, HTML.")
@target_option
@json_option
def wear(file: Path, **options: Unpack[WearOptions]) -> None:
    """Simulate what the print in PRINT may look like after weeks of wear, or what it looked like before."""
    weeks, data = checked_weeks(options["weeks"]), _bytes(file)
    with Client(target_of(options["target"], options["home"]), timeout_s=120.0) as client:
        ask = client.reconstruct_outsole if options["backward"] else client.predict_wear
        answer = ask(data, weeks=weeks)
    written = [path for path in (_strip(data, answer, options["out"]), _page(file, data, answer, options)) if path]
    show(answer, lambda: "\n".join([_text(answer), *(f"see {path}" for path in written)]), as_json=options["as_json"])


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file.name}: {error.strerror}", field="print", remedy="a readable file") from error


def _strip(data: bytes, answer: WearAnswer, out: Path | None) -> Path | None:
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(wear_strip(decode_image(data).gray, answer))
    return out


def _page(file: Path, data: bytes, answer: WearAnswer, options: WearOptions) -> Path | None:
    path = options["report"]
    if path is not None:
        write_wear_page(path, WearPage(file.name, decode_image(data).gray, answer, datetime.now(UTC)))
    return path


def _text(answer: WearAnswer) -> str:
    """One line a week, and what they are."""
    rows = [(answer.when(worn), f"{worn.mean_unsure:.3f}") for worn in answer.prints]
    return "\n".join(
        [
            text_table(("simulated", "mean unsure"), rows),
            answer.simulation_notice,
            f"{answer.model} {answer.model_hash[:16]}, trained on {answer.trained_on}",
            *(f"note: {warning}" for warning in answer.warnings),
        ]
    )
