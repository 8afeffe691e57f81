"""The exact store: a scan of the arrays on disk, the oracle that the other back ends are compared with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.filters import RowFilter, rows_allowed
from outsole.gallery.scan import Scan, doubled
from outsole.gallery.store import Candidates, PublishedEditions, checked_queries, vectors_of

_BLOCK_BYTES = 32 << 20


class ExactStore:
    """Scans memory-mapped vectors; nothing is copied when an edition is published, but all of it is read once.

    Args:
        threads: How many threads read at once in each search.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._published = PublishedEditions()
        self._scans: dict[tuple[str, str], Scan] = {}

    def publish(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.publish`."""
        for name, vectors in vectors_of(edition, fields).items():
            if (edition.id, name) not in self._scans:
                self._scans[edition.id, name] = Scan(vectors, threads=self._threads)
        self._published.add(edition, fields)

    def search(
        self,
        edition_id: str,
        field: str,
        queries: NDArray[np.float32],
        *,
        limit: int,
        where: RowFilter,
        timeout_s: float,
    ) -> Candidates:
        """See `VectorStore.search`."""
        end = time.monotonic() + timeout_s
        edition, vectors = self._published.get(edition_id, field)
        wanted = checked_queries(queries, vectors.shape[1], limit)
        allowed = rows_allowed(edition.items, where)
        scan = self._scans.get((edition_id, field))
        if scan is None:
            raise NotFound(f"edition {edition_id!r} was retired meanwhile")
        return scan.best(wanted, limit=limit, allowed=allowed, end=end)

    def point_alias(self, gallery: str, field: str, edition_id: str) -> None:
        """See `VectorStore.point_alias`; nobody else reads this store, so it has no names."""
        self._published.get(edition_id, field)

    def count(self, edition_id: str) -> int:
        """See `VectorStore.count`."""
        return self._published.rows(edition_id)

    def rebuild(self, edition: Edition, fields: Sequence[str]) -> None:
        """See `VectorStore.rebuild`; the arrays on disk are all there is."""
        self.publish(edition, fields)

    def retire(self, edition: Edition) -> None:
        """See `VectorStore.retire`."""
        self._published.remove(edition.id)
        for key in [key for key in self._scans if key[0] == edition.id]:
            del self._scans[key]

    def close(self) -> None:
        """See `VectorStore.close`."""
        self._published.clear()
        self._scans.clear()


def inner_products(
    vectors: NDArray[Any], queries: NDArray[np.float32], *, end: float = float("inf")
) -> NDArray[np.float32]:
    """Inner products of every query with every vector.

    They are summed in double precision and rounded once: BLAS sums in another order for another batch, and in single
    precision two copies of one item would then differ in the last digit and lose the tie that item ids should break.
    Where only the best are wanted, `outsole.gallery.scan.Scan` finds the same five times faster.

    Args:
        vectors: floats [N, D], perhaps mapped from disk.
        queries: float32 [Q, D].
        end: ``time.monotonic()`` at which the caller's budget is spent.

    Returns:
        float32 [Q, N].

    Raises:
        BudgetSpent: ``end`` came before the scan was complete.
    """
    wide = queries.astype(np.float64)
    scores = np.empty((len(queries), len(vectors)), np.float32)
    step = max(1, _BLOCK_BYTES // (8 * max(1, vectors.shape[1])))
    for start in range(0, len(vectors), step):
        if time.monotonic() >= end:
            raise BudgetSpent(f"the scan had reached {start} of {len(vectors)} items", field="time_budget_ms")
        block = doubled(vectors[start : start + step])
        scores[:, start : start + step] = wide @ block.T
    return scores
