from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from outsole.errors import InvalidInput, NotFound
from tests.unit.training.tiny_system import PRESETS, TINY, TinyNet, tiny_system
from training.system import fingerprint, rate_groups, with_trunk_weights


def _load_head(network: nn.Module, path: Path) -> None:
    head = torch.load(path, weights_only=True)
    network.load_state_dict({"head.bias": head}, strict=False)


def test_the_fingerprint_has_every_setting_but_the_workers() -> None:
    found = fingerprint(tiny_system(settings={"masks": False}), "smoke")
    names = {entry.name for entry in dataclasses.fields(PRESETS["smoke"])}
    assert set(found) == names - {"workers"} | {"system", "preset", "masks"}


@pytest.mark.parametrize(
    "changes",
    [{"steps": 0}, {"batch_items": 0}, {"head_rate": -1.0}, {"trunk_rate": float("inf")}, {"gradient_norm": 0.0}],
)
def test_a_preset_that_cannot_be_run_names_the_setting(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(changes))):
        dataclasses.replace(PRESETS["smoke"], **changes)


def test_trunk_and_head_have_their_rates_and_only_kernels_decay() -> None:
    network = TinyNet()
    preset = dataclasses.replace(PRESETS["smoke"], trunk_rate=0.001, head_rate=0.1, weight_decay=0.02)
    groups = rate_groups(network, preset, trunk=network.body)
    found = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    expected = {
        id(parameter): (0.001 if name.startswith("body") else 0.1, 0.02 if parameter.ndim > 1 else 0.0)
        for name, parameter in network.named_parameters()
    }
    assert found == expected


def test_frozen_parameters_and_a_trunk_at_rate_zero_are_left_out() -> None:
    network = TinyNet()
    network.head.bias.requires_grad_(False)
    groups = rate_groups(network, PRESETS["smoke"], trunk=network.body)
    assert [id(p) for group in groups for p in group["params"]] == [id(network.head.weight)]


def test_trunk_weights_are_loaded_and_tell_runs_apart(tmp_path: Path) -> None:
    path = tmp_path / "head.pt"
    torch.save(torch.tensor([3.0, 4.0]), path)
    system = with_trunk_weights(tiny_system(load_trunk=_load_head), path)
    assert system.build().state_dict()["head.bias"].tolist() == [3.0, 4.0]
    assert fingerprint(system, "smoke") != fingerprint(TINY, "smoke")


def test_trunk_weights_that_are_not_there_or_not_wanted_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.pt"):
        with_trunk_weights(tiny_system(load_trunk=_load_head), tmp_path / "none.pt")
    with pytest.raises(InvalidInput, match="takes no trunk weights"):
        with_trunk_weights(TINY, tmp_path / "none.pt")


def test_an_unknown_variant_names_the_known_ones() -> None:
    system = tiny_system(variants={"pooled": TINY})
    assert system.variant("pooled") is TINY
    assert system.variant("") is system
    with pytest.raises(InvalidInput, match=r"'square' \(pooled\)"):
        system.variant("square")
