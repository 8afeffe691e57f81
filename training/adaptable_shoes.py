"""The encoder of shoes, trained further on a catalogue's own photographs under the surveillance degradation.

Each photograph is told from all others of the catalogue (instance discrimination): its crop and what a camera would
leave of it are a pair, within the batch and against one learned vector a photograph. Its own figures flatter: on made
models what was left out was found less often than before (``benchmarks.shoe_systems.adaptation``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from outsole.answers import View
from outsole.encoders.shoe import DIMENSIONS, ShoeNet
from outsole.imaging.decode import decode_image
from outsole.matching.shoe_system import colours_of
from training import shoe_attention
from training.adaptable import Adaptable, add_proxies, against_all, slower_presets
from training.export_plan import the_network_itself
from training.made_figures import embedded
from training.own_photographs import KeptPhotographs, OwnShoeBatches, Photograph
from training.shoe_systems import crop_figures
from training.system import Batch, Preset, device_of, rate_groups

# Seeds of the training are below: no degradation that is measured was learned from.
_MEASURED_FROM = 1 << 41


def read_photographs(files: Sequence[Path]) -> tuple[KeptPhotographs, list[str]]:
    """Photographs of sides, one model a file; and why others cannot be used.

    Raises:
        OutsoleError: A file cannot be read as an image; the message names it.
    """

    def photograph(file: Path) -> Photograph:
        decoded = decode_image(file.read_bytes(), field=file.name, with_color=True)
        return Photograph(colours_of(decoded), View.SIDE, file.stem, file.name)

    return KeptPhotographs.cut(map(photograph, tqdm(files, desc="photographs", unit="image")))


def figures_of(
    network: nn.Module, photographs: KeptPhotographs, *, asked: KeptPhotographs, seed: int
) -> Mapping[str, float]:
    """Degraded views of photographs searched among photographs: ``rank1``, ``rank5`` and ``map``, 0 .. 1.

    Args:
        network: See ``training.shoe_systems.crop_figures``.
        photographs: What is searched.
        asked: Of which one view each is searched with; of the models of ``photographs``.
        seed: Draws the degradations; the training's are others.
    """
    codes = {name: code for code, name in enumerate(photographs.names)}
    gallery = np.stack([photographs.catalogue(row) for row in range(len(photographs))])
    probes = np.stack([asked.seen(row, _MEASURED_FROM + (seed << 20) + row) for row in range(len(asked))])
    models, shown = (np.array([codes[name] for name in each.names], np.int64) for each in (photographs, asked))
    return crop_figures(network, gallery, models, probes=probes, shown=shown)


def _found(network: nn.Module, photographs: KeptPhotographs, preset: Preset) -> Mapping[str, float]:
    return figures_of(network, photographs, asked=photographs, seed=preset.seed)


def _batches(photographs: KeptPhotographs, preset: Preset) -> OwnShoeBatches:
    return OwnShoeBatches(photographs, steps=preset.steps, batch_items=preset.batch_items, seed=preset.seed)


def _add_proxies(network: nn.Module, photographs: KeptPhotographs) -> None:
    network.eval()

    def vectors(rows: range) -> torch.Tensor:
        return embedded(network, np.stack([photographs.catalogue(row) for row in rows]), device_of(network))

    add_proxies(network, torch.from_numpy(photographs.labels), DIMENSIONS, vectors)


def _loss(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    vectors = network(batch["image"])
    pairs = shoe_attention.pair_loss(vectors, batch["labels"])
    return against_all(network, vectors, batch["labels"], in_batch=pairs)


def _rates(network: nn.Module, preset: Preset) -> list[dict[str, Any]]:
    return rate_groups(network, preset, trunk=cast(ShoeNet, network).trunk)


_GENERAL = shoe_attention.SYSTEM
# Of the general one the classes of its models are left behind: the encoder alone is served, and goes on.
_ENCODER = dataclasses.replace(_GENERAL, build=shoe_attention.build_encoder, rates=_rates, load_trunk=None, variants={})
_GENTLE = slower_presets(_GENERAL, steps=200, trunk_rate=2e-4, head_rate=5e-4)
SHOES: Mapping[str, Adaptable] = {
    _GENERAL.name: Adaptable(
        _ENCODER,
        dataclasses.replace(shoe_attention.EXPORT_PLANS[_GENERAL.name], module=the_network_itself),
        # The proxies hold each view against the whole catalogue, so that a batch need not be large.
        {**_GENTLE, "cpu": dataclasses.replace(_GENTLE["cpu"], batch_items=32)},
        "photographs",
        read_photographs,
        _batches,
        _found,
        prepare=_add_proxies,
        loss=_loss,
    )
}
