"""The attention encoder's system: it learns, gives figures, resumes, and returns what its export plan says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.attention import PooledSumAttention
from outsole.imaging.shoe_crops import CROP_PX
from training.export_plan import find_plan
from training.made_shoes import LEARNED_SEED, MadeUppers, ShoeBatches
from training.registry import find_system
from training.shoe_attention import EXPORT_PLANS, SMOOTHING, SYSTEM, ShoeLearner, loss_of
from training.system import Batch, Preset, fingerprint
from training.trainer import train

TINY = Preset(steps=2, batch_items=4, trunk_rate=1e-4, head_rate=1e-3, warmup_steps=0, evaluate_items=3, workers=0)


def _learner(variant: str = "") -> ShoeLearner:
    torch.manual_seed(0)
    return cast(ShoeLearner, SYSTEM.variant(variant).build())


def _batch() -> Batch:
    return ShoeBatches(MadeUppers(4, seed=LEARNED_SEED), steps=1, batch_items=4, seed=1)[0]


def test_the_registry_finds_the_system_and_every_variant() -> None:
    assert find_system("shoe_attention") is SYSTEM
    for name, variant in SYSTEM.variants.items():
        assert find_system(f"shoe_attention:{name}") is variant
        assert variant.name == f"shoe_attention:{name}"
    assert set(SYSTEM.presets) == {"smoke", "short", "cpu", "gpu"}


def test_every_variant_differs_from_the_system_in_its_settings() -> None:
    settings = [tuple(sorted(fingerprint(s, "cpu").items())) for s in (SYSTEM, *SYSTEM.variants.values())]
    assert len({tuple(pair for pair in row if pair[0] != "system") for row in settings}) == len(settings)
    assert SYSTEM.settings["smoothing"] == SMOOTHING == 0.14


def test_a_variant_is_what_its_name_says() -> None:
    assert all(isinstance(part, PooledSumAttention) for part in _learner().encoder.attentions)
    assert not list(_learner("plain").encoder.attentions.parameters())
    assert len(_learner("stage").encoder.attentions) < len(_learner().encoder.attentions)
    assert _learner("average").encoder.pooling is not _learner().encoder.pooling
    assert (_learner("hard_labels").proxies.smoothing, _learner().proxies.smoothing) == (0.0, SMOOTHING)


def test_a_step_moves_every_parameter_that_is_trained() -> None:
    network = _learner().train()
    parts = loss_of(network, _batch())
    torch.autograd.backward(parts["loss"])
    assert torch.allclose(parts["loss"], parts["classes"] + parts["pairs"])
    assert [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None] == []
    groups = SYSTEM.rates(network, TINY)
    assert {group["lr"] for group in groups} == {TINY.trunk_rate, TINY.head_rate}
    held = {id(p) for group in groups for p in group["params"]}
    assert held == {id(p) for p in network.parameters() if p.requires_grad}


def test_learning_lowers_the_loss_of_a_batch() -> None:
    network, batch = _learner().train(), _batch()
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-4)
    losses = []
    for _ in range(5):
        loss = loss_of(network, batch)["loss"]
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.1


def test_figures_are_shares_of_unseen_models() -> None:
    with torch.no_grad():
        found = SYSTEM.evaluate(_learner().eval(), TINY)
    assert set(found) == {"rank1", "rank5", "map", "front_rank1", "back_rank1"}
    assert found["rank5"] == 1.0 and 0 < found["map"] <= 1 and 0 <= found["rank1"] <= found["map"]


def test_the_vector_is_the_one_that_the_export_plan_describes() -> None:
    plan = find_plan("shoe_attention:se", "training.shoe_attention")
    assert plan is EXPORT_PLANS["shoe_attention"] and plan.kind == "shoe_embedding"
    (crops,) = plan.example_inputs(2)
    assert crops.shape == (2, *CROP_PX, 3) and crops.dtype == plan.inputs[0].dtype
    with torch.no_grad():
        vectors = plan.module(_learner()).eval()(torch.from_numpy(crops))
    assert tuple(vectors.shape) == (2, *plan.outputs[0].dims)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-4)


def test_a_run_ends_with_figures_and_the_same_weights_again(tmp_path: Path) -> None:
    system = dataclasses.replace(SYSTEM, presets={"smoke": TINY})
    first, again = (train(system, "smoke", folder=tmp_path / name, device="cpu") for name in ("a", "b"))
    assert first.result.metrics == again.result.metrics
    states = first.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
