"""``outsole search``: with a print here, with a shoe and with frames in `search_shoe` and `search_frames`."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from outsole.answers import ItemFilter, SearchMode
from outsole.api import Client
from outsole.api.records import PlacementSearch, WearSearch
from outsole.commands.output import answer_text, json_option, show, target_of, target_option, years_options
from outsole.commands.search_frames import frames
from outsole.commands.search_shoe import shoe
from outsole.commands.weeks import WeeksList
from outsole.errors import InvalidInput


class PrintOptions(TypedDict):
    """The options of ``outsole search print`` by the names that click gives them."""

    count: int
    mode: str
    mask: Path | None
    mirror: bool
    invert: bool
    rotation: tuple[float, float, float] | None
    encoder: str
    worn: tuple[int, ...]
    probe_worn: int | None
    since: int
    until: int
    target: str | None
    home: Path
    as_json: bool


class RotationRange(click.ParamType[tuple[float, float, float]]):
    """``MIN:MAX:STEP`` in degrees."""

    name = "MIN:MAX:STEP"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float]:
        """Three numbers. Fails with a sentence where there are not three."""
        if isinstance(value, tuple):
            return value
        try:
            low, high, step = (float(part) for part in str(value).split(":"))
        except ValueError:
            self.fail(f"{value!r} is not MIN:MAX:STEP in degrees, for example -16:16:4", param, ctx)
        return low, high, step


@click.group()
def search() -> None:
    """Search a gallery."""


search.add_command(shoe)
search.add_command(frames)


@search.command("print")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery.")
@click.option("-k", "count", default=20, show_default=True, help="Models wanted, 1 to 1,000.")
@click.option("--mode", type=click.Choice([mode.value for mode in SearchMode]), default="shortlist", show_default=True)
@click.option("--mask", type=click.Path(dir_okay=False, path_type=Path), help="PNG of the print's size, white inside.")
@click.option("--mirror", is_flag=True, help="Also try the print flipped left to right.")
@click.option("--invert", is_flag=True, help="Also try the print with its polarity turned.")
@click.option("--rotation", type=RotationRange(), help="Rotations to try, degrees.")
@click.option("--encoder", default="", metavar="NAME", help="Search with this one alone; see outsole galleries.")
@click.option("--worn", type=WeeksList(), default=(), help="Also compare the items worn for these weeks, as 26,52.")
@click.option("--probe-worn", type=int, metavar="WEEKS", help="Also compare the print taken back by these weeks.")
@years_options
@target_option
@json_option
def print_(file: Path, gallery: str, **options: Unpack[PrintOptions]) -> None:
    """Rank the shoe models of a gallery by similarity to the print in FILE."""
    mask = options["mask"]
    with Client(target_of(options["target"], options["home"]), timeout_s=120.0) as client:
        answer = client.search_print(
            file,
            gallery=gallery,
            k=options["count"],
            mode=SearchMode(options["mode"]),
            encoder=options["encoder"],
            where=ItemFilter(first_year=options["since"], last_year=options["until"]),
            mask_png=_bytes(mask) if mask else None,
            placements=placement_search(options["rotation"], mirror=options["mirror"], invert=options["invert"]),
            wear=WearSearch(options["worn"], options["probe_worn"]),
        )
    show(answer, lambda: answer_text(answer), as_json=options["as_json"])


def placement_search(rotation: tuple[float, float, float] | None, *, mirror: bool, invert: bool) -> PlacementSearch:
    """What the options ask to be tried."""
    low, high, step = rotation or (None, None, None)
    return PlacementSearch(
        rotation_min_deg=low,
        rotation_max_deg=high,
        rotation_step_deg=step,
        try_mirrored=mirror,
        try_inverted=invert,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path.name}: {error.strerror}", field="mask", remedy="a readable file") from error
