"""CriSp's training: loss, masks, variants, and a few steps that lead somewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.crisp import CrispNet
from outsole.encoders.trunks import make_trunk
from outsole.errors import DataCorrupt
from training.crisp import CRISP_LITE, CRISP_RESNET50, EXPORT_PLANS, CrispSettings, loss_of, training_mask
from training.made_prints import MadePairs, MadePlan
from training.system import Batch, Preset
from training.trainer import train


def _batch(items: int = 4) -> Batch:
    return MadePairs(MadePlan(models=8), steps=1, batch_items=items, seed=1)[0]


def _tiny(settings: CrispSettings) -> CrispNet:
    torch.manual_seed(0)
    trunk = make_trunk("lite0", inputs=settings.plan.planes, stride=8, frozen_blocks=1)
    return CrispNet(trunk, hidden=16, standardised=True, reduction=4)


@pytest.mark.parametrize(
    "settings", [CrispSettings(), CrispSettings(query_masks=False), CrispSettings(spatial=False, query_masks=False)]
)
def test_the_loss_moves_the_head_and_the_trained_part_of_the_trunk(settings: CrispSettings) -> None:
    network = _tiny(settings).train()
    loss = loss_of(network, _batch(), settings=settings)["loss"]
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    without = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    assert all(p.grad is None for p in network.trunk.stem.parameters())  # type: ignore[union-attr]


def test_only_cells_under_the_rectangle_that_a_print_shows_count_for_it() -> None:
    batch = {
        "mask": torch.zeros(384, 192, dtype=torch.bool),
        "visible": torch.zeros(2, 384, 192, dtype=torch.bool),
    }
    batch["mask"][:192] = True
    batch["visible"][0, 128:256, 64:128] = True
    batch["visible"][1, 320:, 64:128] = True
    mask = training_mask(batch, (12, 6))
    assert tuple(mask.shape) == (4, 12, 6)
    assert mask[0].any() and not mask[0, 6:].any()
    assert mask[1].any() and not mask[1, :6].any()
    assert torch.equal(mask[2], mask[3])
    assert mask[2, :6].all() and not mask[2, 6:].any()


def test_the_variants_are_the_ablations_of_the_three_tables() -> None:
    for system in (CRISP_LITE, CRISP_RESNET50):
        settings = {name: variant.settings for name, variant in system.variants.items()}
        assert settings["full"] == dict(system.settings)
        assert settings["pooled"]["spatial"] is False
        assert settings["unmasked"]["query_masks"] is False
        assert settings["database_rgb"]["database"] == "rgb"
        parts = {name: [settings[name][part] for part in ("occlusion", "erasure", "noise")] for name in settings}
        assert parts["no_degradation"] == [False] * 3
        assert parts["only_noise"] == [False, False, True]
        assert all(variant.name == f"{system.name}:{name}" for name, variant in system.variants.items())


def test_the_export_plans_say_what_the_networks_return() -> None:
    for system in (CRISP_LITE, CRISP_LITE.variant("database_all")):
        plan = EXPORT_PLANS[system.name]
        network = system.build().eval()
        with torch.no_grad():
            maps = network(torch.from_numpy(plan.example_inputs(1)[0]))
        assert tuple(maps.shape[1:]) == plan.outputs[0].dims


def test_a_few_steps_lower_the_loss_and_give_figures(tmp_path: Path) -> None:
    settings = CrispSettings()
    system = dataclasses.replace(
        CRISP_LITE,
        presets={
            "tiny": Preset(
                steps=8, batch_items=8, trunk_rate=3e-4, head_rate=3e-3, warmup_steps=1, evaluate_items=12, workers=0
            )
        },
        build=lambda: _tiny(settings),
        dataset=lambda preset: MadePairs(MadePlan(models=8), steps=preset.steps, batch_items=8, seed=1),
    )
    run = train(system, "tiny", folder=tmp_path, device="cpu")
    losses = [row["loss"] for row in run.log]
    assert sum(losses[-2:]) < sum(losses[:2])
    metrics = run.result.metrics
    assert {"hit100", "map100", "hit100_pooled", "map100_whole", "map100_masked"} <= set(metrics)
    assert metrics["hit100"] == 1.0
    assert metrics["map100"] == metrics["map100_masked"]


def test_a_file_of_another_network_as_trunk_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pt")
    load = CRISP_LITE.load_trunk
    assert load is not None
    with pytest.raises(DataCorrupt, match=r"other\.pt"):
        load(_tiny(CrispSettings()), tmp_path / "other.pt")


def test_the_light_trunk_starts_from_imagenet() -> None:
    network = cast(CrispNet, CRISP_LITE.build())
    expected = make_trunk("lite0", inputs=2).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in network.trunk.state_dict().items())
