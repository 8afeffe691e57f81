"""Scores of an item in several views as one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.matching.rerank import ItemScores
from outsole.matching.wear_views import VIEW_SHARPNESS, fused_views, joined_views


def scores(rows: list[int], values: list[float], placement: int) -> ItemScores:
    found: NDArray[np.float32] = np.array(values, np.float32)
    everywhere = np.full(len(rows), placement, np.int32)
    parts: dict[str, NDArray[np.float32]] = {"correlation": found, "cooccurrence": found / np.float32(2)}
    return ItemScores(np.array(rows, np.int64), found, everywhere, found * 10, found * 20, parts)


def test_a_fused_score_lies_between_the_mean_and_the_greatest() -> None:
    found = np.random.default_rng(0).uniform(-1, 1, (4, 200)).astype(np.float32)
    fused = fused_views(found)
    assert fused.dtype == np.float32
    assert (fused <= found.max(0) + 1e-6).all()
    assert (fused >= np.maximum(found.mean(0), found.max(0) - np.log(4) / VIEW_SHARPNESS) - 1e-6).all()
    np.testing.assert_allclose(fused_views(np.tile(found[:1], (3, 1))), found[0], atol=1e-6)


def test_one_view_is_its_own_score_and_a_view_that_lacks_adds_nothing() -> None:
    found = np.random.default_rng(1).uniform(-1, 1, (1, 50)).astype(np.float32)
    assert np.array_equal(fused_views(found), found[0])
    lacking = np.concatenate([found, np.full_like(found, -np.inf)])
    assert np.array_equal(fused_views(lacking), found[0])


def test_items_keep_placement_shift_and_parts_of_the_view_that_won() -> None:
    rows = np.array([7, 3, 5], np.int64)
    own = scores([7, 3, 5], [0.2, 0.6, 0.4], placement=0)
    # The companion numbers its rows otherwise, answers in an order of its own and lacks the second item.
    worn = scores([2, 0], [0.1, 0.9], placement=4)
    joined, won = joined_views([own, worn], [np.arange(3), np.array([2, 0])], rows)
    assert joined.rows.tolist() == [7, 3, 5]
    assert won.tolist() == [1, 0, 0]
    assert joined.placement.tolist() == [4, 0, 0]
    np.testing.assert_allclose(joined.scores, fused_views(np.array([[0.2, 0.6, 0.4], [0.9, -np.inf, 0.1]])), atol=1e-6)
    np.testing.assert_allclose(joined.shift_y_px, [9, 6, 4], rtol=1e-6)
    np.testing.assert_allclose(joined.shift_x_px, [18, 12, 8], rtol=1e-6)
    np.testing.assert_allclose(joined.parts["cooccurrence"], [0.45, 0.3, 0.2], rtol=1e-6)
    assert joined.parts["correlation"].dtype == np.float32


@pytest.mark.parametrize("lacking", [0, 2])
def test_a_view_without_any_of_the_items_changes_nothing(lacking: int) -> None:
    rows = np.arange(lacking, dtype=np.int64)
    own = scores(rows.tolist(), [0.5] * lacking, placement=1)
    joined, won = joined_views([own, ItemScores.none()], [rows, np.empty(0, np.int64)], rows)
    assert np.array_equal(joined.scores, own.scores)
    assert won.tolist() == [0] * lacking
