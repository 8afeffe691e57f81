"""How well and how fast labelled prints are found, through the public gRPC API.

    python -m benchmarks.fid300 --data DIR [--mode exhaustive|shortlist] [--json FILE]

The data are a FID-300 directory, or one made by ``outsole.synthesis.galleries``. "Top p %" is rank <= ceil(N p / 100).
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.reporting import InputValue, latency_summary, make_result, text_table
from outsole.answers import SearchMode
from outsole.api import Client
from outsole.commands.demo import index_into, wait_serving
from outsole.commands.stack import LocalStack
from outsole.errors import OutsoleError
from outsole.evaluation.bootstrap import grouped_bootstrap
from outsole.evaluation.cmc import found_within, rank_of_percent
from outsole.evaluation.collections import Collection, read_collection
from outsole.evaluation.searches import MOST_MODELS, SearchOutcome, run_searches, stage_times_ms
from outsole.settings import StackSettings

GALLERY = "fid300"
PERCENTS = (1, 2, 5, 10, 15, 20)
RANKS = (1, 10)
# Visible area as the service reports it: name, lower and upper end.
BINS = (
    ("over 7/8", 7 / 8, np.inf),
    ("5/8 to 7/8", 5 / 8, 7 / 8),
    ("3/8 to 5/8", 3 / 8, 5 / 8),
    ("under 3/8", -1, 3 / 8),
)
_SMALL = "under 3/8"


def cutoffs_of(size: int) -> dict[str, int]:
    """Metric name -> last rank that counts in a gallery of ``size`` items."""
    by_percent = zip(PERCENTS, rank_of_percent(PERCENTS, gallery_size=size).tolist(), strict=True)
    return {f"cmc_rank{rank}": rank for rank in RANKS} | {f"cmc_top{p}pct": int(rank) for p, rank in by_percent}


def metrics_of(outcomes: Sequence[SearchOutcome], size: int) -> dict[str, float]:
    """The flat metrics of a run: percent of probes, milliseconds, counts."""
    cutoffs = cutoffs_of(size)
    found = found_within([outcome.rank for outcome in outcomes], list(cutoffs.values()))
    metrics = dict(zip(cutoffs, (found.mean(axis=0) * 100).tolist(), strict=True))
    small = members(outcomes)[_SMALL]
    top1 = found[:, list(cutoffs).index("cmc_top1pct")]
    if small.any():
        metrics["cmc_top1pct_small"] = float(top1[small].mean() * 100)
    latency = latency_summary([outcome.latency_ms for outcome in outcomes])
    metrics |= {
        "latency_p50_ms": latency.p50_ms,
        "latency_p95_ms": latency.p95_ms,
        "latency_p99_ms": latency.p99_ms,
        "gallery": float(size),
        "probes": float(len(outcomes)),
        "probes_small": float(small.sum()),
    }
    for stage, times in stage_times_ms(outcomes).items():
        metrics[f"stage_{stage}_p50_ms"] = latency_summary(times).p50_ms
    return metrics


def members(outcomes: Sequence[SearchOutcome]) -> dict[str, NDArray[np.bool_]]:
    """Which probes are in each bin of visible area, bool [Q] by the bin's name."""
    visible = np.array([outcome.answer.visible_fraction for outcome in outcomes])
    return {name: (visible > low) & (visible <= high) for name, low, high in BINS}


def quality_table(outcomes: Sequence[SearchOutcome], size: int) -> str:
    """Percent of probes within each cutoff with 95 % intervals, all probes and by visible area."""
    cutoffs = cutoffs_of(size)
    found = found_within([outcome.rank for outcome in outcomes], list(cutoffs.values()))
    references = np.array([outcome.probe.item_id for outcome in outcomes])
    groups = {"all": np.ones(len(outcomes), bool), **members(outcomes)}
    rows = []
    for name, inside in groups.items():
        if not inside.any():
            continue
        interval = grouped_bootstrap(found[inside], references[inside])
        cells = zip(interval.mean * 100, interval.low * 100, interval.high * 100, strict=True)
        rows.append((name, str(int(inside.sum())), *(f"{m:.1f} [{a:.0f}, {b:.0f}]" for m, a, b in cells)))
    headers = [name.removeprefix("cmc_") for name in cutoffs]
    return text_table(
        ("visible", "probes", *(f"{h} (<= {r})" for h, r in zip(headers, cutoffs.values(), strict=True))), rows
    )


def latency_table(outcomes: Sequence[SearchOutcome]) -> str:
    """p50, p95 and p99 milliseconds of the stages and of the whole call."""
    times = stage_times_ms(outcomes) | {"whole call": [outcome.latency_ms for outcome in outcomes]}
    summaries = {stage: latency_summary(values) for stage, values in times.items()}
    rows = [(stage, s.p50_ms, s.p95_ms, s.p99_ms) for stage, s in summaries.items()]
    return text_table(("stage", "p50 ms", "p95 ms", "p99 ms"), rows)


@contextlib.contextmanager
def indexed_service(collection: Collection, target: str | None) -> Iterator[str]:
    """Address of a service that holds the references: the one named, or a stack for as long as the block lasts."""
    if target is not None:
        yield target
        return
    with tempfile.TemporaryDirectory(prefix="outsole-bench-") as folder:
        settings = StackSettings(Path(folder)).on_free_ports()
        with LocalStack(settings, report=lambda phase: click.echo(f"{phase} ...", err=True)) as stack:
            index_into(stack, collection.source, GALLERY)
            yield stack.target


@click.command()
@click.option("--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="FID-300 directory.")
@click.option("--mode", type=click.Choice([m.value for m in SearchMode]), default="exhaustive", show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
@click.option("--probes", type=click.IntRange(1), help="Search only so many probes, taken evenly.")
@click.option(
    "--target", help="HOST:PORT of a service that has the references in gallery fid300; a stack is started else."
)
def main(data: Path, *, mode: str, json_file: Path | None, probes: int | None, target: str | None) -> None:
    """Search every probe of a collection and say how well and how fast its reference is found."""
    try:
        collection = read_collection(data).first(probes)
        # Later ranks count for nothing, and nobody reads that many candidates.
        wanted = min(max(cutoffs_of(collection.size).values()), MOST_MODELS)
        with indexed_service(collection, target) as address, Client(address, timeout_s=120.0) as client:
            wait_serving(client)
            # The first search opens the edition: that is no part of a search's time.
            run_searches(client, collection.probes[:1], gallery=GALLERY, mode=SearchMode(mode), k=wanted)
            bar = tqdm(collection.probes, desc=mode, unit="probe")
            outcomes = run_searches(client, bar, gallery=GALLERY, mode=SearchMode(mode), k=wanted)
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    _say(outcomes, collection.size, mode=mode, json_file=json_file)


def _say(outcomes: Sequence[SearchOutcome], size: int, *, mode: str, json_file: Path | None) -> None:
    click.echo(
        f"percent of {len(outcomes)} probes whose reference is within a rank, 95 % intervals by reference, {mode}"
    )
    click.echo(quality_table(outcomes, size))
    click.echo(latency_table(outcomes))
    metrics = metrics_of(outcomes, size)
    click.echo(text_table(("metric", "value"), list(metrics.items())))
    if json_file is not None:
        answer = outcomes[0].answer
        inputs: dict[str, InputValue] = {
            "mode": mode,
            "edition": answer.edition,
            "encoder_hash": answer.encoder_hash,
            "placements": answer.settings.get("placements", ""),
        }
        make_result("fid300", inputs=inputs, metrics=metrics).write(json_file)
        click.echo(f"wrote {json_file}", file=sys.stderr)


if __name__ == "__main__":
    main()
