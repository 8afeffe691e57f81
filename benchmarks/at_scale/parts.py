"""The parts of `benchmarks.scale`: each measures one thing on a run and returns flat metrics."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.at_scale import candidates, indexing, serving, structure
from benchmarks.at_scale.cluster import Line, Slopes, ceiling, fitted
from benchmarks.at_scale.made_gallery import link_gallery, put_in_force, with_retired
from benchmarks.at_scale.run import GALLERY, REFERENCES, SMALL_GALLERY, VECTORS, ScaleRun
from benchmarks.at_scale.serving import Served, share_within
from benchmarks.at_scale.switching import SwitchReport, switch_under_load
from benchmarks.reporting import latency_summary, text_table
from outsole.api import Client
from outsole.commands.stack import LocalStack
from outsole.errors import OutsoleError
from outsole.gallery.editions import Edition
from outsole.gallery.store import VectorStore
from outsole.matching.candidates import CandidateBasis
from outsole.matching.print_system import PrintSystem
from outsole.settings import StackSettings
from outsole.synthesis.made_editions import Maps

Metrics = dict[str, float]
_WITHIN = 12
_MOST_NEIGHBOURS = 5_000
_SWITCH_PICTURES = 8
_SWITCH_HITS = 10


def measure_structure(run: ScaleRun) -> Metrics:
    """Compare how near an item's nearest neighbour is: made items, really encoded ones, and references."""
    bases = run.encoded.bases
    right = {"partial": bases.partial[:, 0]} | {"cooccurrence": _cooccurrence(run, bases.maps[:, 0])}
    made = PrintSystem.edition_vectors(run.edition)
    vectors = {"cooccurrence": made["cooccurrence"], "partial": made["embedding"]}
    plan = run.items.plan
    alone = structure.one_a_group(plan.treads, len(bases), seed=run.plan.seed) + run.hidden
    count = min(len(alone), len(bases))
    every = structure.one_a_group(np.arange(len(plan.treads)), _MOST_NEIGHBOURS, seed=run.plan.seed) + run.hidden
    groups = {
        "encoded treads": structure.neighbours(right, np.arange(count)),
        "made, one a tread": structure.neighbours(vectors, alone[:count]),
        "made, all": structure.neighbours(vectors, every),
    }
    if run.hidden:
        rows = np.random.default_rng(run.plan.seed).permutation(run.hidden)[:count]
        groups["references"] = structure.neighbours(vectors, rows)
    click.echo("similarity to the nearest other item; distributions are compared by their largest gap")
    click.echo(text_table(structure.HEADERS, [row for name, found in groups.items() for row in found.rows(name)]))
    metrics: Metrics = {}
    for other in ("encoded treads", "references"):
        if other in groups:
            gaps = groups["made, one a tread"].distance(groups[other])
            metrics |= {f"nn_gap_{kind}_{other.split()[0]}": gap for kind, gap in gaps.items()}
    return metrics


def _cooccurrence(run: ScaleRun, maps: Maps) -> NDArray[np.float32]:
    basis = CandidateBasis.load(run.settings.model_dir)
    return np.concatenate([basis.vectors(np.asarray(maps[at : at + 64], np.float32)) for at in range(0, len(maps), 64)])


def measure_candidates(run: ScaleRun, kind: str) -> Metrics:
    """The candidate stage of a store in this process at several sizes, its rebuild and its recall."""
    p50: dict[int, float] = {}
    metrics: Metrics = {}
    with _store(run, kind) as store:
        for size in run.plan.sizes:
            edition = run.edition if size == len(run.edition) else _vectors_alone(run, size)
            rebuild_s = candidates.rebuild_seconds(store, edition)
            found = candidates.run_stage(store, edition, run.queries, run.encoders.system)
            p50[size] = found.p50_ms
            metrics |= {f"{kind}_{size}_stage_p50_ms": found.p50_ms, f"{kind}_{size}_rebuild_s": rebuild_s}
            store.retire(edition)
            if edition is not run.edition:
                shutil.rmtree(run.root / edition.gallery)
    if (limit := ceiling(list(p50), list(p50.values()))) is not None:
        metrics |= {f"{kind}_ceiling_items": limit.items, f"{kind}_ceiling_is_extrapolated": float(limit.beyond)}
    return metrics | {f"{kind}_rebuild_s": rebuild_s} | _stage_metrics(run, kind, found)


def _stage_metrics(run: ScaleRun, kind: str, found: candidates.StageRun) -> Metrics:
    ranks = run.exhaustive_ranks
    return {
        f"{kind}_stage_p50_ms": found.p50_ms,
        f"{kind}_stage_p95_ms": latency_summary(found.latencies_ms).p95_ms,
        f"{kind}_stage_flat_ratio": found.p50_ms / run.flat.p50_ms,
        f"{kind}_shortlist_recall": candidates.shortlist_recall(found.shortlists, run.rows, ranks),
        "flat_p50_ms": run.flat.p50_ms,
        "exhaustive_top12_pct": float(np.mean([rank <= _WITHIN for rank in ranks]) * 100),
        "exhaustive_probes": float(len(ranks)),
    }


def _vectors_alone(run: ScaleRun, size: int) -> Edition:
    return run.first_items(f"vectors-{size}", size, arrays=VECTORS)


@contextlib.contextmanager
def _store(run: ScaleRun, kind: str) -> Iterator[VectorStore]:
    """A store in this process, with nothing in it."""
    with (
        _store_folder(run, kind) as folder,
        _server(kind, folder) as server,
        candidates.opened_store(kind, folder, server.uri if server else "") as store,
    ):
        yield store


@contextlib.contextmanager
def _store_folder(run: ScaleRun, name: str) -> Iterator[Path]:
    folder = run.plan.work / f"store-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server(kind: str, folder: Path) -> contextlib.AbstractContextManager[serving.MilvusServer | None]:
    return serving.milvus_server(folder / "milvus") if kind == "server" else contextlib.nullcontext()


def measure_vectors(run: ScaleRun, kind: str, count: int) -> Metrics:
    """The candidate stage over many more items than there is disk for maps: vectors alone, and no close look."""
    edition = run.write("vectors-many", run.made(count - run.hidden), arrays=VECTORS)
    with _store(run, kind) as store:
        rebuild_s = candidates.rebuild_seconds(store, edition)
        found = candidates.run_stage(store, edition, run.queries, run.encoders.system)
    flat = candidates.FlatIndex(edition).run(run.queries, run.encoders.system)
    return {
        f"{kind}_{count}_stage_p50_ms": found.p50_ms,
        f"{kind}_{count}_rebuild_s": rebuild_s,
        f"{kind}_{count}_stage_flat_ratio": found.p50_ms / flat.p50_ms,
        f"flat_{count}_p50_ms": flat.p50_ms,
    }


def measure_memory(run: ScaleRun, kind: str) -> Metrics:
    """Memory of what serves the small gallery."""
    probes = run.labelled
    with _stack(run, kind, SMALL_GALLERY, run.small_edition) as (stack, client, server_pids):
        serving.search_all(client, SMALL_GALLERY, probes)
        found = serving.serving_memory(stack.pid, *server_pids)
    count = len(run.small_edition)
    return {f"{kind}_{count}_pss_mib": found.pss_mib, f"{kind}_{count}_anonymous_mib": found.anonymous_mib}


def measure_served(run: ScaleRun, kind: str, *, switch: bool, hidden: bool, switch_s: float) -> Metrics:
    """Searches through a stack over the whole gallery; then its memory, the hidden references, a switch."""
    # Everything that computes in this process is done before the stack needs the cores.
    flat_ms = run.flat.p50_ms
    with _stack(run, kind, GALLERY, run.edition) as (stack, client, server_pids):
        found = serving.search_all(client, GALLERY, run.labelled)
        memory = serving.serving_memory(stack.pid, *server_pids)
        metrics = _served_metrics(run, kind, found, flat_ms=flat_ms) | {
            f"{kind}_{len(run.edition)}_pss_mib": memory.pss_mib,
            f"{kind}_{len(run.edition)}_anonymous_mib": memory.anonymous_mib,
            f"{kind}_startup_s": stack.startup_s,
        }
        if hidden and run.collection is not None:
            link_gallery(stack.settings.home, run.root, REFERENCES)
            metrics |= _hidden(run, kind, client)
        if switch:
            metrics |= _switch(run, kind, stack.target, found, seconds=switch_s)
    return metrics


def _served_metrics(run: ScaleRun, kind: str, found: Served, *, flat_ms: float) -> Metrics:
    stages = {f"{kind}_{name}_p50_ms": stage.p50_ms for name, stage in found.stages.items()}
    return stages | {
        f"{kind}_p50_ms": found.latency.p50_ms,
        f"{kind}_p95_ms": found.latency.p95_ms,
        f"{kind}_p99_ms": found.latency.p99_ms,
        f"{kind}_candidates_p95_ms": found.stages["candidates"].p95_ms,
        f"{kind}_flat_ratio": found.stages["candidates"].p50_ms / flat_ms,
        f"{kind}_top12_pct": share_within(found.answers, run.labelled, _WITHIN) * 100,
    }


@contextlib.contextmanager
def _stack(run: ScaleRun, kind: str, gallery: str, edition: Edition) -> Iterator[tuple[LocalStack, Client, list[int]]]:
    """A stack of its own, with a store of its own, over one gallery."""
    put_in_force(edition)
    with _store_folder(run, f"{kind}-served") as folder, _server(kind, folder) as server:
        home = folder / "home"
        link_gallery(home, run.root, gallery)
        uri = candidates.served_uri(kind, folder, server.uri if server else "")
        with serving.serving(home, uri) as (stack, client):
            yield stack, client, [server.pid] if server else []


def _hidden(run: ScaleRun, kind: str, client: Client) -> Metrics:
    """How many points fewer of the development probes are found when other items surround their references.

    With the shortlist that a caller gets who says nothing.
    """
    if run.collection is None:
        return {}
    probes = run.collection.probes
    shares = {}
    for gallery in (REFERENCES, GALLERY):
        found = serving.search_all(client, gallery, probes, k=_WITHIN, shortlist=None)
        shares[gallery] = share_within(found.answers, probes, _WITHIN) * 100
    return {
        f"{kind}_fid_top12_alone_pct": shares[REFERENCES],
        f"{kind}_fid_top12_hidden_pct": shares[GALLERY],
        f"{kind}_fid_hidden_loss_pts": shares[REFERENCES] - shares[GALLERY],
    }


def _switch(run: ScaleRun, kind: str, target: str, found: Served, *, seconds: float) -> Metrics:
    """Two editions, each without every second one of the best hits: an answer that mixes them shows it at once."""
    answers = found.answers[:_SWITCH_PICTURES]
    best = [[hit.item_id for hit in answer.hits[:_SWITCH_HITS]] for answer in answers]
    halves = [frozenset(item for hits in best for item in hits[start::2]) for start in (0, 1)]
    retired = [halves[0] - halves[1], halves[1] - halves[0]]
    editions = [with_retired(run.edition, [run.edition.row_of(item) for item in half]) for half in retired]
    pictures = [probe.path.read_bytes() for probe in run.labelled[:_SWITCH_PICTURES]]
    put_in_force(editions[0])
    with Client(target, timeout_s=600.0) as client:
        _until_current(client, pictures[0], editions[0])
    report, _ = switch_under_load(
        target,
        GALLERY,
        pictures,
        switch=lambda: put_in_force(editions[1]),
        retired={edition.id: half for edition, half in zip(editions, retired, strict=True)},
        seconds=seconds,
    )
    put_in_force(run.edition)
    for error in report.errors:
        click.echo(f"dropped during the switch: {error}", err=True)
    return _switch_metrics(kind, report)


def _until_current(client: Client, picture: bytes, edition: Edition) -> None:
    """Search until the edition answers; what it takes to publish it is no part of the switch that is measured."""
    for _ in range(60):
        with contextlib.suppress(OutsoleError):
            if serving.search(client, GALLERY, picture).edition == edition.id:
                return


def _switch_metrics(kind: str, report: SwitchReport) -> Metrics:
    return {
        f"{kind}_switch_requests": float(report.requests),
        f"{kind}_switch_dropped": float(report.dropped),
        f"{kind}_switch_mixed": float(report.mixed),
        f"{kind}_switch_after": float(report.after),
        f"{kind}_switch_late": float(report.late),
        f"{kind}_switch_first_new_s": report.first_new_s,
        f"{kind}_switch_slowest_ms": report.slowest_ms,
    }


def measure_index(run: ScaleRun, *, pictures: int) -> Metrics:
    """Rate of indexing against the bare encoders', both through Triton."""
    folder = run.plan.work / "index"
    with LocalStack(StackSettings(folder / "home").on_free_ports()) as stack:
        found = indexing.index_throughput(folder, stack.settings.home, stack.settings.triton_url, pictures=pictures)
    shutil.rmtree(folder)
    return found


def slopes_of(run: ScaleRun, kind: str, metrics: Mapping[str, float], *, cores: int) -> Slopes | None:
    """The lines through what was measured of a store; None where a part of it was not."""

    def values(suffix: str) -> dict[int, float]:
        start, end = f"{kind}_", f"_{suffix}"
        inner = {
            name: name[len(start) : -len(end)] for name in metrics if name.startswith(start) and name.endswith(end)
        }
        return {int(size): metrics[name] for name, size in inner.items() if size.isdigit()}

    stage, memory = values("stage_p50_ms"), values("anonymous_mib")
    if len(stage) < 2 or len(memory) < 2 or f"{kind}_p50_ms" not in metrics:
        return None
    size = sum(record.size_bytes for record in run.edition.manifest.files.values())
    return Slopes(
        candidates_ms=_line(stage),
        memory_mib=_line(memory),
        rest_ms=metrics[f"{kind}_p50_ms"] - metrics[f"{kind}_candidates_p50_ms"],
        edition_bytes=size / len(run.edition),
        cores=cores,
    )


def _line(values: Mapping[int, float]) -> Line:
    return fitted(list(values), list(values.values()))
