"""Learning wear: pairs, loss, figures, variants."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from outsole.encoders.wear import WearUnet
from outsole.evaluation.wear_scores import always, gains, likeness, unchanged, unchanged_clean
from outsole.synthesis.shoes import LEARNED_SEED
from outsole.synthesis.wear_pairs import MadeWearPairs, mean_target
from outsole.wear.model import Direction
from training import wear
from training.data.wear_series import WearSeriesScans, pairs_of_series
from training.system import Batch, Preset, System
from training.trainer import train
from training.wear_pairs import WearBatches


def _pairs(direction: Direction = Direction.FORWARD) -> MadeWearPairs:
    return MadeWearPairs(direction, items=3, seed=1, plan_seed=LEARNED_SEED, models=4)


def _batches(steps: int = 2) -> WearBatches:
    return WearBatches(_pairs(), steps=steps)


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    fresh, used = _batches(), _batches()
    used[0]
    for name, value in fresh[1].items():
        assert torch.equal(value, used[1][name])


@pytest.mark.parametrize("direction", Direction)
def test_the_later_print_of_a_pair_has_more_contact(direction: Direction) -> None:
    for pair in _pairs(direction).pairs(0):
        earlier, later = (pair.clean, pair.target) if direction is Direction.FORWARD else (pair.target, pair.clean)
        assert later.astype(int).sum() > earlier.astype(int).sum()
        assert pair.weeks in range(2, 53, 2)


def test_the_print_that_is_given_is_that_of_the_pair() -> None:
    for pair in _pairs().pairs(0):
        assert np.abs((255 - pair.image.astype(int)) - pair.clean).mean() < 30


def test_whole_prints_are_neither_cropped_nor_turned() -> None:
    whole = MadeWearPairs(Direction.FORWARD, items=6, seed=2, plan_seed=LEARNED_SEED, models=4, whole=True).pairs(0)
    for pair in whole:
        rows = np.flatnonzero((pair.target > 127).any(axis=1))
        assert np.ptp(rows) > 450


def test_pairs_of_a_real_series_lead_from_its_first_week_to_every_later_one_or_back() -> None:
    prints = np.zeros((3, 640, 256), np.uint8)
    prints[:] = np.array([200, 120, 30], np.uint8)[:, None, None]
    series = [WearSeriesScans("a", (2, 4, 6), prints)]
    there, back = (pairs_of_series(series, way) for way in (Direction.FORWARD, Direction.BACKWARD))
    assert [(int(p.image[0, 0]), p.weeks, int(p.target[0, 0])) for p in there] == [(200, 2, 135), (200, 4, 225)]
    assert [(int(p.image[0, 0]), p.weeks, int(p.target[0, 0])) for p in back] == [(120, 2, 55), (30, 4, 55)]


class _Oracle(nn.Module):
    def __init__(self, batch: Batch, *, wrong: float) -> None:
        super().__init__()
        self.batch, self.wrong = batch, wrong

    def forward(self, image: torch.Tensor, weeks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        truth = self.batch["target"].float() / 255
        return torch.where(truth > 0.5, truth - self.wrong, truth + self.wrong), torch.full_like(truth, self.wrong)


@pytest.mark.parametrize("loss", [wear.loss_of, wear.loss_of_paper])
def test_the_loss_is_smallest_for_the_true_print(loss: object) -> None:
    assert callable(loss)
    batch = _batches()[0]
    right, wrong = (loss(_Oracle(batch, wrong=part), batch) for part in (0.0, 0.2))
    assert float(right["loss"]) == pytest.approx(0.0, abs=1e-5)
    assert float(wrong["loss"]) > 0.03
    # A network that knows its error is told so.
    assert float(wrong["unsure"]) == pytest.approx(0.0, abs=1e-6)


def test_gains_are_above_the_best_of_the_trivial_answers() -> None:
    pairs = _pairs().pairs(0)
    perfect = likeness(pairs, lambda pair: pair.target / 255)
    trivial = [likeness(pairs, unchanged), likeness(pairs, always(mean_target(_pairs(), steps=2)))]
    gained = gains(perfect, trivial)
    assert gained[0] == pytest.approx(1 - max(answer.means[0] for answer in trivial))
    assert gained[1] > 0
    assert likeness(pairs, unchanged_clean).means[0] > trivial[0].means[0]


class _OneBatch:
    """The same batch in every step: what differs from step to step would be harder, or easier."""

    def __init__(self, steps: int) -> None:
        self._steps, self._batches = steps, _batches()

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        return self._batches[0]


def test_a_few_steps_lower_the_loss_and_give_figures(tmp_path: Path) -> None:
    preset = Preset(steps=8, batch_items=3, trunk_rate=0.0, head_rate=3e-3, warmup_steps=1, evaluate_items=2, workers=0)
    system = dataclasses.replace(
        wear.FORWARD,
        presets={"tiny": preset},
        build=functools.partial(WearUnet, Direction.FORWARD, widths=(4, 8, 8, 8)),
        dataset=lambda chosen: _OneBatch(chosen.steps),
        evaluate=functools.partial(wear.evaluate, direction=Direction.FORWARD, mean=np.full((640, 256), 0.2)),
    )
    run = train(system, "tiny", folder=tmp_path, device="cpu")
    losses = [row["loss"] for row in run.log]
    assert losses[-1] < losses[0]
    assert {"ssim", "psnr_db", "ssim_gain", "psnr_gain_db", "unsure_corr"} <= set(run.result.metrics)


def test_each_direction_has_the_autoencoder_of_the_literature_as_a_variant() -> None:
    for system in (wear.FORWARD, wear.BACKWARD):
        paper = system.variant("paper")
        assert type(paper.build()).__name__ == "WearAutoencoder"
        assert {preset.weight_decay for preset in paper.presets.values()} == {0.0}


@pytest.mark.parametrize("system", [wear.FORWARD, wear.BACKWARD])
def test_the_export_plan_says_what_the_network_returns(system: System) -> None:
    plan = wear.EXPORT_PLANS[system.name]
    images, weeks = plan.example_inputs(2)
    assert images.shape == (2, *plan.inputs[0].dims) and weeks.shape == (2, 1)
    with torch.no_grad():
        outputs = system.build().eval()(torch.from_numpy(images), torch.from_numpy(weeks))
    assert [tuple(part.shape[1:]) for part in outputs] == [tensor.dims for tensor in plan.outputs]
