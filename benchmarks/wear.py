"""Wear, measured: predictions on unseen shoes, their latency over gRPC, and whether worn views help a search.

    python -m benchmarks.wear [--only PART ...] [--data DIR] [--work DIR --keep] [--json FILE]

Shoes, prints and galleries are made; ``--data`` names a FID-300 directory for the part ``real`` and ``--series`` a
folder of real series of scans (a folder a shoe, the week in the file's name); without them these parts are left out.
With ``--keep`` the parts that were measured stay for the next run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.finished import Finished, Metrics, Step, measure_parts
from benchmarks.reporting import InputValue, make_result, text_table
from benchmarks.wear_parts.latency import measure_latency
from benchmarks.wear_parts.quality import measure_quality, measure_series
from benchmarks.wear_parts.retrieval import WearPlan, measure_made, measure_real
from outsole.commands.weeks import WeeksList
from outsole.errors import OutsoleError
from outsole.wear.model import find_wear_models

_REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"


@dataclass(frozen=True)
class WearRun:
    """What is measured, and with what.

    Attributes:
        repository: Model repository with the wear models.
        runs: Folder of training runs, for the row of the literature's network.
        pairs: Pairs of prints of unseen shoes, each direction.
        predictions: Calls timed, each direction.
        plan: Of the searches.
        data: A collection of real prints; None to leave the part out.
        probes: How many of them; None for all.
        series: Folder of real series of scans; None to leave the part out.
    """

    repository: Path
    runs: Path
    pairs: int
    predictions: int
    plan: WearPlan
    data: Path | None
    probes: int | None
    series: Path | None


def _real(run: WearRun) -> Metrics:
    if run.data is None:
        click.echo("no --data: real prints are left out", err=True)
        return {}
    return measure_real(run.plan, run.data, probes=run.probes)


def _series(run: WearRun) -> Metrics:
    if run.series is None:
        click.echo("no --series: real series are left out", err=True)
        return {}
    return measure_series(run.repository, run.series)


PARTS: Mapping[str, Callable[[WearRun], Metrics]] = {
    "quality": lambda run: measure_quality(run.repository, pairs=run.pairs, runs=run.runs),
    "latency": lambda run: measure_latency(predictions=run.predictions),
    "made": lambda run: measure_made(run.plan),
    "real": _real,
    "series": _series,
}
"""What can be measured, by name, in the order in which it is."""


def steps(run: WearRun, only: Collection[str]) -> Iterator[tuple[str, Step]]:
    """What is to be done, by name."""
    return ((name, partial(part, run)) for name, part in PARTS.items() if name in only)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Only this part; may be given again.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="A FID-300 directory, for part real.")
@click.option("--repository", default=_REPOSITORY, show_default="the project's", type=click.Path(path_type=Path))
@click.option("--runs", default=Path("build/training"), show_default=True, type=click.Path(path_type=Path))
@click.option("--pairs", default=200, show_default=True, type=click.IntRange(2), help="Of part quality.")
@click.option("--predictions", default=100, show_default=True, type=click.IntRange(1), help="Of part latency.")
@click.option("--worn", type=WeeksList(), default="26,52", show_default=True, help="Companions of the galleries.")
@click.option("--probe-worn", default=38, show_default=True, help="By how many weeks probes are taken back.")
@click.option("--models", default=300, show_default=True, type=click.IntRange(2), help="Treads of part made.")
@click.option("--prints", default=120, show_default=True, type=click.IntRange(1), help="Made prints searched.")
@click.option("--probes", type=click.IntRange(1), help="Search only so many of DIR, taken evenly.")
@click.option("--series", type=click.Path(file_okay=False, path_type=Path), help="Real series, for part series.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Folder for what was measured.")
@click.option("--keep", is_flag=True, help="Keep it for the next run.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
def main(only: tuple[str, ...], work: Path | None, keep: bool, json_file: Path | None, **options: Any) -> None:
    """Measure wear."""
    folder = (work.absolute() / "outsole-wear") if work else Path(tempfile.mkdtemp(prefix="outsole-wear-"))
    try:
        run = _run(options)

        def say(metrics: Metrics) -> None:
            if json_file is not None:
                make_result("wear", inputs=_inputs(run), metrics=metrics).write(json_file)

        finished = Finished(folder / "measured.json", str(run))
        metrics = measure_parts(steps(run, set(only or PARTS)), finished, say)
        click.echo(text_table(("metric", "value"), [(name, f"{value:.4g}") for name, value in metrics.items()]))
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(options: Mapping[str, Any]) -> WearRun:
    plan = WearPlan(options["worn"], options["probe_worn"], options["models"], options["prints"])
    own = ("repository", "runs", "pairs", "predictions", "data", "probes", "series")
    return WearRun(plan=plan, **{name: options[name] for name in own})


def _inputs(run: WearRun) -> dict[str, InputValue]:
    models = find_wear_models([run.repository])
    return {
        **{f"{way}_model_hash": model.hash for way, model in models.items()},
        "worn_weeks": " ".join(map(str, run.plan.weeks)),
        "probe_weeks": run.plan.probe_weeks,
        "models": run.plan.models,
        "prints": run.plan.prints,
        "pairs": run.pairs,
        "predictions": run.predictions,
        "real_probes": run.probes or 0,
    }


if __name__ == "__main__":
    main()
