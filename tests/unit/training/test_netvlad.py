"""NetVLAD's systems: words at the start, whitening at the end, both the same after a restart."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.netvlad import NetVladNet
from outsole.encoders.trunks import make_trunk
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX
from training.checkpoints import CHECKPOINT_FILE, load_network
from training.export_plan import find_plan
from training.made_shoes import LEARNED_SEED, MadeUppers
from training.netvlad import EXPORT_PLANS, NETVLAD_LITE, NETVLAD_VGG16, NetVladLearner, RecentVectors, loss_of
from training.registry import find_system
from training.shoe_sets import WeakSets
from training.system import Batch, Preset, System
from training.trainer import train

TINY = Preset(steps=3, batch_items=8, trunk_rate=1e-4, head_rate=1e-3, warmup_steps=0, evaluate_items=3, workers=0)


@cache
def _started() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return NETVLAD_LITE.build().state_dict()


def _learner() -> NetVladLearner:
    """As the system builds it, without finding the words again for every test."""
    torch.manual_seed(0)
    learner = NetVladLearner(NetVladNet(make_trunk("lite0", inputs=3, stride=16, frozen_blocks=1)))
    learner.load_state_dict(_started())
    return learner


def _system() -> System:
    return dataclasses.replace(NETVLAD_LITE, presets={"smoke": TINY}, build=_learner)


def _batch() -> Batch:
    return WeakSets(MadeUppers(4, seed=LEARNED_SEED), steps=1, batch_items=8, seed=1)[0]


def test_the_registry_finds_both_systems() -> None:
    assert find_system("netvlad_lite") is NETVLAD_LITE
    assert find_system("netvlad_vgg16") is NETVLAD_VGG16
    assert NETVLAD_LITE.settings["trunk"] == "lite0" and NETVLAD_VGG16.settings["trunk"] == "vgg16"
    assert NETVLAD_LITE.settings["margin"] == 0.1 and NETVLAD_LITE.settings["clusters"] == 64


def test_the_words_are_those_of_pictures_and_the_same_at_every_start() -> None:
    torch.manual_seed(0)
    again = cast(NetVladLearner, NETVLAD_LITE.build())
    first = _started()
    assert all(torch.equal(value, first[name]) for name, value in again.state_dict().items())
    lengths = again.encoder.vlad.centres.detach().norm(dim=1)
    assert float(lengths.max()) <= 1 + 1e-4 and float(lengths.min()) > 0.3
    # Words of other pictures, or none, would leave most of them without a cell.
    crops = torch.from_numpy(MadeUppers(4, seed=LEARNED_SEED).catalogue(1, 3))[None]
    with torch.no_grad():
        assert tuple(again.encoder.aggregated(crops).shape) == (1, 64 * 112)


def test_a_step_moves_every_parameter_that_is_trained_and_not_the_last_layer() -> None:
    network = _learner().train()
    loss = loss_of(network, _batch())["loss"]
    torch.autograd.backward(loss)
    assert bool(torch.isfinite(loss)) and float(loss.detach()) > 0
    assert [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None] == []
    groups = NETVLAD_LITE.rates(network, TINY)
    held = {id(p) for group in groups for p in group["params"]}
    assert {group["lr"] for group in groups} == {TINY.trunk_rate, TINY.head_rate}
    assert not held & {id(p) for p in network.encoder.whitening.parameters()}


def test_what_is_planted_in_the_sets_is_not_looked_at() -> None:
    batch = _batch()
    told = {**batch, "planted": ~batch["planted"]}
    losses = [float(loss_of(_learner().train(), each)["loss"].detach()) for each in (batch, told)]
    assert losses[0] == losses[1]


def test_earlier_photographs_are_negatives_and_earlier_queries_are_not() -> None:
    batch = _batch()
    plain = _learner().train()
    with torch.no_grad():
        query = plain.encoder.aggregated(batch["query"])
        alone = float(loss_of(plain, batch)["loss"])
        near = []
        for are_queries in (False, True):
            network = _learner().train()
            network.recent.add(query, torch.full((len(query),), 2_000), are_queries=are_queries)
            near.append(float(loss_of(network, batch)["loss"]))
    assert near[0] > alone + 0.05
    assert near[1] == pytest.approx(alone, abs=1e-5)


def test_the_last_vectors_push_out_the_oldest() -> None:
    recent = RecentVectors(2, kept=5)
    assert recent.filled().shape == (0, 2)
    for number in range(4):
        recent.add(torch.full((2, 2), float(number)), torch.tensor([number, number]), are_queries=number == 3)
    assert sorted(recent.labels.tolist()) == [1, 2, 2, 3, 3]
    assert sorted(recent.filled()[:, 0].tolist()) == [1.0, 2.0, 2.0, 3.0, 3.0]
    assert recent.labels[recent.in_gallery()].tolist().count(3) == 0 and int(recent.in_gallery().sum()) == 3


def test_leaving_training_whitens_once() -> None:
    network = _learner().train()
    random = network.encoder.whitening.weight.clone()
    network.eval()
    assert torch.equal(network.encoder.whitening.weight, random)
    network.train()
    loss_of(network, _batch())
    network.eval()
    white = network.encoder.whitening(network.recent.filled())
    assert not torch.equal(network.encoder.whitening.weight, random)
    assert torch.allclose(white.mean(dim=0), torch.zeros(512), atol=1e-3)
    network.recent.add(torch.ones(1, 64 * 112), torch.tensor([0]), are_queries=False)
    kept = network.encoder.whitening.weight.clone()
    assert torch.equal(network.eval().encoder.whitening.weight, kept)


def test_a_resumed_run_and_its_checkpoint_have_the_weights_of_one_that_was_not_cut_off(
    tmp_path: Path,
) -> None:
    whole = train(_system(), "smoke", folder=tmp_path / "whole", device="cpu")
    train(_system(), "smoke", folder=tmp_path / "cut", device="cpu", minutes=1e-6)
    again = train(_system(), "smoke", folder=tmp_path / "cut", device="cpu")
    expected = whole.network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.network.state_dict().items())
    loaded = _learner()
    load_network(loaded, tmp_path / "cut" / CHECKPOINT_FILE)
    exported = cast(NetVladNet, EXPORT_PLANS["netvlad_lite"].module(loaded))
    assert torch.equal(exported.whitening.weight, expected["encoder.whitening.weight"])
    assert not exported.training


def test_the_vector_is_the_one_that_the_export_plan_describes() -> None:
    plan = find_plan("netvlad_lite", "training.netvlad")
    assert plan.kind == "shoe_embedding" and find_plan("netvlad_vgg16", "training.netvlad").outputs == plan.outputs
    (crops,) = plan.example_inputs(2)
    with torch.no_grad():
        vectors = plan.module(_learner())(torch.from_numpy(crops))
    assert crops.shape == (2, *CROP_PX, 3)
    assert tuple(vectors.shape) == (2, *plan.outputs[0].dims)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-4)


def test_figures_are_shares_of_unseen_models() -> None:
    with torch.no_grad():
        found = NETVLAD_LITE.evaluate(_learner().eval(), TINY)
    assert found["rank5"] == 1.0 and 0 < found["map"] <= 1


def test_batches_come_from_weak_sets_and_too_small_ones_are_refused() -> None:
    assert set(NETVLAD_LITE.dataset(TINY)[0]) == {"query", "sets", "labels", "planted"}
    with pytest.raises(InvalidInput, match="batch_items"):
        NETVLAD_LITE.dataset(dataclasses.replace(TINY, batch_items=4))
