"""Weakly labelled sets: wrong pictures among right ones, never a majority; batches by step."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX
from training.made_shoes import LEARNED_SEED, MadeUppers
from training.shoe_sets import WRONG, WeakSets, planted_sets, wrong_picture

UPPERS = MadeUppers(6, seed=LEARNED_SEED)


def _sets(*, seed: int = 1, wrong_share: float = 0.5, items: int = 8) -> WeakSets:
    return WeakSets(UPPERS, steps=5, batch_items=items, seed=seed, wrong_share=wrong_share)


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_picture_is_far_from_the_right_ones(kind: str) -> None:
    right = np.stack([UPPERS.catalogue(2, seed) for seed in range(5)]).astype(int)
    spread = np.abs(right[1:] - right[0]).mean(axis=(1, 2, 3)).mean()
    wrong = np.stack([wrong_picture(UPPERS, 2, kind, seed) for seed in range(5)])
    assert wrong.shape == (5, *CROP_PX, 3) and wrong.dtype == np.uint8
    assert np.abs(wrong - right[0]).mean() > 1.5 * spread
    assert np.array_equal(wrong[3], wrong_picture(UPPERS, 2, kind, 3))


def test_another_shoe_is_never_the_models_own() -> None:
    two = MadeUppers(2, seed=LEARNED_SEED)
    for seed in range(5):
        assert np.array_equal(wrong_picture(two, 0, "shoe", seed), two.catalogue(1, seed))
    with pytest.raises(InvalidInput, match="no other model"):
        wrong_picture(MadeUppers(1, seed=LEARNED_SEED), 0, "shoe", 0)


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    fresh, used = _sets(), _sets()
    used[0]
    for name, value in fresh[2].items():
        assert torch.equal(value, used[2][name])
    assert not torch.equal(fresh[2]["sets"], _sets(seed=2)[2]["sets"])


def test_a_batch_has_a_query_and_a_set_of_each_of_its_models() -> None:
    batch = _sets()[0]
    assert tuple(batch["query"].shape) == (2, *CROP_PX, 3)
    assert tuple(batch["sets"].shape) == (2, 3, *CROP_PX, 3)
    assert len(set(batch["labels"].tolist())) == 2


def test_every_set_has_a_right_picture_and_the_share_of_wrong_ones_is_kept_to() -> None:
    assert not any(bool(_sets(wrong_share=0.9)[step]["planted"].all(dim=1).any()) for step in range(5))
    assert any(bool(_sets(wrong_share=0.9)[step]["planted"].any()) for step in range(5))
    assert not bool(_sets(wrong_share=0.0)[0]["planted"].any())


@pytest.mark.parametrize("items", [4, 100])
def test_a_batch_that_cannot_be_filled_is_refused(items: int) -> None:
    with pytest.raises(InvalidInput, match="batch_items"):
        _sets(items=items)


def test_planted_sets_have_the_sizes_and_kinds_asked_for() -> None:
    sets = planted_sets(8, sizes=(4, 6), wrong_share=0.4, seed=3)
    assert set(np.bincount(sets.models).tolist()) <= {4, 5, 6}
    assert sets.crops.shape == (len(sets.models), *CROP_PX, 3) and len(sets.kinds) == len(sets.models)
    assert set(sets.kinds) - {""} <= set(WRONG)
    planted = np.bincount(sets.models, weights=sets.planted)
    assert planted.sum() > 0 and (2 * planted < np.bincount(sets.models)).all()


def test_buyers_photographs_are_right_ones_of_another_look() -> None:
    shop, home = (planted_sets(2, sizes=(3, 3), wrong_share=0.0, buyers_share=share) for share in (0.0, 1.0))
    corner = [sets.crops[:, :8, :8].mean() for sets in (shop, home)]
    assert corner[0] > corner[1] + 20
    assert not home.planted.any()
