"""Tread depth and clean print from sole photographs: ``python -m training.depth --preset smoke|cpu|gpu``.

Learned from photographs of made shoes (``outsole.synthesis.photographs``), whose depth is known. Random rubber, light
and dirt stand between the picture and the relief, and are what the network learns to look through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from outsole.encoders.depth_unet import COLOURS, LAST_BLOCK, DepthUnet
from outsole.encoders.trunks import LiteTrunk, load_lite
from outsole.inference.encoder import TensorShape
from outsole.synthesis.photographs import INK, PAPER, photograph
from outsole.synthesis.shoes import make_instance
from outsole.synthesis.treads import Tread
from training.command import command
from training.export_plan import ExportPlan
from training.made_prints import LEARNED_SEED, UNSEEN_SEED, MadeShoes
from training.system import Batch, Preset, System, device_of, rate_groups

_MODELS = 1200
_INSTANCES = 2
_EVALUATED_TOGETHER = 16
_WHITE = 255
# A wrong edge costs more than a wrong level: retrieval compares edges.
_GRADIENT_WEIGHT, _PRINT_WEIGHT, _OUTSIDE_WEIGHT = 1.0, 0.25, 0.2
# Levels are relative: what counts is that high and low lie where they do in the true relief.
_UNLIKENESS_WEIGHT = 0.5
_LAMP_WEIGHT = 0.5


class MadePhotographs:
    """Batches of photographs with their depth by step (``training.system.StepDataset``).

    Batches hold ``image`` uint8 [N, 384, 192, 3], ``depth`` uint8 [N, 384, 192] (255 touching), ``print`` uint8
    [N, 384, 192] (255 contact), ``inside`` bool [N, 384, 192] and ``lamp`` float32 [N, 2] (right and down parts of the
    unit vector towards it).

    Args:
        steps: How many batches there are.
        batch_items: N.
        seed: Of all that is random.
        plan_seed: Of the plan of models.
        models: How many models there are.
    """

    def __init__(self, *, steps: int, batch_items: int, seed: int, plan_seed: int, models: int) -> None:
        self._steps, self._items, self._seed = steps, batch_items, seed
        self._shoes = MadeShoes(models, seed=plan_seed)

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([0xDE97, self._seed, step])
        models = rng.integers(len(self._shoes.models), size=self._items).tolist()
        instances = rng.integers(_INSTANCES, size=self._items).tolist()
        seeds = rng.integers(1 << 40, size=self._items).tolist()
        treads = [_tread(self._shoes.depth(m, i)) for m, i in zip(models, instances, strict=True)]
        return _batch_of(treads, seeds)


def build_network() -> DepthUnet:
    """The network, its trunk with ImageNet weights."""
    return DepthUnet(LiteTrunk(load_lite("lite0"), inputs=COLOURS, last_block=LAST_BLOCK))


def loss_of(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """L1 of the depth and its gradients, one less its correlation, cross entropy of the print, squares of the lamp.

    Args:
        network: A ``DepthUnet``.
        batch: Of ``MadePhotographs``.
    """
    depth, contact, lamp = (part.float() for part in cast(DepthUnet, network).logits(batch["image"]))
    truth, print_truth = batch["depth"].float() / _WHITE, batch["print"].float() / _WHITE
    weight = batch["inside"].float() * (1 - _OUTSIDE_WEIGHT) + _OUTSIDE_WEIGHT
    share = weight / weight.sum()
    level = ((depth - truth).abs() * share).sum()
    gradient = _gradient_difference(depth, truth)
    contact_loss = (functional.binary_cross_entropy_with_logits(contact, print_truth, reduction="none") * share).sum()
    unlikeness = 1 - correlation(depth, truth, batch["inside"].float()).mean()
    lamp_loss = (lamp - batch["lamp"].float()).square().sum(dim=1).mean()
    total = level + _GRADIENT_WEIGHT * gradient + _UNLIKENESS_WEIGHT * unlikeness + _PRINT_WEIGHT * contact_loss
    parts = {"level": level, "gradient": gradient, "unlikeness": unlikeness, "print": contact_loss, "lamp": lamp_loss}
    return {"loss": total + _LAMP_WEIGHT * lamp_loss, **parts}


def evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    """Figures on photographs of models that no training saw.

    Returns:
        ``depth_corr``: mean over the photographs of the correlation of predicted and true depth inside the sole,
        -1 .. 1; ``print_corr``: the same of the print; ``depth_mae``: mean absolute error inside the sole, 0 .. 1.
    """
    steps = -(-preset.evaluate_items // _EVALUATED_TOGETHER)
    unseen = MadePhotographs(
        steps=steps, batch_items=_EVALUATED_TOGETHER, seed=0, plan_seed=UNSEEN_SEED, models=preset.evaluate_items
    )
    device = device_of(network)
    rows: list[torch.Tensor] = []
    for step in range(steps):
        batch = unseen[step]
        depth, contact = (part.float().cpu() for part in network(batch["image"].to(device)))
        truth, inside = batch["depth"].float() / _WHITE, batch["inside"].float()
        error = ((depth - truth).abs() * inside).sum((1, 2)) / inside.sum((1, 2))
        print_truth = batch["print"].float() / _WHITE
        rows.append(torch.stack([correlation(depth, truth, inside), correlation(contact, print_truth, inside), error]))
    depth_corr, print_corr, error = torch.cat(rows, dim=1).mean(dim=1).tolist()
    return {"depth_corr": depth_corr, "print_corr": print_corr, "depth_mae": error}


def correlation(first: torch.Tensor, second: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of two pictures float32 [N, H, W] over the pixels of a float mask; float32 [N], -1 .. 1.

    Pictures that are constant there correlate with nothing: 0.
    """
    count = inside.sum((1, 2), keepdim=True).clamp(min=1.0)
    centred = [(p - (p * inside).sum((1, 2), keepdim=True) / count) * inside for p in (first, second)]
    lengths = centred[0].square().sum((1, 2)) * centred[1].square().sum((1, 2))
    return (centred[0] * centred[1]).sum((1, 2)) / lengths.sqrt().clamp(min=1e-6)


def _gradient_difference(depth: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of the gradients down and right."""
    down, right = (torch.diff(depth - truth, dim=dim).abs().mean() for dim in (1, 2))
    return down + right


def _tread(depth: NDArray[np.uint8]) -> Tread:
    values = depth.astype(np.float32) / np.float32(_WHITE)
    return Tread(depth=values, inside=depth > 0, shape="", families=("", "", ""))


def _batch_of(treads: Sequence[Tread], seeds: Sequence[int]) -> Batch:
    taken = [photograph(tread, seed) for tread, seed in zip(treads, seeds, strict=True)]
    depths = np.stack([np.rint(one.depth * np.float32(_WHITE)).astype(np.uint8) for one in taken])
    return {
        "image": torch.from_numpy(np.stack([one.rgb for one in taken])),
        "depth": torch.from_numpy(depths),
        "print": torch.from_numpy(_contact_of(np.stack([one.print for one in taken]))),
        "inside": torch.from_numpy(np.stack([one.inside for one in taken])),
        "lamp": torch.from_numpy(np.stack([one.lamp for one in taken])),
    }


def _contact_of(prints: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Clean prints as contact, uint8 [N, H, W]: 0 paper, 255 ink."""
    contact = (PAPER - prints.astype(np.float32)) * np.float32(_WHITE / (PAPER - INK))
    return np.asarray(np.clip(np.rint(contact), 0, _WHITE), np.uint8)


def _dataset(preset: Preset) -> MadePhotographs:
    return MadePhotographs(
        steps=preset.steps,
        batch_items=preset.batch_items,
        seed=preset.seed,
        plan_seed=LEARNED_SEED,
        models=_MODELS,
    )


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(DepthUnet, network).trunk)


def _examples(count: int) -> tuple[NDArray[np.generic], ...]:
    shoes = MadeShoes(count, seed=UNSEEN_SEED)
    treads = [make_instance(model, 0, height_px=384) for model in shoes.models]
    return (_batch_of(treads, range(count))["image"].numpy(),)


SYSTEM = System(
    name="depth_unet",
    title="Tread depth from photographs",
    paper="U-Net; Ronneberger et al., MICCAI 2015",
    presets={
        "smoke": Preset(steps=12, batch_items=4, trunk_rate=5e-4, head_rate=2e-3, warmup_steps=3, evaluate_items=16),
        "cpu": Preset(steps=3000, batch_items=12, trunk_rate=5e-4, head_rate=2e-3, warmup_steps=30, evaluate_items=200),
        "gpu": Preset(
            steps=8000,
            batch_items=64,
            trunk_rate=5e-4,
            head_rate=2e-3,
            warmup_steps=200,
            evaluate_items=400,
            workers=12,
        ),
    },
    build=build_network,
    dataset=_dataset,
    loss=loss_of,
    rates=_rates,
    evaluate=evaluate,
    settings={
        "gradient_weight": _GRADIENT_WEIGHT,
        "print_weight": _PRINT_WEIGHT,
        "unlikeness_weight": _UNLIKENESS_WEIGHT,
        "lamp_weight": _LAMP_WEIGHT,
    },
)

EXPORT_PLANS = {
    SYSTEM.name: ExportPlan(
        kind="depth_map",
        inputs=(TensorShape("image", "uint8", (384, 192, 3)),),
        outputs=(TensorShape("depth", "float16", (384, 192)), TensorShape("print", "float16", (384, 192))),
        px_per_cm=0.0,
        summary=(
            "A small U-Net on EfficientNet-Lite0 to block 10: the photograph of a sole (red first, toe up, the sole "
            "filling the height) to its depth, 0 far and outside .. 1 touching, and the print that it would leave, "
            "0 .. 1 contact."
        ),
        trained_on="photographs of made shoes of outsole.synthesis alone: no retailer's photograph was seen",
        licence="Apache-2.0",
        limits="One photograph has no scale of depth: levels are relative to the sole's own highest elements.",
        settings={"canvas": "the sole's length is 0.91 to 0.985 of the height"},
        examples=_examples,
        precision="fp16",
    )
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
