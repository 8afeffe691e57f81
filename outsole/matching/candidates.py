"""Candidate embedding: which patterns stand beside which, wherever they stand (lagged co-occurrence).

A shifted or partial print keeps the local order of its tread. For a few lags d,
``G_d = mean over visible cell pairs (x, x + d) of u(x) u(x + d)^T``, with u the map projected to its K leading
channels; all G_d are flattened, square-rooted with their sign (as bilinear pooling does, Lin et al., ICCV 2015),
centred and brought to unit length. The mask enters through which pairs are counted, so the cosine of a partial probe
and a whole item is one inner product and no translation has to be searched.

What prints from scenes have in common with each other, floor and grain, draws all of them to the same few items (hubs:
Radovanovic et al., JMLR 2010). A probe's vector is therefore centred on the mean vector of degraded prints, which is
the same as taking from each item's score its mean score over such prints. Only the candidates are found so: within the
score of a comparison the plain cosine did better (FID-300: rank 1 75.0 against 73.6). Projection and both centres come
from made treads (``python -m training.candidate_basis``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, NotFound

BASIS_FILE = "candidate_basis.npz"
# A file of its own: it shapes probes alone, so that galleries stay what they are when it changes.
PROBE_CENTRE_FILE = "probe_centre.npy"
# (down, right) in cells of 8 px: the element itself and its neighbours up to 16 px away.
LAGS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1), (2, 0), (0, 2))
_TINY = 1e-12


@dataclass(frozen=True)
class CandidateBasis:
    """What turns maps into candidate vectors.

    Attributes:
        projection: float32 [C, K].
        centre: float32 [D], D = len(LAGS) * K * K.
        probe_centre: float32 [D], the mean of degraded prints' vectors.
        sha256: Hex digest of the file that projection and centre were read from: what items' vectors depend on.
    """

    projection: NDArray[np.float32]
    centre: NDArray[np.float32]
    probe_centre: NDArray[np.float32]
    sha256: str = ""

    @classmethod
    def load(cls, model_dir: Path) -> CandidateBasis:
        """Read ``candidate_basis.npz`` and ``probe_centre.npy`` of a model folder.

        Raises:
            NotFound: One of them is not there.
            DataCorrupt: They do not hold the three arrays in fitting shapes.
        """
        path, about = model_dir / BASIS_FILE, f"of encoder {model_dir.name!r}"
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            with np.load(path, allow_pickle=False) as arrays:
                projection, centre = arrays["projection"], arrays["centre"]
            path = model_dir / PROBE_CENTRE_FILE
            probe_centre = np.load(path, allow_pickle=False)
        except FileNotFoundError as error:
            raise NotFound(f"encoder folder {model_dir.name!r} has no {path.name}") from error
        except (KeyError, ValueError, OSError, EOFError) as error:
            raise DataCorrupt(f"{path.name} {about} cannot be read: {error}") from error
        dimension = len(LAGS) * projection.shape[1] ** 2
        for name, found in ((BASIS_FILE, centre), (PROBE_CENTRE_FILE, probe_centre)):
            if found.shape != (dimension,):
                raise DataCorrupt(f"{name} {about} has a centre of {found.shape}, not ({dimension},)")
        return cls(projection, centre, probe_centre, digest)

    def vectors(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Candidate vectors float32 [N, D] of unit length of standardised maps [N, h, w, C], 0 where not visible."""
        return _unit(rooted_cooccurrence(maps, self.projection) - self.centre)

    def queries(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """What a probe's vectors [Q, D] look for: unit vectors without what prints from scenes have in common."""
        return _unit(vectors - self.probe_centre)


def _unit(raw: NDArray[np.float32]) -> NDArray[np.float32]:
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


def in_turns(lists: Sequence[NDArray[np.int64]], limit: int) -> NDArray[np.int64]:
    """Lists of rows, each best first, as one: the first of each list, the second of each, and each row once.

    Args:
        lists: int64 each, at least one.
        limit: Rows wanted.

    Returns:
        int64 [<= limit].
    """
    turns = np.concatenate([np.arange(len(rows)) for rows in lists])
    rows = np.concatenate(lists)[np.argsort(turns, kind="stable")]
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)[:limit]]
