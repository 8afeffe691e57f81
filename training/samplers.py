"""Which models and which of their instances a batch shows: a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput

_PER_MODEL = 2


@dataclass(frozen=True)
class PairDraw:
    """The models of a batch with two instances of each.

    Attributes:
        models: int64 [N / 2], indices of models.
        instances: int64 [N / 2, 2], two different instances of each.
    """

    models: NDArray[np.int64]
    instances: NDArray[np.int64]


class PairSampler:
    """N / 2 models x 2 instances a batch; every model is drawn once before any is drawn twice.

    The order is a new permutation each round. Where there are at least three batches of models, no batch has a model
    twice, also where a batch takes the end of one round and the beginning of the next.

    Args:
        models: How many models there are.
        batch_items: N, even, at most twice the models.
        seed: Of the order and of the instances.
        instances: How many instances each model has, int [models], each at least 2; None where instances are made
            without end: then a model's instances are counted on, and none comes twice.

    Raises:
        InvalidInput: N is odd or too large, there are no models, or a model has one instance.
    """

    def __init__(self, models: int, batch_items: int, *, seed: int = 0, instances: Sequence[int] | None = None) -> None:
        if models < 1:
            raise InvalidInput(f"there are {models} models", field="models", remedy="at least 1")
        if batch_items < _PER_MODEL or batch_items % _PER_MODEL or batch_items > _PER_MODEL * models:
            remedy = f"an even number from 2 to {_PER_MODEL * models}, for {models} models"
            raise InvalidInput(f"is {batch_items}", field="batch_items", remedy=remedy)
        self._models = models
        self._drawn = batch_items // _PER_MODEL
        self._seed = seed
        self._instances = None if instances is None else _checked(instances, models)

    def __call__(self, step: int) -> PairDraw:
        """The draw of a step, counted from 0."""
        positions = np.arange(step * self._drawn, (step + 1) * self._drawn)
        rounds = positions // self._models
        orders = np.stack([self._order(int(rounds[0])), self._order(int(rounds[-1]))])
        models = orders[rounds - rounds[0], positions % self._models]
        return PairDraw(models, self._pairs(models, rounds, step))

    def _order(self, number: int) -> NDArray[np.int64]:
        return _round_order(self._seed, number, models=self._models, drawn=self._drawn)

    def _pairs(self, models: NDArray[np.int64], rounds: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        if self._instances is None:
            return _PER_MODEL * rounds[:, None] + np.arange(_PER_MODEL)
        counts = self._instances[models]
        draws = np.random.default_rng((self._seed, 1, step))
        first = draws.integers(0, counts)
        # One of the others: a step of 1 .. count - 1 round the circle.
        second = (first + draws.integers(1, counts)) % counts
        return np.stack([first, second], axis=1)


def _checked(instances: Sequence[int], models: int) -> NDArray[np.int64]:
    counts = np.asarray(instances, dtype=np.int64)
    if counts.shape != (models,):
        raise InvalidInput(f"has shape {counts.shape}", field="instances", remedy=f"one count for each of {models}")
    if counts.min() < _PER_MODEL:
        short = int(counts.argmin())
        remedy = "at least 2: a pair needs two, leave the model out otherwise"
        raise InvalidInput(f"model {short} has {counts[short]} instance(s)", field="instances", remedy=remedy)
    return counts


@lru_cache(maxsize=64)
def _round_order(seed: int, number: int, *, models: int, drawn: int) -> NDArray[np.int64]:
    """The order of a round, int64 [models]; read-only."""
    order = _permutation(seed, number, models)
    if number > 0 and models >= 3 * drawn:
        # Those that end the round before are put behind the first batch. Only the first two batches of this round
        # move, so the end of a round is that of its permutation and no earlier round needs to be known.
        tail = _permutation(seed, number - 1, models)[models - drawn :]
        head = order[: 2 * drawn]
        order[: 2 * drawn] = head[np.argsort(np.isin(head, tail), kind="stable")]
    order.setflags(write=False)
    return order


def _permutation(seed: int, number: int, models: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, 0, number)).permutation(models)
