"""What the survey's systems share: made shoes, the supervised contrastive loss of vectors, figures, export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import nn

from outsole.encoders.trunks import Trunk, load_published
from outsole.inference.encoder import TensorShape
from training.export_plan import ExportPlan
from training.losses import supervised_contrastive
from training.made_figures import vector_figures
from training.made_prints import MadePairs, MadePlan, unseen_probes
from training.system import Batch, Preset, System, rate_groups

PLAN = MadePlan()
TEMPERATURE = 0.07
_PROBES = 500


class OnTrunk(Protocol):
    """A network with a trunk."""

    trunk: Trunk


def presets(
    *, smoke_items: int, cpu_steps: int, cpu_items: int, trunk_rate: float, head_rate: float
) -> dict[str, Preset]:
    """The three presets of a system of the survey."""
    return {
        "smoke": Preset(6, smoke_items, trunk_rate, head_rate, warmup_steps=2, evaluate_items=60),
        "cpu": Preset(cpu_steps, cpu_items, trunk_rate, head_rate, warmup_steps=40, evaluate_items=2000),
        "gpu": Preset(4000, 128, trunk_rate, head_rate, warmup_steps=200, evaluate_items=2000, workers=12),
    }


def vector_system(
    name: str,
    title: str,
    *,
    paper: str,
    presets: Mapping[str, Preset],
    build: Callable[[], nn.Module],
    settings: Mapping[str, str | int | float | bool],
) -> System:
    """A system whose network returns one unit vector a picture: only the network is its own."""
    return System(
        name=name,
        title=title,
        paper=paper,
        presets=presets,
        build=build,
        dataset=_dataset,
        loss=_loss,
        rates=_rates,
        evaluate=_evaluate,
        load_trunk=_load_trunk,
        settings=settings,
    )


def vector_plan(dimensions: int, *, summary: str, limits: str = "") -> ExportPlan:
    """How such a system is exported."""
    return ExportPlan(
        kind="picture_embedding",
        inputs=(TensorShape("image", "uint8", (PLAN.planes, 384, 192)),),
        outputs=(TensorShape("embedding", "float16", (dimensions,)),),
        px_per_cm=0.0,
        summary=f"{summary} Plane 0 of a picture is a print (contact dark), plane 1 a depth map (touching bright).",
        trained_on="made shoes of outsole.synthesis alone: no real print was seen",
        licence="Apache-2.0",
        limits=limits or "A baseline of the survey: it does not know which part of the sole a print shows.",
        settings={"canvas": "the sole's length is 0.91 to 0.985 of the height"},
        precision="fp16",
    )


def _dataset(preset: Preset) -> MadePairs:
    return MadePairs(PLAN, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    vectors = network(torch.cat([batch["query"], batch["database"]]))
    return {"loss": supervised_contrastive(vectors, batch["labels"].repeat(2), temperature=TEMPERATURE)}


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(OnTrunk, network).trunk)


def _evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    return vector_figures(network, unseen_probes(preset.evaluate_items, probes=_PROBES))


def _load_trunk(network: nn.Module, path: Path) -> None:
    load_published(cast(OnTrunk, network).trunk, path)
