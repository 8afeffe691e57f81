"""Which prints count as traced, and which half of a trace is said to have lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.video_parts.trace import TracedPrint, models_in_view, print_of, trace_metrics
from benchmarks.video_parts.tracks import compare
from outsole.synthesis.scene_pictures import ShoeTruth
from tests.unit.benchmarks.video_parts.made_sightings import PLAN, seen_of


def test_the_models_in_view_are_those_of_walkers_and_own_their_tracks(truth: tuple[ShoeTruth, ...]) -> None:
    compared = compare([seen_of(truth)], [truth], PLAN)
    worn = {walker.model.model_id for walker in PLAN.scene().walkers}
    wanted = models_in_view(compared, PLAN.scene(), PLAN.shoes)
    assert {each.model.model_id for each in wanted} == worn
    assert sorted(track for each in wanted for track in each.track_ids) == sorted(compared.track_ids)
    # Who is not found stays in: a track that is not there is not in the first rows either.
    lost = replace(compared, scores=replace(compared.scores, walk_of=np.full(len(compared.track_ids), -1)))
    assert [each.track_ids for each in models_in_view(lost, PLAN.scene(), PLAN.shoes)] == [frozenset()] * len(wanted)
    # Whose shoes are never large enough is not in view.
    boxes = compared.truth.boxes
    small = replace(compared.truth, boxes=replace(boxes, is_large_enough=np.zeros(len(boxes.owners), np.bool_)))
    assert models_in_view(replace(compared, truth=small), PLAN.scene(), PLAN.shoes) == []


def test_a_print_is_of_another_shoe_each_time_and_the_same_by_its_number() -> None:
    shoe = PLAN.shoes[0]
    assert print_of(shoe, 1) == print_of(shoe, 1)
    assert print_of(shoe, 1) != print_of(shoe, 2)


def test_both_halves_of_a_trace_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = [TracedPrint(1, 1), TracedPrint(2, 5), TracedPrint(9, 6), TracedPrint(None, None)]
    metrics = trace_metrics(found, [1, 7, None])
    assert metrics["trace_top5"] == pytest.approx(0.5)
    assert (metrics["trace_print_rank1"], metrics["trace_print_top5"]) == (0.25, 0.5)
    assert metrics["trace_candidates"] == 0.75
    assert metrics["trace_look_rank1"] == pytest.approx(1 / 3)
    rows = {line[:30].strip(): line.split()[-3:] for line in capsys.readouterr().out.splitlines()[2:]}
    assert rows["second to 5th"] == ["1", "0.00", "100.00"]
    assert rows["further down"] == ["1", "0.00", "0.00"]
    assert rows["not among the candidates"] == ["1", "0.00", "0.00"]
