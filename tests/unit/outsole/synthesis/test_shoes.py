"""Shoe models: deterministic, related as planned, near-duplicates that differ in one element."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.shoe_relief import tread_relief
from outsole.synthesis.shoes import ShoeModel, make_instance, plan_models


def _relief(model: ShoeModel) -> np.ndarray:
    kind = (model.wearer, model.style, model.changed)
    made = tread_relief(model.seed, model.family, variant=model.variant, kind=kind, height_px=192)
    return np.where(made.outline.inside, made.relief, 0)


def test_half_of_the_models_share_a_tread_and_a_fifth_are_near_duplicates() -> None:
    plan = plan_models(1000, seed=1)
    assert plan == plan_models(1000, seed=1)
    assert len({model.model_id for model in plan}) == 1000
    sizes = Counter((model.family, model.variant) for model in plan)
    shared = sum(size for size in sizes.values() if size > 1)
    assert 480 <= shared <= 520
    assert max(sizes.values()) <= 5
    assert sum(model.variant > 0 for model in plan) == 200


def test_models_of_one_family_share_their_tread_and_near_duplicates_differ_in_a_part_of_it() -> None:
    plan = plan_models(200, seed=2)
    own = {model.family: model for model in plan if model.variant == 0}
    for model in [model for model in plan if model.variant > 0][:12]:
        first, second = _relief(own[model.family]), _relief(model)
        differs = float((np.abs(first - second) > 0.5).mean())
        assert 0.001 < differs < 0.4, model


def test_instances_are_deterministic_and_of_one_frame() -> None:
    model = plan_models(3, seed=4)[0]
    first, again, other = (make_instance(model, seed, height_px=192) for seed in (1, 1, 2))
    assert np.array_equal(first.depth, again.depth)
    assert not np.array_equal(first.depth, other.depth)
    assert first.depth.shape == other.depth.shape == (192, 96)
    assert first.depth.dtype == np.float32
    assert 0 <= first.depth.min() <= 0.03 and 0.8 < first.depth.max() <= 1
    assert not first.depth[~first.inside].any()


def test_both_sides_and_several_levels_of_wear_occur() -> None:
    model = replace(plan_models(1, seed=5)[0])
    contact = [float((make_instance(model, seed, height_px=128).depth > 0.62).mean()) for seed in range(12)]
    assert max(contact) > 1.1 * min(contact)


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (5, -1), (1_000_001, 1)])
def test_a_plan_out_of_range_is_refused(count: int, seed: int) -> None:
    with pytest.raises(InvalidInput):
        plan_models(count, seed=seed)


def test_an_instance_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInput):
        make_instance(plan_models(1, seed=1)[0], -1)
