"""Made prints of encoded items: a part of a tread, turned, faded and laid on a floor, as a file and as features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.at_scale.bases import Encoders, base_models, base_tread
from benchmarks.at_scale.made_gallery import item_id
from outsole.errors import InvalidInput
from outsole.evaluation.collections import LabelledProbe
from outsole.matching.features import ProbeFeatures
from outsole.synthesis.made_editions import ItemPlan
from outsole.synthesis.prints import scene_print
from outsole.synthesis.shoes import ShoeModel


@dataclass(frozen=True)
class MadeProbe:
    """A print of an item that is in the gallery with its own features.

    Attributes:
        labelled: The file, and the item that it shows.
        row: The item's row in a gallery of made items alone.
    """

    labelled: LabelledProbe
    row: int


def make_probes(folder: Path, plan: ItemPlan, *, count: int, bases: int, seed: int) -> list[MadeProbe]:
    """Write prints of encoded items, each of another one while they last.

    Raises:
        InvalidInput: The gallery has no encoded item.
    """
    encoded = np.flatnonzero(plan.encoded)
    if not len(encoded):
        raise InvalidInput("no item of the gallery is encoded", field="items", remedy="more items")
    models = base_models(bases, seed)
    rng = np.random.default_rng([0x9B0BE, seed])
    rows = np.concatenate([rng.permutation(encoded) for _ in range(-(-count // len(encoded)))])[:count]
    folder.mkdir(parents=True, exist_ok=True)
    return [_probe(folder, plan, number, int(row), models) for number, row in enumerate(tqdm(rows, desc="make probes"))]


def _probe(folder: Path, plan: ItemPlan, number: int, row: int, models: Sequence[ShoeModel]) -> MadeProbe:
    path = folder / f"{number:05d}.jpg"
    if not path.is_file():
        tread = base_tread(models[plan.treads[row]], left=bool(plan.lefts[row]))
        gray: NDArray[np.uint8] = scene_print(tread, 3_000_000 + number).gray
        path.write_bytes(cv2.imencode(".jpg", gray)[1].tobytes())
    return MadeProbe(LabelledProbe(path.stem, path, item_id(row)), row)


def probe_features(encoders: Encoders, probes: Sequence[LabelledProbe]) -> list[ProbeFeatures]:
    """Features of prints as the service makes them."""
    return [encoders.probe(probe.path.read_bytes()) for probe in tqdm(probes, desc="encode probes", unit="probe")]
