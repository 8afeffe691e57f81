"""One table of every system: published, and measured here.

    python -m benchmarks.literature --side print [--data FID300_DIR] [--runs DIR] [--only NAME ...] [--json FILE]
    python -m benchmarks.literature --side shoe [--runs DIR] [--models N] [--only NAME ...] [--json FILE]

Rows whose network is not at hand say so. Results are kept in ``RUNS/literature``, so that an interrupted run goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from benchmarks.print_systems import side as prints_side
from benchmarks.print_systems.kept import Kept
from benchmarks.print_systems.models import Shelf
from benchmarks.print_systems.prints import LabelledPrints
from benchmarks.print_systems.rows import FIGURES, Row, Rows, markdown_table, plain_table
from benchmarks.reporting import InputValue, make_result
from benchmarks.shoe_systems import side as shoes_side
from outsole.errors import InvalidInput, OutsoleError

CORRELATION_ENCODER = "print_lite2_b6"
REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"
PRINT, SHOE = "print", "shoe"
PARTS = {PRINT: tuple(prints_side.rows_of_side()), SHOE: tuple(shoes_side.parts())}


@dataclass(frozen=True)
class Side:
    """One side of the table, with what its rows are made from.

    Attributes:
        figures: Name -> heading, in the order of the columns.
        parts: Names for ``--only``, in the order of the table, and what makes their rows.
        metrics: The flat metrics of the rows that were measured, and which rows stand behind those that have a choice.
        inputs: What was measured on, for the JSON.
    """

    figures: Mapping[str, str]
    parts: Mapping[str, Callable[[], Rows]]
    metrics: Callable[[Mapping[str, Row]], tuple[dict[str, float], dict[str, InputValue]]]
    inputs: Mapping[str, InputValue]

    def measured(self, names: Sequence[str]) -> Rows:
        """Rows of the parts named, in the order of the table; all where none is named.

        Raises:
            InvalidInput: A name is of the other side.
        """
        strange = [name for name in names if name not in self.parts]
        if strange:
            raise InvalidInput(f"is {strange[0]!r}", field="only", remedy=f"one of {', '.join(self.parts)}")
        rows: Rows = {}
        for name, make in self.parts.items():
            if not names or name in names:
                click.echo(f"{name} ...", err=True)
                rows |= make()
        return rows


def side_of_prints(data: Path | None, runs: Path | None, *, probes: int | None, held_out: bool) -> Side:
    """The side of prints; see ``main``."""
    prints = None if data is None else LabelledPrints(data, REPOSITORY / CORRELATION_ENCODER, probes=probes)
    kept = Kept(_kept_in(runs), prints.fingerprint if prints else "")
    bench = prints_side.Bench(Shelf(REPOSITORY, runs), prints, kept, held_out=held_out)
    parts = {name: partial(make, bench) for name, make in prints_side.rows_of_side().items()}
    inputs: dict[str, InputValue] = {}
    if prints is not None:
        inputs = {"probes": prints.asked, "references": prints.size, "data": prints.fingerprint[:16]}
    return Side(FIGURES, parts, prints_side.metrics_of, inputs)


def side_of_shoes(runs: Path | None, *, models: int) -> Side:
    """The side of shoes; see ``main``."""
    shelf, kept = Shelf(REPOSITORY, runs), Kept(_kept_in(runs))
    parts = {name: partial(make, shelf, kept) for name, make in shoes_side.parts(models).items()}
    return Side(shoes_side.FIGURES, parts, shoes_side.metrics_of, {"models": models})


def _kept_in(runs: Path | None) -> Path | None:
    return None if runs is None else runs / "literature"


@click.command()
@click.option("--side", type=click.Choice([*PARTS]), default=PRINT, show_default=True, help="Which systems.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="FID-300 directory.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([name for names in PARTS.values() for name in names]),
    help="Only these rows; may be repeated.",
)
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of training runs; exported models in its models/, results are kept in its literature/.",
)
@click.option("--probes", type=click.IntRange(1), help="Search only so many probes, taken evenly.")
@click.option("--held-out", is_flag=True, help="Also the embedding adapted without a tenth of the references.")
@click.option(
    "--models", type=click.IntRange(2), default=shoes_side.MODELS, show_default=True, help="Unseen models of shoes."
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="File for the table in Markdown.")
def main(
    side: str,
    *,
    data: Path | None,
    only: tuple[str, ...],
    runs: Path | None,
    probes: int | None,
    held_out: bool,
    models: int,
    json_file: Path | None,
    markdown: Path | None,
) -> None:
    """Measure the systems at hand and print one table of all systems, the published ones among them."""
    try:
        if side == PRINT:
            table = side_of_prints(data, runs, probes=probes, held_out=held_out)
        else:
            table = side_of_shoes(runs, models=models)
        rows = table.measured(only)
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(plain_table(list(rows.values()), table.figures))
    metrics, chosen = table.metrics(rows)
    inputs: dict[str, InputValue] = {"side": side, "rows": ", ".join(only) or "all", **chosen, **table.inputs}
    if markdown is not None:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        markdown.write_text(markdown_table(list(rows.values()), table.figures) + "\n", encoding="utf-8")
        click.echo(f"wrote {markdown}", file=sys.stderr)
    if json_file is not None:
        make_result("literature", inputs=inputs, metrics=metrics).write(json_file)
        click.echo(f"wrote {json_file}", file=sys.stderr)


if __name__ == "__main__":
    main()
