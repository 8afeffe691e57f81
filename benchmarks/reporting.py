"""What every benchmark says and writes: the result record, the machine, the commit, the table, the percentiles."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from outsole.errors import InvalidInput

InputValue = str | int | float | bool
_KIBI = 1024.0


@dataclass(frozen=True)
class Machine:
    """The machine that a benchmark ran on.

    Attributes:
        cpu: Model name of the processor.
        cores: Cores that this process may use.
        memory_gib: Main memory, GiB.
        python: Version of the interpreter.
        system: Operating system and architecture.
    """

    cpu: str
    cores: int
    memory_gib: float
    python: str
    system: str

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, {self.memory_gib:.1f} GiB, Python {self.python}, {self.system}"


@dataclass(frozen=True)
class LatencySummary:
    """Percentiles of a set of latencies, milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class BenchmarkResult:
    """The outcome of one benchmark run.

    Attributes:
        name: Name of the benchmark, as in ``make bench NAME=...``.
        machine: Where it ran.
        commit: Commit of the code that ran, with ``+dirty`` where files were changed.
        inputs: Settings and data that it ran on.
        metrics: Flat, name -> finite number, unit in the name.
    """

    name: str
    machine: Machine
    commit: str
    inputs: Mapping[str, InputValue]
    metrics: Mapping[str, float]

    def __post_init__(self) -> None:
        bad = [name for name, value in self.metrics.items() if not math.isfinite(value)]
        if bad:
            raise InvalidInput("is not a finite number", field=f"metrics.{bad[0]}")

    def to_json(self) -> str:
        """Return the record as indented JSON; ``metrics`` stays a flat object."""
        record = asdict(self) | {"inputs": dict(self.inputs), "metrics": dict(self.metrics)}
        return json.dumps(record, indent=2, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the JSON to a file at once: a reader sees the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(self.to_json(), encoding="utf-8")
        draft.replace(path)


def make_result(name: str, *, inputs: Mapping[str, InputValue], metrics: Mapping[str, float]) -> BenchmarkResult:
    """Return a result with this machine and the commit of the code that runs filled in."""
    root = Path(__file__).resolve().parent.parent
    return BenchmarkResult(name, describe_machine(), commit_of(root), inputs, metrics)


def describe_machine() -> Machine:
    """Describe this machine, as far as the operating system tells."""
    return Machine(
        cpu=_proc_field(Path("/proc/cpuinfo"), "model name") or platform.processor() or "unknown",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(_memory_gib(), 1),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
    )


def _proc_field(path: Path, key: str) -> str:
    if not path.exists():
        return ""
    lines = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")


def _memory_gib() -> float:
    kibibytes = _proc_field(Path("/proc/meminfo"), "MemTotal").removesuffix("kB").strip()
    return float(kibibytes) / _KIBI**2 if kibibytes else 0.0


def commit_of(root: Path) -> str:
    """Return the short commit of a working tree, ``+dirty`` where files differ; "unknown" outside of git."""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{head}+dirty" if changed else head


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)
    return done.stdout.strip()


def latency_summary(latencies_ms: ArrayLike) -> LatencySummary:
    """Return the 50th, 95th and 99th percentile of latencies in milliseconds [N].

    Raises:
        InvalidInput: There is no latency, or one is negative or not finite.
    """
    array = np.asarray(latencies_ms, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or not bool(np.all(np.isfinite(array) & (array >= 0))):
        raise InvalidInput("needs one or more finite numbers >= 0", field="latencies_ms")
    p50, p95, p99 = (float(value) for value in np.percentile(array, [50, 95, 99]))
    return LatencySummary(p50, p95, p99)


def text_table(headers: Sequence[str], rows: Sequence[Sequence[InputValue]]) -> str:
    """Lay rows out under headers for a terminal; numbers are right-aligned, floats get two decimals.

    Raises:
        InvalidInput: A row has another length than the headers.
    """
    if any(len(row) != len(headers) for row in rows):
        raise InvalidInput("a row has another length than the headers", field="rows")
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(headers))]
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    layout = list(zip(widths, numeric, strict=True))
    lines = [_line(headers, layout), "  ".join("-" * width for width in widths)]
    return "\n".join(lines + [_line(row, layout) for row in cells])


def _is_number(value: InputValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: InputValue) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _line(cells: Sequence[str], layout: Sequence[tuple[int, bool]]) -> str:
    pairs = zip(cells, layout, strict=True)
    return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, (width, right) in pairs).rstrip()
