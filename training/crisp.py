"""CriSp (ECCV 2024) on made treads: ``python -m training.crisp --system crisp_lite|crisp_resnet50 --preset ...``.

The loss is the supervised contrastive one over 2N views, a degraded print and a database picture of each of N shoes;
similarities are masked means of per-cell cosines under the random rectangle of the batch and, beyond the paper, under
what each cropped print shows. The variants leave out or exchange what Tables 3, 4 and 5 of the paper do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from outsole.encoders.crisp import CrispNet, rectangle_cells, visible_cells
from outsole.encoders.trunks import load_published, make_trunk
from outsole.inference.encoder import TensorShape
from outsole.synthesis.crisp_degradation import CrispDegradation
from training.command import command
from training.export_plan import ExportPlan
from training.losses import spatial_supervised_contrastive, supervised_contrastive
from training.made_figures import embedded, figures
from training.made_prints import MadePairs, MadePlan, unseen_probes
from training.system import Batch, Preset, System, device_of, rate_groups

PAPER = "CriSp, ECCV 2024"
_NO_DEGRADATION = CrispDegradation(occlusion=False, erasure=False, noise=False)
_PROBES = 500
_HIDDEN_LITE, _HIDDEN_RESNET = 512, 2048


@dataclass(frozen=True)
class CrispSettings:
    """What tells one CriSp from another.

    Attributes:
        trunk: ``lite0`` or ``resnet50``.
        spatial: Whether the loss compares cells; pooled vectors else (Table 3).
        query_masks: Whether it compares them under query masks (Table 3).
        database: What the database holds (Table 4).
        occlusion, erasure, noise: Parts of the degradation (Table 5).
        weathered: Whether plain noise makes prints worse still, which the paper does not do.
        temperature: Of the loss.
    """

    trunk: str = "lite0"
    spatial: bool = True
    query_masks: bool = True
    database: str = "depth"
    occlusion: bool = True
    erasure: bool = True
    noise: bool = True
    weathered: bool = True
    temperature: float = 0.07

    @property
    def plan(self) -> MadePlan:
        """The shoes and their views."""
        degradation = CrispDegradation(occlusion=self.occlusion, erasure=self.erasure, noise=self.noise)
        return MadePlan(database=self.database, degradation=degradation, weathered=self.weathered)


# Compared with each other alone, all of the same short length with small batches; ``full`` leaves nothing out.
_ABLATION_STEPS, _ABLATION_BATCH = 300, 16
_ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "pooled": {"spatial": False, "query_masks": False},
    "unmasked": {"query_masks": False},
    "database_print": {"database": "print"},
    "database_rgb": {"database": "rgb"},
    "database_all": {"database": "all"},
    "no_degradation": {"occlusion": False, "erasure": False, "noise": False, "weathered": False},
    "only_occlusion": {"erasure": False, "noise": False, "weathered": False},
    "only_erasure": {"occlusion": False, "noise": False, "weathered": False},
    "only_noise": {"occlusion": False, "erasure": False, "weathered": False},
    "unweathered": {"weathered": False},
}

_PRESETS_LITE = {
    "smoke": Preset(steps=20, batch_items=16, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=5, evaluate_items=100),
    "cpu": Preset(steps=1600, batch_items=32, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=40, evaluate_items=2000),
    "gpu": Preset(
        steps=6000, batch_items=128, trunk_rate=4e-4, head_rate=1e-3, warmup_steps=200, evaluate_items=2000, workers=12
    ),
}
# Nothing of ResNet-50 is pretrained unless a file is named, so that its trunk learns as fast as its head.
_PRESETS_RESNET = {
    "smoke": Preset(steps=4, batch_items=8, trunk_rate=3e-4, head_rate=3e-4, warmup_steps=2, evaluate_items=50),
    "cpu": Preset(steps=500, batch_items=24, trunk_rate=3e-4, head_rate=3e-4, warmup_steps=40, evaluate_items=2000),
    "gpu": Preset(
        steps=8000, batch_items=128, trunk_rate=5e-4, head_rate=5e-4, warmup_steps=300, evaluate_items=2000, workers=12
    ),
}


def build_network(settings: CrispSettings) -> CrispNet:
    """The network of the settings, its trunk pretrained where a package has weights."""
    planes = settings.plan.planes
    if settings.trunk == "resnet50":
        return CrispNet(make_trunk("resnet50", inputs=planes), hidden=_HIDDEN_RESNET, standardised=False)
    trunk = make_trunk(settings.trunk, inputs=planes, stride=16, frozen_blocks=1)
    return CrispNet(trunk, hidden=_HIDDEN_LITE, standardised=True, reduction=2)


def loss_of(network: nn.Module, batch: Batch, *, settings: CrispSettings) -> Mapping[str, torch.Tensor]:
    """The supervised contrastive loss over the 2N views of a batch.

    Batches are those of ``training.made_prints.MadePairs`` or of ``training.picture_pairs.PicturePairs``.
    """
    crisp = cast(CrispNet, network)
    views = torch.cat([batch["query"], batch["database"]])
    labels = batch["labels"].repeat(2)
    if not settings.spatial:
        vectors = crisp.pooled(views).flatten(1)
        return {"loss": supervised_contrastive(vectors, labels, temperature=settings.temperature)}
    maps = crisp(views)
    mask = training_mask(batch, crisp.cells) if settings.query_masks else maps.new_ones(crisp.cells)
    return {"loss": spatial_supervised_contrastive(maps, mask, labels, temperature=settings.temperature)}


def training_mask(batch: Batch, cells: tuple[int, int]) -> torch.Tensor:
    """Cells that count for each of the 2N views, float32 [2N, h, w]: the batch's rectangle, and what a print shows.

    A print of which the rectangle shows nothing keeps what it shows: it would be an anchor that sees nothing.
    """
    rectangle = rectangle_cells(batch["mask"].unsqueeze(0), cells)
    shown = batch["shown"] if "shown" in batch else visible_cells(batch["visible"], cells)
    both = rectangle * shown
    seen = both.sum(dim=(1, 2), keepdim=True) > 0
    return torch.cat([torch.where(seen, both, shown), rectangle.expand_as(shown)])


def evaluate(network: nn.Module, preset: Preset, *, settings: CrispSettings) -> Mapping[str, float]:
    """hit@100 and mAP@100 on unseen models and held-out degradations, placed.

    Returns:
        ``hit100`` and ``map100`` as the variant is meant to be used, and beside them the same network's figures with
        pooled vectors, with whole maps and with masked maps: the rows of Table 3.
    """
    crisp = cast(CrispNet, network)
    made = unseen_probes(preset.evaluate_items, probes=_PROBES, database=settings.database)
    device = device_of(network)
    shown = visible_cells(torch.from_numpy(made.masks), crisp.cells)
    gallery, probes = (embedded(crisp, pictures, device) for pictures in (made.gallery, made.probes))
    stock, queries = (embedded(crisp.pooled, pictures, device) for pictures in (made.gallery, made.probes))
    ways = {
        "pooled": figures(queries, stock, made.relevant),
        "whole": figures(probes, gallery, made.relevant),
        "masked": figures(probes, gallery, made.relevant, shown=shown),
    }
    used = ways["masked" if settings.spatial else "pooled"]
    return dict(used) | {f"{name}_{way}": value for way, found in ways.items() for name, value in found.items()}


def _dataset(preset: Preset, *, settings: CrispSettings) -> MadePairs:
    return MadePairs(settings.plan, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(CrispNet, network).trunk)


def _load_trunk(network: nn.Module, path: Path) -> None:
    load_published(cast(CrispNet, network).trunk, path)


def _system(name: str, title: str, presets: Mapping[str, Preset], settings: CrispSettings) -> System:
    return System(
        name=name,
        title=title,
        paper=PAPER,
        presets=presets,
        build=partial(build_network, settings),
        dataset=partial(_dataset, settings=settings),
        loss=partial(loss_of, settings=settings),
        rates=_rates,
        evaluate=partial(evaluate, settings=settings),
        load_trunk=_load_trunk,
        settings=dataclasses.asdict(settings),
    )


def _with_variants(system: System, settings: CrispSettings) -> System:
    short = dataclasses.replace(system.preset("cpu"), steps=_ABLATION_STEPS, batch_items=_ABLATION_BATCH)
    presets = dict(system.presets) | {"cpu": short}
    variants = {
        name: _system(
            f"{system.name}:{name}",
            f"{system.title}, {name.replace('_', ' ')}",
            presets,
            dataclasses.replace(settings, **change),
        )
        for name, change in _ABLATIONS.items()
    }
    return dataclasses.replace(system, variants=variants)


_LITE, _RESNET = CrispSettings(), CrispSettings(trunk="resnet50")
CRISP_LITE = _with_variants(_system("crisp_lite", "CriSp, light trunk", _PRESETS_LITE, _LITE), _LITE)
CRISP_RESNET50 = _with_variants(_system("crisp_resnet50", "CriSp, ResNet-50", _PRESETS_RESNET, _RESNET), _RESNET)


def _plan(settings: CrispSettings, structure: str) -> ExportPlan:
    return ExportPlan(
        kind="spatial_embedding",
        inputs=(TensorShape("image", "uint8", (settings.plan.planes, 384, 192)),),
        outputs=(TensorShape("map", "float16", (128, 12, 6)),),
        px_per_cm=0.0,
        summary=(
            f"CriSp's spatial encoder (ECCV 2024): {structure}, two 1x1 convolutions to 128 channels, every cell "
            "of unit length. Plane 0 of a picture is a print (contact dark), plane 1 a tread depth map (touching "
            "bright); the plane that a picture does not have is zero. The sole fills the picture's height, toe up."
        ),
        trained_on="made shoes of outsole.synthesis alone: no real print was seen",
        licence="Apache-2.0",
        limits=(
            "Prints are compared where they lie: they have to be placed, by hand or by trying placements. The "
            "similarity of a print is the masked mean of its cells' cosines."
        ),
        settings={"cells": "32 px of the picture", "canvas": "the sole's length is 0.91 to 0.985 of the height"},
        precision="fp16",
    )


def _plans(system: System, settings: CrispSettings, structure: str) -> dict[str, ExportPlan]:
    """A plan for the system and for the variants whose pictures have other planes."""
    others = {
        f"{system.name}:{name}": _plan(dataclasses.replace(settings, **change), structure)
        for name, change in _ABLATIONS.items()
        if "database" in change
    }
    return {system.name: _plan(settings, structure)} | others


EXPORT_PLANS = _plans(
    CRISP_LITE, _LITE, "EfficientNet-Lite0 to block 10 with ImageNet weights, on the picture at half resolution"
) | _plans(CRISP_RESNET50, _RESNET, "ResNet-50 without pooling, every stage at stride 2")

main = command(CRISP_LITE, CRISP_RESNET50)

if __name__ == "__main__":
    main()
