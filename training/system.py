"""What a learned system is to the trainer, the exporter and the benchmarks: one record, the same for all.

A system adds its network, its data, its loss, its rates, its evaluation and its settings, and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from outsole.errors import InvalidInput, NotFound

Batch = dict[str, torch.Tensor]
Setting = str | int | float | bool
# The only field of a preset that does not change what is learned: a run may go on with other workers.
_NOT_A_SETTING = ("workers",)


class StepDataset(Protocol):
    """Batches by step: the batch of step i is a pure function of (seed, i), so a resumed run is the same run."""

    def __len__(self) -> int:
        """Steps that there are batches for."""

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step; the same one whenever it is asked for, in whatever process."""


@dataclass(frozen=True)
class Preset:
    """How long and how fast a system learns.

    Attributes:
        steps: Steps of the optimiser, at least 1.
        batch_items: Items a batch; what an item is, the system says.
        trunk_rate: Highest learning rate of a pretrained trunk; 0 freezes it.
        head_rate: Highest learning rate of everything else.
        seed: Of the first weights, the batches and the noise.
        warmup_steps: Steps in which the rates rise linearly from 0.
        evaluate_items: Items that the evaluation sees.
        weight_decay: AdamW's, for weights of two or more dimensions.
        gradient_norm: Longest gradient (2-norm over all parameters); longer ones are shortened to it.
        workers: Processes that make batches; at most one less than the cores of the machine are used.
    """

    steps: int
    batch_items: int
    trunk_rate: float
    head_rate: float
    seed: int = 1
    warmup_steps: int = 20
    evaluate_items: int = 200
    weight_decay: float = 0.01
    gradient_norm: float = 5.0
    workers: int = 1

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch_items", 1), ("evaluate_items", 1), ("seed", 0), ("warmup_steps", 0)):
            if getattr(self, name) < least:
                raise InvalidInput(f"is {getattr(self, name)}", field=f"preset.{name}", remedy=f"at least {least}")
        for name in ("trunk_rate", "head_rate", "weight_decay", "workers"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidInput(f"is {getattr(self, name)}", field=f"preset.{name}", remedy="0 or more, finite")
        if not self.gradient_norm > 0:
            raise InvalidInput(f"is {self.gradient_norm}", field="preset.gradient_norm", remedy="more than 0")


@dataclass(frozen=True)
class System:
    """A system that learns.

    Attributes:
        name: As on the command line, in the registry and in the model repository.
        title: In words, for tables and cards.
        paper: Where it is from.
        presets: ``smoke`` (at most 3 minutes), ``cpu`` (under 2 hours), ``gpu``.
        build: Makes the network; called after ``torch.manual_seed(preset.seed)``. What the loss learns (a scale,
            proxies) is part of the network.
        dataset: Makes the batches of a preset; it is sent to other processes.
        loss: (network in training mode, batch on its device) -> ``"loss"`` and named parts of it, all scalars.
        rates: (network, preset) -> groups of AdamW with ``lr`` = the highest rate; see ``rate_groups``.
        evaluate: (network in evaluation mode, preset) -> finite figures, unit in the name.
        load_trunk: Loads a file of pretrained weights into a network; None where there is nothing to load.
        settings: What else tells one run from another, for example an ablation; part of the run's fingerprint.
        variants: The same system with something left out or exchanged, by name.
    """

    name: str
    title: str
    paper: str
    presets: Mapping[str, Preset]
    build: Callable[[], nn.Module]
    dataset: Callable[[Preset], StepDataset]
    loss: Callable[[nn.Module, Batch], Mapping[str, torch.Tensor]]
    rates: Callable[[nn.Module, Preset], list[dict[str, Any]]]
    evaluate: Callable[[nn.Module, Preset], Mapping[str, float]]
    load_trunk: Callable[[nn.Module, Path], None] | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    variants: Mapping[str, System] = field(default_factory=dict)

    def preset(self, name: str) -> Preset:
        """The preset of this name.

        Raises:
            InvalidInput: There is none; the message names those that there are.
        """
        if name not in self.presets:
            known = ", ".join(self.presets)
            raise InvalidInput(f"{self.name} has no preset {name!r}", field="preset", remedy=f"one of {known}")
        return self.presets[name]

    def variant(self, name: str) -> System:
        """The variant of this name; the empty name is the system itself.

        Raises:
            InvalidInput: There is none.
        """
        if not name:
            return self
        if name not in self.variants:
            known = ", ".join(self.variants) or "it has none"
            raise InvalidInput(f"{self.name} has no variant {name!r}", field="variant", remedy=known)
        return self.variants[name]


def fingerprint(system: System, preset_name: str) -> dict[str, Setting]:
    """Everything that must be equal for a run to go on: flat, name -> value."""
    values: dict[str, Setting] = {"system": system.name, "preset": preset_name}
    values |= dataclasses.asdict(system.preset(preset_name))
    for name in _NOT_A_SETTING:
        del values[name]
    return values | dict(system.settings)


def with_trunk_weights(system: System, weights: Path) -> System:
    """The system whose trunk starts from a file that the user names; the file's hash is part of the settings.

    Raises:
        InvalidInput: The system takes no such file.
        NotFound: The file does not exist.
    """
    load = system.load_trunk
    if load is None:
        raise InvalidInput(
            f"{system.name} takes no trunk weights", field="trunk_weights", remedy="leave the option out"
        )
    if not weights.is_file():
        raise NotFound(f"{weights} is no file", field="trunk_weights")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()

    def build() -> nn.Module:
        network = system.build()
        load(network, weights)
        return network

    return dataclasses.replace(system, build=build, settings=dict(system.settings) | {"trunk_weights": digest[:16]})


def rate_groups(network: nn.Module, preset: Preset, *, trunk: nn.Module | None = None) -> list[dict[str, Any]]:
    """AdamW's groups: the trunk at its own rate, the rest at the head's; only matrices and kernels decay.

    Args:
        network: Parameters that need no gradient are left out.
        preset: Gives both rates and the decay.
        trunk: A part of ``network``; None where there is none. It is left out at rate 0, but not frozen by this.

    Returns:
        Up to four groups with ``params``, ``lr`` and ``weight_decay``.
    """
    inside = set() if trunk is None else {id(parameter) for parameter in trunk.parameters()}
    chosen: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        rate = preset.trunk_rate if id(parameter) in inside else preset.head_rate
        if parameter.requires_grad and rate > 0:
            decay = preset.weight_decay if parameter.ndim > 1 else 0.0
            chosen.setdefault((rate, decay), []).append(parameter)
    return [{"params": list_, "lr": rate, "weight_decay": decay} for (rate, decay), list_ in chosen.items()]


def device_of(network: nn.Module) -> torch.device:
    """Where the network's parameters are."""
    return next(network.parameters()).device
