"""The systems of prints that learn further from a gallery's own clean impressions, and how each does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from outsole.encoders.crisp import CrispNet, masked_similarity
from outsole.encoders.partial_print import DIMENSIONS
from outsole.imaging.decode import decode_image
from training import crisp, partial_print
from training.adaptable import Adaptable, add_proxies, against_all, slower_presets
from training.made_figures import embedded, recall_shares
from training.picture_pairs import PicturePairs
from training.print_views import KeptImpressions, ViewBatches, whole_view
from training.system import Batch, Preset, device_of

# Of CriSp's light trunk: stride 16 on a picture at half resolution.
_CELL_PX = 32
_PICTURES = "clean impressions"


def read_impressions(files: Sequence[Path]) -> tuple[KeptImpressions, list[str]]:
    """The impressions of files; all can be used.

    Raises:
        OutsoleError: A file cannot be read as an image; the message names it.
    """
    bar = tqdm(files, desc="impressions", unit="image")
    return KeptImpressions([decode_image(file.read_bytes(), field=file.name).gray for file in bar]), []


def _add_proxies(network: nn.Module, impressions: KeptImpressions) -> None:
    """One proxy for each side of each impression."""

    def vectors(rows: range) -> torch.Tensor:
        wholes = [whole_view(impressions, row // 2, row, mirrored=bool(row % 2)) for row in rows]
        views, cells = (torch.from_numpy(np.stack(part).astype(np.uint8)) for part in zip(*wholes, strict=True))
        return partial_print.embedded(network, views, cells)

    add_proxies(network, torch.arange(2 * len(impressions)), DIMENSIONS, vectors)


def _proxy_loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """The general loss, and that of pieces and impressions against the proxies of all impressions."""
    vectors = partial_print.vectors_of(network, batch)
    parts = partial_print.loss_of_vectors(network, vectors, batch["labels"])
    return {**parts, **against_all(network, vectors, batch["labels"].repeat(2), in_batch=parts["loss"])}


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
PRINTS: Mapping[str, Adaptable] = {
    _PARTIAL.name: Adaptable(
        _PARTIAL,
        partial_print.EXPORT_PLANS[_PARTIAL.name],
        slower_presets(_PARTIAL, steps=400, trunk_rate=2e-4, head_rate=5e-4),
        _PICTURES,
        read_impressions,
        _views,
        _views_found,
        not_served=("log_scale",),
        prepare=_add_proxies,
        loss=_proxy_loss,
    ),
    _CRISP.name: Adaptable(
        _CRISP,
        crisp.EXPORT_PLANS[_CRISP.name],
        slower_presets(_CRISP, steps=300, trunk_rate=2e-4, head_rate=5e-4),
        _PICTURES,
        read_impressions,
        _pairs,
        _pairs_found,
    ),
}
