"""Learning depth from made photographs: batches, loss, figures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from outsole.encoders.depth_unet import DepthUnet
from training.depth import EXPORT_PLANS, SYSTEM, MadePhotographs, build_network, correlation, loss_of
from training.made_prints import LEARNED_SEED
from training.system import Preset
from training.trainer import train


def _made(steps: int = 2) -> MadePhotographs:
    return MadePhotographs(steps=steps, batch_items=3, seed=1, plan_seed=LEARNED_SEED, models=4)


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    fresh, used = _made(), _made()
    used[0]
    for name, value in fresh[1].items():
        assert torch.equal(value, used[1][name])


def test_depth_and_print_lie_on_the_sole_of_the_photograph() -> None:
    batch = _made()[0]
    assert tuple(batch["image"].shape) == (3, 384, 192, 3)
    assert tuple(batch["depth"].shape) == tuple(batch["print"].shape) == tuple(batch["inside"].shape) == (3, 384, 192)
    outside = ~batch["inside"]
    assert not batch["depth"][outside].any()
    assert float(batch["print"][outside].float().mean()) < 5
    deep = batch["inside"] & (batch["depth"] < 80)
    high = batch["depth"] > 230
    assert float(batch["print"][high].float().mean()) > 2 * float(batch["print"][deep].float().mean())


def test_the_loss_is_smallest_for_the_true_depth_and_print() -> None:
    class Oracle(DepthUnet):
        wrong = 0.0

        def logits(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            noise = self.wrong * torch.randn(batch["depth"].shape, generator=torch.Generator().manual_seed(0))
            contact = (batch["print"] / 255 - 0.5) * 20 + 40 * noise
            return batch["depth"] / 255 + noise, contact, batch["lamp"] + self.wrong

    batch = _made()[0]
    oracle = Oracle(build_network().trunk)
    right = loss_of(oracle, batch)
    oracle.wrong = 0.2
    wrong = loss_of(oracle, batch)
    assert float(right["level"]) < 1e-6 and float(right["gradient"]) < 1e-6
    assert all(float(right[name]) < float(wrong[name]) for name in right)


def test_correlation_is_that_of_numpy_inside_the_mask() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 6, 5, generator=generator), torch.randn(2, 6, 5, generator=generator)
    inside = (torch.rand(2, 6, 5, generator=generator) < 0.6).float()
    found = correlation(first, second, inside)
    for row in range(2):
        kept = inside[row] > 0
        expected = torch.corrcoef(torch.stack([first[row][kept], second[row][kept]]))[0, 1]
        assert float(found[row]) == pytest.approx(float(expected), abs=1e-4)


def test_a_constant_depth_correlates_with_nothing() -> None:
    assert float(correlation(torch.ones(1, 4, 4), torch.rand(1, 4, 4), torch.ones(1, 4, 4))) == 0.0


def test_a_few_steps_lower_the_loss_and_give_figures(tmp_path: Path) -> None:
    preset = Preset(steps=8, batch_items=3, trunk_rate=0.0, head_rate=3e-3, warmup_steps=1, evaluate_items=4, workers=0)
    system = dataclasses.replace(
        SYSTEM,
        presets={"tiny": preset},
        build=lambda: DepthUnet(build_network().trunk, widths=(4, 8, 8)),
        dataset=lambda chosen: _made(chosen.steps),
    )
    run = train(system, "tiny", folder=tmp_path, device="cpu")
    losses = [row["loss"] for row in run.log]
    assert losses[-1] < losses[0]
    assert set(run.result.metrics) == {"depth_corr", "print_corr", "depth_mae"}
    assert -1 <= run.result.metrics["depth_corr"] <= 1


def test_the_export_plan_says_what_the_network_returns() -> None:
    plan = EXPORT_PLANS["depth_unet"]
    examples = plan.example_inputs(2)
    assert examples[0].shape == (2, *plan.inputs[0].dims)
    with torch.no_grad():
        outputs = SYSTEM.build().eval()(torch.from_numpy(examples[0]))
    assert [tuple(part.shape[1:]) for part in outputs] == [tensor.dims for tensor in plan.outputs]
