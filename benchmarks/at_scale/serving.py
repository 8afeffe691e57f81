"""A real stack over a made gallery: searches through the public API, and the memory of what serves them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from benchmarks.at_scale.candidates import SHORTLIST
from benchmarks.memory import descendants, tree_memory
from benchmarks.reporting import LatencySummary, latency_summary
from outsole.answers import SearchAnswer, SearchMode
from outsole.api import Client
from outsole.commands.demo import wait_serving
from outsole.commands.stack import LocalStack
from outsole.errors import MissingPart
from outsole.evaluation.collections import LabelledProbe
from outsole.settings import StackSettings

_ROOT = Path(__file__).resolve().parents[2]
_SERVER = _ROOT / "tests" / "congruence" / "milvus_server.py"
# A store of full size is rebuilt before the stack serves.
_SERVING_TIMEOUT_S = 1800.0
_CALL_TIMEOUT_S = 120.0
_WARM_UPS = 5
_K = 20


@dataclass(frozen=True)
class MilvusServer:
    """A Milvus server that runs now: its address, and its process."""

    uri: str
    pid: int


def milvus_python() -> Path | None:
    """The interpreter whose environment holds a Milvus server; None where there is none."""
    path = Path(os.environ.get("OUTSOLE_MILVUS_PYTHON", _ROOT / "build" / "env" / "milvus" / "bin" / "python"))
    return path if path.is_file() else None


@contextlib.contextmanager
def milvus_server(folder: Path) -> Iterator[MilvusServer]:
    """Run a Milvus server with its data under ``folder`` for as long as the block lasts.

    Raises:
        MissingPart: There is none on this machine.
    """
    python = milvus_python()
    if python is None:
        raise MissingPart("there is no Milvus server", remedy="make env-test, or set OUTSOLE_MILVUS_PYTHON")
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(python), str(_SERVER), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise MissingPart("the Milvus server has no standard streams")
        try:
            yield MilvusServer(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.stdin.close()
            process.wait(60)


@contextlib.contextmanager
def serving(home: Path, uri: str) -> Iterator[tuple[LocalStack, Client]]:
    """A stack of a state directory with a vector store, when it serves, for as long as the block lasts."""
    settings = StackSettings(home).on_free_ports()
    stack = LocalStack(
        settings,
        variables={"OUTSOLE_MILVUS_URI": uri},
        report=lambda phase: click.echo(f"{phase} ...", err=True),
    )
    with stack, Client(stack.target, timeout_s=_CALL_TIMEOUT_S) as client:
        wait_serving(client, timeout_s=_SERVING_TIMEOUT_S)
        yield stack, client


@dataclass(frozen=True)
class Served:
    """Searches through a stack.

    Attributes:
        latency: Of the whole call as the caller saw it.
        stages: Of every stage that the service times, by name.
        answers: In order of the probes.
    """

    latency: LatencySummary
    stages: dict[str, LatencySummary]
    answers: tuple[SearchAnswer, ...]


def search(
    client: Client, gallery: str, data: bytes, *, k: int = _K, shortlist: int | None = SHORTLIST
) -> SearchAnswer:
    """One search of a shortlist; of the size that the service takes where None."""
    return client.search_print(data, gallery=gallery, k=k, mode=SearchMode.SHORTLIST, shortlist_size=shortlist)


def search_all(
    client: Client,
    gallery: str,
    probes: Sequence[LabelledProbe],
    *,
    k: int = _K,
    shortlist: int | None = SHORTLIST,
) -> Served:
    """Search with every probe, one after the other; the first ones are also searched before, to warm up."""
    for probe in probes[:_WARM_UPS]:
        search(client, gallery, probe.path.read_bytes(), k=k, shortlist=shortlist)
    latencies, answers = [], []
    for probe in tqdm(probes, desc=f"search {gallery}", unit="probe"):
        data = probe.path.read_bytes()
        begun = time.perf_counter()
        answers.append(search(client, gallery, data, k=k, shortlist=shortlist))
        latencies.append((time.perf_counter() - begun) * 1e3)
    stages = {name: latency_summary([answer.stage_ms[name] for answer in answers]) for name in answers[0].stage_ms}
    return Served(latency_summary(latencies), stages, tuple(answers))


def share_within(answers: Sequence[SearchAnswer], probes: Sequence[LabelledProbe], rank: int) -> float:
    """Share of the probes whose item's model is among the first ``rank``, 0 .. 1."""
    inside = [
        any(hit.item_id == probe.item_id for hit in answer.hits[:rank])
        for answer, probe in zip(answers, probes, strict=True)
    ]
    return float(np.mean(inside))


@dataclass(frozen=True)
class ServingMemory:
    """Memory of everything that serves, MiB.

    Attributes:
        pss_mib: Shared pages counted once. Pages of the edition's files that were read are in it, for as long as the
            system has room for them.
        anonymous_mib: Without those: what has to be there.
    """

    pss_mib: float
    anonymous_mib: float


def serving_memory(*pids: int) -> ServingMemory:
    """Memory of processes and all they started."""
    return ServingMemory(sum(tree_memory(pid).pss_mib for pid in pids), sum(map(_anonymous_mib, pids)))


def _anonymous_mib(pid: int) -> float:
    total = 0
    for each in descendants(pid):
        with contextlib.suppress(OSError, ValueError, IndexError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss_Anon:"))
    return total / 1024
