"""The survey's systems: each trains, gives figures, and returns what its export plan says."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from training.made_prints import MadePairs, MadePlan
from training.registry import SYSTEMS
from training.system import Preset, System

NAMES = ("vgg16_features", "part_weighted", "selective_descriptors", "region_codes")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"training.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_finds_the_system_under_its_name(name: str) -> None:
    system: System = _module(name).SYSTEM
    assert system.name == name
    assert SYSTEMS[name] == f"training.{name}:SYSTEM"
    assert set(system.presets) == {"smoke", "cpu", "gpu"}


@pytest.mark.parametrize("name", NAMES)
def test_a_step_moves_every_parameter_that_is_trained(name: str) -> None:
    system: System = _module(name).SYSTEM
    torch.manual_seed(0)
    network = system.build().train()
    batch = MadePairs(MadePlan(models=4), steps=1, batch_items=4, seed=1)[0]
    loss = system.loss(network, batch)["loss"]
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    assert [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None] == []
    preset = Preset(steps=1, batch_items=4, trunk_rate=1e-4, head_rate=1e-3)
    groups = system.rates(network, preset)
    assert {group["lr"] for group in groups} == {1e-4, 1e-3}


@pytest.mark.parametrize("name", NAMES)
def test_the_vector_is_the_one_that_the_export_plan_describes(name: str) -> None:
    module = _module(name)
    network = module.SYSTEM.build().eval()
    plan = module.EXPORT_PLANS[name]
    with torch.no_grad():
        vectors = network(torch.from_numpy(plan.example_inputs(1)[0]))
    assert tuple(vectors.shape) == (1, *plan.outputs[0].dims)
    assert float(vectors.norm()) == pytest.approx(1.0, abs=1e-4)


def test_figures_come_from_models_that_no_training_saw() -> None:
    system: System = _module("region_codes").SYSTEM
    torch.manual_seed(0)
    network = system.build().eval()
    preset = Preset(steps=1, batch_items=4, trunk_rate=0.0, head_rate=1e-3, evaluate_items=8)
    with torch.no_grad():
        metrics = system.evaluate(network, preset)
    assert metrics["hit100"] == 1.0
    assert 0 < metrics["map100"] <= 1
