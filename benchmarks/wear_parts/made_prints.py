"""A made gallery of new soles, and scene prints of the same models fresh and worn, each pair harmed alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.imaging.canvas import encode_png
from outsole.synthesis.prints import ScenePrint, clean_impression, scene_print
from outsole.synthesis.shoes import UNSEEN_SEED, ShoeModel, plan_models
from outsole.synthesis.wear import make_series
from outsole.wear.weeks import LONGEST_WEEKS, STEP_WEEKS

FIRST_WEEKS = 26
# Shoes of the gallery and those that leave prints are other shoes of the same models, worn by other people.
_GALLERY_SHOE, _PRINT_SHOE = 10, 20


@dataclass(frozen=True)
class MadePrint:
    """A scene print and what it is of.

    Attributes:
        picture, mask: PNG bytes.
        item_id: The item of the gallery whose tread left it.
        weeks: How long the sole had been worn.
    """

    picture: bytes
    mask: bytes
    item_id: str
    weeks: int


def unique_treads(count: int) -> tuple[ShoeModel, ...]:
    """One model of each of ``count`` treads that no training saw; near-duplicates of each other are among them."""
    chosen: dict[tuple[int, int], ShoeModel] = {}
    for model in plan_models(3 * count, seed=UNSEEN_SEED):
        chosen.setdefault((model.family, model.variant), model)
    return tuple(chosen.values())[:count]


def write_gallery(folder: Path, models: tuple[ShoeModel, ...]) -> Path:
    """Write the impression of a new sole of each model; returns the folder of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, model in enumerate(tqdm(models, desc="gallery", unit="sole")):
        picture = clean_impression(make_series(model, _GALLERY_SHOE).tread(0), number)
        (folder / f"{model.model_id}.png").write_bytes(encode_png(picture))
    return folder


def pairs_of_prints(models: tuple[ShoeModel, ...], *, seed: int = 3) -> tuple[tuple[MadePrint, MadePrint], ...]:
    """A print of each model's shoe when it is new, and of the same shoe worn by 26 to 52 weeks.

    Everything else is equal: which part is left, the floor, what is lost and what lies over it.
    """
    rng = np.random.default_rng([0x3EAA, seed])
    steps = rng.integers(FIRST_WEEKS // STEP_WEEKS, LONGEST_WEEKS // STEP_WEEKS + 1, size=len(models)).tolist()
    pairs = []
    for number, (model, step) in enumerate(zip(models, steps, strict=True)):
        series = make_series(model, _PRINT_SHOE)
        weeks = STEP_WEEKS * step
        fresh, worn = (scene_print(series.tread(week), 1000 * seed + number) for week in (0, weeks))
        pairs.append((_made(fresh, model, 0), _made(worn, model, weeks)))
    return tuple(pairs)


def _made(scene: ScenePrint, model: ShoeModel, weeks: int) -> MadePrint:
    mask: NDArray[np.uint8] = scene.mask.astype(np.uint8) * np.uint8(255)
    return MadePrint(encode_png(scene.gray), bytes(cv2.imencode(".png", mask)[1]), model.model_id, weeks)
