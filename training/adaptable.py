"""What a general system has to say to be trained further on a gallery's own pictures, without labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from training.export_plan import ExportPlan
from training.losses import CosineProxies
from training.own_pictures import OwnPictures
from training.system import Batch, Preset, StepDataset, System

_PROXIES = "proxies"
_EMBEDDED_AT_ONCE = 32
# Fewer batches are embedded in less than two seconds.
_FEW_BATCHES = 3


def _nothing_more(network: nn.Module, pictures: Any) -> None:
    """The loss compares within the batch alone."""


@dataclass(frozen=True)
class Adaptable:
    """A system that can be adapted.

    Attributes:
        system: The general one; its presets are not used.
        plan: How it is exported.
        presets: ``smoke``, ``cpu``, ``gpu`` of the adaptation.
        pictures: What its pictures are, in words.
        read: The pictures of files, and why others cannot be used.
        dataset: From pictures to batches for the system's loss.
        evaluate: Finite figures on pictures, with degradations that the training did not draw.
        not_served: Parameters of the loss, which no model folder has.
        prepare: Adds to the general network what the adaptation's loss learns of these pictures.
        loss: The adaptation's; the system's own where None.
    """

    system: System
    plan: ExportPlan
    presets: Mapping[str, Preset]
    pictures: str
    read: Callable[[Sequence[Path]], tuple[OwnPictures, list[str]]]
    dataset: Callable[[Any, Preset], StepDataset]
    evaluate: Callable[[nn.Module, Any, Preset], Mapping[str, float]]
    not_served: tuple[str, ...] = ()
    prepare: Callable[[nn.Module, Any], None] = _nothing_more
    loss: Callable[[nn.Module, Batch], Mapping[str, torch.Tensor]] | None = None


def slower_presets(system: System, *, steps: int, trunk_rate: float, head_rate: float) -> Mapping[str, Preset]:
    """The general presets, shorter and slower: what was learned from made shoes is not to be forgotten."""
    slower = partial(dataclasses.replace, trunk_rate=trunk_rate, head_rate=head_rate, evaluate_items=300)
    return {
        "smoke": dataclasses.replace(system.preset("smoke"), evaluate_items=16),
        "cpu": slower(system.preset("cpu"), steps=steps, warmup_steps=30),
        "gpu": slower(system.preset("gpu"), steps=10 * steps),
    }


@torch.no_grad()
def add_proxies(
    network: nn.Module, labels: torch.Tensor, dimensions: int, embedded: Callable[[range], torch.Tensor]
) -> None:
    """One proxy for each label, where the general network sees its pictures.

    With them every view is compared with the whole gallery in every step, and not with a batch of it alone.

    Args:
        network: Gets a module of that name.
        labels: int64 [N], 0 .. K - 1, of the pictures.
        dimensions: D, of the network's vectors.
        embedded: Rows of the pictures -> their unit vectors float32 [n, D] on the CPU.
    """
    proxies = CosineProxies(int(labels.max()) + 1, dimensions)
    sums = torch.zeros_like(proxies.proxies)
    starts = range(0, len(labels), _EMBEDDED_AT_ONCE)
    for start in tqdm(starts, desc="pictures, embedded", unit="batch", disable=len(starts) < _FEW_BATCHES):
        rows = range(start, min(start + _EMBEDDED_AT_ONCE, len(labels)))
        sums.index_add_(0, labels[rows.start : rows.stop], embedded(rows))
    proxies.proxies.copy_(nn.functional.normalize(sums, dim=1))
    network.add_module(_PROXIES, proxies)


def against_all(
    network: nn.Module, vectors: torch.Tensor, labels: torch.Tensor, *, in_batch: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The loss against the proxies of all pictures, and within the batch.

    Args:
        network: After ``add_proxies``.
        vectors: float [M, D].
        labels: int [M].
        in_batch: The loss within the batch.
    """
    proxies = network.get_submodule(_PROXIES)(vectors, labels)
    return {"loss": in_batch + proxies, "in_batch": in_batch, "against_all": proxies}
