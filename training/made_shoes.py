"""Made shoes as pictures: what a catalogue and what a camera shows of them, as batches and as a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.imaging.shoe_crops import View, level_crop
from outsole.synthesis.shoe_pictures import CameraPlan, ShoePicture, retail_photograph, surveillance_crop
from outsole.synthesis.shoes import ShoeModel, plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import Upper, draw_upper
from training.system import Batch

# Seeds of plans have no model in common: what is measured is never what was learned.
LEARNED_SEED, UNSEEN_SEED = 41, 42
_DRAWN_PX = 256
_LENGTHS_PX = (32, 128)
_POINT_ERROR = 0.03


class MadeUppers:
    """The models of a plan, drawn from the side when they are first asked for.

    Args:
        count: Models.
        seed: Of the plan.
    """

    def __init__(self, count: int, *, seed: int) -> None:
        self.models = plan_models(count, seed=seed)
        self._drawn = lru_cache(maxsize=count)(_drawn)

    def __len__(self) -> int:
        """Models."""
        return len(self.models)

    def catalogue(self, model: int, seed: int, *, levelled: bool = True) -> NDArray[np.uint8]:
        """A shop's photograph of a model as a crop, uint8 [112, 224, 3]."""
        return _crop(retail_photograph(self._drawn(self.models[model]), seed), seed, levelled=levelled)

    def seen(
        self, model: int, seed: int, *, plan: CameraPlan | None = None, levelled: bool = True
    ) -> NDArray[np.uint8]:
        """What a camera shows of a model as a crop, uint8 [112, 224, 3].

        Args:
            model: Number of the model.
            seed: Draws the scene, and toe and heel as a person or a network marks them: a few parts of a hundred off.
            plan: The camera; a length between 32 and 128 pixels is drawn where None.
            levelled: Whether the crop is turned by toe and heel, else only brought to size.
        """
        if plan is None:
            low, high = np.log(_LENGTHS_PX)
            plan = CameraPlan(length_px=round(float(np.exp(np.random.default_rng([0x5E, seed]).uniform(low, high)))))
        return _crop(surveillance_crop(self._drawn(self.models[model]), seed, plan), seed, levelled=levelled)


def _drawn(model: ShoeModel) -> Upper:
    return draw_upper(design_of(model), View.SIDE, length_px=_DRAWN_PX)


def _crop(picture: ShoePicture, seed: int, *, levelled: bool) -> NDArray[np.uint8]:
    toe, heel = np.asarray(picture.toe), np.asarray(picture.heel)
    length = float(np.hypot(*(toe - heel)))
    error = np.random.default_rng([0x70E, seed]).normal(0, _POINT_ERROR * length / 2, (2, 2))
    toe, heel = toe + error[0], heel + error[1]
    if not levelled:
        middle = (toe + heel) / 2
        half = np.array([length / 2, 0.0]) * np.sign(toe[0] - heel[0])
        toe, heel = middle + half, middle - half
    return level_crop(picture.rgb, toe=(float(toe[0]), float(toe[1])), heel=(float(heel[0]), float(heel[1])))


class ShoeBatches:
    """Batches of crops by step (``training.system.StepDataset``).

    Batches hold ``image`` uint8 [N, 112, 224, 3] and ``labels`` int64 [N]: N / 2 models, each once as its shop shows it
    and once as a camera does.

    Args:
        uppers: The models.
        steps: How many batches there are.
        batch_items: N, even.
        seed: Of all that is random.
        levelled: Whether crops are turned by toe and heel.
    """

    def __init__(self, uppers: MadeUppers, *, steps: int, batch_items: int, seed: int, levelled: bool = True) -> None:
        self._uppers = uppers
        self._steps, self._items, self._seed, self._levelled = steps, batch_items, seed, levelled

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([0x5B0E, self._seed, step])
        chosen = rng.choice(len(self._uppers), size=self._items // 2, replace=self._items // 2 > len(self._uppers))
        seeds = rng.integers(1 << 40, size=self._items).tolist()
        models = [*chosen.tolist(), *chosen.tolist()]
        makers = [self._uppers.catalogue] * len(chosen) + [self._uppers.seen] * len(chosen)
        images = [make(m, s, levelled=self._levelled) for make, m, s in zip(makers, models, seeds, strict=True)]
        return {"image": torch.from_numpy(np.stack(images)), "labels": torch.tensor(models)}


@dataclass(frozen=True)
class ShoeProbes:
    """A benchmark on models that no training saw.

    Attributes:
        gallery: uint8 [models, 112, 224, 3], one shop photograph a model.
        probes: uint8 [Q, 112, 224, 3], camera crops.
        models: int64 [Q], the model that each shows.
    """

    gallery: NDArray[np.uint8]
    probes: NDArray[np.uint8]
    models: NDArray[np.int64]


def unseen_shoes(
    models: int, *, probes_each: int = 2, levelled: bool = True, plans: Sequence[CameraPlan] = ()
) -> ShoeProbes:
    """Make the benchmark: every model once in the gallery, and so many times before a camera.

    Args:
        models: Models in the gallery.
        probes_each: Crops of each.
        levelled: Whether crops are turned by toe and heel.
        plans: Cameras, taken in turns; lengths between 32 and 128 pixels are drawn where there are none.
    """
    uppers = MadeUppers(models, seed=UNSEEN_SEED)
    gallery = np.stack([uppers.catalogue(model, model, levelled=levelled) for model in range(models)])
    shown = np.repeat(np.arange(models), probes_each)
    probes = np.stack(
        [
            uppers.seen(model, 1_000_000 + n, plan=plans[n % len(plans)] if plans else None, levelled=levelled)
            for n, model in enumerate(shown.tolist())
        ]
    )
    return ShoeProbes(gallery, probes, shown)
