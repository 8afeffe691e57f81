"""A system that learns in a second: which way the stripes of a picture run. It is trained in the tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from training.losses import smoothed_cross_entropy
from training.system import Batch, Preset, System, device_of, rate_groups

PRESETS = {
    "smoke": Preset(steps=6, batch_items=8, trunk_rate=0.0, head_rate=0.01, warmup_steps=2, evaluate_items=32),
    "cpu": Preset(steps=60, batch_items=16, trunk_rate=0.0, head_rate=0.02, warmup_steps=2, evaluate_items=64),
    # For those who stop it.
    "endless": Preset(steps=10**6, batch_items=8, trunk_rate=0.0, head_rate=0.001),
}


class TinyNet(nn.Module):
    """Stripes uint8 [N, 8, 8] to logits [N, 2]; batch statistics and dropout are what a resumed run can get wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2))
        self.head = nn.Linear(4 * 36, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.body(image.unsqueeze(1).float() / 255))
        return logits


@dataclass(frozen=True)
class Stripes:
    """Batches of stripes."""

    preset: Preset

    def __len__(self) -> int:
        return self.preset.steps

    def __getitem__(self, step: int) -> Batch:
        return stripes((self.preset.seed, step), self.preset.batch_items)


def stripes(seed: tuple[int, int], count: int) -> Batch:
    """``image`` uint8 [count, 8, 8] and ``label`` int64 [count], 1 where the stripes lie across."""
    draws = np.random.default_rng(seed)
    upright = np.tile(np.array([0, 200], np.uint8), (8, 4)) + draws.integers(0, 50, (count, 8, 8), np.uint8)
    label = draws.integers(0, 2, count)
    image = np.where(label[:, None, None] == 1, upright.transpose(0, 2, 1), upright)
    return {"image": torch.from_numpy(image), "label": torch.from_numpy(label)}


def loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Cross entropy, and how sure the network is."""
    logits = network(batch["image"])
    return {
        "loss": smoothed_cross_entropy(logits, batch["label"], smoothing=0.1),
        "spread": logits.detach().std(),
    }


def rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    """One rate for all."""
    return rate_groups(network, preset)


def evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    """Share of unseen stripes that are told apart."""
    batch = stripes((999, 0), preset.evaluate_items)
    found = network(batch["image"].to(device_of(network))).argmax(1).cpu()
    return {"accuracy": float((found == batch["label"]).float().mean())}


TINY = System(
    name="tiny",
    title="Stripes",
    paper="none",
    presets=PRESETS,
    build=TinyNet,
    dataset=Stripes,
    loss=loss,
    rates=rates,
    evaluate=evaluate,
)


def tiny_system(**changes: Any) -> System:
    """The tiny system with other parts."""
    return dataclasses.replace(TINY, **changes)


if __name__ == "__main__":
    from training.command import command

    command(TINY)()
