"""Intervals for means over probes, resampled by reference.

Probes of one reference are dependent (the same shoe, often the same scene): resampling single probes would promise
intervals that are too narrow, so whole references are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.errors import InvalidInput

# Draws are taken in blocks so that resamples x references stays a few megabytes at any size.
_BLOCK_CELLS = 1 << 20


@dataclass(frozen=True)
class Interval:
    """A mean with its percentile interval, one entry a column.

    Attributes:
        mean: float64 [M].
        low: Lower end, float64 [M].
        high: Upper end, float64 [M].
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def grouped_bootstrap(
    values: ArrayLike, groups: ArrayLike, *, resamples: int = 2000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of every column with a percentile bootstrap interval over groups.

    Args:
        values: One row a probe, float or bool [Q, M] (or [Q], taken as one column).
        groups: The reference of each probe, [Q], any hashable scalar type.
        resamples: Number of bootstrap draws B, at least 1.
        level: Coverage, between 0 and 1.
        seed: Seed of the draws; the same seed gives the same interval.

    Returns:
        Means and interval ends, each [M].

    Raises:
        InvalidInput: Shapes differ, there is no probe, or ``level`` or ``resamples`` is out of range.
    """
    table, labels = np.asarray(values, dtype=np.float64), np.asarray(groups)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[0] == 0 or labels.shape != table.shape[:1]:
        raise InvalidInput(f"values {table.shape}, groups {labels.shape}", field="groups", remedy="one group a row")
    if not 0 < level < 1:
        raise InvalidInput(f"{level}", field="level", remedy="between 0 and 1")
    if resamples < 1:
        raise InvalidInput(f"{resamples}", field="resamples", remedy="at least 1")
    sums, counts = _group_sums(table, labels)
    means = _resampled_means(sums, counts, resamples=resamples, seed=seed)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return Interval(mean=table.mean(axis=0), low=low, high=high)


def _group_sums(table: NDArray[np.float64], labels: NDArray[np.generic]) -> tuple[NDArray[np.float64], ...]:
    """Return sums [G, M] and sizes [G] of the groups."""
    _, index = np.unique(labels, return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    sums = np.zeros((counts.size, table.shape[1]))
    np.add.at(sums, index, table)
    return sums, counts


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Return the mean of every draw of G groups with replacement, [B, M]."""
    generator = np.random.default_rng(seed)
    size = counts.size
    block = max(1, _BLOCK_CELLS // size)
    parts = []
    for start in range(0, resamples, block):
        draws = min(block, resamples - start)
        weights = generator.multinomial(size, np.full(size, 1 / size), size=draws).astype(np.float64)
        parts.append((weights @ sums) / (weights @ counts)[:, None])
    return np.concatenate(parts)
