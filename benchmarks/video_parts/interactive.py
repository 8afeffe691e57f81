"""What a search of video in bulk costs those who search for prints meanwhile."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.finished import Metrics
from benchmarks.reporting import latency_summary, text_table
from benchmarks.video_parts.stages import looped
from indexer.compose import index_into as index_pictures_into
from outsole.answers import SearchMode
from outsole.api import Client
from outsole.commands.demo import index_into, wait_serving
from outsole.commands.index import place_of
from outsole.commands.stack import LocalStack
from outsole.errors import PreconditionFailed, Unavailable
from outsole.gallery.layout import SHOES
from outsole.operations import OperationInfo
from outsole.settings import StackSettings
from outsole.synthesis.galleries import make_print_gallery
from outsole.synthesis.shoe_galleries import make_shoe_gallery

_SOLES, _UPPERS = "soles", "uppers"
_WARM_UPS = 3
_ALONE_S = 15.0
_BEGIN_TIMEOUT_S, _END_TIMEOUT_S = 180.0, 60.0
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Searching:
    """Somebody who searches for prints.

    Attributes:
        gallery: Of soles.
        probes: Pictures of prints, used in turns.
        searches: How many.
        pause_s: Seconds between two of them on average: from a fifth of it to nine fifths.
        seed: Of the pauses.
    """

    gallery: str
    probes: Sequence[bytes]
    searches: int = 60
    pause_s: float = 2.0
    seed: int = 7

    def latencies_ms(self, client: Client) -> list[float]:
        """Search as often as is asked for, with pauses; milliseconds of each."""
        pauses = np.random.default_rng(self.seed).uniform(0.2, 1.8, self.searches) * self.pause_s
        took = []
        for number, pause_s in enumerate(pauses.tolist()):
            time.sleep(pause_s)
            began = time.perf_counter()
            client.search_print(self.probes[number % len(self.probes)], gallery=self.gallery, mode=SearchMode.SHORTLIST)
            took.append(1e3 * (time.perf_counter() - began))
        return took


def measure_interactive(client: Client, searching: Searching, begin: Callable[[], OperationInfo]) -> Metrics:
    """Search for prints while a search of video in bulk is at work, and as often while nothing else is done.

    Pauses between the searches let the work in bulk go on, so that each search meets it. Half of the idle searches come
    before the others and half after them, so that a machine that gets slower or faster favours neither.

    Args:
        client: Of a running stack.
        searching: What is searched.
        begin: Starts the work in bulk; it must take longer than the searches, and is cancelled after them.

    Returns:
        ``interactive_p95_ratio`` and what it comes from, see ``ratios``; frames a second of the work in bulk alone and
        beside the searches.

    Raises:
        PreconditionFailed: The work in bulk ended before the searches did, or did nothing meanwhile.
    """
    for probe in list(searching.probes)[:_WARM_UPS]:
        client.search_print(probe, gallery=searching.gallery)
    half = dataclasses.replace(searching, searches=max(1, searching.searches // 2))
    idle = half.latencies_ms(client)
    operation = begin()
    try:
        _until(client, operation.operation_id, lambda info: bool(_working(info).progress.done), _BEGIN_TIMEOUT_S)
        alone_fps = _frames_per_s(client, operation.operation_id, lambda: time.sleep(_ALONE_S))
        busy: list[float] = []
        beside_fps = _frames_per_s(client, operation.operation_id, lambda: busy.extend(searching.latencies_ms(client)))
    finally:
        client.cancel_operation(operation.operation_id)
    _until(client, operation.operation_id, lambda info: info.state.is_over, _END_TIMEOUT_S)
    idle += dataclasses.replace(half, seed=searching.seed + 1).latencies_ms(client)
    metrics = ratios(idle, busy) | {"interactive_bulk_fps": beside_fps, "interactive_bulk_alone_fps": alone_fps}
    click.echo(text_table(("interactive", "value"), list(metrics.items())))
    return metrics


def ratios(idle_ms: Sequence[float], busy_ms: Sequence[float]) -> Metrics:
    """How much longer searches take beside work in bulk: the 50th and 95th percentile, and their ratios."""
    idle, busy = latency_summary(idle_ms), latency_summary(busy_ms)
    return {
        "interactive_p95_ratio": busy.p95_ms / idle.p95_ms,
        "interactive_p50_ratio": busy.p50_ms / idle.p50_ms,
        "interactive_idle_p50_ms": idle.p50_ms,
        "interactive_idle_p95_ms": idle.p95_ms,
        "interactive_busy_p50_ms": busy.p50_ms,
        "interactive_busy_p95_ms": busy.p95_ms,
    }


def measure_on_stack(video: Path, folder: Path, *, models: int = 150, searches: int = 60) -> Metrics:
    """Start a stack over made galleries, and measure there.

    Args:
        video: Looked at over and over by the work in bulk.
        folder: For what is made, and for the stack's home.
        models: Of the gallery of soles.
        searches: See ``Searching``.
    """
    source = folder / "interactive-source"
    source.mkdir(parents=True, exist_ok=True)
    long = source / "long.mp4"
    looped(video, long, seconds=3_600)
    made = make_print_gallery(source / "prints", models=models, probes=20, seed=11)
    shoes = make_shoe_gallery(source / "shoes", models=12, seed=7)
    probes = [path.read_bytes() for path in sorted((made.directory / "tracks_cropped").iterdir())]
    home = folder / "interactive-home"
    place = place_of(home, triton_url="")
    asyncio.run(index_pictures_into(shoes.shoes, _UPPERS, place=place, shows=SHOES))
    roots = {"OUTSOLE_INGEST_ROOTS": str(source)}
    with LocalStack(StackSettings(home).on_free_ports(), variables=roots) as stack:
        index_into(stack, made.manifest, _SOLES)
        with Client(stack.target, timeout_s=120.0) as client:
            wait_serving(client)

            def begin() -> OperationInfo:
                return client.start_video_search(
                    shoes.model_ids[:3], gallery=_UPPERS, files=[str(long)], camera="long", every_s=0.0
                )

            return measure_interactive(client, Searching(_SOLES, probes, searches), begin)


def _until(client: Client, operation_id: str, wanted: Callable[[OperationInfo], bool], timeout_s: float) -> None:
    """Wait for an operation. Raises ``Unavailable`` where that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not wanted(info := client.get_operation(operation_id)):
        if time.monotonic() > deadline:
            raise Unavailable(f"operation {operation_id} is {info.state.value} after {timeout_s:g} s")
        time.sleep(_LOOK_EVERY_S)


def _frames_per_s(client: Client, operation_id: str, meanwhile: Callable[[], object]) -> float:
    before, began = _working(client.get_operation(operation_id)).progress.done, time.monotonic()
    meanwhile()
    done = _working(client.get_operation(operation_id)).progress.done - before
    if not done:
        raise PreconditionFailed(f"operation {operation_id} looked at no frame meanwhile")
    return done / (time.monotonic() - began)


def _working(info: OperationInfo) -> OperationInfo:
    """The operation. Raises ``PreconditionFailed`` where it is over."""
    if info.state.is_over:
        raise PreconditionFailed(f"operation {info.operation_id} is over too soon: {info.error or info.state.value}")
    return info
