"""hit@k and mAP@k over unique models against a plain loop over the list."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.evaluation.retrieval import (
    average_precision_at,
    hit_at,
    mean_average_precision_at,
    ranked_models,
    unique_models,
)


def slow_average_precision(models: list[int], relevant: set[int], k: int) -> float:
    """By the definition: walk down the list, skip models seen before, add the precision at every right one."""
    seen: list[int] = []
    total = 0.0
    for model in models:
        if model in seen or len(seen) == k:
            continue
        seen.append(model)
        if model in relevant:
            total += sum(1 for each in seen if each in relevant) / len(seen)
    return total / min(len(relevant), k)


def slow_hit(models: list[int], relevant: set[int], k: int) -> bool:
    return any(model in relevant for model in list(dict.fromkeys(models))[:k])


@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_figures_agree_with_the_definition_on_random_lists_with_repeated_models(k: int) -> None:
    rng = np.random.default_rng(k)
    ranked = rng.integers(0, 30, (25, 60))
    relevant = rng.random((25, 30)) < 0.12
    relevant[:, 0] = True
    sets = [set(np.flatnonzero(row).tolist()) for row in relevant]
    pairs = list(zip(ranked.tolist(), sets, strict=True))
    expected = [slow_average_precision(models, right, k) for models, right in pairs]
    np.testing.assert_allclose(average_precision_at(ranked, relevant, k), expected)
    assert mean_average_precision_at(ranked, relevant, k) == pytest.approx(np.mean(expected))
    assert hit_at(ranked, relevant, k) == pytest.approx(
        np.mean([slow_hit(models, right, k) for models, right in pairs])
    )


def test_a_second_instance_of_a_model_takes_no_rank() -> None:
    relevant = np.array([[False, False, True]])
    assert hit_at([[0, 0, 0, 1, 2]], relevant, 3) == 1.0
    assert hit_at([[0, 0, 0, 1, 2]], relevant, 2) == 0.0


def test_the_denominator_is_the_smaller_of_relevant_models_and_k() -> None:
    relevant = np.array([[True, True, True, False]])
    assert mean_average_precision_at([[0, 1, 2, 3]], relevant, 2) == 1.0
    assert mean_average_precision_at([[0, 3, 1, 2]], relevant, 2) == pytest.approx(0.5)


def test_a_model_stands_where_its_best_item_stands_and_equal_items_keep_their_order() -> None:
    similarity = np.array([[0.1, 0.9, 0.5, 0.5], [0.2, 0.2, 0.2, 0.2]])
    assert ranked_models(similarity, [0, 1, 0, 2]).tolist() == [[1, 0, 2], [0, 1, 2]]


def test_lists_without_repetition_are_kept_as_they_are() -> None:
    assert unique_models([[3, 1, 2], [2, 2, 2]]).tolist() == [[3, 1, 2], [2, -1, -1]]


def test_a_relevant_model_that_the_list_does_not_reach_counts_as_missed() -> None:
    relevant = np.array([[False, False, True]])
    assert hit_at([[0, 1]], relevant, 100) == 0.0
    assert average_precision_at([[0, 1]], relevant, 100).tolist() == [0.0]


def test_bad_shapes_and_probes_without_a_relevant_model_are_errors() -> None:
    relevant = np.array([[True, False]])
    with pytest.raises(InvalidInput, match="ranked"):
        hit_at([[0, -1]], relevant, 1)
    with pytest.raises(InvalidInput, match="ranked"):
        hit_at([[0, 5]], relevant, 1)
    with pytest.raises(InvalidInput, match="relevant"):
        hit_at([[0, 1]], np.array([[1, 0]]), 1)
    with pytest.raises(InvalidInput, match="relevant_total"):
        average_precision_at([[0, 1]], np.array([[False, False]]), 1)
    with pytest.raises(InvalidInput, match="similarity"):
        ranked_models([[0.5, float("nan")]], [0, 1])
    with pytest.raises(InvalidInput, match="similarity"):
        ranked_models([[0.5, 0.4]], [0, 1, 2])
