"""How alike a gallery's items are to their nearest neighbours: what decides whether a candidate search is hard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PERCENTILES = (5, 25, 50, 75, 95)
_STEP = 512


@dataclass(frozen=True)
class Neighbours:
    """Similarities of items to the nearest other item, float32 [n], by kind of vector."""

    nearest: Mapping[str, NDArray[np.float32]]

    def rows(self, name: str) -> list[tuple[str, str, int, float, float, float, float, float]]:
        """Rows of a table: percentiles by kind of vector."""
        found = []
        for kind, values in self.nearest.items():
            p5, p25, p50, p75, p95 = (float(v) for v in np.percentile(values, _PERCENTILES))
            found.append((name, kind, len(values), p5, p25, p50, p75, p95))
        return found

    def distance(self, other: Neighbours) -> dict[str, float]:
        """Largest difference of the two cumulative distributions (Kolmogorov and Smirnov), 0 .. 1, by kind."""
        return {kind: largest_gap(values, other.nearest[kind]) for kind, values in self.nearest.items()}


HEADERS = ("items", "vector", "n", "p5", "p25", "p50", "p75", "p95")


def neighbours(vectors: Mapping[str, NDArray[np.floating]], rows: NDArray[np.int64]) -> Neighbours:
    """Nearest neighbours among some rows of vectors [N, D] of unit length, by kind of vector."""
    return Neighbours({kind: nearest_similarity(array[rows]) for kind, array in vectors.items()})


def nearest_similarity(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The largest inner product of every vector [n, D] with another one, float32 [n]."""
    plain = np.asarray(vectors, np.float32)
    found = np.empty(len(plain), np.float32)
    for start in range(0, len(plain), _STEP):
        scores = plain[start : start + _STEP] @ plain.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        found[start : start + _STEP] = scores.max(1)
    return found


def largest_gap(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Largest difference of two samples' cumulative distributions, 0 for equal ones, 1 for ones apart."""
    values = np.sort(np.concatenate([first, second]))
    parts = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(parts[0] - parts[1]).max())


def one_a_group(groups: NDArray[np.int64], count: int, *, seed: int) -> NDArray[np.int64]:
    """Rows of at most ``count`` different groups, one each, drawn at random."""
    order = np.random.default_rng([0x57C7, seed]).permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return np.sort(order[np.sort(first)[:count]])
