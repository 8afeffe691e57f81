"""Exhaustive search over vectors on disk: a scan in single precision, and double precision where it matters.

Scores are sums in double precision, rounded once to single precision, each in the same order whatever is computed
beside it: two copies of an item get the same score, and the row decides. Only rows that can be among the best are
summed that way. A scan in single precision finds them: for every order of summation (Higham, "Accuracy and Stability
of Numerical Algorithms", section 3.1) its error is at most ``n u / (1 - n u)`` times the lengths of query and vector,
with n the dimension and u = 2**-24. A row whose score plus its bound stays below k others' scores minus their bounds is
in no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, InvalidInput
from outsole.gallery.store import Candidates, top_rows

# OpenBLAS multiplies without repacking its operands up to so many multiplications: three times faster, because the
# block is read once, while it is still in the cache.
_SMALL_PRODUCT = 1_000_000
_LEAST_ROWS, _MOST_ROWS = 16, 128
_BLOCK_BYTES = 1 << 20
_SCORES_BYTES = 64 << 20
# Rows are gathered where at most this part of them is asked for; beyond it reading all in order is faster.
_SPARSE = 0.5
_ROUNDOFF = 2.0**-24
# More than what a product or a sum can lose to the least numbers that single precision holds.
_TINY = 2.0**-120


class Scan:
    """Vectors that are searched by reading all of them; it may be shared by threads.

    Making it reads the vectors once, for their lengths; nothing is copied.

    Args:
        vectors: floats [N, D], perhaps mapped from disk; fp16 is read fastest.
        threads: How many threads read at once.

    Raises:
        InvalidInput: A vector holds a value that is not finite.
    """

    def __init__(self, vectors: NDArray[Any], *, threads: int = 1) -> None:
        self._vectors = vectors
        self._threads = threads
        self._lengths = _longest_lengths(vectors)

    def best(
        self, queries: NDArray[np.float32], *, limit: int, allowed: NDArray[np.bool_], end: float = float("inf")
    ) -> Candidates:
        """The best rows for each query.

        Args:
            queries: float32 [Q, D], finite.
            limit: k, at least 1; cut to N.
            allowed: bool [N], which rows take part.
            end: ``time.monotonic()`` at which the caller's budget is spent.

        Returns:
            Rows and scores [Q, min(limit, N)], best first, ties by row.

        Raises:
            BudgetSpent: ``end`` came first.
        """
        kept = min(limit, len(self._vectors))
        taking_part = np.flatnonzero(allowed)
        step = max(1, _SCORES_BYTES // (4 * max(1, len(self._vectors))))
        rows = np.full((len(queries), kept), -1, np.int64)
        scores = np.full((len(queries), kept), -np.inf, np.float32)
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            possible = self._possible(queries[part], taking_part, kept, end)
            found = ranked(self._vectors, queries[part], possible, limit=kept, end=end)
            rows[part, : found.rows.shape[1]], scores[part, : found.rows.shape[1]] = found.rows, found.scores
        return Candidates(rows, scores)

    def _possible(
        self, queries: NDArray[np.float32], taking_part: NDArray[np.int64], kept: int, end: float
    ) -> NDArray[np.int64]:
        """Rows [Q, k'] that can be among the best ``kept``, -1 pads."""
        if len(taking_part) <= kept:
            return np.broadcast_to(taking_part, (len(queries), len(taking_part)))
        coarse = self._coarse(queries, taking_part, end)
        bound = error_bounds(queries, self._lengths[taking_part])
        lines = zip(np.ascontiguousarray(coarse.T), bound, strict=True)
        return _padded([taking_part[_may_be_best(scores, bounds, kept)] for scores, bounds in lines])

    def _coarse(self, queries: NDArray[np.float32], taking_part: NDArray[np.int64], end: float) -> NDArray[np.float32]:
        """Inner products in single precision, [rows taking part, Q]."""
        total = len(self._vectors)
        is_sparse = len(taking_part) <= _SPARSE * total
        wanted = taking_part if is_sparse else np.arange(total)
        scores = np.empty((len(wanted), len(queries)), np.float32)

        def read(first: int, last: int) -> None:
            at = first
            for block in self._blocks(wanted[first:last], len(queries), gathered=is_sparse):
                if time.monotonic() >= end:
                    raise BudgetSpent(f"the scan was at {at} of {len(wanted)} items", field="time_budget_ms")
                # What is too large for single precision ends as an infinite bound, and is computed in double.
                with np.errstate(over="ignore", invalid="ignore"):
                    np.matmul(block, queries.T, out=scores[at : at + len(block)])
                at += len(block)

        _in_lanes(read, len(wanted), self._threads)
        return scores if is_sparse or len(taking_part) == total else scores[taking_part]

    def _blocks(self, rows: NDArray[np.int64], queries: int, *, gathered: bool) -> Iterator[NDArray[np.float32]]:
        dimension = max(1, self._vectors.shape[1])
        step = min(_SMALL_PRODUCT // (max(1, queries) * dimension), _MOST_ROWS)
        if step < _LEAST_ROWS:
            # Repacking pays where many queries share it.
            step = max(_LEAST_ROWS, _BLOCK_BYTES // (4 * dimension))
        buffer = np.empty((min(step, len(rows)), dimension), np.float32)
        for start in range(0, len(rows), step):
            chosen = rows[start : start + step]
            raw = self._vectors[chosen] if gathered else self._vectors[chosen[0] : chosen[-1] + 1]
            yield widened(raw, buffer[: len(chosen)])


def ranked(
    vectors: NDArray[Any],
    queries: NDArray[np.float32],
    rows: NDArray[np.int64],
    *,
    limit: int,
    end: float = float("inf"),
) -> Candidates:
    """Score rows in double precision, round once, and put them in order.

    Args:
        vectors: floats [N, D].
        queries: float32 [Q, D].
        rows: int64 [Q, m], distinct in a line but for -1, which pads.
        limit: k; cut to m.
        end: ``time.monotonic()`` at which the caller's budget is spent.

    Returns:
        Rows and scores [Q, min(k, m)], best first, ties by row.

    Raises:
        BudgetSpent: ``end`` came first.
    """
    # In order of row first: the stable choice among equal scores is then the smaller row.
    ordered = np.sort(np.where(rows < 0, np.iinfo(np.int64).max, rows), axis=1)
    found = ordered < len(vectors)
    scores = np.full(rows.shape, -np.inf, np.float32)
    for line, query, present, at in zip(scores, queries, found, ordered, strict=True):
        line[present] = exact_scores(vectors, query, at[present], end=end)
    best = top_rows(scores, limit)
    chosen = np.take_along_axis(ordered, np.maximum(best.rows, 0), axis=1)
    return Candidates(np.where(best.rows < 0, -1, chosen), best.scores)


def exact_scores(
    vectors: NDArray[Any], query: NDArray[np.float32], rows: NDArray[np.int64], *, end: float = float("inf")
) -> NDArray[np.float32]:
    """Inner products of a query [D] with some vectors: float32 [len(rows)], each a double sum that is rounded once.

    A row's score does not depend on the rows beside it, to the last bit.

    Raises:
        BudgetSpent: ``end`` came first.
    """
    wide = query.astype(np.float64)
    scores = np.empty(len(rows), np.float32)
    step = max(1, _BLOCK_BYTES // (8 * max(1, vectors.shape[1])))
    for start in range(0, len(rows), step):
        if time.monotonic() >= end:
            raise BudgetSpent("no time was left to compute scores exactly", field="time_budget_ms")
        block = vectors[rows[start : start + step]]
        # One dot product a row: BLAS sums a matrix product in another order for another batch.
        scores[start : start + step] = np.vecdot(doubled(block), wide)
    return scores


def error_bounds(queries: NDArray[np.float32], lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a score in single precision can lie from the exact score rounded once: float64 [Q, n].

    Args:
        queries: float32 [Q, D].
        lengths: float64 [n], Euclidean lengths of the vectors, or more.

    Returns:
        Not finite where nothing can be said.
    """
    dimension = queries.shape[1]
    # Besides the D roundings of the sum: of a float64 vector to single precision, of the exact score, and room for
    # double precision, in which these bounds are computed too.
    spread = (dimension + 4) * _ROUNDOFF
    factor = spread / (1 - spread) if spread < 1 else np.inf
    of_queries = np.linalg.norm(queries.astype(np.float64), axis=1)[:, None]
    with np.errstate(invalid="ignore"):
        bounds: NDArray[np.float64] = factor * of_queries * lengths + dimension * _TINY * (1 + of_queries)
    return bounds


def widened(block: NDArray[Any], buffer: NDArray[np.float32]) -> NDArray[np.float32]:
    """A block of vectors [n, D] in single precision, in ``buffer`` (of its shape) where it is not already."""
    if block.dtype == np.float32:
        return np.asarray(block)
    if block.dtype == np.float16 and block.size:
        # The conversion of the processor; numpy's takes 14 times as long.
        return np.asarray(cv2.convertFp16(np.asarray(block), buffer))
    with np.errstate(over="ignore"):
        np.copyto(buffer, block, casting="same_kind")
    return buffer


def doubled(block: NDArray[Any]) -> NDArray[np.float64]:
    """A block of vectors [n, D] in double precision."""
    if block.dtype == np.float16:
        block = widened(block, np.empty(block.shape, np.float32))
    return block.astype(np.float64)


def _longest_lengths(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Euclidean lengths of vectors [N, D] as float64 [N], rounded up; infinite beyond single precision."""
    squares = np.empty(len(vectors), np.float64)
    dimension = vectors.shape[1]
    step = max(1, _BLOCK_BYTES // (4 * max(1, dimension)))
    buffer = np.empty((step, dimension), np.float32)
    for start in range(0, len(vectors), step):
        raw = vectors[start : start + step]
        block = widened(raw, buffer[: len(raw)])
        with np.errstate(over="ignore", invalid="ignore"):
            part = squares[start : start + step] = np.vecdot(block, block)
        if not np.isfinite(part).all() and not np.isfinite(raw).all():
            raise InvalidInput(f"rows {start} to {start + len(raw) - 1} hold a value that is not finite")
    spread = (dimension + 4) * _ROUNDOFF
    factor = 1 / (1 - spread) if spread < 1 else np.inf
    lengths: NDArray[np.float64] = np.sqrt(squares * factor + dimension * _TINY)
    return lengths


def _may_be_best(scores: NDArray[np.float32], bounds: NDArray[np.float64], kept: int) -> NDArray[np.int64]:
    """Which of n > ``kept`` scores, each off by at most its bound, can be among the best."""
    worst = bounds.max()
    if not np.isfinite(worst) or not np.isfinite(scores).all():
        return np.arange(len(scores))
    leading = np.argpartition(scores, len(scores) - kept)[len(scores) - kept :]
    # No fewer than ``kept`` exact scores are as high as this.
    threshold = (scores[leading] - bounds[leading]).min()
    near = np.flatnonzero(scores >= threshold - worst)
    chosen: NDArray[np.int64] = near[scores[near] + bounds[near] >= threshold]
    return chosen


def _padded(lines: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Lines of row numbers as one array [Q, longest], -1 pads."""
    rows = np.full((len(lines), max(map(len, lines), default=0)), -1, np.int64)
    for target, line in zip(rows, lines, strict=True):
        target[: len(line)] = line
    return rows


def _in_lanes(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Run ``work(first, last)`` over parts of ``range(count)``, one part a thread."""
    cuts = [count * lane // threads for lane in range(threads + 1)]
    if threads == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:]))
