"""Made shoes as pictures: catalogue and camera, batches by step, a benchmark of unseen models."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from outsole.imaging.shoe_crops import CROP_PX
from outsole.synthesis.shoe_pictures import CameraPlan
from training.made_shoes import LEARNED_SEED, UNSEEN_SEED, MadeUppers, ShoeBatches, unseen_shoes

UPPERS = MadeUppers(6, seed=LEARNED_SEED)


def _batches(*, seed: int = 1, items: int = 8, levelled: bool = True) -> ShoeBatches:
    return ShoeBatches(UPPERS, steps=5, batch_items=items, seed=seed, levelled=levelled)


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(int) - second).mean())


def test_the_same_seed_gives_the_same_crop_and_another_seed_another() -> None:
    for make in (UPPERS.catalogue, UPPERS.seen):
        first = make(1, 5)
        assert first.shape == (*CROP_PX, 3) and first.dtype == np.uint8
        assert np.array_equal(first, MadeUppers(6, seed=LEARNED_SEED).__getattribute__(make.__name__)(1, 5))
        assert not np.array_equal(first, make(1, 6))


def test_photographs_of_one_model_are_more_alike_than_those_of_two() -> None:
    own = np.mean([_difference(UPPERS.catalogue(m, 1), UPPERS.catalogue(m, 2)) for m in range(6)])
    other = np.mean([_difference(UPPERS.catalogue(m, 1), UPPERS.catalogue((m + 1) % 6, 2)) for m in range(6)])
    assert own < 0.7 * other


def test_the_toe_lies_to_the_right_whichever_side_was_photographed() -> None:
    crops = np.stack([UPPERS.catalogue(2, seed) for seed in range(8)]).astype(int)
    mirrored = np.abs(crops[0] - crops[1:, :, ::-1]).mean(axis=(1, 2, 3))
    assert (np.abs(crops[0] - crops[1:]).mean(axis=(1, 2, 3)) < mirrored).all()


def test_a_camera_plan_is_kept_to() -> None:
    sharp, coarse = (
        UPPERS.seen(1, 3, plan=CameraPlan(length, motion=False, compression=False)) for length in (128, 24)
    )
    detail = [np.abs(np.diff(crop.astype(int), axis=1)).mean() for crop in (sharp, coarse)]
    assert detail[0] > 1.3 * detail[1]


def test_levelling_turns_a_crop_and_leaves_a_level_one() -> None:
    turned = [_difference(UPPERS.seen(1, seed), UPPERS.seen(1, seed, levelled=False)) for seed in range(8)]
    assert max(turned) > 5


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    fresh, used = _batches(), _batches()
    used[0]
    for name, value in fresh[2].items():
        assert torch.equal(value, used[2][name])
    assert not torch.equal(fresh[2]["image"], fresh[3]["image"])
    assert not torch.equal(fresh[2]["image"], _batches(seed=2)[2]["image"])
    assert not torch.equal(fresh[2]["image"], _batches(levelled=False)[2]["image"])


def test_a_batch_shows_each_model_once_in_the_shop_and_once_before_a_camera() -> None:
    batch = _batches()[0]
    assert tuple(batch["image"].shape) == (8, *CROP_PX, 3) and batch["image"].dtype == torch.uint8
    shop, camera = batch["labels"].chunk(2)
    assert torch.equal(shop, camera) and len(set(shop.tolist())) == 4
    corners = batch["image"][:, :4, :4].float().mean(dim=(1, 2, 3))
    assert float(corners[:4].min()) > float(corners[4:].mean())


def test_a_batch_may_show_more_models_than_there_are() -> None:
    assert len(_batches(items=16)[0]["labels"]) == 16
    assert len(_batches()) == 5


def test_no_model_of_the_benchmark_is_one_that_was_learned_from() -> None:
    assert LEARNED_SEED != UNSEEN_SEED
    learned, unseen = MadeUppers(3, seed=LEARNED_SEED), MadeUppers(3, seed=UNSEEN_SEED)
    assert min(_difference(learned.catalogue(m, 1), unseen.catalogue(m, 1)) for m in range(3)) > 2


def test_the_benchmark_names_the_model_of_every_probe() -> None:
    probes = unseen_shoes(3, probes_each=2)
    assert probes.gallery.shape == (3, *CROP_PX, 3)
    assert probes.probes.shape == (6, *CROP_PX, 3)
    assert probes.models.tolist() == [0, 0, 1, 1, 2, 2]
    again = unseen_shoes(3, probes_each=2)
    assert np.array_equal(probes.probes, again.probes) and np.array_equal(probes.gallery, again.gallery)


def test_cameras_are_taken_in_turns() -> None:
    plans = [CameraPlan(128, motion=False, compression=False), CameraPlan(20)]
    probes = unseen_shoes(3, probes_each=2, plans=plans)
    detail = np.abs(np.diff(probes.probes.astype(int), axis=2)).mean(axis=(1, 2, 3))
    assert (detail[::2] > detail[1::2]).all()
