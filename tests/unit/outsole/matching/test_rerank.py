"""The correlation over all translations and placements against a plain, slow one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import Placement
from outsole.encoders.spec import EncoderSpec
from outsole.errors import BudgetSpent
from outsole.matching.features import ProbeFeatures, probe_features, standardised
from outsole.matching.rerank import SHARPNESS, PlacementReranker

MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"


class Maps:
    """Items' maps in memory."""

    def __init__(self, maps: NDArray[Any]) -> None:
        self.maps = maps

    def array(self, name: str) -> NDArray[Any]:
        assert name == "maps"
        return self.maps


@pytest.fixture(scope="module")
def spec() -> EncoderSpec:
    return EncoderSpec.load(MODEL)


@pytest.fixture(scope="module")
def items(spec: EncoderSpec) -> NDArray[np.float16]:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(70, spec.channels, *spec.item_cells))
    return standardised(raw, np.ones((70, *spec.item_cells), bool)).astype(np.float16)


def cut_out(items: NDArray[np.float16], spec: EncoderSpec, *, row: int, down: int, right: int) -> ProbeFeatures:
    """A probe of 30 x 20 cells that shows part of one item, in the middle of its canvas, in two placements."""
    canvas = np.zeros((2, *spec.canvas_cells, spec.channels), np.float32)
    cells = np.zeros((2, *spec.canvas_cells), bool)
    top, left = (spec.canvas_cells[0] - 30) // 2, (spec.canvas_cells[1] - 20) // 2
    cells[:, top : top + 30, left : left + 20] = True
    canvas[0, cells[0]] = np.random.default_rng(2).normal(size=(600, spec.channels))
    canvas[1, cells[1]] = items[row, down : down + 30, right : right + 20].reshape(600, -1)
    return probe_features(np.moveaxis(canvas, -1, 1), cells, (Placement(rotation_deg=-4), Placement(rotation_deg=4)))


def slow_similarity(item: NDArray[Any], probe: ProbeFeatures, placement: int, down: int, right: int) -> float:
    """By the definition, cell by cell; shifts lead from canvas cells to the item's."""
    total = 0.0
    maps = probe.maps[placement].astype(np.float64)
    for y, x in np.argwhere(probe.cells[placement]):
        if 0 <= y + down < item.shape[0] and 0 <= x + right < item.shape[1]:
            total += float(maps[y - probe.top, x - probe.left] @ item[y + down, x + right].astype(np.float64))
    return total / float(np.linalg.norm(maps) * np.sqrt(probe.cells[placement].sum() * item.shape[-1]))


def test_a_cut_out_part_is_found_at_its_item_placement_and_shift(items: NDArray[np.float16], spec: EncoderSpec) -> None:
    probe = cut_out(items, spec, row=40, down=3, right=14)
    found = PlacementReranker(Maps(items), spec).score(probe, None, deadline=time.monotonic() + 60)
    assert found.scores.argmax() == 40
    assert found.placement[40] == 1
    # The probe's middle cell is the item's (3 + 15, 14 + 10); its map has 76 x 36 cells.
    assert found.shift_y_px[40] == (3 + 15 - 38) * 8
    assert found.shift_x_px[40] == (14 + 10 - 18) * 8


def test_the_score_is_the_soft_maximum_of_the_correlations_by_the_definition(
    items: NDArray[np.float16], spec: EncoderSpec
) -> None:
    probe = cut_out(items, spec, row=5, down=20, right=8)
    reranker = PlacementReranker(Maps(items), spec)
    found = reranker.score(probe, np.array([5]), deadline=float("inf"))
    heat = reranker.explain(probe, 5)
    down, right = 20 - (spec.canvas_cells[0] - 30) // 2, 8 - (spec.canvas_cells[1] - 20) // 2
    expected = slow_similarity(items[5], probe, 1, down, right)
    assert heat.similarity == pytest.approx(expected, abs=1e-4)
    assert heat.heat.sum() == pytest.approx(heat.similarity, abs=1e-5)
    # One of two placements is far worse, so the soft maximum is the best less log 2 over the sharpness.
    assert found.scores[0] == pytest.approx(expected - np.log(2) / SHARPNESS, abs=1e-3)


def test_items_chosen_by_row_score_as_they_do_among_all_with_and_without_a_cache(
    items: NDArray[np.float16], spec: EncoderSpec
) -> None:
    probe = cut_out(items, spec, row=68, down=0, right=0)
    rows = np.array([68, 3, 64, 63])
    everything = PlacementReranker(Maps(items), spec).score(probe, None, deadline=float("inf"))
    for cache_mib in (0, 1024):
        some = PlacementReranker(Maps(items), spec, cache_mib=cache_mib).score(probe, rows, deadline=float("inf"))
        np.testing.assert_allclose(some.scores, everything.scores[rows], atol=1e-5)
        np.testing.assert_array_equal(some.shift_y_px, everything.shift_y_px[rows])


def test_a_shortlist_of_maps_on_disk_scores_as_in_memory(
    items: NDArray[np.float16], spec: EncoderSpec, tmp_path: Path
) -> None:
    np.save(tmp_path / "maps.npy", items)
    on_disk = np.load(tmp_path / "maps.npy", mmap_mode="r")
    probe, rows = cut_out(items, spec, row=40, down=3, right=14), np.array([69, 40, 0, 17])
    found, wanted = (
        PlacementReranker(Maps(maps), spec, cache_mib=0).score(probe, rows, deadline=time.monotonic() + 60)
        for maps in (on_disk, items)
    )
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert found.rows[found.scores.argmax()] == 40


def test_a_spent_budget_is_said_and_no_items_give_no_scores(items: NDArray[np.float16], spec: EncoderSpec) -> None:
    probe = cut_out(items, spec, row=0, down=0, right=0)
    reranker = PlacementReranker(Maps(items), spec)
    with pytest.raises(BudgetSpent, match="budget"):
        reranker.score(probe, None, deadline=time.monotonic() - 1)
    assert len(reranker.score(probe, np.empty(0, np.int64), deadline=float("inf")).scores) == 0
