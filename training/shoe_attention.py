"""The attention encoder of shoes: ``python -m training.shoe_attention --preset smoke|short|cpu|gpu [--variant NAME]``.

Learned as in its paper, as a classification of models with smoothed labels; each model is shown as its shop does and
as a surveillance camera does. The variants are the rows of the paper's Tables 1 to 3, all trained alike by ``python -m
training.variants shoe_attention``; ``scenes`` goes on from a run with crops of made scenes (``--begin-with
RUN/checkpoint.pt``), and is what is shipped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from outsole.encoders.shoe import DIMENSIONS, ShoeNet
from outsole.encoders.trunks import LiteTrunk, load_published, make_trunk
from training.command import command
from training.losses import CosineProxies, in_batch_cross_entropy
from training.made_shoes import LEARNED_MODELS, LEARNED_SEED, MadeUppers, ShoeBatches, label_count
from training.scene_crops import CAMERAS, read_scene_crops
from training.shoe_systems import shoe_figures, shoe_plan
from training.system import Batch, Preset, System, rate_groups

SMOOTHING = 0.14
_PAIR_SCALE = 16.0
_SETTINGS: Mapping[str, Any] = {"attention": "sum", "places": "block", "pooling": "max", "smoothing": SMOOTHING}
_VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"attention": "none"},
    "se": {"attention": "se"},
    "cbam": {"attention": "cbam"},
    "eca": {"attention": "eca"},
    "stage": {"places": "stage"},
    "average": {"pooling": "average"},
    "both": {"pooling": "both"},
    "hard_labels": {"smoothing": 0.0},
    "unlevelled": {"levelled": False},
    # Not of the paper: half of what cameras show is what the finder cut out of made scenes.
    "scenes": {"scenes": CAMERAS},
}
_PRESETS = {
    "smoke": Preset(steps=8, batch_items=8, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=2, evaluate_items=20),
    # For the variants, which are compared with each other: a few minutes each on one core.
    "short": Preset(steps=120, batch_items=32, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=15, evaluate_items=200),
    "cpu": Preset(steps=1000, batch_items=48, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=60, evaluate_items=300),
    "gpu": Preset(
        steps=10_000, batch_items=192, trunk_rate=4e-4, head_rate=1e-3, warmup_steps=300, evaluate_items=300, workers=12
    ),
}
_SCENE_PRESETS = {**_PRESETS, "cpu": dataclasses.replace(_PRESETS["cpu"], steps=1200)}


class ShoeLearner(nn.Module):
    """The encoder with what its loss learns: one vector a model.

    Args:
        encoder: The network that is exported.
        classes: Models learned from.
        smoothing: Of the labels.
    """

    def __init__(self, encoder: ShoeNet, *, classes: int, smoothing: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.proxies = CosineProxies(classes, DIMENSIONS, margin=0.0, smoothing=smoothing)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """See ``ShoeNet.forward``."""
        vectors: torch.Tensor = self.encoder(image)
        return vectors


def loss_of(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Smoothed cross entropy over all models, and between the two pictures of each within the batch."""
    learner = cast(ShoeLearner, network)
    vectors = learner(batch["image"])
    classes = learner.proxies(vectors, batch["labels"])
    pairs = pair_loss(vectors, batch["labels"])
    return {"loss": classes + pairs, "classes": classes, "pairs": pairs}


def pair_loss(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Each camera crop should find its own shop photograph among those of the batch, and the other way.

    Args:
        vectors: float [2N, D], of N photographs, then of what a camera shows of the same.
        labels: int [2N]; rows of one label are not held against each other.
    """
    shop, camera = vectors.chunk(2)
    return in_batch_cross_entropy(camera, shop, _PAIR_SCALE, labels=labels[: len(shop)])


def build_encoder(how: Mapping[str, Any] = _SETTINGS) -> ShoeNet:
    """The encoder, its trunk with ImageNet weights.

    Args:
        how: Settings of the system: ``attention``, ``places``, ``pooling``.
    """
    trunk = cast(LiteTrunk, make_trunk("lite0", inputs=3, stride=32, frozen_blocks=1))
    return ShoeNet(trunk, attention=str(how["attention"]), places=str(how["places"]), pooling=str(how["pooling"]))


def _system(variant: str = "") -> System:
    how = {**_SETTINGS, **_VARIANTS.get(variant, {})}
    levelled = bool(how.get("levelled", True))

    def build() -> nn.Module:
        return ShoeLearner(build_encoder(how), classes=label_count(LEARNED_MODELS), smoothing=float(how["smoothing"]))

    def dataset(preset: Preset) -> ShoeBatches:
        uppers = MadeUppers(LEARNED_MODELS, seed=LEARNED_SEED)
        return ShoeBatches(
            uppers,
            steps=preset.steps,
            batch_items=preset.batch_items,
            seed=preset.seed,
            levelled=levelled,
            found=read_scene_crops(cameras=int(how["scenes"])) if "scenes" in how else None,
        )

    return System(
        name=f"shoe_attention:{variant}" if variant else "shoe_attention",
        title="Attention encoder of shoes" + (f", {variant}" if variant else ""),
        paper="shoe type recognition by attention, 2022",
        presets=_SCENE_PRESETS if "scenes" in how else _PRESETS,
        build=build,
        dataset=dataset,
        loss=loss_of,
        rates=_rates,
        evaluate=lambda network, preset: shoe_figures(network, preset.evaluate_items, levelled=levelled),
        load_trunk=_load_trunk,
        settings=dict(how),
    )


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(ShoeLearner, network).encoder.trunk)


def _load_trunk(network: nn.Module, path: Path) -> None:
    load_published(cast(ShoeLearner, network).encoder.trunk, path)


def _encoder(network: nn.Module) -> nn.Module:
    return cast(ShoeLearner, network).encoder


SYSTEM = dataclasses.replace(_system(), variants={name: _system(name) for name in _VARIANTS})

EXPORT_PLANS = {
    "shoe_attention": shoe_plan(
        DIMENSIONS,
        summary=(
            "EfficientNet-Lite0 with channel attention (average and maximum through one bottleneck, their sigmoids "
            "added) in every block, maxima of the last map, a linear layer."
        ),
        module=_encoder,
    )
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
