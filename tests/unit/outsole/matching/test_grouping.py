from __future__ import annotations

import numpy as np

from outsole.matching.grouping import rank_models

CODES = np.array([0, 0, 1, 2, 1, 3])


def test_each_model_is_named_once_by_its_best_item() -> None:
    rows = np.arange(6)
    scores = np.array([0.1, 0.9, 0.2, 0.5, 0.8, 0.3], np.float32)
    assert rank_models(rows, scores, CODES, k=10).tolist() == [1, 4, 3, 5]


def test_ties_go_to_the_lower_row_whatever_the_order_of_the_rows() -> None:
    rows = np.array([5, 3, 2])
    scores = np.array([0.5, 0.5, 0.5], np.float32)
    assert rows[rank_models(rows, scores, CODES, k=3)].tolist() == [2, 3, 5]


def test_no_more_than_k_models_are_named() -> None:
    rows = np.arange(6)
    assert len(rank_models(rows, np.zeros(6, np.float32), CODES, k=2)) == 2
    assert len(rank_models(rows[:0], np.zeros(0, np.float32), CODES, k=2)) == 0
