"""NetVLAD of shoes: ``python -m training.netvlad [--system netvlad_vgg16] --preset smoke|short|cpu|gpu``.

Learned from weak labels: the photographs that a shop files under a model, wrong ones among them, and a camera's crop of
the same model, which must come nearer to the best of the set than to any other model. The words start from k-means;
the principal components are those of the last vectors that were learned from. ImageNet weights of VGG-16 are shipped by
no package: without ``--trunk-weights FILE`` (torchvision's state dictionary) its convolutions start from scratch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from outsole.encoders.netvlad import CLUSTERS, DIMENSIONS, NetVladNet
from outsole.encoders.trunks import load_published, make_trunk
from training.command import command
from training.losses import best_positive_triplet
from training.made_shoes import LEARNED_SEED, MadeUppers
from training.shoe_sets import WeakSets
from training.shoe_systems import shoe_figures, shoe_plan
from training.system import Batch, Preset, System, device_of, rate_groups

MARGIN = 0.1
_MODELS = 3000
_KEPT = 2048
_WORD_PICTURES = 48
_WORD_SEED = 7
_EMPTY = -1


class RecentVectors(nn.Module):
    """The last vectors that a network made in training, as part of its state.

    Those of shop photographs, with their labels, are the gallery in which hard negatives are found; principal
    components are taken from all. A run that is resumed has the ones that it had.

    Args:
        dimensions: D of the vectors.
        kept: How many.
    """

    vectors: torch.Tensor
    labels: torch.Tensor
    is_query: torch.Tensor
    added: torch.Tensor

    def __init__(self, dimensions: int, *, kept: int = _KEPT) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(kept, dimensions, dtype=torch.float16))
        self.register_buffer("labels", torch.full((kept,), _EMPTY))
        self.register_buffer("is_query", torch.zeros(kept, dtype=torch.bool))
        self.register_buffer("added", torch.zeros((), dtype=torch.int64))

    def add(self, vectors: torch.Tensor, labels: torch.Tensor, *, are_queries: bool) -> None:
        """Take in ``vectors`` float [N, D] with ``labels`` int64 [N], in the place of the oldest."""
        places = (self.added + torch.arange(len(labels), device=labels.device)) % len(self.labels)
        self.vectors[places] = vectors.detach().to(self.vectors.dtype)
        self.labels[places] = labels
        self.is_query[places] = are_queries
        self.added += len(labels)

    def in_gallery(self) -> torch.Tensor:
        """Which rows are shop photographs, bool [kept]."""
        return (self.labels != _EMPTY) & ~self.is_query

    def filled(self) -> torch.Tensor:
        """Those there are, float32 [M, D]."""
        return self.vectors[self.labels != _EMPTY].float()


class NetVladLearner(nn.Module):
    """The encoder with the vectors that it made last.

    When training mode ends, here or in a checkpoint that was loaded, the encoder's last layer is set from them.

    Args:
        encoder: The network that is exported.
        kept: How many vectors.
    """

    def __init__(self, encoder: NetVladNet, *, kept: int = _KEPT) -> None:
        super().__init__()
        self.encoder = encoder
        self.recent = RecentVectors(encoder.whitening.in_features, kept=kept)

    def train(self, mode: bool = True) -> NetVladLearner:
        """Switch; leaving training whitens."""
        if self.training and not mode:
            vectors = self.recent.filled()
            if len(vectors) > 1:
                self.encoder.whiten(vectors)
        super().train(mode)
        return self

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """See ``NetVladNet.forward``."""
        vectors: torch.Tensor = self.encoder(image)
        return vectors

    def start_words(self) -> None:
        """Find the encoder's words in a few shop photographs of models that are learned from."""
        uppers = MadeUppers(_WORD_PICTURES, seed=LEARNED_SEED)
        crops = np.stack([uppers.catalogue(model, model) for model in range(_WORD_PICTURES)])
        self.encoder.start_words(torch.from_numpy(crops).to(device_of(self)), seed=_WORD_SEED)


def loss_of(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """The triplet of each query, its best positive, and the nearest photographs of other models, now or lately."""
    learner = cast(NetVladLearner, network)
    labels, sets = batch["labels"], batch["sets"]
    vectors = learner.encoder.aggregated(torch.cat([batch["query"], sets.flatten(0, 1)]))
    queries, items = vectors[: len(labels)], vectors[len(labels) :]
    filed, recent = labels.repeat_interleave(sets.shape[1]), learner.recent
    gallery = torch.cat([items.float(), recent.vectors.float()])
    same = labels[:, None] == torch.cat([filed, recent.labels])
    shown = torch.cat([torch.ones_like(filed, dtype=torch.bool), recent.in_gallery()])
    now = torch.arange(len(shown), device=shown.device) < len(items)
    loss = best_positive_triplet(queries, gallery, positive=same & now, negative=~same & shown, margin=MARGIN)
    recent.add(queries, labels, are_queries=True)
    recent.add(items, filed, are_queries=False)
    return {"loss": loss}


def _evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    """Camera crops of unseen models among one shop photograph each: ``rank1``, ``rank5`` and ``map``, 0 .. 1."""
    return shoe_figures(network, preset.evaluate_items)


def _dataset(preset: Preset) -> WeakSets:
    uppers = MadeUppers(_MODELS, seed=LEARNED_SEED)
    return WeakSets(uppers, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(NetVladLearner, network).encoder.trunk)


def _load_trunk(network: nn.Module, path: Path) -> None:
    learner = cast(NetVladLearner, network)
    load_published(learner.encoder.trunk, path)
    # The words of another trunk are none of this one's.
    learner.start_words()


def _encoder(network: nn.Module) -> nn.Module:
    # A checkpoint is of a run in training mode: leaving it whitens.
    return cast(NetVladLearner, network.eval()).encoder


def _build(trunk: str) -> nn.Module:
    learner = NetVladLearner(NetVladNet(make_trunk(trunk, inputs=3, stride=16, frozen_blocks=1)))
    learner.start_words()
    return learner


def _build_lite() -> nn.Module:
    """EfficientNet-Lite0 to block 10: at stride 32 there would be fewer cells (28) than words (64)."""
    return _build("lite0")


def _build_vgg16() -> nn.Module:
    """VGG-16 to conv5_3."""
    return _build("vgg16")


def _presets(*, smoke_items: int, cpu_steps: int, cpu_items: int, trunk_rate: float) -> dict[str, Preset]:
    return {
        "smoke": Preset(6, smoke_items, trunk_rate, 1e-3, warmup_steps=2, evaluate_items=20),
        "short": Preset(cpu_steps // 7, cpu_items, trunk_rate, 1e-3, warmup_steps=15, evaluate_items=200),
        "cpu": Preset(cpu_steps, cpu_items, trunk_rate, 1e-3, warmup_steps=40, evaluate_items=300),
        "gpu": Preset(10_000, 192, trunk_rate, 1e-3, warmup_steps=300, evaluate_items=300, workers=12),
    }


def _system(name: str, title: str, *, trunk: str, presets: Mapping[str, Preset]) -> System:
    return System(
        name=name,
        title=title,
        paper="NetVLAD; Arandjelovic et al., CVPR 2016",
        presets=presets,
        build=_build_lite if trunk == "lite0" else _build_vgg16,
        dataset=_dataset,
        loss=loss_of,
        rates=_rates,
        evaluate=_evaluate,
        load_trunk=_load_trunk,
        settings={"trunk": trunk, "clusters": CLUSTERS, "margin": MARGIN, "kept": _KEPT},
    )


NETVLAD_LITE = _system(
    "netvlad_lite",
    "NetVLAD of shoes, light trunk",
    trunk="lite0",
    presets=_presets(smoke_items=8, cpu_steps=800, cpu_items=48, trunk_rate=3e-4),
)
NETVLAD_VGG16 = _system(
    "netvlad_vgg16",
    "NetVLAD of shoes, VGG-16",
    trunk="vgg16",
    presets=_presets(smoke_items=8, cpu_steps=140, cpu_items=24, trunk_rate=1e-4),
)
_HOW = "residuals of its cells to 64 words by soft assignment, principal components whitened."
EXPORT_PLANS = {
    "netvlad_lite": shoe_plan(DIMENSIONS, summary=f"EfficientNet-Lite0 to block 10; {_HOW}", module=_encoder),
    "netvlad_vgg16": shoe_plan(DIMENSIONS, summary=f"VGG-16 to conv5_3; {_HOW}", module=_encoder),
}

main = command(NETVLAD_LITE, NETVLAD_VGG16)

if __name__ == "__main__":
    main()
