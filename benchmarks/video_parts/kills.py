"""An indexing of video that is killed at random, and whether its archive is that of an undisturbed one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.killing import Strike, Strikes, kill, run_whole, same_edition, struck_again_and_again
from benchmarks.memory import descendants
from benchmarks.video_parts.index_program import Indexing
from benchmarks.video_parts.looking import Eyes
from outsole.commands.index import RAY
from outsole.errors import Unavailable
from outsole.free_ports import free_ports
from outsole.inference.embedded_server import HOST, SELF_TEST, EmbeddedTriton, EmbeddedTritonSettings

Metrics = dict[str, float]
SLICE_S = 3.0
"""A short video has to have many slices: a kill costs those that are being looked at."""
PROCESS, WORKER, TRITON = "process", "worker", "triton"
_ARCHIVE = "killed"
_LOOK_EVERY_S = 0.3
_SOON_S = 60.0
_LOOKS_AT_SLICES, _SERVER = "ray::MapWorker", "tritonserver"


def measure_kills(video: Path, eyes: Eyes, folder: Path, *, kills: int, seed: int = 0) -> Metrics:
    """Index a video undisturbed, then again while something is killed at random moments, and compare the archives.

    Slices are looked at by Ray's workers, and Triton is started again when it is gone, as stacks do. What is killed is
    drawn each time: a worker, Triton's server, or the indexing with all that it started, which is then begun again.

    Args:
        video: A short file.
        eyes: What finds and describes shoes; its Triton is not used.
        folder: For both archives, Triton and the log; removed where it is there.
        kills: How many, at least 1.
        seed: Of the moments, and of what is killed.

    Returns:
        ``kills_survived``: all of them where both archives have the same rows, else 0; ``kills_identical``, 1 or 0;
        how many met what; ``kills_errors``: how often the indexing gave up by itself, and was begun again.

    Raises:
        MissingPart: There is no Triton here.
        Unavailable: The indexing ended with an error that no kill explains.
    """
    shutil.rmtree(folder, ignore_errors=True)
    log, told = folder / "indexing.log", Counter[str]()
    with running_triton(eyes.repository, folder / "triton") as server:
        served = replace(eyes, triton_url=server.grpc_url, slice_s=SLICE_S)
        calm, rough = (Indexing(folder / name, _ARCHIVE, video, served, RAY) for name in ("calm", "rough"))
        begun = time.monotonic()
        run_whole(calm.started(log))
        whole_s = time.monotonic() - begun
        strikes = Strikes(kills, seed, whole_s, whole_s - float(log.read_text().split()[-1]))
        strike = _drawn(np.random.default_rng([0x4112, seed]), server, told)
        errors = struck_again_and_again(lambda: rough.started(log), strikes, strike)
    identical = same_edition(calm.root, rough.root, _ARCHIVE)
    click.echo(f"killed: {', '.join(f'{count} times {what}' for what, count in sorted(told.items()))}", err=True)
    return {
        "kills_survived": float(told.total() if identical else 0),
        "kills_identical": float(identical),
        "kills": float(told.total()),
        **{f"kills_of_{what}": float(told[what]) for what in (PROCESS, WORKER, TRITON)},
        "kills_errors": float(errors),
    }


@contextlib.contextmanager
def running_triton(repository: Path, folder: Path) -> Iterator[EmbeddedTriton]:
    """A Triton server that loads models when they are asked for, and is started again whenever it is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    # Ports of its own: what is started again has to be found where it was.
    grpc_port, http_port, metrics_port = free_ports(3, host=HOST)
    settings = EmbeddedTritonSettings(
        models=(SELF_TEST,), grpc_port=grpc_port, http_port=http_port, metrics_port=metrics_port
    )
    stop = threading.Event()
    with EmbeddedTriton(repository, folder, settings=settings) as server:
        watcher = threading.Thread(target=_started_again, args=(server, stop))
        watcher.start()
        try:
            yield server
        finally:
            stop.set()
            watcher.join()


def _started_again(server: EmbeddedTriton, stop: threading.Event) -> None:
    while not stop.wait(_LOOK_EVERY_S):
        if not server.is_alive():
            # Tried again at the next look where it fails: its ports may not be free yet.
            with contextlib.suppress(Unavailable):
                server.stop()
                server.start()


def _drawn(rng: np.random.Generator, server: EmbeddedTriton, told: Counter[str]) -> Strike:
    """Kills what is drawn; where none such comes up, the indexing."""

    def strike(process: subprocess.Popen[bytes]) -> None:
        what = str(rng.choice([PROCESS, WORKER, TRITON]))
        pids = {WORKER: lambda: workers_of(process.pid), TRITON: lambda: servers_of(server.pid or 0)}
        found = _soon(pids[what], process) if what in pids else []
        if process.poll() is not None:
            return
        if found:
            kill_pids([int(rng.choice(found))])
        else:
            what = PROCESS
            kill_tree(process)
        told[what] += 1

    return strike


def _soon(pids: Callable[[], list[int]], process: subprocess.Popen[bytes]) -> list[int]:
    """Some processes as soon as there are any; none where the indexing ends first, or where none comes."""
    until = time.monotonic() + _SOON_S
    while not (found := pids()) and process.poll() is None and time.monotonic() < until:
        time.sleep(_LOOK_EVERY_S)
    return found


def workers_of(pid: int) -> list[int]:
    """The processes of Ray below a program that look at slices."""
    return [each for each in descendants(pid) if _program(each).startswith(_LOOKS_AT_SLICES)]


def servers_of(guard: int) -> list[int]:
    """Triton's server below its guard; none where it does not run."""
    return [each for each in descendants(guard) if Path(_program(each)).name == _SERVER]


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a program and whatever it started, sessions of their own among it; nothing is told."""
    pids = descendants(process.pid)
    kill(process)
    kill_pids(pids)


def kill_pids(pids: Sequence[int]) -> None:
    """SIGKILL to those of some processes that still run."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _program(pid: int) -> str:
    """What a process says that it runs; empty where it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
    return ""
