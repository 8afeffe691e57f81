"""What commands share: where the stack is, tables and JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from benchmarks.reporting import InputValue, text_table
from outsole.answers import Hit, Placement, SearchAnswer
from outsole.commands.stack import read_state
from outsole.errors import OutsoleError
from outsole.settings import StackSettings, default_home

_Function = TypeVar("_Function", bound=Callable[..., Any])
LEAD = "Candidate outsole designs, ranked by similarity; a class-level lead that requires examination."


def home_option(function: _Function) -> _Function:
    """Adds ``--home``."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="OUTSOLE_HOME",
        default=default_home,
        show_default="~/.outsole",
        help="State directory of the stack.",
    )(function)


def target_option(function: _Function) -> _Function:
    """Adds ``--target`` and ``--home``: which stack is asked."""
    option = click.option("--target", help="HOST:PORT of the service; by default the stack that runs in the home.")
    return home_option(option(function))


def years_options(function: _Function) -> _Function:
    """Adds ``--since`` and ``--until``: years of release, 0 for an open end."""
    until = click.option("--until", default=0, metavar="YEAR", help="Only items released in this year or before.")
    return click.option("--since", default=0, metavar="YEAR", help="Only items released in this year or after.")(
        until(function)
    )


def json_option(function: _Function) -> _Function:
    """Adds ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")(function)


def target_of(target: str | None, home: Path) -> str:
    """``host:port`` to call: the one named, that of the stack in the home, or the default one."""
    if target:
        return target
    state = read_state(home)
    return state.settings(home).target if state is not None else StackSettings(home).target


def show(value: object, table: Callable[[], str], *, as_json: bool) -> None:
    """Print a record, or records, as JSON or as a table."""
    click.echo(json.dumps(plain(value), indent=2) if as_json else table())


def plain(value: object) -> Any:
    """A record as JSON has it; pictures are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((entry.name, getattr(value, entry.name)) for entry in dataclasses.fields(value))
        return {name: plain(found) for name, found in pairs if not isinstance(found, bytes)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(found) for key, found in value.items()}
    if isinstance(value, list | tuple):
        return [plain(found) for found in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path | OutsoleError) else value


def placement_text(placement: Placement) -> str:
    """A placement in a few characters: rotation, shift right and down in canvas pixels, and what else was done."""
    parts = [f"{placement.rotation_deg:+.0f}\N{DEGREE SIGN} {placement.shift_x_px:+.0f},{placement.shift_y_px:+.0f} px"]
    parts += [f"x{placement.scale:.2f}"] if abs(placement.scale - 1) > 5e-4 else []
    parts += ["mirrored"] if placement.mirrored else []
    parts += ["inverted"] if placement.inverted else []
    return " ".join(parts)


def view_text(hit: Hit) -> str:
    """Which view of an item won, in a few words."""
    if hit.worn_weeks:
        return f"worn {hit.worn_weeks} weeks"
    return f"print taken back {hit.probe_weeks} weeks" if hit.probe_weeks else "as it is"


def answer_text(answer: SearchAnswer) -> str:
    """An answer for a person: what was searched, the candidates, what to know about them."""
    head = (
        f"{answer.gallery} edition {answer.edition}, {answer.mode.value}: {answer.searched:,} of {answer.total:,} "
        f"items {_searched(answer)}, visible {answer.visible_fraction:.0%}, {sum(answer.stage_ms.values()):.0f} ms"
    )
    # Of a score with one part the part is the score.
    parts = sorted({name for hit in answer.hits for name in hit.score_parts if len(hit.score_parts) > 1})
    views = ("view",) if "wear_fusion" in answer.settings else ()
    rows: Sequence[Sequence[InputValue]] = [
        (
            hit.rank,
            hit.model_id,
            hit.item_id,
            hit.brand,
            f"{hit.score:.4f}",
            *(f"{hit.score_parts.get(name, 0.0):.4f}" for name in parts),
            placement_text(hit.placement),
            *(view_text(hit) for _ in views),
        )
        for hit in answer.hits
    ]
    headers = ("rank", "model", "item", "brand", "score", *parts, "placement", *views)
    lines = [head, text_table(headers, rows), LEAD]
    lines += [f"note: {warning}" for warning in answer.warnings]
    lines += [f"note: stage {stage} was cut short" for stage in answer.degraded]
    return "\n".join(lines)


def _searched(answer: SearchAnswer) -> str:
    return (
        "compared by their vectors alone"
        if answer.settings.get("rerank", "").startswith("none")
        else "compared closely"
    )
