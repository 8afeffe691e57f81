"""What a run leaves beside its checkpoint: ``log.jsonl``, ``loss.png`` and ``result.json``."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from outsole.errors import PreconditionFailed
from training.checkpoints import write_whole
from training.curves import draw_curves
from training.system import Setting, System, device_of

LOG_FILE = "log.jsonl"
CURVE_FILE = "loss.png"
RESULT_FILE = "result.json"


class Log:
    """The rows of ``log.jsonl``, one a step.

    Args:
        folder: Of the run.
        title: Above the curve.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.rows: list[Mapping[str, float]] = []
        self._folder = folder
        self._title = title

    def begin(self, step: int) -> None:
        """Take up the rows of the steps that are done; later ones are of steps that will be done again."""
        path = self._folder / LOG_FILE
        lines = path.read_text(encoding="utf-8").splitlines() if step and path.exists() else []
        self.rows = [row for row in map(_row, lines) if row and row["step"] <= step]

    def add(self, row: Mapping[str, float]) -> None:
        """Take a row with ``step``; it is on the disk after the next ``save``."""
        self.rows.append(row)

    def save(self) -> None:
        """Write the log and draw the curve."""
        text = "".join(json.dumps({name: _short(value) for name, value in row.items()}) + "\n" for row in self.rows)
        write_whole(self._folder / LOG_FILE, text.encode())
        write_whole(self._folder / CURVE_FILE, draw_curves(self.rows, title=self._title))


@dataclass(frozen=True)
class RunResult:
    """What ``result.json`` says of a run.

    Attributes:
        system: The system's name.
        title: The system's title.
        preset: Name of the preset.
        seed: Of the run.
        steps: Steps done.
        complete: Whether these are all of the preset's.
        seconds: Time spent learning, over all sittings, without the evaluation.
        parameters: Of the network, also frozen ones.
        metrics: Name -> finite number, unit in the name.
        settings: The run's fingerprint.
        device: What it was trained on.
        machine: Processor, cores, interpreter, system.
        torch: Version.
        command: That made it.
    """

    system: str
    title: str
    preset: str
    seed: int
    steps: int
    complete: bool
    seconds: float
    parameters: int
    metrics: Mapping[str, float]
    settings: Mapping[str, Setting]
    device: str
    machine: str
    torch: str
    command: str

    def write(self, folder: Path) -> Path:
        """Write ``result.json`` at once; returns its path."""
        path = folder / RESULT_FILE
        record = dataclasses.asdict(self) | {"metrics": dict(self.metrics), "settings": dict(self.settings)}
        write_whole(path, (json.dumps(record, indent=2, allow_nan=False) + "\n").encode())
        return path


def make_result(
    system: System,
    settings: Mapping[str, Setting],
    *,
    metrics: Mapping[str, float],
    network: nn.Module,
    steps: int,
    seconds: float,
) -> RunResult:
    """The result of a run on this machine.

    Raises:
        PreconditionFailed: A metric is not a finite number.
    """
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise PreconditionFailed(f"{system.name}'s evaluation gave {value}", field=f"metrics.{name}")
    device = device_of(network)
    return RunResult(
        system=system.name,
        title=system.title,
        preset=str(settings["preset"]),
        seed=int(settings["seed"]),
        steps=steps,
        complete=steps >= int(settings["steps"]),
        seconds=round(seconds, 1),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        metrics={name: float(value) for name, value in metrics.items()},
        settings=dict(settings),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        machine=_machine(),
        torch=str(torch.__version__),
        command=_command(),
    )


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _command() -> str:
    """The command without this machine's folders: ``python -m training.crisp --preset cpu``."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = f"python -m {spec.name}" if spec else Path(sys.argv[0]).name
    return " ".join([program, *(Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:])])


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}"
    return f"{_cpu()}, {usable_cores()} cores, Python {platform.python_version()}, {system}"


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _row(line: str) -> dict[str, float] | None:
    """A row of the log; None for a line that is cut short."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and "step" in row else None


def _short(value: float) -> float:
    """A number with six digits: the log is read by people and drawn."""
    return value if isinstance(value, int) or not math.isfinite(value) else float(f"{value:.6g}")
