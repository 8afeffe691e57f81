"""The systems that learn further from a gallery's own clean impressions, without labels, and how each does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from outsole.encoders.crisp import CrispNet, masked_similarity
from outsole.encoders.partial_print import DIMENSIONS
from training import crisp, partial_print
from training.export_plan import ExportPlan
from training.losses import CosineProxies
from training.made_figures import embedded, recall_shares
from training.picture_pairs import PicturePairs
from training.print_views import KeptImpressions, ViewBatches, whole_view
from training.system import Batch, Preset, StepDataset, System, device_of

_PROXIES = "proxies"
_EMBEDDED_AT_ONCE = 32
# Fewer batches are embedded in less than two seconds.
_FEW_BATCHES = 3
# Of CriSp's light trunk: stride 16 on a picture at half resolution.
_CELL_PX = 32


def _nothing_more(network: nn.Module, impressions: KeptImpressions) -> None:
    """The loss compares within the batch alone."""


@dataclass(frozen=True)
class Adaptable:
    """A system that can be adapted.

    Attributes:
        system: The general one; its presets are not used.
        plan: How it is exported.
        presets: ``smoke``, ``cpu``, ``gpu`` of the adaptation.
        dataset: From impressions to batches for the system's loss.
        evaluate: Finite figures on impressions, with degradations that the training did not draw.
        not_served: Parameters of the loss, which no model folder has.
        prepare: Adds to the general network what the adaptation's loss learns of these impressions.
        loss: The adaptation's; the system's own where None.
    """

    system: System
    plan: ExportPlan
    presets: Mapping[str, Preset]
    dataset: Callable[[KeptImpressions, Preset], StepDataset]
    evaluate: Callable[[nn.Module, KeptImpressions, Preset], Mapping[str, float]]
    not_served: tuple[str, ...] = ()
    prepare: Callable[[nn.Module, KeptImpressions], None] = _nothing_more
    loss: Callable[[nn.Module, Batch], Mapping[str, torch.Tensor]] | None = None


def _presets(system: System, *, steps: int, trunk_rate: float, head_rate: float) -> Mapping[str, Preset]:
    """The general presets, shorter and slower: what was learned from made treads is not to be forgotten."""
    slower = partial(dataclasses.replace, trunk_rate=trunk_rate, head_rate=head_rate, evaluate_items=300)
    return {
        "smoke": dataclasses.replace(system.preset("smoke"), evaluate_items=16),
        "cpu": slower(system.preset("cpu"), steps=steps, warmup_steps=30),
        "gpu": slower(system.preset("gpu"), steps=10 * steps),
    }


@torch.no_grad()
def _add_proxies(network: nn.Module, impressions: KeptImpressions) -> None:
    """One proxy for each side of each impression, where the general network sees it.

    With them every piece is compared with the whole gallery in every step, and not with a batch of it alone.
    """
    count = 2 * len(impressions)
    proxies = CosineProxies(count, DIMENSIONS)
    labels = range(0, count, _EMBEDDED_AT_ONCE)
    for start in tqdm(labels, desc="impressions, embedded", unit="batch", disable=len(labels) < _FEW_BATCHES):
        rows = range(start, min(start + _EMBEDDED_AT_ONCE, count))
        wholes = [whole_view(impressions, row // 2, row, mirrored=bool(row % 2)) for row in rows]
        views, cells = (torch.from_numpy(np.stack(part).astype(np.uint8)) for part in zip(*wholes, strict=True))
        proxies.proxies[start : start + len(rows)] = partial_print.embedded(network, views, cells)
    network.add_module(_PROXIES, proxies)


def _proxy_loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """The general loss, and that of pieces and impressions against the proxies of all impressions."""
    vectors = partial_print.vectors_of(network, batch)
    parts = partial_print.loss_of_vectors(network, vectors, batch["labels"])
    against_all = network.get_submodule(_PROXIES)(vectors, batch["labels"].repeat(2))
    return {**parts, "loss": parts["loss"] + against_all, "in_batch": parts["loss"], "against_all": against_all}


def _views(impressions: KeptImpressions, preset: Preset) -> ViewBatches:
    return ViewBatches(impressions, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _views_found(network: nn.Module, impressions: KeptImpressions, preset: Preset) -> Mapping[str, float]:
    return partial_print.recalls(network, impressions, seed=preset.seed + 1)


def _pairs(impressions: KeptImpressions, preset: Preset) -> PicturePairs:
    return PicturePairs(
        impressions, cell_px=_CELL_PX, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed
    )


@torch.no_grad()
def _pairs_found(network: nn.Module, impressions: KeptImpressions, preset: Preset) -> Mapping[str, float]:
    """Each impression is searched once, by one degraded piece of it in its place."""
    count = len(impressions)
    pairs = PicturePairs(impressions, cell_px=_CELL_PX, steps=1, batch_items=count, seed=preset.seed + 1, in_order=True)
    batch, spatial = pairs[0], cast(CrispNet, network).eval()
    query, database = (embedded(spatial, batch[name].numpy(), device_of(network)) for name in ("query", "database"))
    return recall_shares(masked_similarity(query, batch["shown"], database))


_PARTIAL, _CRISP = partial_print.SYSTEM, crisp.CRISP_LITE
ADAPTABLE: Mapping[str, Adaptable] = {
    _PARTIAL.name: Adaptable(
        _PARTIAL,
        partial_print.EXPORT_PLANS[_PARTIAL.name],
        _presets(_PARTIAL, steps=400, trunk_rate=2e-4, head_rate=5e-4),
        _views,
        _views_found,
        not_served=("log_scale",),
        prepare=_add_proxies,
        loss=_proxy_loss,
    ),
    _CRISP.name: Adaptable(
        _CRISP,
        crisp.EXPORT_PLANS[_CRISP.name],
        _presets(_CRISP, steps=300, trunk_rate=2e-4, head_rate=5e-4),
        _pairs,
        _pairs_found,
    ),
}
