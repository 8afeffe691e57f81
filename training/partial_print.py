"""The embedding for partial prints, on made treads: ``python -m training.partial_print --preset smoke|cpu|gpu``.

Every item of a batch is one tread, seen twice: as a clean impression and as what a crime scene leaves of it, turned,
cropped and degraded. The loss is cross entropy within the batch, both ways, at a learned scale: among all treads of
the batch each piece has to find its own impression, and each impression its own piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from outsole.encoders.partial_print import CANVAS_PX, CELLS, DIMENSIONS, FROZEN_BLOCKS, LAST_BLOCK, PartialPrintNet
from outsole.encoders.trunks import LiteTrunk, load_lite
from outsole.errors import InvalidInput
from outsole.inference.encoder import TensorShape
from training.command import command
from training.export_plan import Arrays, ExportPlan
from training.losses import in_batch_cross_entropy
from training.made_figures import recall_shares
from training.print_views import VALUE_SCALE, ImpressionViews, MadeTreads, ViewBatches, canvases
from training.system import Batch, Preset, System, device_of, rate_groups

# Treads learned from, and the first seed of those that nothing learns from.
LEARNED_TREADS = 3000
LEARNED_FROM, UNSEEN_FROM = 100_000, 900_000
_LARGEST_SCALE = 60.0
_EMBEDDED_AT_ONCE = 32
_PRESETS = {
    "smoke": Preset(steps=12, batch_items=8, trunk_rate=3e-4, head_rate=1e-3, warmup_steps=4, evaluate_items=40),
    "cpu": Preset(
        steps=500,
        batch_items=48,
        trunk_rate=3e-4,
        head_rate=1e-3,
        warmup_steps=60,
        evaluate_items=500,
        weight_decay=0.02,
    ),
    "gpu": Preset(
        steps=12_000,
        batch_items=192,
        trunk_rate=4e-4,
        head_rate=1e-3,
        warmup_steps=300,
        evaluate_items=1000,
        weight_decay=0.02,
        workers=12,
    ),
}


def build_network() -> PartialPrintNet:
    """The network, its trunk with ImageNet weights."""
    trunk = LiteTrunk(load_lite("lite0"), inputs=1, last_block=LAST_BLOCK, frozen_blocks=FROZEN_BLOCKS)
    return PartialPrintNet(trunk, value_scale=VALUE_SCALE)


def loss_of(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Cross entropy between impressions and pieces of a batch of ``training.print_views.ViewBatches``."""
    return loss_of_vectors(network, vectors_of(network, batch), batch["labels"])


def vectors_of(network: nn.Module, batch: Batch) -> torch.Tensor:
    """Vectors of a batch's N impressions, then of its N pieces, float32 [2N, 256]."""
    partial_print = cast(PartialPrintNet, network)
    views = torch.cat([batch["whole"], batch["piece"]]).to(torch.float32).unsqueeze(1)
    shown = torch.cat([batch["whole_cells"], batch["piece_cells"]]).to(torch.float32)
    return partial_print.embed(views.contiguous(memory_format=torch.channels_last), shown)


def loss_of_vectors(network: nn.Module, vectors: torch.Tensor, labels: torch.Tensor) -> Mapping[str, torch.Tensor]:
    """The loss of ``vectors_of`` a batch with labels int [N]."""
    partial_print = cast(PartialPrintNet, network)
    wholes, pieces = vectors.chunk(2)
    scale = partial_print.log_scale.exp().clamp(max=_LARGEST_SCALE)
    loss = in_batch_cross_entropy(pieces, wholes, scale=scale, labels=labels)
    nearest = (pieces.detach() @ wholes.detach().T).argmax(1)
    found = (labels[nearest] == labels).float().mean()
    return {"loss": loss, "found_in_batch": found, "scale": scale.detach()}


def evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
    """Pieces of unseen made treads among their impressions: recall at 1 and within the best 1 % and 10 %."""
    return recalls(network, MadeTreads(preset.evaluate_items, first_seed=UNSEEN_FROM), seed=preset.seed)


def recalls(network: nn.Module, source: ImpressionViews, *, seed: int) -> dict[str, float]:
    """Each impression of a source is searched once, by one degraded piece of it."""
    batches = ViewBatches(source, steps=1, batch_items=len(source), seed=seed, in_order=True)
    batch = batches[0]
    wholes = embedded(network, batch["whole"], batch["whole_cells"])
    pieces = embedded(network, batch["piece"], batch["piece_cells"])
    return recall_shares(pieces @ wholes.T)


@torch.no_grad()
def embedded(network: nn.Module, views: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Vectors float32 [N, 256] on the CPU of views uint8 [N, 320, 160] with cells uint8 [N, 80, 40]."""
    partial_print, device = cast(PartialPrintNet, network).eval(), device_of(network)
    parts = [
        partial_print.embed(part.unsqueeze(1).to(device, torch.float32), shown.to(device, torch.float32)).cpu()
        for part, shown in zip(*(torch.split(tensor, _EMBEDDED_AT_ONCE) for tensor in (views, cells)), strict=True)
    ]
    return torch.cat(parts)


def _dataset(preset: Preset) -> ViewBatches:
    source = MadeTreads(LEARNED_TREADS, first_seed=LEARNED_FROM)
    return ViewBatches(source, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(PartialPrintNet, network).trunk)


def _examples(count: int) -> Arrays:
    """Canvases of made pieces, so that parity is measured on what is served."""
    if count < 1:
        raise InvalidInput(f"is {count}", field="count", remedy="at least 1")
    images, cells = canvases(MadeTreads(count, first_seed=UNSEEN_FROM), seed=1)
    return images, cells.astype(np.uint8)


SYSTEM = System(
    name="partial_print",
    title="Partial-print embedding",
    paper="this project; GeM (TPAMI 2019), bilinear pooling (ICCV 2015), in-batch contrast",
    presets=_PRESETS,
    build=build_network,
    dataset=_dataset,
    loss=loss_of,
    rates=_rates,
    evaluate=evaluate,
    settings={"treads": LEARNED_TREADS},
)

EXPORT_PLANS = {
    "partial_print": ExportPlan(
        kind="print_embedding",
        inputs=(TensorShape("image", "uint8", CANVAS_PX), TensorShape("cells", "uint8", CELLS)),
        outputs=(TensorShape("embedding", "float16", (DIMENSIONS,)),),
        px_per_cm=20.0,
        summary=(
            "One unit vector for an impression or any piece of it. EfficientNet-Lite0 to block 10 on the print "
            "system's canvas at half resolution; blocks 4 and 10, standardised over the visible cells, are pooled by "
            "an attention-weighted cubic mean and by lagged co-occurrence of learned channels. `image` is the canvas "
            "that the correlation encoder gets, `cells` says which of its cells show the print."
        ),
        trained_on="made treads of outsole.synthesis alone: no real print was seen",
        licence="Apache-2.0",
        limits=(
            "It ranks; it does not look closely. Prints turned by more than about 20 degrees need several rotations. "
            "`outsole adapt` trains it further on a gallery's own impressions."
        ),
        settings={"canvas_of": "print_lite2_b6", "value_scale": VALUE_SCALE},
        examples=_examples,
        preferred_batch=8,
        precision="fp16",
    ),
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
