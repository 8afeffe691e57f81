"""Made spatial maps with the structure that maps of treads have, and probes that show a part of one.

A tread is a few textures laid over regions of the sole (toe, ball, arch, heel); shoes of one family share them, the
models of a family differ a little, and every picture adds noise. All treads have something in common at the same
place, because a network sees the outline of the sole there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS, CHANNELS = 12, 6, 128
CELLS = ROWS * COLUMNS
# Rows of cells of toe, ball, arch and heel, and how many textures there are in the world.
_REGION_ROWS = (3, 3, 2, 4)
_TEXTURES = 48
_FAMILY_SIZE = 20
# How much of a cell is its place on the sole, the texture of its region, what its family did with that there, the
# model's own, and noise.
_PLACE, _TEXTURE, _FAMILY, _MODEL, _NOISE = 0.8, 1.0, 0.6, 0.5, 0.3
_PROBE_NOISE = 0.6


@dataclass(frozen=True)
class MadeMaps:
    """A made gallery; equal numbers make equal maps.

    Attributes:
        items: How many items there are.
        seed: Of everything that is drawn.
    """

    items: int
    seed: int = 0

    @cached_property
    def _world(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What all treads have in common by cell [CELLS, C], and the textures [T, C]."""
        rng = np.random.default_rng([self.seed, 0])
        return _unit(_normal(rng, CELLS, CHANNELS)), _unit(_normal(rng, _TEXTURES, CHANNELS))

    def maps(self, first: int, last: int) -> NDArray[np.float16]:
        """Maps of the items ``first`` to ``last - 1``: fp16 [n, CELLS, C], cells of unit length."""
        return np.stack([self._map(item) for item in range(first, last)]).astype(np.float16)

    def _map(self, item: int) -> NDArray[np.float32]:
        places, textures = self._world
        family = np.random.default_rng([self.seed, 1, item // _FAMILY_SIZE])
        by_region = family.integers(0, _TEXTURES, len(_REGION_ROWS))
        by_row = np.repeat(by_region, _REGION_ROWS)
        laid = textures[np.repeat(by_row, COLUMNS)]
        its_family = _unit(_normal(family, CELLS, CHANNELS))
        own = np.random.default_rng([self.seed, 2, item])
        model, noise = _unit(_normal(own, CELLS, CHANNELS)), _unit(_normal(own, CELLS, CHANNELS))
        return _unit(_PLACE * places + _TEXTURE * laid + _FAMILY * its_family + _MODEL * model + _NOISE * noise)

    def probes(self, count: int, share: float) -> NDArray[np.float32]:
        """Probes of ``count`` items, each with only a part visible: float32 [count, CELLS * C], other cells are zero.

        Args:
            count: How many; at most as many as there are items.
            share: Part of the cells that is visible, above 0 up to 1: the cells nearest to a place on the sole.
        """
        rng = np.random.default_rng([self.seed, 3])
        chosen = np.sort(rng.choice(self.items, count, replace=False))
        visible = max(1, round(share * CELLS))
        probes = np.zeros((count, CELLS, CHANNELS), np.float32)
        for probe, item in zip(probes, chosen, strict=True):
            seen = _unit(self._map(int(item)) + _PROBE_NOISE * _unit(_normal(rng, CELLS, CHANNELS)))
            shown = _nearest_cells(rng.uniform((0, 0), (ROWS, COLUMNS)))[:visible]
            probe[shown] = seen[shown]
        return probes.reshape(count, -1)


def _nearest_cells(centre: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cells in order of their distance from a place, (row, column)."""
    down, right = np.divmod(np.arange(CELLS), COLUMNS)
    return np.argsort((down + 0.5 - centre[0]) ** 2 + (right + 0.5 - centre[1]) ** 2, kind="stable")


def _normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)
