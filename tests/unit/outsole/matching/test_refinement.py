"""Relevance feedback moves a probe as its formula says."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.matching.refinement import best_score, refined_vectors, rocchio
from outsole.video_answers import RefineMethod

EAST, NORTH, UP = np.eye(3, dtype=np.float32)
NONE = np.empty((0, 3), np.float32)


def test_rocchio_is_its_formula_to_unit_length() -> None:
    found = rocchio(EAST[None], np.stack([NORTH, UP]), -UP[None])
    expected = np.array([1.0, 0.75 / 2, 0.75 / 2 + 0.15])
    assert found[0] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    assert found.dtype == np.float32
    assert found.shape == (1, 3)


def test_nothing_marked_changes_nothing_and_a_vanishing_sum_stays_the_probe() -> None:
    probe = np.stack([EAST, NORTH])
    assert rocchio(probe, NONE, NONE).tolist() == probe.tolist()
    # 1 q - 0.75 q - 0.15 (5/3 q) is nothing.
    assert rocchio(EAST[None], -EAST[None], (5 / 3 * EAST.astype(np.float64))[None]).tolist() == [EAST.tolist()]


def test_best_score_searches_with_the_probe_and_every_relevant_item() -> None:
    found = best_score(EAST[None], np.stack([NORTH, UP]).astype(np.float16))
    assert found.tolist() == [EAST.tolist(), NORTH.tolist(), UP.tolist()]
    assert refined_vectors(EAST[None], UP[None], NORTH[None], method=RefineMethod.BEST_SCORE).shape == (2, 3)


def test_a_relevant_item_rises_and_an_irrelevant_one_falls() -> None:
    rng = np.random.default_rng(1)
    items = rng.normal(size=(50, 32)).astype(np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    probe = items[:1]
    after = refined_vectors(probe, items[7:8], items[9:10], method=RefineMethod.ROCCHIO) @ items.T
    before = probe @ items.T
    assert after[0, 7] > before[0, 7]
    assert after[0, 9] < before[0, 9]
