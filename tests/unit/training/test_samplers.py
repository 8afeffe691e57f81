from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from training.samplers import PairSampler


def _models(sampler: PairSampler, steps: int) -> list[int]:
    return [int(model) for step in range(steps) for model in sampler(step).models]


@pytest.mark.parametrize(("models", "batch_items"), [(12, 8), (13, 8), (7, 8), (4, 8), (1, 2)])
def test_every_model_is_drawn_once_before_any_twice(models: int, batch_items: int) -> None:
    drawn = _models(PairSampler(models, batch_items, seed=3), 3 * models)
    rounds = [drawn[i : i + models] for i in range(0, len(drawn) - models + 1, models)]
    assert len(rounds) >= 3
    assert all(sorted(part) == list(range(models)) for part in rounds)


@pytest.mark.parametrize("seed", range(5))
def test_no_batch_has_a_model_twice_also_across_rounds(seed: int) -> None:
    sampler = PairSampler(13, 8, seed=seed)
    assert all(len(set(sampler(step).models.tolist())) == 4 for step in range(60))


def test_a_step_gives_the_same_draw_whatever_was_drawn_before() -> None:
    counts = [2, 3, 4, 5, 6, 7]
    walked, asked = PairSampler(6, 4, seed=1, instances=counts), PairSampler(6, 4, seed=1, instances=counts)
    for step in range(20):
        walked(step)
    assert walked(20).models.tolist() == asked(20).models.tolist()
    assert walked(20).instances.tolist() == asked(20).instances.tolist()


def test_another_seed_draws_in_another_order() -> None:
    assert _models(PairSampler(50, 10, seed=1), 5) != _models(PairSampler(50, 10, seed=2), 5)


def test_rounds_differ_in_their_order() -> None:
    drawn = _models(PairSampler(50, 10), 20)
    assert drawn[:50] != drawn[50:]


def test_the_two_instances_of_a_model_differ_and_exist() -> None:
    counts = np.array([2, 3, 9])
    sampler = PairSampler(3, 6, instances=counts.tolist())
    draws = [sampler(step) for step in range(100)]
    pairs = np.concatenate([draw.instances for draw in draws])
    limits = np.concatenate([counts[draw.models] for draw in draws])
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert (pairs >= 0).all() and (pairs < limits[:, None]).all()
    # All 36 pairs of nine instances are within reach; most of them come up in a hundred draws.
    of_nine = {tuple(sorted(pair)) for pair, limit in zip(pairs.tolist(), limits, strict=True) if limit == 9}
    assert len(of_nine) > 25


def test_made_instances_never_come_twice() -> None:
    sampler = PairSampler(5, 4)
    seen = [
        (model, instance)
        for step in range(50)
        for model, pair in zip(sampler(step).models.tolist(), sampler(step).instances.tolist(), strict=True)
        for instance in pair
    ]
    assert len(set(seen)) == len(seen) == 200


def test_a_model_with_one_instance_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"model 1 has 1 instance.*at least 2"):
        PairSampler(3, 4, instances=[2, 1, 5])


@pytest.mark.parametrize("batch_items", [0, 3, 12])
def test_a_batch_that_cannot_be_filled_is_refused(batch_items: int) -> None:
    with pytest.raises(InvalidInput, match="even number from 2 to 10"):
        PairSampler(5, batch_items)


def test_no_models_or_counts_for_other_models_are_refused() -> None:
    with pytest.raises(InvalidInput, match="0 models"):
        PairSampler(0, 2)
    with pytest.raises(InvalidInput, match="one count for each of 3"):
        PairSampler(3, 2, instances=[2, 2])
