"""Galleries of full size: how fast, how complete and how steady searches and indexing are on them.

    python -m benchmarks.scale [--items 56847] [--stores exact,lite,server] [--data DIR] [--only NAME ...] [--json FILE]

The gallery is made in feature space from a few encoded treads (`outsole.synthesis.made_editions`); it has the size of
the largest published reference database, 56,847 pictures of 24,766 models. Everything made lies in ``--work`` (a kept
folder makes the next run shorter). Many more items (``--vectors``) are measured without maps, candidates alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks.at_scale import candidates, indexing, parts, serving
from benchmarks.at_scale.cluster import Cluster, Node, Slopes, planned, scale_markdown
from benchmarks.at_scale.run import ScalePlan, ScaleRun
from benchmarks.finished import Finished, Step, measure_parts
from benchmarks.reporting import InputValue, describe_machine, make_result, text_table
from outsole.errors import InvalidInput, OutsoleError

PARTS = ("structure", "candidates", "served", "memory", "switch", "hidden", "vectors", "index", "rss", "kills")
# Of the first store measured, under a name without it.
_HEADLINES = ("p50_ms", "p95_ms", "p99_ms", "shortlist_recall", "flat_ratio", "rebuild_s", "fid_hidden_loss_pts")
_CLUSTER_ITEMS = 10_000_000
# Measured on one stack, as one part.
_TOGETHER = {"served", "switch", "hidden"}


def available(stores: str) -> list[str]:
    """The stores named that this machine and release offer; what is left out is said.

    Raises:
        InvalidInput: One that is not known.
    """
    named = [name.strip() for name in stores.split(",") if name.strip()]
    unknown = [name for name in named if name not in candidates.STORES]
    if unknown:
        known = ", ".join(candidates.STORES)
        raise InvalidInput(f"there is no store {unknown[0]!r}", field="stores", remedy=f"some of {known}")
    if "server" in named and serving.milvus_python() is None:
        click.echo("no Milvus server here (OUTSOLE_MILVUS_PYTHON): left out", err=True)
        named.remove("server")
    return named


def is_served(kind: str) -> bool:
    """Whether the services offer a store; else it is measured in this process alone."""
    return bool(candidates.served_uri(kind, Path("store"), "http://"))


def steps(run: ScaleRun, stores: list[str], only: set[str], options: Mapping[str, Any]) -> Iterator[tuple[str, Step]]:
    """What is to be done, with a name that tells it from the same with other options."""
    if "structure" in only:
        yield "structure", lambda: parts.measure_structure(run)
    for kind in stores:
        yield from _store_steps(run, kind, only, options)
    if "index" in only:
        pictures = options["index_pictures"]
        yield f"index {pictures}", lambda: parts.measure_index(run, pictures=pictures)
    if "rss" in only:
        large = options["rss_pictures"]
        yield f"rss {large}", lambda: indexing.rss_growth(run.plan.work / "rss", small=max(1, large // 5), large=large)
    if "kills" in only:
        yield f"kills {options['kills']} of {options['kill_pictures']}", lambda: _kills(run, options)


def _store_steps(run: ScaleRun, kind: str, only: set[str], options: Mapping[str, Any]) -> Iterator[tuple[str, Step]]:
    if "candidates" in only:
        yield f"candidates {kind}", lambda: parts.measure_candidates(run, kind)
    if "vectors" in only and options["vectors"]:
        count = options["vectors"]
        yield f"vectors {kind} {count}", lambda: parts.measure_vectors(run, kind, count)
    if not is_served(kind):
        click.echo(f"the services do not offer the store {kind!r} in this release: in this process alone", err=True)
        return
    if "memory" in only:
        yield f"memory {kind}", lambda: parts.measure_memory(run, kind)
    if only & _TOGETHER:
        asked = {"switch": "switch" in only, "hidden": "hidden" in only}
        seconds = options["switch_s"]
        extras = (f"switch {seconds} s" if asked["switch"] else "", "hidden" if asked["hidden"] else "")
        name = " ".join(("served", kind, *filter(None, extras)))
        yield name, lambda: parts.measure_served(run, kind, **asked, switch_s=seconds)


def _kills(run: ScaleRun, options: Mapping[str, Any]) -> parts.Metrics:
    work = run.plan.work / "kills"
    report = indexing.survive_kills(work, pictures=options["kill_pictures"], kills=options["kills"], seed=run.plan.seed)
    return report.metrics()


def measure(
    run: ScaleRun,
    stores: list[str],
    *,
    todo: Iterable[tuple[str, Step]],
    finished: Finished,
    say: Callable[[parts.Metrics], None],
) -> parts.Metrics:
    """Run what is to be done, see ``benchmarks.finished.measure_parts``; ``say`` is told the headlines too."""
    items = {"items": float(run.plan.items)}

    def with_headlines(metrics: parts.Metrics) -> parts.Metrics:
        return items | metrics | headlines(metrics, stores)

    return with_headlines(measure_parts(iter(todo), finished, lambda metrics: say(with_headlines(metrics))))


def headlines(metrics: Mapping[str, float], stores: list[str]) -> parts.Metrics:
    """The figures that are named without a store: those of the first store that has them, in the order asked."""
    found = {}
    for name in _HEADLINES:
        kinds = [kind for kind in stores if f"{kind}_{name}" in metrics]
        if kinds:
            found[name] = metrics[f"{kinds[0]}_{name}"]
    return found


def clusters_of(
    run: ScaleRun, stores: list[str], metrics: Mapping[str, float], node: Node
) -> dict[str, tuple[Slopes, Cluster]]:
    """A cluster of ten million items for every store whose slopes were measured."""
    found = {}
    for kind in stores:
        slopes = parts.slopes_of(run, kind, metrics, cores=describe_machine().cores)
        if slopes is not None and slopes.memory_mib.slope > 0 and slopes.candidates_ms.slope > 0:
            found[kind] = (slopes, planned(slopes, node, items=_CLUSTER_ITEMS))
    return found


@click.command()
@click.option("--items", default=56_847, show_default=True, type=click.IntRange(200), help="Items of the gallery.")
@click.option("--models", default=0, help="Shoe models; in the published proportion where 0.")
@click.option("--stores", default="exact,lite,server", show_default=True, help="Vector stores, the first one leads.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="FID-300 directory to hide in it.")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Only this part; may be given again.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Folder for what is made.")
@click.option("--keep", is_flag=True, help="Keep it for the next run.")
@click.option("--bases", default=750, show_default=True, type=click.IntRange(2), help="Treads to encode.")
@click.option("--probes", default=100, show_default=True, type=click.IntRange(1), help="Prints to search.")
@click.option("--exhaustive", default=60, show_default=True, type=click.IntRange(1), help="Prints compared with all.")
@click.option("--vectors", default=0, show_default=True, help="Items without maps, candidates alone; 0 leaves it out.")
@click.option("--index-pictures", default=1_500, show_default=True, help="Pictures of the indexing rate.")
@click.option("--rss-pictures", default=50_000, show_default=True, help="Pictures of memory's growth, against a fifth.")
@click.option("--kill-pictures", default=5_000, show_default=True, help="Pictures of the indexing that is killed.")
@click.option("--kills", default=20, show_default=True, help="How often.")
@click.option("--switch-s", default=20, show_default=True, help="Seconds of load around a switch.")
@click.option("--node-cores", default=16, show_default=True, help="Assumed: cores of a machine of the cluster.")
@click.option("--node-gib", default=64, show_default=True, help="Assumed: its memory, GiB.")
@click.option("--core-hour", default=0.04, show_default=True, help="Assumed: price of a core for an hour.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="File for the table of metrics.")
@click.option("--scale-md", type=click.Path(dir_okay=False, path_type=Path), help="File for the model of a cluster.")
def main(items: int, *, work: Path | None, keep: bool, only: tuple[str, ...], **options: Any) -> None:
    """Measure searches and indexing on a made gallery of full size."""
    # A folder of its own: it is removed at the end, and nothing else may go with it.
    folder = (work.absolute() / "outsole-scale") if work else Path(tempfile.mkdtemp(prefix="outsole-scale-"))
    try:
        run, stores = ScaleRun(_plan(folder, items, options)), available(options["stores"])
        asked = set(only or PARTS)

        def say(metrics: parts.Metrics) -> None:
            _write_json(run, stores, metrics, options["json_file"])

        finished = Finished(folder / "measured.json", str(run.plan))
        metrics = measure(run, stores, todo=steps(run, stores, asked, options), finished=finished, say=say)
        click.echo(text_table(("metric", "value"), list(metrics.items())))
        _write_pages(run, stores, metrics, options)
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _plan(folder: Path, items: int, options: Mapping[str, Any]) -> ScalePlan:
    return ScalePlan(
        work=folder,
        items=items,
        models=options["models"] or max(1, round(items * ScalePlan.models / ScalePlan.items)),
        small_items=min(ScalePlan.small_items, items // 2),
        bases=options["bases"],
        probes=options["probes"],
        exhaustive=options["exhaustive"],
        data=options["data"],
    )


def _inputs(run: ScaleRun, stores: list[str]) -> dict[str, InputValue]:
    plan = run.plan
    return {
        "machine": str(describe_machine()),
        "models": plan.models,
        "bases": plan.bases,
        "probes": plan.probes,
        "exhaustive_probes": plan.exhaustive,
        "shortlist": candidates.SHORTLIST,
        "stores": ",".join(stores),
        "seed": plan.seed,
        "hidden_references": 0 if run.collection is None else run.collection.size,
    }


def _write_json(run: ScaleRun, stores: list[str], metrics: parts.Metrics, path: Path | None) -> None:
    if path is not None:
        make_result("scale", inputs=_inputs(run, stores), metrics=metrics).write(path)


def _write_pages(run: ScaleRun, stores: list[str], metrics: parts.Metrics, options: Mapping[str, Any]) -> None:
    if (markdown := options["markdown"]) is not None:
        rows = [f"| {name} | {value:,.4g} |" for name, value in metrics.items()]
        markdown.write_text("\n".join(("| metric | value |", "|---|---|", *rows)) + "\n", encoding="utf-8")
        click.echo(f"wrote {markdown}", err=True)
    if (page := options["scale_md"]) is not None:
        node = Node(options["node_cores"], options["node_gib"], core_hour_price=options["core_hour"])
        clusters = clusters_of(run, stores, metrics, node)
        page.write_text(scale_markdown(metrics, _inputs(run, stores), clusters, node), encoding="utf-8")
        click.echo(f"wrote {page}", err=True)


if __name__ == "__main__":
    main()
