"""Candidate embedding: which patterns stand beside which, wherever they stand (lagged co-occurrence).

A shifted or partial print keeps the local order of its tread. For a few lags d,
``G_d = mean over visible cell pairs (x, x + d) of u(x) u(x + d)^T``, with u the map projected to its K leading
channels; all G_d are flattened, square-rooted with their sign (as bilinear pooling does, Lin et al., ICCV 2015),
centred and brought to unit length. The mask enters through which pairs are counted, so the cosine of a partial probe
and a whole item is one inner product and no translation has to be searched. Projection and centre come from made
treads (``python -m training.candidate_basis``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, NotFound

BASIS_FILE = "candidate_basis.npz"
# (down, right) in cells of 8 px: the element itself and its neighbours up to 16 px away.
LAGS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1), (2, 0), (0, 2))
_TINY = 1e-12


@dataclass(frozen=True)
class CandidateBasis:
    """What turns maps into candidate vectors.

    Attributes:
        projection: float32 [C, K].
        centre: float32 [D], D = len(LAGS) * K * K.
        sha256: Hex digest of the file that it was read from.
    """

    projection: NDArray[np.float32]
    centre: NDArray[np.float32]
    sha256: str = ""

    @classmethod
    def load(cls, model_dir: Path) -> CandidateBasis:
        """Read ``candidate_basis.npz`` of a model folder.

        Raises:
            NotFound: It is not there.
            DataCorrupt: It does not hold the two arrays in fitting shapes.
        """
        path = model_dir / BASIS_FILE
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            with np.load(path, allow_pickle=False) as arrays:
                basis = cls(arrays["projection"], arrays["centre"], digest)
        except FileNotFoundError as error:
            raise NotFound(f"encoder folder {model_dir.name!r} has no {BASIS_FILE}") from error
        except (KeyError, ValueError, OSError) as error:
            raise DataCorrupt(f"{BASIS_FILE} of encoder {model_dir.name!r} cannot be read: {error}") from error
        kept = basis.projection.shape[1]
        if basis.centre.shape != (len(LAGS) * kept * kept,):
            raise DataCorrupt(f"{BASIS_FILE} of encoder {model_dir.name!r} has a centre of {basis.centre.shape}")
        return basis

    def vectors(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Candidate vectors float32 [N, D] of unit length of standardised maps [N, h, w, C], 0 where not visible."""
        raw = rooted_cooccurrence(maps, self.projection) - self.centre
        unit: NDArray[np.float32] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), _TINY)
        return unit


def rooted_cooccurrence(maps: NDArray[np.float32], projection: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signed square roots of the co-occurrences G_d, float32 [N, len(LAGS) * K * K], before centring."""
    visible = np.any(maps != 0, axis=-1)
    cells = np.asarray(maps, np.float32) @ projection
    flat = np.concatenate([_cooccurrence(cells, visible, down, right) for down, right in LAGS], axis=1)
    rooted: NDArray[np.float32] = np.sign(flat) * np.sqrt(np.abs(flat))
    return rooted


def _cooccurrence(cells: NDArray[np.float32], visible: NDArray[np.bool_], down: int, right: int) -> NDArray[np.float32]:
    """G_d of every map, [N, K * K]; cells that are not visible are 0 and add nothing."""
    count, height, width, kept = cells.shape
    here = np.s_[:, : height - down, max(0, -right) : width - max(0, right)]
    there = np.s_[:, down:, max(0, right) : width - max(0, -right)]
    first = cells[here].reshape(count, -1, kept)
    second = cells[there].reshape(count, -1, kept)
    pairs = np.maximum((visible[here] & visible[there]).sum((1, 2)), 1)
    product = np.matmul(first.transpose(0, 2, 1), second) / pairs[:, None, None]
    flat: NDArray[np.float32] = product.reshape(count, -1).astype(np.float32, copy=False)
    return flat
