"""From an encoder's raw maps to what is compared: standardised over the valid cells of an image.

A map's channels are brought to mean 0 and deviation 1 over the image's valid cells and to 0 elsewhere. An item's cell
then has norm about sqrt(C).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Placement

_FLAT = 1e-5


@dataclass(frozen=True)
class ProbeFeatures:
    """A probe as it is compared; small, since it travels between processes.

    Attributes:
        maps: float16 [P, h, w, C], the part of the canvas that shows anything under any placement; standardised, 0 in
            cells that do not show the probe.
        top, left: Where that part begins on the canvas, cells.
        cells: Cells that show the probe, bool [P, H, W] over the whole canvas.
        placements: The P placements.
        vectors: float32 [Q, D] of unit length by the part of the score that they make beside the correlation. Q is the
            placements that each was asked for.
    """

    maps: NDArray[np.float16]
    top: int
    left: int
    cells: NDArray[np.bool_]
    placements: tuple[Placement, ...]
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def window(self, largest: tuple[int, int]) -> ProbeFeatures:
        """The same, cut evenly at opposite sides to at most (h, w) cells."""
        height, width = self.maps.shape[1:3]
        above, before = max(0, height - largest[0]) // 2, max(0, width - largest[1]) // 2
        if not above and not before and height <= largest[0] and width <= largest[1]:
            return self
        kept = self.maps[:, above : above + largest[0], before : before + largest[1]]
        return replace(self, maps=kept, top=self.top + above, left=self.left + before)


def standardised(maps: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Bring channels to mean 0, deviation 1 over the valid cells of each image.

    Args:
        maps: [N, C, h, w], any float type.
        valid: bool [N, h, w]; at least one cell an image.

    Returns:
        float32 [N, h, w, C], 0 in cells that are not valid.
    """
    count, channels, height, width = maps.shape
    plain = np.ascontiguousarray(np.moveaxis(maps, 1, -1), np.float32).reshape(count, height * width, channels)
    weight = valid.reshape(count, 1, -1).astype(np.float32)
    cells = weight.sum(2, keepdims=True)
    plain -= weight @ plain / cells
    plain *= weight.transpose(0, 2, 1)
    deviation = np.sqrt(np.einsum("nic,nic->nc", plain, plain)[:, None] / cells)
    # A channel that is flat on an image says nothing about it.
    plain *= np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > _FLAT)
    return plain.reshape(count, height, width, channels)


def probe_features(
    maps: NDArray[np.generic], cells: NDArray[np.bool_], placements: tuple[Placement, ...]
) -> ProbeFeatures:
    """Standardise the maps [P, C, H, W] of a placed probe; ``cells`` bool [P, H, W] has a cell for each placement."""
    shown = np.any(cells, axis=0)
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    plain = standardised(maps[:, :, *part], cells[:, *part])
    return ProbeFeatures(plain.astype(np.float16), int(rows[0]), int(columns[0]), cells, placements)
