"""Made shoes as pictures: what a catalogue and what a camera shows of them, as batches and as a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from outsole.answers import Point, View
from outsole.imaging.shoe_crops import shoe_crop
from outsole.synthesis.shoe_pictures import CameraPlan, ShoePicture, retail_photograph, surveillance_crop
from outsole.synthesis.shoes import ShoeModel, plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import Upper, draw_upper
from training.system import Batch

# Seeds of plans have no model in common: what is measured is never what was learned.
LEARNED_SEED, UNSEEN_SEED = 41, 42
LEARNED_MODELS = 3000
_DRAWN_PX = 256
_LENGTHS_PX = (32, 128)
_POINT_ERROR = 0.03
_JITTER_DEG, _JITTER_SCALE, _JITTER_SHIFT = 3.0, 0.04, 0.02
# Most that a camera sees of passers-by are fronts and backs, but they have little to tell; sides are what is measured.
VIEWS, _VIEW_SHARES = (View.SIDE, View.FRONT, View.BACK), (0.6, 0.2, 0.2)
# A quarter of a GiB: a drawing takes 10 ms, and most models come up every few dozen steps.
_HELD_DRAWINGS = 1000


def view_shares() -> Mapping[View, float]:
    """How often a camera sees each view, as parts of 1."""
    return dict(zip(VIEWS, _VIEW_SHARES, strict=True))


class MadeUppers:
    """The models of a plan, drawn when they are first asked for.

    Args:
        count: Models.
        seed: Of the plan.
    """

    def __init__(self, count: int, *, seed: int) -> None:
        self.models = plan_models(count, seed=seed)
        self._drawn = lru_cache(maxsize=_HELD_DRAWINGS)(_drawn)

    def __len__(self) -> int:
        """Models."""
        return len(self.models)

    def catalogue(self, model: int, seed: int, *, view: View = View.SIDE, levelled: bool = True) -> NDArray[np.uint8]:
        """A shop's photograph of a model as a crop, uint8 [112, 224, 3]."""
        return marked_crop(retail_photograph(self._drawn(self.models[model], view), seed), seed, levelled=levelled)

    def seen(
        self,
        model: int,
        seed: int,
        *,
        view: View = View.SIDE,
        plan: CameraPlan | None = None,
        levelled: bool = True,
    ) -> NDArray[np.uint8]:
        """What a camera shows of a model as a crop, uint8 [112, 224, 3].

        Args:
            model: Number of the model.
            seed: Draws the scene, and the marks of a person or a network: they are a few parts of a hundred off.
            view: From where.
            plan: The camera; see ``any_camera`` where None.
            levelled: Whether sides are turned by toe and heel, else only brought to size.
        """
        picture = surveillance_crop(self._drawn(self.models[model], view), seed, plan or any_camera(seed))
        return marked_crop(picture, seed, levelled=levelled)


def _drawn(model: ShoeModel, view: View) -> Upper:
    return draw_upper(design_of(model), view, length_px=_DRAWN_PX)


def any_camera(seed: int) -> CameraPlan:
    """A camera that sees a shoe at a length between 32 and 128 pixels, short ones as often as long ones by ratio."""
    low, high = np.log(_LENGTHS_PX)
    return CameraPlan(length_px=round(float(np.exp(np.random.default_rng([0x5E, seed]).uniform(low, high)))))


def marked_crop(picture: ShoePicture, seed: int, *, levelled: bool = True) -> NDArray[np.uint8]:
    """The crop uint8 [112, 224, 3] of a shoe whose marks are a few parts of a hundred off, as those of people are.

    Args:
        picture: With the true marks.
        seed: Draws the errors.
        levelled: Whether sides are turned by toe and heel, else only brought to size.
    """
    box, toe, heel = np.asarray(picture.box), np.asarray(picture.toe), np.asarray(picture.heel)
    size = float(box[2] - box[0])
    error = np.random.default_rng([0x70E, seed]).normal(0, _POINT_ERROR * size / 2, (4, 2))
    toe, heel = toe + error[0], heel + error[1]
    if not levelled:
        half = np.array([np.hypot(*(toe - heel)) / 2, 0.0]) * np.sign(toe[0] - heel[0])
        toe, heel = (toe + heel) / 2 + half, (toe + heel) / 2 - half
    left, top, right, bottom = (box + error[2:].ravel()).tolist()
    return shoe_crop(picture.rgb, view=picture.view, toe=_point(toe), heel=_point(heel), box=(left, top, right, bottom))


def _point(values: NDArray[np.float64]) -> Point:
    return float(values[0]), float(values[1])


@dataclass(frozen=True)
class FoundCrops:
    """Crops of shoes that were found in made scenes, see `training.scene_crops`.

    Attributes:
        images: uint8 [N, 112, 224, 3].
        models: int64 [N], number of the model that it is.
        views: int64 [N], from where it is really seen, a place in ``VIEWS``.
    """

    images: NDArray[np.uint8]
    models: NDArray[np.int64]
    views: NDArray[np.int64]

    @cached_property
    def walkers(self) -> tuple[NDArray[np.int64], ...]:
        """Places of the crops of each model from each side: one walk-past has dozens that are almost alike."""
        keys = self.models * len(VIEWS) + self.views
        order = np.argsort(keys, kind="stable")
        return tuple(np.split(order, np.flatnonzero(np.diff(keys[order])) + 1))


class ShoeBatches:
    """Batches of crops by step (``training.system.StepDataset``).

    Batches hold ``image`` uint8 [N, 112, 224, 3] and ``labels`` int64 [N]: N / 2 models, each once as its shop shows it
    and once as a camera does, both from the same side. A label is a model seen from one side, see ``label_count``.
    Where there are crops of scenes, half of the pairs have one of these instead of a drawn one.

    Args:
        uppers: The models.
        steps: How many batches there are.
        batch_items: N, even.
        seed: Of all that is random.
        levelled: Whether crops are turned by toe and heel.
        found: Crops of scenes whose walkers wear these models.
    """

    def __init__(
        self,
        uppers: MadeUppers,
        *,
        steps: int,
        batch_items: int,
        seed: int,
        levelled: bool = True,
        found: FoundCrops | None = None,
    ) -> None:
        self._uppers, self._found = uppers, found
        self._steps, self._items, self._seed, self._levelled = steps, batch_items, seed, levelled

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([0x5B0E, self._seed, step])
        pairs = self._items // 2
        models = rng.choice(len(self._uppers), size=pairs, replace=pairs > len(self._uppers))
        views = rng.choice(len(VIEWS), size=pairs, p=_VIEW_SHARES)
        rows = self._rows(rng, pairs)
        if self._found is not None:
            models[: len(rows)], views[: len(rows)] = self._found.models[rows], self._found.views[rows]
        seeds = rng.integers(1 << 40, size=(2, pairs))
        shown = list(zip(models.tolist(), views.tolist(), seeds.T.tolist(), strict=True))
        shop = [
            self._uppers.catalogue(model, seed, view=VIEWS[view], levelled=self._levelled)
            for model, view, (seed, _) in shown
        ]
        drawn = [
            self._uppers.seen(model, seed, view=VIEWS[view], levelled=self._levelled)
            for model, view, (_, seed) in shown[len(rows) :]
        ]
        found = [] if self._found is None else [_jittered(rng, crop) for crop in self._found.images[rows]]
        labels = torch.from_numpy(models * len(VIEWS) + views)
        return {"image": torch.from_numpy(np.stack([*shop, *found, *drawn])), "labels": labels.repeat(2)}

    def _rows(self, rng: np.random.Generator, pairs: int) -> NDArray[np.int64]:
        """Crops of scenes for half of the pairs, of different walkers."""
        if self._found is None:
            return np.empty(0, np.int64)
        walkers = self._found.walkers
        chosen = rng.choice(len(walkers), size=min(pairs // 2, len(walkers)), replace=False)
        return np.array([rng.choice(walkers[walker]) for walker in chosen.tolist()], np.int64)


def _jittered(rng: np.random.Generator, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop as it would be with toe and heel found a little elsewhere: there are few, and they come up often."""
    height, width = crop.shape[:2]
    turn, scale = float(rng.normal(0, _JITTER_DEG)), float(np.exp(rng.normal(0, _JITTER_SCALE)))
    to_crop = np.asarray(cv2.getRotationMatrix2D((width / 2, 0.8 * height), turn, scale), np.float64)
    to_crop[:, 2] += rng.normal(0, _JITTER_SHIFT * width, 2)
    warped = cv2.warpAffine(crop, to_crop, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def label_count(models: int) -> int:
    """How many labels the batches of so many models have."""
    return models * len(VIEWS)


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
    models: int,
    *,
    probes_each: int = 2,
    view: View = View.SIDE,
    levelled: bool = True,
    plans: Sequence[CameraPlan] = (),
) -> ShoeProbes:
    """Make the benchmark: every model once in the gallery, and so many times before a camera.

    Args:
        models: Models in the gallery.
        probes_each: Crops of each.
        view: From where all are seen.
        levelled: Whether crops are turned by toe and heel.
        plans: Cameras, taken in turns; lengths between 32 and 128 pixels are drawn where there are none.
    """
    uppers = MadeUppers(models, seed=UNSEEN_SEED)
    gallery = np.stack([uppers.catalogue(model, model, view=view, levelled=levelled) for model in range(models)])
    shown = np.repeat(np.arange(models), probes_each)
    probes = np.stack(
        [
            uppers.seen(
                model, 1_000_000 + n, view=view, plan=plans[n % len(plans)] if plans else None, levelled=levelled
            )
            for n, model in enumerate(shown.tolist())
        ]
    )
    return ShoeProbes(gallery, probes, shown)
