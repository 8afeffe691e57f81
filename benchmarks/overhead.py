"""What gRPC, Ray Serve and Triton add over calling the same functions in one process.

    python -m benchmarks.overhead [--data DIR] [--json FILE]

The same probes are searched twice: through the public API of a stack, and by ``services.print_search`` in this process
with ONNX Runtime and stores of its own. Calls alternate, so that a change of the machine's load meets both.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.in_process import in_process_parts
from benchmarks.memory import TreeMemory, tree_memory
from benchmarks.reporting import InputValue, latency_summary, make_result, text_table
from indexer.compose import chosen_embedding
from outsole.answers import SearchAnswer, SearchMode
from outsole.api import Client
from outsole.commands.demo import index_into, wait_serving
from outsole.commands.stack import LocalStack
from outsole.errors import OutsoleError
from outsole.evaluation.collections import Collection, LabelledProbe, read_collection
from outsole.gallery.milvus_store import MilvusStore
from outsole.inference.encoder import Inputs
from outsole.inference.in_process import InProcessEncoder
from outsole.matching.print_system import PrintSystem
from outsole.settings import StackSettings
from outsole.synthesis.galleries import make_print_gallery
from services.parts import SearchParts
from services.print_search import search_print
from services.queries import PrintQuery, Probe, Target
from services.settings import ServiceSettings

GALLERY = "overhead"
_WARM_UPS = 3
_K = 20
_BATCH = 16
_SETTLE_S = 5.0
_ENCODER_BATCHES = 12


@dataclass(frozen=True)
class Walks:
    """Milliseconds of the same searches [N] on both ways, and where the answers differ."""

    over_grpc_ms: list[float]
    in_process_ms: list[float]
    different: int
    over_grpc_stages: dict[str, list[float]]
    in_process_stages: dict[str, list[float]]


async def walk_both(client: Client, parts: SearchParts, probes: list[LabelledProbe], *, mode: SearchMode) -> Walks:
    """Search with every probe on both ways, one after the other."""
    over_grpc: list[float] = []
    in_process: list[float] = []
    different = 0
    remote_answers: list[SearchAnswer] = []
    local_answers: list[SearchAnswer] = []
    warm = [*probes[:_WARM_UPS], *probes]
    for probe in tqdm(warm, desc="searches", unit="pair"):
        data = probe.path.read_bytes()
        begun = time.perf_counter()
        remote = await asyncio.to_thread(client.search_print, data, gallery=GALLERY, k=_K, mode=mode)
        between = time.perf_counter()
        query = PrintQuery(Probe(image=data), Target(GALLERY), k=_K, mode=mode)
        local = await search_print(query, parts)
        over_grpc.append((between - begun) * 1e3)
        in_process.append((time.perf_counter() - between) * 1e3)
        different += _ranking(remote) != _ranking(local)
        remote_answers.append(remote)
        local_answers.append(local)
    kept = slice(len(warm) - len(probes), None)
    return Walks(
        over_grpc_ms=over_grpc[kept],
        in_process_ms=in_process[kept],
        different=different,
        over_grpc_stages=_stages(remote_answers[kept]),
        in_process_stages=_stages(local_answers[kept]),
    )


def _stages(answers: list[SearchAnswer]) -> dict[str, list[float]]:
    return {name: [answer.stage_ms.get(name, 0.0) for answer in answers] for name in answers[0].stage_ms}


def _ranking(answer: SearchAnswer) -> list[str]:
    return [hit.item_id for hit in answer.hits]


async def bare_images_per_s(settings: ServiceSettings, collection: Collection) -> float:
    """Images a second of the encoders of an index alone in this process, on canvases that are prepared already."""
    system = PrintSystem.load(settings.model_dir)
    files = [path for path in sorted(collection.source.parent.rglob("references/*")) if path.is_file()]
    prepared = ([system.prepare_item(path.read_bytes()) for path in files[:_BATCH]] * _BATCH)[:_BATCH]
    images, valid = np.stack([item.image for item in prepared]), np.stack([item.valid for item in prepared])
    work: list[tuple[InProcessEncoder, Inputs]] = [(InProcessEncoder(settings.model_dir), images)]
    if (embedding := chosen_embedding(system, "")) is not None:
        second = InProcessEncoder(embedding.folder, contract=embedding.contract())
        work.append((second, system.embedding_item_inputs(images, valid)))
    for encoder, inputs in work:
        await encoder.encode(inputs, timeout_s=120.0)
    begun = time.perf_counter()
    for _ in tqdm(range(_ENCODER_BATCHES), desc="bare encoders", unit="batch"):
        for encoder, inputs in work:
            await encoder.encode(inputs, timeout_s=120.0)
    seconds = time.perf_counter() - begun
    for encoder, _ in work:
        await encoder.close()
    return _ENCODER_BATCHES * _BATCH / seconds


@contextlib.contextmanager
def _collection(data: Path | None, folder: Path, *, models: int, probes: int) -> Iterator[Collection]:
    if data is None:
        data = make_print_gallery(folder / "made", models=models, probes=probes, seed=11).directory
    yield read_collection(data).first(probes)


def measure(
    collection: Collection, folder: Path, *, mode: SearchMode
) -> tuple[dict[str, float], dict[str, InputValue]]:
    """Run everything; returns metrics and inputs."""
    stack_settings = StackSettings(folder / "home").on_free_ports()
    settings = ServiceSettings.from_environment(
        overrides={"home": stack_settings.home, "encoder_backend": "in_process"}
    )
    bare = asyncio.run(bare_images_per_s(settings, collection))
    with LocalStack(stack_settings, report=lambda phase: click.echo(f"{phase} ...", err=True)) as stack:
        # Ray goes on starting workers for some seconds after it answers; those are counted in no figure.
        time.sleep(_SETTLE_S)
        report = index_into(stack, collection.source, GALLERY)
        with Client(stack.target, timeout_s=120.0) as client:
            wait_serving(client)
            with contextlib.closing(MilvusStore(str(folder / "in_process.db"))) as store:
                parts = in_process_parts(settings, store)
                walks = asyncio.run(walk_both(client, parts, list(collection.probes), mode=mode))
        memory = tree_memory(stack.pid)
        startup_s = stack.startup_s
    throughput = report.encoded / report.seconds
    metrics = _metrics(walks, memory) | {
        "index_images_per_s": throughput,
        "bare_encoder_images_per_s": bare,
        "index_throughput_ratio": throughput / bare,
        "startup_s": startup_s,
    }
    inputs: dict[str, InputValue] = {"mode": mode.value, "items": report.items, "edition": report.edition}
    return metrics, inputs


def _metrics(walks: Walks, memory: TreeMemory) -> dict[str, float]:
    grpc, local = latency_summary(walks.over_grpc_ms), latency_summary(walks.in_process_ms)
    added = np.subtract(walks.over_grpc_ms, walks.in_process_ms)
    return {
        "overhead_p50_ms": grpc.p50_ms - local.p50_ms,
        "overhead_paired_p50_ms": float(np.median(added)),
        "grpc_p50_ms": grpc.p50_ms,
        "grpc_p95_ms": grpc.p95_ms,
        "in_process_p50_ms": local.p50_ms,
        "in_process_p95_ms": local.p95_ms,
        "different_answers": float(walks.different),
        **{f"grpc_{name}_p50_ms": float(np.median(times)) for name, times in walks.over_grpc_stages.items()},
        **{f"in_process_{name}_p50_ms": float(np.median(times)) for name, times in walks.in_process_stages.items()},
        "stack_rss_mib": memory.pss_mib,
        "stack_summed_rss_mib": memory.rss_mib,
        "stack_processes": float(memory.processes),
        "probes": float(len(walks.over_grpc_ms)),
    }


@click.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="A FID-300 directory; made prints else.")
@click.option("--mode", type=click.Choice([m.value for m in SearchMode]), default="exhaustive", show_default=True)
@click.option("--models", default=150, show_default=True, help="Shoe models of the made gallery.")
@click.option("--probes", default=30, show_default=True, type=click.IntRange(1), help="Probes to search.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
def main(data: Path | None, *, mode: str, models: int, probes: int, json_file: Path | None) -> None:
    """Measure what the stack adds to a search, to indexing and to memory."""
    with tempfile.TemporaryDirectory(prefix="outsole-bench-") as name:
        folder = Path(name)
        try:
            with _collection(data, folder, models=models, probes=probes) as collection:
                metrics, inputs = measure(collection, folder, mode=SearchMode(mode))
        except OutsoleError as error:
            raise click.ClickException(" ".join(str(error).split())) from error
    click.echo(text_table(("metric", "value"), list(metrics.items())))
    if json_file is not None:
        make_result("overhead", inputs=inputs, metrics=metrics).write(json_file)
        click.echo(f"wrote {json_file}", err=True)


if __name__ == "__main__":
    main()
