"""The interface of a vector store, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.filters import RowFilter


@dataclass(frozen=True)
class Candidates:
    """The best rows for each of Q queries, best first, ties by row.

    Attributes:
        rows: int64 [Q, k], row numbers in the edition; -1 where fewer than k rows take part or an approximate index
            found fewer.
        scores: float32 [Q, k], inner products; -inf beside row -1.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]

    def best(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Every row that any query found, once, with its best score: int64 and float32 [n], best first, ties by row."""
        held = self.rows >= 0
        rows, place = np.unique(self.rows[held], return_inverse=True)
        scores = np.full(len(rows), -np.inf, np.float32)
        np.maximum.at(scores, place, self.scores[held])
        order = np.lexsort((rows, -scores.astype(np.float64)))
        return rows[order], scores[order]


class VectorStore(Protocol):
    """Finds the rows of an edition whose vectors have the largest inner product with a query."""

    def publish(self, edition: Edition, fields: Sequence[str]) -> None:
        """Make arrays of an edition searchable; doing it again changes nothing. Each process does it once.

        Args:
            edition: Its arrays are the truth; the store is derived from them.
            fields: Names of arrays, each [N, ...]; all axes but the first are flattened to D.

        Raises:
            NotFound: The edition has no such array.
            InvalidInput: A vector that the store cannot hold.
            BudgetSpent, Unavailable: The back end did not answer; may be retried.
        """
        ...

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
        """Find the best rows for each query.

        Args:
            edition_id: A published edition.
            field: One of the fields published.
            queries: float32 [Q, D], finite; any length.
            limit: k, at least 1; at most the edition's length is returned.
            where: Which rows take part.
            timeout_s: Seconds for the whole call.

        Returns:
            rows and scores [Q, min(limit, N)].

        Raises:
            NotFound: The edition or the field was not published in this process.
            InvalidInput: Queries of another shape or not finite, or a limit that cannot be served.
            BudgetSpent: ``timeout_s`` ran out.
            Unavailable: The back end is away; may be retried.
        """
        ...

    def point_alias(self, gallery: str, field: str, edition_id: str) -> None:
        """Let the public name of a gallery's field lead to a published edition, at once; nothing without such names.

        Raises:
            NotFound: The edition or the field was not published in this process.
            BudgetSpent, Unavailable: The back end did not answer; may be retried.
        """
        ...

    def count(self, edition_id: str) -> int:
        """Rows held of an edition, as the back end counts them; 0 where it is not held."""
        ...

    def rebuild(self, edition: Edition, fields: Sequence[str]) -> None:
        """Drop what is held of arrays of an edition and make it again; arguments and errors are those of `publish`."""
        ...

    def retire(self, edition: Edition) -> None:
        """Drop an edition from the store; one that it does not hold is no error. The disk keeps it."""
        ...

    def close(self) -> None:
        """Let go of the back end; closing twice is allowed."""
        ...


class PublishedEditions:
    """The editions that a store of this process holds, and their vectors as [N, D]; shared by the back ends."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Edition, dict[str, NDArray[Any]]]] = {}

    def add(self, edition: Edition, fields: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Note the edition and return its vectors by field, still mapped from disk."""
        vectors = vectors_of(edition, fields)
        _, known = self._held.get(edition.id, (edition, {}))
        self._held[edition.id] = (edition, {**known, **vectors})
        return vectors

    def get(self, edition_id: str, field: str) -> tuple[Edition, NDArray[Any]]:
        """The edition and its vectors [N, D].

        Raises:
            NotFound: It was not published here with that field.
        """
        edition, vectors = self._held.get(edition_id, (None, {}))
        if edition is None:
            raise NotFound(f"edition {edition_id!r} is not in the vector store", remedy="publish it first")
        if field not in vectors:
            raise NotFound(f"field {field!r} of edition {edition_id!r} is not in the vector store")
        return edition, vectors[field]

    def rows(self, edition_id: str) -> int:
        """Rows of the edition, 0 where it is not held."""
        edition, _ = self._held.get(edition_id, (None, {}))
        return 0 if edition is None else len(edition)

    def fields(self, edition_id: str) -> tuple[str, ...]:
        """Names of the fields held of an edition; empty where it is not held."""
        _, vectors = self._held.get(edition_id, (None, {}))
        return tuple(vectors)

    def remove(self, edition_id: str) -> None:
        """Forget an edition."""
        self._held.pop(edition_id, None)

    def clear(self) -> None:
        """Forget all editions."""
        self._held.clear()


def vectors_of(edition: Edition, fields: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Arrays of an edition as vectors [N, D], by field, without copying.

    Raises:
        NotFound: The edition has no such array.
        InvalidInput: An array that holds no floats.
    """
    vectors = {}
    for field in fields:
        array = edition.array(field)
        if array.ndim < 2 or array.dtype.kind != "f":
            raise InvalidInput(f"array {field!r} holds {array.dtype} {array.shape}, no vectors", field=field)
        vectors[field] = array.reshape(len(array), math.prod(array.shape[1:]))
    return vectors


def checked_queries(queries: NDArray[np.float32], dimension: int, limit: int) -> NDArray[np.float32]:
    """Return queries as float32 [Q, D], contiguous.

    Raises:
        InvalidInput: Another shape, a value that is not finite, or a limit below 1.
    """
    if queries.ndim != 2 or queries.shape[1] != dimension:
        raise InvalidInput(f"queries have shape {queries.shape}, the field has {dimension} dimensions", field="queries")
    if limit < 1:
        raise InvalidInput(f"the limit is {limit}", field="limit", remedy="at least 1")
    plain = np.ascontiguousarray(queries, dtype=np.float32)
    if not np.isfinite(plain).all():
        raise InvalidInput("queries hold a value that is not finite", field="queries")
    return plain


def top_rows(scores: NDArray[np.float32], limit: int) -> Candidates:
    """The best ``limit`` columns of every line, exactly, ties by column.

    Args:
        scores: float32 [Q, N] without NaN; -inf marks columns that do not take part. N below 2**32.
        limit: k; cut to N.
    """
    queries, columns = scores.shape
    kept = min(limit, columns)
    if kept == 0:
        return Candidates(np.empty((queries, 0), np.int64), np.empty((queries, 0), np.float32))
    # One sortable integer holds the score, best first, and below it the column: no two are equal, so that a partial
    # sort is exact. Adding zero makes -0.0 and 0.0 the tie that they are.
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.int32)
    ascending = np.where(bits < 0, ~bits, bits ^ np.int32(-(2**31))).view(np.uint32)
    keys = (~ascending).astype(np.uint64) << np.uint64(32) | np.arange(columns, dtype=np.uint64)
    if kept < columns:
        keys = np.partition(keys, kept - 1, axis=1)[:, :kept]
    keys.sort(axis=1)
    rows = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    best = np.take_along_axis(scores, rows, axis=1).astype(np.float32)
    return Candidates(np.where(np.isneginf(best), -1, rows), best)
