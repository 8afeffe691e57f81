"""Pictures that do not belong to their set: those far from the set's median embedding.

The idea is that of the weakly supervised NetVLAD work on shop photographs, which dropped about a third of its pictures
so; the margin of 0.1 is the one named with it. What the margin is held against is a decision made here: the middle one
of the set's own distances, so that a loose set is not emptied and a tight one is not spared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput

MARGIN = 0.1
"""Cosine distance above the set's middle distance.

Measured with the partial-print embedding on 24 made models, four shoes of each (so one model's shoes differ in size and
wear) with a shoe of another model among them: 83 % of the strangers found, on impressions and on photographs alike;
none of 96 impressions and 1 to 2 % of 96 photographs taken for strangers. A mirrored shoe among the others was never
taken for one. A margin of 0.2 finds as many and takes no photograph for one. Real feeds are untried.
"""
MIN_SET = 3
_BLOCK_VALUES = 1 << 22
_TINY = 1e-12


@dataclass(frozen=True)
class Outliers:
    """What was found among N pictures.

    Attributes:
        is_outlier: bool [N].
        distances: Cosine distance to the set's median, float32 [N], 0 .. 2; NaN in sets that are too small to judge.
    """

    is_outlier: NDArray[np.bool_]
    distances: NDArray[np.float32]


def set_codes(models: Sequence[str], roles: Sequence[str]) -> NDArray[np.int64]:
    """Number the sets that are judged together: equal model and role, left and right shoes among each other.

    Args:
        models, roles: N each.

    Returns:
        int64 [N].
    """
    keys = list(zip(models, roles, strict=True))
    known = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    return np.fromiter((known[key] for key in keys), np.int64, len(keys))


def find_outliers(vectors: NDArray[np.floating], codes: NDArray[np.int64], *, margin: float = MARGIN) -> Outliers:
    """Find the pictures whose distance to their set's median is more than the margin above the set's middle distance.

    The median is taken coordinate by coordinate and brought to unit length. The middle distance of an even number is
    the upper of the two: more than half of a set always stays, so at least two of three.

    Args:
        vectors: Unit vectors, float16 or float32 [N, D]; may be mapped from disk, and is read by blocks.
        codes: Which set each belongs to, int64 [N]; sets below three are not judged.
        margin: Cosine distance, above 0.

    Raises:
        InvalidInput: Shapes that do not go together, or a margin that is not above 0.
    """
    if vectors.ndim != 2 or codes.shape != vectors.shape[:1]:
        raise InvalidInput(f"{vectors.shape} vectors have {codes.shape} codes", field="codes", remedy="[N, D] and [N]")
    if not margin > 0:
        raise InvalidInput(f"the margin is {margin}", field="margin", remedy="above 0")
    outlying = np.zeros(len(codes), np.bool_)
    distances = np.full(len(codes), np.nan, np.float32)
    for rows in _sets_of_equal_size(codes):
        size = rows.shape[1]
        step = max(1, _BLOCK_VALUES // max(size * vectors.shape[1], 1))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            found = _distances(vectors, block)
            middle = np.partition(found, size // 2, axis=1)[:, size // 2, None]
            distances[block] = found
            outlying[block] = found > middle + np.float32(margin)
    return Outliers(outlying, distances)


def _sets_of_equal_size(codes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of the sets that are large enough, int64 [S, n] for every size n there is."""
    order = np.argsort(codes, kind="stable").astype(np.int64)
    _, starts, sizes = np.unique(codes[order], return_index=True, return_counts=True)
    judged = np.unique(sizes[sizes >= MIN_SET]).tolist()
    return [order[starts[sizes == size, None] + np.arange(size)] for size in judged]


def _distances(vectors: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosine distance of each row of S sets to its set's median, float32 [S, n]."""
    sets, size = rows.shape
    dimension = vectors.shape[1]
    # A set that is larger than a block is read twice: by columns for its median, by rows for its distances.
    width = max(1, min(dimension, _BLOCK_VALUES // (sets * size)))
    medians = np.empty((sets, dimension), np.float32)
    for left in range(0, dimension, width):
        part = np.asarray(vectors[rows, left : left + width], np.float32)
        medians[:, left : left + width] = np.median(part, axis=1)
    medians /= np.maximum(np.linalg.norm(medians, axis=1, keepdims=True), _TINY)
    cosines = np.empty((sets, size), np.float32)
    depth = max(1, min(size, _BLOCK_VALUES // (sets * max(dimension, 1))))
    for top in range(0, size, depth):
        block = np.asarray(vectors[rows[:, top : top + depth]], np.float32)
        lengths = np.maximum(np.linalg.norm(block, axis=2), _TINY)
        cosines[:, top : top + depth] = np.einsum("snd,sd->sn", block, medians) / lengths
    return np.asarray(1 - cosines, np.float32)
