"""The scan finds what a full sum in double precision finds, to the last bit, and says when its time is spent."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, InvalidInput
from outsole.gallery import scan
from outsole.gallery.exact_store import inner_products
from outsole.gallery.scan import Scan, error_bounds, exact_scores, widened
from outsole.gallery.store import top_rows

ROWS, DIMENSION = 2_000, 192


def clustered(seed: int, *, lengths: tuple[float, float] = (1.0, 1.0)) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, DIMENSION))
    vectors: NDArray[np.float64] = centres[rng.integers(0, 20, ROWS)] + 0.02 * rng.normal(size=(ROWS, DIMENSION))
    wanted = np.exp(rng.uniform(math.log(lengths[0]), math.log(lengths[1]), size=(ROWS, 1)))
    vectors *= wanted / np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[[5, 900, 1999]] = vectors[3]
    return vectors.astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("lengths", [(1.0, 1.0), (1e-3, 1e3)])
@pytest.mark.parametrize("share", [1.0, 0.9, 0.1])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_best_are_those_of_a_full_sum_in_double_precision(
    dtype: type, lengths: tuple[float, float], share: float, threads: int
) -> None:
    vectors: NDArray[Any] = clustered(1, lengths=lengths).astype(dtype)
    queries = clustered(2)[:5] + clustered(1)[[3, 10, 20, 30, 40]]
    allowed = np.random.default_rng(3).random(ROWS) < share
    full = inner_products(vectors, queries)
    full[:, ~allowed] = -np.inf
    truth = top_rows(full, 100)
    found = Scan(vectors, threads=threads).best(queries, limit=100, allowed=allowed)
    np.testing.assert_array_equal(found.rows, truth.rows)
    np.testing.assert_array_equal(found.scores, truth.scores)


def test_copies_get_the_same_bits_and_the_row_decides() -> None:
    vectors = clustered(1).astype(np.float16)
    found = Scan(vectors).best(vectors[3:4].astype(np.float32), limit=4, allowed=np.ones(ROWS, bool))
    assert found.rows[0].tolist() == [3, 5, 900, 1999]
    assert len(set(found.scores[0].tolist())) == 1


def test_scores_that_round_to_the_same_are_ties_though_their_sums_differ() -> None:
    # The exact sums of the rows ascend by far less than single precision can tell.
    vectors: NDArray[np.float64] = np.ones((3_000, 2))
    vectors[:, 1] = np.arange(3_000) * 1e-13
    found = Scan(vectors).best(np.ones((1, 2), np.float32), limit=7, allowed=np.ones(3_000, bool))
    assert found.rows[0].tolist() == list(range(7))


def test_a_score_does_not_depend_on_the_rows_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, query = clustered(1).astype(np.float16), clustered(2)[0]
    rows = np.arange(ROWS)
    together = exact_scores(vectors, query, rows)
    monkeypatch.setattr(scan, "_BLOCK_BYTES", 8 * DIMENSION * 7)
    np.testing.assert_array_equal(exact_scores(vectors, query, rows), together)
    np.testing.assert_array_equal(exact_scores(vectors, query, rows[::-1]), together[::-1])


def test_the_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = clustered(1).astype(np.float16), clustered(2)[:9]
    allowed = np.ones(ROWS, bool)
    whole = Scan(vectors).best(queries, limit=40, allowed=allowed)
    monkeypatch.setattr(scan, "_SCORES_BYTES", 4 * ROWS * 2)
    monkeypatch.setattr(scan, "_SMALL_PRODUCT", 0)
    monkeypatch.setattr(scan, "_BLOCK_BYTES", 4 * DIMENSION * 17)
    blocks = Scan(vectors).best(queries, limit=40, allowed=allowed)
    np.testing.assert_array_equal(whole.rows, blocks.rows)
    np.testing.assert_array_equal(whole.scores, blocks.scores)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e10])
def test_single_precision_stays_within_its_bound(scale: float) -> None:
    vectors, queries = clustered(1) * np.float32(scale), clustered(2)[:4]
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    exact = np.stack([exact_scores(vectors, query, np.arange(ROWS)) for query in queries]).astype(np.float64)
    coarse = (queries @ vectors.T).astype(np.float64)
    bounds = error_bounds(queries, lengths)
    assert (np.abs(coarse - exact) <= bounds).all()
    assert bounds.max() <= 2e-5 * scale * np.linalg.norm(queries, axis=1).max() + 1e-30


def test_what_single_precision_cannot_hold_is_ranked_in_double() -> None:
    vectors = clustered(1).astype(np.float64)
    vectors[7] *= 1e30
    vectors[8] *= 1e38
    queries = np.stack([vectors[7] / 1e30, np.zeros(DIMENSION), vectors[20]]).astype(np.float32)
    found = Scan(vectors).best(queries, limit=10, allowed=np.ones(ROWS, bool))
    truth = top_rows(inner_products(vectors, queries), 10)
    np.testing.assert_array_equal(found.rows, truth.rows)


def test_fewer_rows_than_asked_are_padded() -> None:
    allowed = np.zeros(ROWS, bool)
    allowed[[4, 900]] = True
    found = Scan(clustered(1)).best(clustered(2)[:3], limit=5, allowed=allowed)
    assert found.rows.shape == found.scores.shape == (3, 5)
    assert (found.rows[:, 2:] == -1).all() and np.isneginf(found.scores[:, 2:]).all()
    assert set(found.rows[:, :2].ravel().tolist()) == {4, 900}


def test_only_a_few_more_rows_than_asked_are_summed_in_double() -> None:
    vectors = np.random.default_rng(5).normal(size=(20_000, 128)).astype(np.float16)
    possible = Scan(vectors)._possible(vectors[:3].astype(np.float32), np.arange(20_000), 100, float("inf"))
    assert 100 <= possible.shape[1] <= 110


def test_a_vector_that_is_not_finite_is_refused() -> None:
    vectors = clustered(1).astype(np.float16)
    vectors[1234, 5] = np.inf
    with pytest.raises(InvalidInput, match="not finite"):
        Scan(vectors)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_spent_budget_ends_the_scan(threads: int) -> None:
    with pytest.raises(BudgetSpent) as caught:
        Scan(clustered(1), threads=threads).best(
            clustered(2)[:1], limit=5, allowed=np.ones(ROWS, bool), end=time.monotonic()
        )
    assert caught.value.field == "time_budget_ms"


def test_every_half_is_widened_as_numpy_does() -> None:
    halves = np.arange(65_536, dtype=np.uint16).view(np.float16).reshape(64, 1024)
    halves = halves[np.isfinite(halves.astype(np.float32)).all(axis=1)]
    wide = widened(halves, np.empty(halves.shape, np.float32))
    np.testing.assert_array_equal(wide.view(np.uint32), halves.astype(np.float32).view(np.uint32))
