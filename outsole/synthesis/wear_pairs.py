"""Pairs of prints of one made shoe, some weeks apart: what the wear models learn from and are measured on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.shoes import LEARNED_SEED, UNSEEN_SEED, ShoeModel, plan_models
from outsole.synthesis.wear import WearSeries, make_series
from outsole.synthesis.wear_scans import scan
from outsole.wear.canvas import CANVAS_PX, lay_print
from outsole.wear.model import Direction
from outsole.wear.weeks import LONGEST_WEEKS, STEP_WEEKS

LEARNED_MODELS = 1000
_WHITE = 255.0
# Series made again and again are kept: about 1.2 MB each.
_KEPT_SERIES = 1000
# The mean of the training's targets settles long before.
_MEAN_STEPS, _MEAN_ITEMS = 32, 8
_CROPPED_SHARE, _TURNED_SHARE, _NEW_SHARE = 0.25, 0.25, 0.5


@dataclass(frozen=True)
class WearPair:
    """One print and what it becomes, or was.

    Attributes:
        image: uint8 [640, 256], the scanned print as the wear models are given it, 255 no contact.
        weeks: Weeks between both.
        target: uint8 [640, 256], true contact of the other, 0 .. 255.
        clean: uint8 [640, 256], true contact of the print that was scanned: what a perfect denoising would give.
    """

    image: NDArray[np.uint8]
    weeks: int
    target: NDArray[np.uint8]
    clean: NDArray[np.uint8]


class MadeWearPairs:
    """Pairs by step.

    Args:
        direction: Whether the later or the earlier print is the target.
        items: Pairs a step.
        seed: Of all that is random.
        plan_seed: Of the plan of models.
        models: How many models there are.
        whole: Upright, whole prints alone, as a gallery holds them.
    """

    def __init__(
        self,
        direction: Direction,
        *,
        items: int,
        seed: int,
        plan_seed: int,
        models: int,
        whole: bool = False,
    ) -> None:
        self._direction, self._whole = direction, whole
        self._items, self._seed = items, seed
        self._plan_seed, self._models = plan_seed, models

    def pairs(self, step: int) -> tuple[WearPair, ...]:
        """The pairs of a step, a pure function of the seed and the step."""
        rng = np.random.default_rng([0x3EA9, self._seed, step])
        models = rng.integers(self._models, size=self._items).tolist()
        return tuple(self._pair(rng, model) for model in models)

    def _pair(self, rng: np.random.Generator, model: int) -> WearPair:
        series = _series(self._plan_seed, self._models, model)
        weeks = STEP_WEEKS * int(rng.integers(1, LONGEST_WEEKS // STEP_WEEKS + 1))
        latest = (LONGEST_WEEKS - weeks) // STEP_WEEKS
        # Half of the shoes are new at the first print; of the others nobody knows the age.
        first = 0 if rng.random() < _NEW_SHARE else STEP_WEEKS * int(rng.integers(latest + 1))
        ends = (first, first + weeks) if self._direction is Direction.FORWARD else (first + weeks, first)
        to_canvas = _placed(rng, series.inside.shape, turned=not self._whole and rng.random() < _TURNED_SHARE)
        given, target = (_on_canvas(series.contact(week), to_canvas) for week in ends)
        if not self._whole and rng.random() < _CROPPED_SHARE:
            left = _crop(rng)
            given, target = given * left, target * left
        scanned = scan(given, int(rng.integers(1 << 40)), strength=float(rng.uniform(0.2, 1.2)))
        return WearPair(lay_print(scanned).image, weeks, _levels(target), _levels(given))


def unseen_pairs(direction: Direction, count: int) -> tuple[WearPair, ...]:
    """Pairs of whole prints of shoes that no training saw, their weeks spread over the year."""
    return MadeWearPairs(direction, items=count, seed=7, plan_seed=UNSEEN_SEED, models=count, whole=True).pairs(0)


def mean_of_learned(direction: Direction) -> NDArray[np.float32]:
    """The mean of the training's targets, float32 [640, 256]: the answer that knows no print."""
    learned = MadeWearPairs(direction, items=_MEAN_ITEMS, seed=1, plan_seed=LEARNED_SEED, models=LEARNED_MODELS)
    return mean_target(learned, steps=_MEAN_STEPS)


def mean_target(pairs: MadeWearPairs, *, steps: int) -> NDArray[np.float32]:
    """The mean of the targets of the first steps, float32 [640, 256], 0 .. 1: the answer that knows no print."""
    sums = np.zeros(CANVAS_PX, np.float64)
    count = 0
    for step in range(steps):
        for pair in pairs.pairs(step):
            sums += pair.target
            count += 1
    return np.asarray(sums / (_WHITE * max(count, 1)), np.float32)


@lru_cache(maxsize=_KEPT_SERIES)
def _series(plan_seed: int, models: int, model: int) -> WearSeries:
    return make_series(_plan(plan_seed, models)[model], model)


@lru_cache(maxsize=4)
def _plan(seed: int, models: int) -> tuple[ShoeModel, ...]:
    return plan_models(models, seed=seed)


def _placed(rng: np.random.Generator, shape: tuple[int, ...], *, turned: bool) -> NDArray[np.float64]:
    """The affine map [2, 3] of a tight sole onto the canvas: side, size, a little or more rotation, a shift."""
    height, width = shape
    room = min((CANVAS_PX[0] - 8) / height, (CANVAS_PX[1] - 4) / width)
    scale = min(room, 1.0) * rng.uniform(0.84, 1.0)
    angle = rng.uniform(-18, 18) if turned else rng.uniform(-2.5, 2.5)
    to_canvas = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale), np.float64)
    if rng.random() < 0.5:
        to_canvas = to_canvas @ np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], np.float64)
    to_canvas[:, 2] += np.array([CANVAS_PX[1] - width, CANVAS_PX[0] - height]) / 2 + rng.uniform(-5, 5, 2)
    return to_canvas


def _on_canvas(contact: NDArray[np.float32], to_canvas: NDArray[np.float64]) -> NDArray[np.float32]:
    size = (CANVAS_PX[1], CANVAS_PX[0])
    return np.asarray(cv2.warpAffine(contact, to_canvas, size, flags=cv2.INTER_LINEAR), np.float32)


def _crop(rng: np.random.Generator) -> NDArray[np.float32]:
    """What is left of a partial print, float32 [640, 256], 0 or 1."""
    left = np.zeros(CANVAS_PX, np.float32)
    rows, columns = (int(side * rng.uniform(low, 1.0)) for side, low in zip(CANVAS_PX, (0.3, 0.6), strict=True))
    top, start = int(rng.integers(CANVAS_PX[0] - rows + 1)), int(rng.integers(CANVAS_PX[1] - columns + 1))
    left[top : top + rows, start : start + columns] = 1
    return left


def _levels(contact: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(contact * np.float32(_WHITE)), np.uint8)
