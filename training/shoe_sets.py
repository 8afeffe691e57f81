"""Sets of a shoe model's photographs as shops file them: most show it, some do not (weak labels)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import level_crop, upright_crop
from outsole.synthesis.shoe_pictures import CameraPlan, retail_photograph
from outsole.synthesis.shop_mistakes import MISTAKES, draw_mistake
from outsole.synthesis.upper_designs import design_of
from training.made_shoes import UNSEEN_SEED, MadeUppers
from training.system import Batch

WRONG = ("shoe", *MISTAKES)
WRONG_SHARE = 0.1
_DRAWN_PX = 256
# As a buyer photographs a shoe: in a room, turned, but close, still and uncovered.
_BUYER = CameraPlan(length_px=128, motion=False, trousers=False, turn_limit_deg=12.0)


def wrong_picture(uppers: MadeUppers, model: int, kind: str, seed: int) -> NDArray[np.uint8]:
    """A picture that is filed under a model and does not show its side, as a crop uint8 [112, 224, 3].

    Args:
        uppers: The models.
        model: Under which it is filed.
        kind: One of ``WRONG``: another model's ``shoe``, or a mistake of `outsole.synthesis.shop_mistakes`.
        seed: At least 0; draws the rest.

    Raises:
        InvalidInput: An unknown kind, or another shoe is wanted where there is one model alone.
    """
    if kind != "shoe":
        drawn = draw_mistake(design_of(uppers.models[model]), kind, seed, length_px=_DRAWN_PX)
        taken = retail_photograph(drawn, seed)
        if taken.view is View.SIDE:
            return level_crop(taken.rgb, toe=taken.toe, heel=taken.heel)
        return upright_crop(taken.rgb, box=(0.0, 0.0, float(taken.rgb.shape[1]), float(taken.rgb.shape[0])))
    if len(uppers) < 2:
        raise InvalidInput("there is no other model", field="uppers", remedy="at least 2 models")
    step = int(np.random.default_rng([0x0D0, seed]).integers(1, len(uppers)))
    return uppers.catalogue((model + step) % len(uppers), seed)


class WeakSets:
    """Batches of weakly labelled sets by step (``training.system.StepDataset``).

    Batches hold ``query`` uint8 [M, 112, 224, 3], a camera's crop of each of M different models; ``sets`` uint8
    [M, S, 112, 224, 3], a shop's photographs of each; ``labels`` int64 [M]; and ``planted`` bool [M, S], which of the
    pictures are wrong: nothing that learns may look at it. At least one picture of every set is right.

    Args:
        uppers: The models, at least M.
        steps: How many batches there are.
        batch_items: Pictures a batch; M is as many as have room, at least 2.
        set_size: S, at least 2.
        wrong_share: Of the pictures, below 1.
        seed: Of all that is random.
    """

    def __init__(
        self,
        uppers: MadeUppers,
        *,
        steps: int,
        batch_items: int,
        seed: int,
        set_size: int = 3,
        wrong_share: float = 0.15,
    ) -> None:
        models = batch_items // (set_size + 1)
        if set_size < 2 or not 2 <= models <= len(uppers):
            text = f"{batch_items} pictures hold {models} sets of {set_size} of {len(uppers)} models"
            raise InvalidInput(text, field="batch_items", remedy="at least 2 sets of 2, and as many models")
        self._uppers, self._steps, self._seed = uppers, steps, seed
        self._shape, self._wrong_share = (models, set_size), wrong_share

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([0x5E75, self._seed, step])
        chosen = rng.choice(len(self._uppers), size=self._shape[0], replace=False)
        planted = rng.random(self._shape) < self._wrong_share
        planted[planted.all(axis=1), 0] = False
        queries = [self._uppers.seen(model, _seed(rng)) for model in chosen.tolist()]
        models = np.repeat(chosen, self._shape[1])
        crops, _ = _filed(self._uppers, models, planted.ravel(), rng)
        return {
            "query": torch.from_numpy(np.stack(queries)),
            "sets": torch.from_numpy(np.stack(crops).reshape(*self._shape, *crops[0].shape)),
            "labels": torch.from_numpy(chosen.astype(np.int64)),
            "planted": torch.from_numpy(planted),
        }


@dataclass(frozen=True)
class PlantedSets:
    """Photographs of models that no training saw, with wrong ones among them.

    Attributes:
        crops: uint8 [N, 112, 224, 3].
        models: int64 [N], under which model each is filed; equal ones follow each other.
        kinds: N times one of ``WRONG``, or empty where the picture is right.
    """

    crops: NDArray[np.uint8]
    models: NDArray[np.int64]
    kinds: tuple[str, ...]

    @property
    def planted(self) -> NDArray[np.bool_]:
        """bool [N], which pictures are wrong."""
        return np.array([bool(kind) for kind in self.kinds])


def planted_sets(
    models: int,
    *,
    sizes: tuple[int, int] = (6, 12),
    wrong_share: float = WRONG_SHARE,
    buyers_share: float = 0.0,
    seed: int = 0,
) -> PlantedSets:
    """Make sets of photographs of models that no training saw.

    Args:
        models: How many sets, at least 2.
        sizes: Fewest and most pictures of a set, drawn evenly.
        wrong_share: Chance of each picture to be wrong; never half of a set or more is.
        buyers_share: Of the right pictures, those taken by buyers at home instead of by the shop.
        seed: Of all that is random, the models among it.
    """
    uppers = MadeUppers(models, seed=UNSEEN_SEED + seed)
    rng = np.random.default_rng([0x91A7, seed])
    counts = rng.integers(sizes[0], sizes[1] + 1, size=models)
    filed = np.repeat(np.arange(models), counts)
    planted = rng.random(len(filed)) < wrong_share
    for rows in np.split(np.arange(len(filed)), np.cumsum(counts)[:-1]):
        # A set whose wrong pictures are the majority says nothing about which of them are wrong.
        planted[rows[planted[rows]][(len(rows) - 1) // 2 :]] = False
    crops, kinds = _filed(uppers, filed, planted, rng, buyers_share=buyers_share)
    return PlantedSets(np.stack(crops), filed.astype(np.int64), tuple(kinds))


def _filed(
    uppers: MadeUppers,
    models: NDArray[np.integer],
    planted: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    buyers_share: float = 0.0,
) -> tuple[Sequence[NDArray[np.uint8]], list[str]]:
    """A picture a row, with what is wrong with it."""
    kinds = [str(rng.choice(WRONG)) if wrong else "" for wrong in planted.tolist()]
    crops = []
    for model, kind in zip(models.tolist(), kinds, strict=True):
        seed = _seed(rng)
        if kind:
            crops.append(wrong_picture(uppers, model, kind, seed))
        elif rng.random() < buyers_share:
            crops.append(uppers.seen(model, seed, plan=_BUYER))
        else:
            crops.append(uppers.catalogue(model, seed))
    return crops, kinds


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 40))
