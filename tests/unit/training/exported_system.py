"""A small system that the export tests train for no steps at all: two inputs, two outputs, layers of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from outsole.inference.encoder import TensorShape
from training.export_plan import Arrays, ExportPlan
from training.system import Batch, Preset, StepDataset, System

HEIGHT, WIDTH = 32, 16


class SmallNet(nn.Module):
    """Convolutions and both kinds of matrix product, large enough for their weights to be stored small."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 128, 3, padding=1)
        self.deep = nn.Conv2d(128, 16, 3, padding=1, stride=2)
        self.norm: nn.Module = nn.BatchNorm2d(16)
        self.linear = nn.Linear(16, 128)
        self.product = nn.Parameter(torch.randn(128, 64) / 8)

    def forward(self, image: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``image`` uint8 [N, 32, 16] and ``cells`` uint8 [N, 16, 8] to vectors [N, 64] and maps [N, 16, 16, 8]."""
        x = (image.to(torch.float32).unsqueeze(1) - 128) / 64
        maps = self.norm(self.deep(torch.relu(self.wide(x)))) * cells.to(torch.float32).unsqueeze(1)
        vector = torch.relu(self.linear(maps.mean((2, 3)))) @ self.product
        return nn.functional.normalize(vector, dim=1), maps


def examples(count: int) -> Arrays:
    """Random images, the upper half of the cells shown."""
    generator = np.random.default_rng(0)
    cells = np.zeros((count, HEIGHT // 2, WIDTH // 2), np.uint8)
    cells[:, : HEIGHT // 4] = 1
    return generator.integers(0, 256, (count, HEIGHT, WIDTH), dtype=np.uint8), cells


def _dataset(preset: Preset) -> StepDataset:
    raise NotImplementedError


def _loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    raise NotImplementedError


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    raise NotImplementedError


def _evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    raise NotImplementedError


SYSTEM = System(
    name="small",
    title="A small network",
    paper="none",
    presets={"cpu": Preset(steps=1, batch_items=1, trunk_rate=0.0, head_rate=0.0)},
    build=SmallNet,
    dataset=_dataset,
    loss=_loss,
    rates=_rates,
    evaluate=_evaluate,
)
PLAN = ExportPlan(
    kind="print_embedding",
    inputs=(
        TensorShape("image", "uint8", (HEIGHT, WIDTH)),
        TensorShape("cells", "uint8", (HEIGHT // 2, WIDTH // 2)),
    ),
    outputs=(
        TensorShape("embedding", "float16", (64,)),
        TensorShape("maps", "float32", (16, HEIGHT // 2, WIDTH // 2)),
    ),
    px_per_cm=5.0,
    summary="A network for tests.",
    trained_on="Nothing.",
    licence="Apache-2.0",
    limits="It knows nothing.",
    settings={"polarity": "contact is dark"},
    examples=examples,
    max_batch=4,
)
EXPORT_PLANS = {"small": PLAN}
