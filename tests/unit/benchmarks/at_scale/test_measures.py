"""What is counted: neighbours, recalls, switches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.at_scale.candidates import shortlist_recall
from benchmarks.at_scale.close_look import Exhaustive
from benchmarks.at_scale.structure import largest_gap, nearest_similarity, one_a_group
from benchmarks.at_scale.switching import LoadedCall, report_of
from benchmarks.finished import Finished
from benchmarks.scale import available, headlines
from outsole.answers import Hit, SearchAnswer, SearchMode
from outsole.errors import InvalidInput

RETIRED = {"old": frozenset({"a"}), "new": frozenset({"b"})}


def call(begun_s: float, edition: str, *items: str) -> LoadedCall:
    hits = tuple(Hit(rank, item, item, 1.0) for rank, item in enumerate(items, 1))
    answer = SearchAnswer(hits, "scale", edition, "ab", SearchMode.SHORTLIST, 1, 1)
    return LoadedCall(begun_s, 100.0, answer)


def test_an_items_nearest_neighbour_is_never_itself() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    np.testing.assert_allclose(nearest_similarity(vectors), [0.8, 0.8, 0.6], rtol=1e-6)


def test_equal_distributions_have_no_gap_and_separate_ones_a_whole_one() -> None:
    low, high = np.arange(5.0), np.arange(10.0, 15.0)
    assert largest_gap(low, low) == 0
    assert largest_gap(low, high) == 1
    assert largest_gap(np.arange(4.0), np.arange(2.0, 6.0)) == pytest.approx(0.5)


def test_one_item_is_drawn_of_each_group() -> None:
    groups = np.array([3, 3, 1, 1, 1, 7])
    rows = one_a_group(groups, 10, seed=0)
    assert sorted(groups[rows].tolist()) == [1, 3, 7]
    assert len(one_a_group(groups, 2, seed=0)) == 2


def test_recall_counts_only_probes_that_an_exhaustive_search_finds() -> None:
    shortlists = [np.array([4, 2]), np.array([9]), np.array([1])]
    assert shortlist_recall(shortlists, [2, 3, 5], [1, 12, 13]) == 0.5
    assert shortlist_recall(shortlists, [2, 3, 5], [13, 14, 15]) == 1.0


def test_the_rank_of_a_model_is_that_of_its_best_item() -> None:
    codes = np.array([0, 0, 1, 2])
    found = Exhaustive(np.array([[0.1, 0.9, 0.5, 0.95]], np.float32), 0.0)
    assert found.model_ranks([0], codes) == [2]
    assert found.model_ranks([2], codes) == [3]


def test_a_clean_switch_drops_and_mixes_nothing() -> None:
    calls = [call(0, "old", "b", "c"), call(2, "new", "a", "c")]
    report = report_of(calls, RETIRED, switched_s=1)
    assert (report.requests, report.dropped, report.mixed, report.late) == (2, 0, 0, 0)
    assert report.first_new_s == pytest.approx(1.1)


def test_an_answer_with_an_item_that_its_edition_does_not_search_is_mixed() -> None:
    calls = [call(0, "old", "a"), call(2, "new", "b"), call(2, "other", "c")]
    assert report_of(calls, RETIRED, switched_s=1).mixed == 3


def test_dropped_searches_and_late_answers_are_counted() -> None:
    calls = [call(2, "new", "a"), call(3, "old", "b"), LoadedCall(3, 5.0, None, "Unavailable: away")]
    report = report_of(calls, RETIRED, switched_s=1)
    assert (report.dropped, report.late, report.errors) == (1, 1, ("Unavailable: away",))


def test_a_switch_that_never_shows_is_said() -> None:
    assert report_of([call(0, "old", "b")], RETIRED, switched_s=1).first_new_s == -1


def test_the_first_store_that_has_a_figure_gives_it_its_plain_name() -> None:
    metrics = {"lite_p50_ms": 2.0, "exact_shortlist_recall": 0.9, "lite_shortlist_recall": 0.8}
    assert headlines(metrics, ["exact", "lite"]) == {"p50_ms": 2.0, "shortlist_recall": 0.9}


def test_a_store_that_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidInput):
        available("exact,other")


def test_a_part_that_is_finished_is_not_measured_again_unless_the_plan_is_another(tmp_path: Path) -> None:
    turns, path = iter(range(9)), tmp_path / "work" / "measured.json"

    def measured(key: str) -> float:
        return Finished(path, key).measured("part", lambda: {"turn": next(turns)})["turn"]

    assert [measured("a"), measured("a"), measured("b")] == [0, 0, 1]
