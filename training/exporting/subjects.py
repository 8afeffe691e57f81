"""What can be exported by name: the correlation encoder, and every system of the registry with its trained weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from outsole.errors import InvalidInput, NotFound
from training.cards import RunRecord, read_result
from training.checkpoints import CHECKPOINT_FILE, Checkpoint, load_network
from training.command import RUNS, folder_of_run
from training.export_plan import ExportPlan, find_plan
from training.exporting import print_encoder
from training.registry import SYSTEMS, find_system

_PRESETS = ("gpu", "cpu")


@dataclass(frozen=True)
class Subject:
    """A network that is ready to be exported.

    Attributes:
        plan: How it is served.
        network: With its weights, in evaluation mode, float32 out.
        run: How it was trained; None where nothing was.
    """

    plan: ExportPlan
    network: nn.Module
    run: RunRecord | None


def known_names() -> tuple[str, ...]:
    """Every name that ``find_subject`` takes."""
    return (print_encoder.NAME, *sorted(SYSTEMS))


def find_subject(name: str, checkpoint: Path | None, *, runs: Path = RUNS) -> Subject:
    """The network of a name, with the weights of a checkpoint.

    Args:
        name: ``print_lite2_b6``, or a system as ``training.registry`` has it, or ``system:variant``.
        checkpoint: ``checkpoint.pt`` of a run; None takes the system's gpu run below ``runs``, else its cpu run.
        runs: Folder of runs, as ``python -m training.<system>`` fills it.

    Raises:
        InvalidInput: No such name or variant, no plan, or a checkpoint where none belongs.
        NotFound, DataCorrupt, PreconditionFailed: The checkpoint is missing, damaged or another network's.
    """
    if name == print_encoder.NAME:
        if checkpoint is not None:
            raise InvalidInput(f"{name} is not trained here", field="checkpoint", remedy="leave the option out")
        torch.manual_seed(0)
        return Subject(print_encoder.PLAN, print_encoder.build_trunk(), None)
    base = name.partition(":")[0]
    if base not in SYSTEMS:
        raise InvalidInput(f"no network is called {name!r}", field="name", remedy=f"one of {', '.join(known_names())}")
    plan = find_plan(name, SYSTEMS[base].partition(":")[0])
    path = checkpoint or _latest(name, runs)
    network = find_system(name).build()
    loaded = load_network(network, path)
    return Subject(plan, plan.module(network).eval(), _record(loaded, read_result(path.parent)))


def _latest(name: str, runs: Path) -> Path:
    """The checkpoint of the system's longest run; NotFound where there is none."""
    folders = [folder_of_run(name, preset, runs=runs) for preset in _PRESETS]
    found = [folder / CHECKPOINT_FILE for folder in folders if (folder / CHECKPOINT_FILE).is_file()]
    if not found:
        raise NotFound(
            f"{name} has no finished run in {runs}",
            field="checkpoint",
            remedy=f"python -m training.{name.partition(':')[0]} --preset cpu, or name a file with --checkpoint",
        )
    return found[0]


def _record(checkpoint: Checkpoint, result: dict[str, Any]) -> RunRecord:
    return RunRecord(
        settings=checkpoint.settings,
        steps=checkpoint.step,
        seconds=checkpoint.seconds,
        metrics=result.get("metrics", {}),
        machine=str(result.get("machine", "")),
        command=str(result.get("command", "")),
    )
