"""The benchmark of wear: what is made for it, and how its figures follow from ranks."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.wear import PARTS
from benchmarks.wear_parts.made_prints import pairs_of_prints, unique_treads
from benchmarks.wear_parts.retrieval import WearPlan, figures_of, recovered
from outsole.imaging.decode import decode_image


def test_what_is_asked_for_has_a_part() -> None:
    assert list(PARTS) == ["quality", "latency", "made", "real", "series"]


def test_treads_are_unique() -> None:
    models = unique_treads(20)
    assert len({(model.family, model.variant) for model in models}) == 20


def test_the_prints_of_a_pair_are_of_one_shoe_and_harmed_alike_but_worn_otherwise() -> None:
    fresh, worn = pairs_of_prints(unique_treads(2))[0]
    assert fresh.item_id == worn.item_id and fresh.mask == worn.mask
    assert fresh.weeks == 0 and 26 <= worn.weeks <= 52 and worn.weeks % 2 == 0
    before, after = (decode_image(made.picture).gray.astype(int) for made in (fresh, worn))
    assert before.shape == after.shape
    assert 0 < np.abs(before - after).mean() < 40


def test_figures_of_ranks_are_those_of_the_definition() -> None:
    found = figures_of([1, 2, 0, 4], 100)
    assert found == {"rank1": 25.0, "top1pct": 25.0, "top5pct": 75.0, "top10pct": 75.0, "mrr": (1 + 0.5 + 0.25) / 4}


@pytest.mark.parametrize(("aware", "part"), [(0.6, 0.5), (0.5, 0.0), (0.7, 1.0), (0.45, -0.25)])
def test_what_is_won_back_is_a_part_of_what_wear_costs(aware: float, part: float) -> None:
    assert recovered(0.7, 0.5, aware) == pytest.approx(part)


def test_where_wear_costs_nothing_nothing_is_won_back() -> None:
    assert recovered(0.5, 0.5, 0.6) == 0.0


def test_the_first_row_knows_nothing_of_wear() -> None:
    options = list(WearPlan().options.values())
    assert options[0].is_off and options[1].gallery_weeks == (26, 52) and options[2].probe_weeks == 38
