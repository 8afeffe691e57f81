"""Made shoes as batches and as a benchmark."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from outsole.errors import InvalidInput
from training.made_prints import (
    LEARNED_SEED,
    MadePairs,
    MadePlan,
    MadeShoes,
    contact_of,
    random_rectangle,
    unseen_probes,
)


def _pairs(**options: int) -> MadePairs:
    return MadePairs(MadePlan(models=12), steps=4, batch_items=8, seed=options.get("seed", 1))


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    fresh, used = _pairs(), _pairs()
    used[0]
    for name, value in fresh[2].items():
        assert torch.equal(value, used[2][name])
    assert not torch.equal(fresh[2]["query"], _pairs(seed=2)[2]["query"])


def test_a_batch_shows_two_shoes_of_each_model_as_print_and_as_depth() -> None:
    batch = _pairs()[0]
    assert tuple(batch["query"].shape) == tuple(batch["database"].shape) == (8, 2, 384, 192)
    assert torch.equal(batch["labels"][::2], batch["labels"][1::2])
    assert not batch["query"][:, 1].any()
    assert not batch["database"][:, 0].any()
    assert batch["query"][:, 0].amin() > 0
    assert not torch.equal(batch["database"][0], batch["database"][1])


def test_what_a_query_shows_lies_on_the_sole_of_its_own_database_picture() -> None:
    batch = _pairs()[1]
    on_the_sole = (batch["visible"] & (batch["database"][:, 1] > 0)).sum((1, 2))
    assert bool((on_the_sole >= 0.98 * batch["visible"].sum((1, 2))).all())


def test_all_shoes_of_a_family_lie_on_the_same_side() -> None:
    shoes = MadeShoes(30, seed=LEARNED_SEED)
    families = np.array([model.family for model in shoes.models])
    values, counts = np.unique(families, return_counts=True)
    members = np.flatnonzero(families == values[counts.argmax()])[:3].tolist()
    depths = np.stack([shoes.depth(m, i) for m in members for i in range(2)]).astype(np.float64)
    centred = depths - depths.mean((1, 2), keepdims=True)
    first = centred[0]
    straight = (centred * first).sum((1, 2))
    mirrored = (centred[:, :, ::-1] * first).sum((1, 2))
    assert (straight >= mirrored).all()


def test_models_share_a_number_exactly_where_they_share_their_tread() -> None:
    shoes = MadeShoes(40, seed=LEARNED_SEED)
    keys = [(model.family, model.variant) for model in shoes.models]
    same = np.array([[a == b for b in keys] for a in keys])
    assert ((shoes.treads[:, None] == shoes.treads[None]) == same).all()


def test_the_benchmark_s_models_are_no_models_of_the_training() -> None:
    made = unseen_probes(10, probes=4)
    assert made.gallery.shape == (10, 2, 384, 192)
    assert made.probes.shape == (4, 2, 384, 192)
    assert made.relevant.shape == (4, 10)
    assert made.relevant[np.arange(4), np.arange(4)].all()
    assert made.masks.any(axis=(1, 2)).all()
    learned = MadeShoes(10, seed=LEARNED_SEED)
    assert not any(np.array_equal(made.gallery[0, 1], learned.depth(model, 0)) for model in range(10))


def test_contact_is_where_the_relief_is_high_and_nowhere_off_the_sole() -> None:
    depth = MadeShoes(1, seed=LEARNED_SEED).depth(0, 0)
    contact = contact_of(depth, 3)
    assert contact.dtype == np.float32
    assert not contact[depth == 0].any()
    assert contact[depth > 230].min() > 0.9
    assert contact[depth < 90].max() < 0.1


def test_rectangles_are_between_a_third_and_all_of_the_height() -> None:
    rows = [random_rectangle(np.random.default_rng(seed)).any(axis=1).sum() for seed in range(30)]
    assert 0.3 * 384 < min(rows) < max(rows) <= 384


def test_a_database_of_prints_shows_prints_in_the_print_s_plane() -> None:
    pairs = MadePairs(MadePlan(models=4, database="print"), steps=1, batch_items=4, seed=1)
    database = pairs[0]["database"]
    assert database[:, 0].amin() > 0
    assert not database[:, 1].any()


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(InvalidInput, match="database"):
        MadePlan(database="sketch")
