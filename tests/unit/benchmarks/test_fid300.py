from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fid300 import cutoffs_of, latency_table, metrics_of, quality_table
from outsole.answers import SearchAnswer, SearchMode
from outsole.evaluation.collections import LabelledProbe
from outsole.evaluation.searches import SearchOutcome


def _outcome(number: int, rank: int, visible: float) -> SearchOutcome:
    answer = SearchAnswer(
        hits=(),
        gallery="g",
        edition="e",
        encoder_hash="h",
        mode=SearchMode.EXHAUSTIVE,
        searched=1175,
        total=1175,
        visible_fraction=visible,
        stage_ms={"rerank": 10.0, "decode": 1.0},
    )
    return SearchOutcome(LabelledProbe(f"{number:05d}", Path("x"), f"{number:05d}"), answer, rank, 100.0 + number)


OUTCOMES = [_outcome(1, 1, 1.0), _outcome(2, 12, 0.3), _outcome(3, 13, 0.375), _outcome(4, 0, 0.5)]


def test_cutoffs_follow_the_convention_of_the_collection() -> None:
    cutoffs = cutoffs_of(1175)
    assert (cutoffs["cmc_top1pct"], cutoffs["cmc_top5pct"], cutoffs["cmc_top10pct"]) == (12, 59, 118)
    assert (cutoffs["cmc_rank1"], cutoffs["cmc_rank10"]) == (1, 10)


def test_metrics_are_flat_percents_and_milliseconds() -> None:
    metrics = metrics_of(OUTCOMES, 1175)
    assert metrics["cmc_rank1"] == 25.0
    assert metrics["cmc_top1pct"] == 50.0
    assert metrics["cmc_top20pct"] == 75.0
    assert metrics["cmc_top1pct_small"] == 50.0
    assert metrics["latency_p50_ms"] == pytest.approx(102.5)
    assert (metrics["gallery"], metrics["probes"]) == (1175, 4)


def test_a_run_without_small_prints_says_nothing_of_them() -> None:
    assert "cmc_top1pct_small" not in metrics_of(OUTCOMES[:1], 1175)


def test_tables_name_every_bin_with_a_probe_and_every_stage_in_order() -> None:
    table = quality_table(OUTCOMES, 1175)
    assert "under 3/8" in table
    assert "5/8 to 7/8" not in table
    lines = latency_table(OUTCOMES).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["decode", "rerank", "whole"]
