"""Items of a large gallery made in feature space: what a few encoded treads become in a shop's whole stock.

A gallery of real size has tens of thousands of pictures of far fewer treads. Here some treads are encoded, and every
other item is put together from their maps: the fore part of one tread and the heel of another, shifted, and changed by
as much as two pictures of one tread, or two shoes of one model, were measured to differ. Everything is a pure function
of the seed and the row, so that any part of a gallery can be made at any time and in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.matching.features import standardised

# Cells that a map may lie beside another of the same tread.
_REACH_CELLS = 2
_SPLIT_ROWS = (0.4, 0.7)
_TINY = 1e-12
Maps = NDArray[np.floating]


@dataclass(frozen=True)
class GalleryShape:
    """How many items there are, and how they are related.

    Attributes:
        items: Pictures, 1 or more.
        models: Shoe models, 1 to ``items``; a model has one picture or more, of either side.
        models_per_tread: Models that share a tread, on average.
        encoded_part: Part of the treads that are an encoded one as it is, as far as there are any; the others are put
            together of two.
        seed: At least 0.
    """

    items: int
    models: int
    models_per_tread: float = 28.0
    encoded_part: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.models <= self.items:
            raise InvalidInput(
                f"{self.models} models cannot have {self.items} items", field="models", remedy=f"1 to {self.items}"
            )
        if self.models_per_tread < 1 or not 0 < self.encoded_part <= 1 or self.seed < 0:
            raise InvalidInput("a gallery's shape is out of range", field="shape")

    @property
    def treads(self) -> int:
        """Number of different treads."""
        return max(1, round(self.models / self.models_per_tread))


@dataclass(frozen=True)
class ItemPlan:
    """What each of N items shows; the encoded ones come first.

    Attributes:
        models, treads: int64 [N], numbers from 0.
        lefts: bool [N], whether it is a left shoe.
        encoded: bool [N], whether its arrays are those of an encoded tread, unchanged.
    """

    models: NDArray[np.int64]
    treads: NDArray[np.int64]
    lefts: NDArray[np.bool_]
    encoded: NDArray[np.bool_]


def plan_items(shape: GalleryShape, bases: int) -> ItemPlan:
    """Decide what the items of a gallery show, given so many encoded treads."""
    rng = np.random.default_rng([0x3CA1E, shape.seed])
    # Some treads are sold under many names and most under few.
    weight = rng.exponential(size=shape.treads)
    more = rng.choice(shape.treads, size=shape.models - shape.treads, p=weight / weight.sum())
    tread_of = rng.permutation(np.concatenate([np.arange(shape.treads), more]))
    models = np.concatenate([np.arange(shape.models), rng.integers(shape.models, size=shape.items - shape.models)])
    lefts = _sides(rng, models)
    treads = tread_of[models]
    whole = min(bases, max(1, round(shape.treads * shape.encoded_part)))
    # The first picture of each side of an encoded tread is that tread's own.
    _, first = np.unique(treads * 2 + lefts, return_index=True)
    encoded = np.zeros(shape.items, bool)
    encoded[first] = treads[first] < whole
    order = np.lexsort((rng.permutation(shape.items), ~encoded))
    return ItemPlan(models[order], treads[order], lefts[order], encoded[order])


def _sides(rng: np.random.Generator, models: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The pictures of a model show its sides in turns."""
    order = np.argsort(models, kind="stable")
    starts = np.flatnonzero(np.diff(models[order], prepend=-1))
    turn = np.arange(len(models)) - np.repeat(starts, np.diff(starts, append=len(models)))
    lefts = np.empty(len(models), bool)
    lefts[order] = (turn + rng.integers(2, size=len(starts))[np.cumsum(np.diff(models[order], prepend=-1) > 0) - 1]) % 2
    return lefts


@dataclass(frozen=True)
class Bases:
    """Encoded treads, right and left shoe of each.

    Attributes:
        maps: float16 [B, 2, h, w, C], standardised; perhaps mapped from disk.
        partial: float16 [B, 2, D], unit length.
    """

    maps: Maps
    partial: Maps

    def __len__(self) -> int:
        return len(self.maps)


@dataclass(frozen=True)
class Differences:
    """What M pairs of pictures of the same tread differ by: the second is ``cosine * first + residual``.

    Attributes:
        cosines: float32 [M], of the maps where they lie best over each other.
        maps: float16 [M, h, w, C], residuals.
        partial_cosines: float32 [M].
        partial: float32 [M, D], residuals.
    """

    cosines: NDArray[np.float32]
    maps: Maps
    partial_cosines: NDArray[np.float32]
    partial: NDArray[np.float32]

    @classmethod
    def between(cls, first: tuple[Maps, Maps], second: tuple[Maps, Maps]) -> Differences:
        """Measure pairs, each given as maps [M, h, w, C] and partial vectors [M, D]."""
        found = [_difference(a, b) for a, b in zip(first[0], second[0], strict=True)]
        one, other = (np.asarray(part, np.float32) for part in (first[1], second[1]))
        cosines = np.einsum("md,md->m", one, other)
        return cls(
            np.array([cosine for cosine, _ in found], np.float32),
            np.stack([residual for _, residual in found]).astype(np.float16),
            cosines,
            other - cosines[:, None] * one,
        )


def _difference(first: Maps, second: Maps) -> tuple[float, NDArray[np.float32]]:
    """Cosine and residual of two maps [h, w, C] where they lie best over each other."""
    plain = np.asarray(first, np.float32)
    reach = range(-_REACH_CELLS, _REACH_CELLS + 1)
    laid = [shifted(np.asarray(second, np.float32), down, right) for down in reach for right in reach]
    best = max(laid, key=lambda other: float((plain * other).sum()))
    both = np.any(plain != 0, -1, keepdims=True) & np.any(best != 0, -1, keepdims=True)
    cosine = float((plain * best).sum() / max(float(np.linalg.norm(plain * both) * np.linalg.norm(best * both)), _TINY))
    return cosine, np.asarray((best - cosine * plain) * both, np.float32)


def shifted(maps: Maps, down: int, right: int) -> NDArray[np.float32]:
    """Maps [..., h, w, C] moved by whole cells; 0 where nothing is known."""
    height, width = maps.shape[-3:-1]
    laid = np.zeros(maps.shape, np.float32)
    to = np.s_[..., max(0, down) : height + min(0, down), max(0, right) : width + min(0, right), :]
    here = np.s_[..., max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right), :]
    laid[to] = maps[here]
    return laid


class MadeItems:
    """The items of a made gallery, by row.

    Args:
        shape: How the gallery is made up.
        bases: Encoded treads, at least two.
        models: How two shoes differ whose models share a tread.
        pictures: How two pictures of one model differ.
        vectors: Makes candidate vectors [n, E] of maps float32 [n, h, w, C].
    """

    def __init__(
        self,
        shape: GalleryShape,
        bases: Bases,
        *,
        models: Differences,
        pictures: Differences,
        vectors: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        if len(bases) < 2:
            raise InvalidInput("one tread cannot be put together with another", field="bases", remedy="2 or more")
        self.plan = plan_items(shape, len(bases))
        self._shape = shape
        self._bases = bases
        self._whole = int(self.plan.treads[self.plan.encoded].max(initial=-1)) + 1
        self._models = models
        self._pictures = pictures
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self.plan.models)

    def arrays(self, start: int, stop: int) -> dict[str, NDArray[np.floating]]:
        """The arrays of rows ``start`` to ``stop``, exclusive.

        Returns:
            ``maps`` float16 [n, h, w, C], ``cooccurrence`` float32 [n, E], ``partial`` float16 [n, D].
        """
        made = [self._item(row) for row in range(start, min(stop, len(self)))]
        maps = np.stack([item for item, _ in made])
        valid = np.any(maps != 0, axis=-1)
        again = ~self.plan.encoded[start : start + len(maps)]
        if again.any():
            maps[again] = standardised(np.moveaxis(maps[again], -1, 1), valid[again])
        # An edition holds candidate vectors of the maps before they are rounded; those of encoded items were.
        vectors = self._vectors(maps)
        partial = np.stack([vector for _, vector in made])
        return {"maps": maps.astype(np.float16), "cooccurrence": vectors, "partial": partial.astype(np.float16)}

    def _item(self, row: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        plan = self.plan
        maps, partial = self._tread(int(plan.treads[row]), int(plan.lefts[row]))
        if plan.encoded[row]:
            return maps, partial
        model = np.random.default_rng([0x30DE1, self._shape.seed, int(plan.models[row])])
        maps, partial = _changed(maps, partial, self._models, model)
        picture = np.random.default_rng([0x91C7, self._shape.seed, row])
        return _changed(maps, partial, self._pictures, picture)

    def _tread(self, tread: int, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        maps, partial = self._bases.maps, self._bases.partial
        if tread < self._whole:
            return np.asarray(maps[tread, side], np.float32), np.asarray(partial[tread, side], np.float32)
        rng = np.random.default_rng([0x5911CE, self._shape.seed, tread])
        fore, heel = rng.choice(len(maps), size=2, replace=False).tolist()
        height = maps.shape[2]
        split = round(height * rng.uniform(*_SPLIT_ROWS))
        joined = np.concatenate([maps[fore, side, :split], maps[heel, side, split:]]).astype(np.float32)
        part = split / height
        mixed = part * np.asarray(partial[fore, side], np.float32) + (1 - part) * np.asarray(
            partial[heel, side], np.float32
        )
        return joined, _unit(mixed)


def _changed(
    maps: NDArray[np.float32], partial: NDArray[np.float32], by: Differences, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A map and its vector, changed as much as a pair drawn from the measured ones; shifted by up to a cell."""
    pair = int(rng.integers(len(by.cosines)))
    down, right = rng.integers(-1, 2, size=2).tolist()
    moved = shifted(maps, down, right)
    shown = np.any(moved != 0, -1, keepdims=True)
    sign = np.float32(rng.choice((-1.0, 1.0)))
    residual = np.roll(by.maps[pair], tuple(rng.integers(-4, 5, size=2).tolist()), axis=(0, 1))
    new = (by.cosines[pair] * moved + sign * residual) * shown
    other = by.partial_cosines[pair] * partial + sign * by.partial[pair]
    return np.asarray(new, np.float32), _unit(other)


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), _TINY), np.float32)
