"""From an encoder's raw maps to what is compared: standardised over the valid cells of an image.

A map's channels are brought to mean 0 and deviation 1 over the image's valid cells and to 0 elsewhere. An item's cell
then has norm about sqrt(C), and the inner product with a probe of unit norm is its normalised correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Placement

_FLAT = 1e-5


@dataclass(frozen=True)
class ProbeFeatures:
    """A probe as the reranker compares it.

    Attributes:
        maps: float32 [P, H, W, C] over the canvas, standardised, 0 outside ``cells``, each placement of norm 1.
        cells: Cells that show the probe, bool [P, H, W].
        placements: The P placements.
    """

    maps: NDArray[np.float32]
    cells: NDArray[np.bool_]
    placements: tuple[Placement, ...]


def standardised(maps: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Bring channels to mean 0, deviation 1 over the valid cells of each image.

    Args:
        maps: [N, C, h, w], any float type.
        valid: bool [N, h, w]; at least one cell an image.

    Returns:
        float32 [N, h, w, C], 0 in cells that are not valid.
    """
    cells = np.moveaxis(np.asarray(maps, np.float32), 1, -1)
    weight = valid[..., None].astype(np.float32)
    count = weight.sum((1, 2), keepdims=True)
    centred = (cells - (cells * weight).sum((1, 2), keepdims=True) / count) * weight
    deviation = np.sqrt(np.square(centred).sum((1, 2), keepdims=True) / count)
    # A channel that is flat on an image says nothing about it.
    plain: NDArray[np.float32] = np.zeros_like(centred)
    np.divide(centred, deviation, out=plain, where=deviation > _FLAT)
    return plain


def probe_features(
    maps: NDArray[np.generic], cells: NDArray[np.bool_], placements: tuple[Placement, ...]
) -> ProbeFeatures:
    """Standardise the maps [P, C, H, W] of a placed probe and scale each placement to norm 1."""
    plain = standardised(maps, cells)
    norm = np.sqrt(np.square(plain).sum((1, 2, 3), keepdims=True))
    return ProbeFeatures(plain / np.maximum(norm, _FLAT), cells, placements)
