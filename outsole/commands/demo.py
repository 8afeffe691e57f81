"""``outsole demo``: the main job from an empty machine to a report, and nothing left running."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.reporting import commit_of, describe_machine, text_table
from indexer.index_pictures import IndexReport
from outsole.answers import Explanation, Hit, SearchMode
from outsole.api import Client
from outsole.api.records import PlacementSearch
from outsole.commands.explain import half_size, heat_picture
from outsole.commands.index import index_source
from outsole.commands.output import LEAD, placement_text
from outsole.commands.stack import LocalStack, StackState
from outsole.errors import NotFound, OutsoleError, Unavailable
from outsole.evaluation.cmc import cumulative_at_percent, cumulative_at_rank
from outsole.evaluation.collections import REFERENCES, Collection, read_collection
from outsole.evaluation.searches import STAGES, SearchOutcome, run_searches, stage_p50_ms
from outsole.imaging.canvas import thumbnail
from outsole.imaging.decode import decode_image
from outsole.report.html import write_report
from outsole.report.records import ReportCandidate, ReportProbe, ReportSummary, ReportWear
from outsole.report.wear_pictures import wear_strip
from outsole.settings import StackSettings
from outsole.synthesis.galleries import make_print_gallery

GALLERY = "demo"
_CARDS = 24
_EXPLAINED = 3
_SERVING_TIMEOUT_S = 60.0
_MADE_SEED = 7
_WORN_WEEKS = (12, 26, 52)


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="A FID-300 directory; made prints else.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/demo/report.html"),
    show_default=True,
    help="Report to write.",
)
@click.option("--models", default=150, show_default=True, help="Shoe models of the made gallery.")
@click.option("--probes", type=click.IntRange(1), help="Prints to search; 24 made ones, or all of the data.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in SearchMode]),
    default="shortlist",
    show_default=True,
    help="How much of the gallery is compared closely.",
)
def demo(data: Path | None, out: Path, *, models: int, probes: int | None, mode: str) -> None:
    """Start a stack, index a gallery, search it over gRPC, write a report, stop everything."""
    with tempfile.TemporaryDirectory(prefix="outsole-demo-") as folder:
        stack = LocalStack(StackSettings(Path(folder) / "home").on_free_ports(), report=_tell)
        try:
            # The gallery is made while the stack starts.
            stack.start()
            collection = _collection(data, Path(folder) / "made", models=models, probes=probes)
            stack.wait_ready()
            _tell(f"ready after {stack.startup_s:.0f} s, gRPC on {stack.target}")
            path = _run(stack, collection, mode=SearchMode(mode), out=out, made=data is None)
        finally:
            stack.stop()
    click.echo(f"report: {path}")


def _tell(text: str) -> None:
    click.echo(f"[{time.strftime('%H:%M:%S')}] {text}", err=True)


def _bar(items: Iterable[int], total: int, label: str) -> Iterable[int]:
    bar: Iterable[int] = tqdm(items, total=total, desc=label, unit="image")
    return bar


def _collection(data: Path | None, folder: Path, *, models: int, probes: int | None) -> Collection:
    if data is not None:
        return read_collection(data).first(probes)
    made = make_print_gallery(folder, models=models, probes=probes or _CARDS, seed=_MADE_SEED, progress=_bar)
    return read_collection(made.directory)


def _run(stack: LocalStack, collection: Collection, *, mode: SearchMode, out: Path, made: bool) -> Path:
    """Index, search, explain; returns the report's path."""
    report = index_into(stack, collection.source, GALLERY)
    _tell(f"{report.items:,} items in edition {report.edition}, {report.seconds:.1f} s")
    with Client(stack.target, timeout_s=120.0) as client:
        wait_serving(client)
        # The first search opens the edition: that is no part of a search's time.
        run_searches(client, collection.probes[:1], gallery=GALLERY, mode=mode)
        bar = tqdm(collection.probes, desc="search", unit="probe")
        outcomes = run_searches(client, bar, gallery=GALLERY, mode=mode)
        click.echo(probe_table(outcomes))
        click.echo(_figures(outcomes, collection.size))
        click.echo(LEAD)
        cards = [_card(client, outcome) for outcome in tqdm(outcomes[:_CARDS], desc="heat maps", unit="probe")]
        wear = worn_reference(client, collection)
    summary = _summary(outcomes, collection, stack.state, report=report, made=made)
    return write_report(out, cards, dataclasses.replace(summary, wear=wear))


def index_into(stack: LocalStack, source: Path, gallery: str) -> IndexReport:
    """Index a source into a running stack."""
    state = stack.state
    if state is None:
        raise Unavailable("the stack is gone", remedy=f"see {stack.log_path}")
    triton_url = stack.settings.triton_url if state.encoder_backend == "triton" else ""
    return index_source(source, gallery, home=stack.settings.home, triton_url=triton_url)


def wait_serving(client: Client, *, timeout_s: float = _SERVING_TIMEOUT_S) -> None:
    """Block until the service says that it serves: encoder ready, edition loaded, hashes equal.

    Raises:
        Unavailable: It does not within ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while not _is_serving(client):
        if time.monotonic() > deadline:
            raise Unavailable(f"the service is not healthy after {timeout_s:g} s")
        time.sleep(0.2)


def _is_serving(client: Client) -> bool:
    try:
        return client.health()
    except OutsoleError:
        return False


def probe_table(outcomes: Sequence[SearchOutcome]) -> str:
    """One row a probe: rank of the true model, score, visible fraction, placement, milliseconds by stage."""
    stages = list(stage_p50_ms(outcomes))
    rows = []
    for outcome in outcomes:
        answer = outcome.answer
        shown = answer.hits[outcome.rank - 1 if outcome.rank else 0]
        times = [f"{answer.stage_ms.get(stage, 0.0):.0f}" for stage in stages]
        rows.append(
            (
                outcome.probe.name,
                str(outcome.rank or "-"),
                f"{shown.score:.3f}",
                f"{answer.visible_fraction:.0%}",
                placement_text(shown.placement),
                f"{outcome.latency_ms:.0f}",
                *times,
            )
        )
    return text_table(("probe", "true rank", "score", "visible", "placement", "ms", *stages), rows)


def _figures(outcomes: Sequence[SearchOutcome], size: int) -> str:
    ranks = [outcome.rank for outcome in outcomes]
    first = cumulative_at_rank(ranks, [1, 10])
    parts = cumulative_at_percent(ranks, [1, 5, 10], gallery_size=size)
    p50, p95 = np.percentile([outcome.latency_ms for outcome in outcomes], [50, 95])
    return (
        f"{len(ranks)} probes in {size:,} items: rank 1 {first[0]:.1%}, rank 10 {first[1]:.1%}, "
        f"top 1 % {parts[0]:.1%}, top 5 % {parts[1]:.1%}, top 10 % {parts[2]:.1%}; "
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms a probe"
    )


def _card(client: Client, outcome: SearchOutcome) -> ReportProbe:
    """A probe with its first candidates, and its true model where that comes later."""
    answer = outcome.answer
    shown = list(answer.hits[:_EXPLAINED])
    if outcome.rank > _EXPLAINED:
        shown.append(answer.hits[outcome.rank - 1])
    data = outcome.probe.path.read_bytes()
    explained = [_explanation(client, data, hit, edition=answer.edition) for hit in shown]
    candidates = tuple(
        ReportCandidate(
            rank=hit.rank,
            model_id=hit.model_id,
            item_id=hit.item_id,
            score=hit.score,
            score_parts=hit.score_parts,
            placement=hit.placement,
            item_png=half_size(why.item_png),
            heat_png=half_size(heat_picture(why)),
            brand=hit.brand,
            is_true=hit.rank == outcome.rank,
        )
        for hit, why in zip(shown, explained, strict=True)
    )
    return ReportProbe(
        name=outcome.probe.name,
        image_png=thumbnail(decode_image(data).gray),
        visible_fraction=answer.visible_fraction,
        candidates=candidates,
        true_model=outcome.true_model,
        true_rank=outcome.rank,
        searched=answer.searched,
        total=answer.total,
        stage_ms={stage: answer.stage_ms[stage] for stage in STAGES if stage in answer.stage_ms},
        warnings=answer.warnings,
        sha256=answer.probe_sha256,
    )


def worn_reference(client: Client, collection: Collection) -> ReportWear | None:
    """What one reference may look like after some weeks; None where the service has no model of wear."""
    folder = collection.source if collection.source.is_dir() else collection.source.parent / REFERENCES
    path = next(folder.glob(f"{collection.probes[0].item_id}.*"), None)
    if path is None:
        return None
    data = path.read_bytes()
    try:
        answer = client.predict_wear(data, weeks=_WORN_WEEKS)
    except NotFound:
        return None
    return ReportWear(
        name=f"reference {path.stem}",
        strip_png=wear_strip(decode_image(data).gray, answer),
        model=answer.model,
        model_hash=answer.model_hash,
        trained_on=answer.trained_on,
        notice=answer.simulation_notice,
    )


def _explanation(client: Client, data: bytes, hit: Hit, *, edition: str) -> Explanation:
    """Why a hit scored as it did, under the placement that won."""
    pinned = PlacementSearch(pinned=hit.placement)
    return client.explain_hit(data, gallery=GALLERY, item_id=hit.item_id, edition=edition, placements=pinned)


def _summary(
    outcomes: Sequence[SearchOutcome],
    collection: Collection,
    state: StackState | None,
    *,
    report: IndexReport,
    made: bool,
) -> ReportSummary:
    answer = outcomes[0].answer
    machine = dataclasses.asdict(describe_machine())
    notes = [
        "The gallery and the prints are made by a program." if made else "Labelled prints of a collection.",
        f"{report.items:,} items indexed in {report.seconds:.1f} s, {len(report.rejects):,} rejected.",
    ]
    if state is not None and state.reason:
        notes.append(f"{state.reason}; ONNX Runtime ran in the service's process.")
    return ReportSummary(
        title="Print search: made prints" if made else "Print search: labelled prints",
        gallery=answer.gallery,
        edition=answer.edition,
        encoder_hash=answer.encoder_hash,
        commit=commit_of(Path(__file__).resolve().parents[2]),
        machine=f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB",
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        mode=answer.mode.value,
        gallery_size=collection.size,
        ranks=tuple(outcome.rank for outcome in outcomes),
        references=tuple(outcome.probe.item_id for outcome in outcomes),
        latency_ms=tuple(outcome.latency_ms for outcome in outcomes),
        stage_p50_ms=stage_p50_ms(outcomes),
        notes=tuple(notes),
    )
