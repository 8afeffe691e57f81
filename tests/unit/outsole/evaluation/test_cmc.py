"""Rank curves and precision agree with definitions written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.evaluation.cmc import (
    average_precision_at_k,
    cmc_curve,
    cumulative_at_percent,
    cumulative_at_rank,
    hit_at_k,
    mean_average_precision_at_k,
    rank_of_percent,
)


def test_top_percents_of_1175_references_end_at_the_ranks_of_the_protocol() -> None:
    assert rank_of_percent([1, 2, 5, 8, 10, 20, 100], gallery_size=1175).tolist() == [12, 24, 59, 94, 118, 235, 1175]


def test_the_last_rank_of_a_percent_counts_and_the_next_does_not() -> None:
    assert cumulative_at_percent([12, 13], [1.0], gallery_size=1175).tolist() == [0.5]


def test_a_probe_whose_item_was_not_returned_is_missed_at_every_rank() -> None:
    assert cumulative_at_rank([0, -1, 1], [1, 10**6]).tolist() == pytest.approx([1 / 3, 1 / 3])


def test_the_curve_equals_the_share_at_each_of_its_ranks() -> None:
    ranks = np.random.default_rng(0).integers(0, 60, 200)
    assert np.allclose(cmc_curve(ranks, length=50), cumulative_at_rank(ranks, np.arange(1, 51)))


def test_average_precision_equals_the_sum_written_out() -> None:
    relevant = np.array([[True, False, True, False], [False, False, False, True]])
    found = average_precision_at_k(relevant, [5, 1], k=3)
    assert found.tolist() == pytest.approx([(1 + 2 / 3) / 3, 0.0])


def test_the_best_list_that_k_answers_allow_scores_one() -> None:
    assert mean_average_precision_at_k(np.ones((2, 5), bool), [5, 900], k=5) == 1.0


def test_a_list_shorter_than_k_is_divided_by_what_was_relevant() -> None:
    assert mean_average_precision_at_k(np.ones((1, 2), bool), [4], k=100) == pytest.approx(0.5)


def test_a_hit_needs_one_right_answer_among_the_first_k() -> None:
    relevant = np.array([[False, True, False], [False, False, True]])
    assert [hit_at_k(relevant, k=k) for k in (1, 2, 3)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("ranks", [[], [1.5], [[1]]])
def test_ranks_that_are_no_list_of_integers_are_refused(ranks: list[object]) -> None:
    with pytest.raises(InvalidInput, match="ranks"):
        cumulative_at_rank(ranks, [1])  # type: ignore[arg-type]


@pytest.mark.parametrize("total", [[0], [1], [3, 3]])
def test_totals_that_contradict_the_answers_are_refused(total: list[int]) -> None:
    with pytest.raises(InvalidInput, match="relevant_total"):
        average_precision_at_k(np.array([[True, True]]), total, k=2)


def test_percents_outside_the_gallery_are_refused() -> None:
    with pytest.raises(InvalidInput, match="percents"):
        rank_of_percent([101], gallery_size=10)
