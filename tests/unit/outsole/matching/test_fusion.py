"""The score of a print and its parts."""

from __future__ import annotations

import time

import numpy as np
import pytest

from outsole.errors import BudgetSpent
from outsole.matching.fusion import FUSION_WEIGHT, VECTOR_SHARPNESS, fused, soft_maximum, vector_similarity


def test_the_fused_score_is_the_weighted_sum_and_an_item_scores_alike_alone_and_among_others() -> None:
    correlation = np.array([0.5, -0.1, 0.2], np.float32)
    added = {"a": np.array([0.1, 0.9, -0.3], np.float32), "b": np.array([0.4, -0.2, 0.6], np.float32)}
    scores = fused(correlation, added)
    np.testing.assert_allclose(scores, correlation + FUSION_WEIGHT * (added["a"] + added["b"]), atol=1e-6)
    assert scores.dtype == np.float32
    assert fused(correlation[1:2], {name: values[1:2] for name, values in added.items()})[0] == scores[1]
    assert fused(correlation, {}).tolist() == correlation.tolist()


def test_the_soft_maximum_lies_below_the_maximum_by_at_most_the_log_of_the_count_over_the_sharpness() -> None:
    scores = np.random.default_rng(0).uniform(-1, 1, (5, 40)).astype(np.float32)
    below = scores.max(0) - soft_maximum(scores, 30.0)
    assert (below >= 0).all()
    assert (below <= np.log(5) / 30 + 1e-6).all()
    np.testing.assert_allclose(soft_maximum(np.tile(scores[:1], (5, 1)), 30.0), scores[0], atol=1e-6)


def test_similarity_is_the_soft_maximum_of_cosines_and_names_the_closest_query() -> None:
    vectors = np.eye(6, dtype=np.float16)
    queries = np.stack([vectors[4], vectors[1]])
    similarity, closest = vector_similarity(queries, vectors)
    assert closest[[4, 1]].tolist() == [0, 1]
    expected = 1 + np.log((1 + np.exp(-VECTOR_SHARPNESS)) / 2) / VECTOR_SHARPNESS
    np.testing.assert_allclose(similarity[[4, 1]], expected, atol=1e-6)
    np.testing.assert_allclose(similarity[[0, 2]], 0, atol=1e-6)
    for rows in ([4, 2], [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]):
        chosen, _ = vector_similarity(queries, vectors, np.array(rows))
        assert chosen.tolist() == similarity[rows].tolist()


def test_a_spent_budget_is_said() -> None:
    with pytest.raises(BudgetSpent):
        vector_similarity(np.ones((1, 4)), np.ones((3, 4)), end=time.monotonic() - 1)
