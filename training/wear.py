"""Prints that wear: ``python -m training.wear --system wear_forward|wear_backward --preset smoke|cpu|gpu``.

One network a direction, learned from made shoes of which every week is known (``outsole.synthesis.wear``). Each has the
variant ``paper``, the autoencoder of the literature, trained as there: mean squared error, Adam; and the variant
``squares``, which goes on from a trained one (``--begin-with``) with more weight on the mean squared error: what was is
less sure than what comes, and a network that is to look sharp pays for it in decibels.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from outsole.encoders.wear import WearAutoencoder, WearUnet
from outsole.evaluation.wear_scores import Predict, always, gains, likeness, unchanged, unchanged_clean
from outsole.inference.encoder import IMAGE, TensorShape
from outsole.synthesis.shoes import LEARNED_SEED
from outsole.synthesis.treads import PX_PER_CM
from outsole.synthesis.wear_pairs import LEARNED_MODELS, MadeWearPairs, WearPair, mean_of_learned, unseen_pairs
from outsole.wear.canvas import CANVAS_PX
from outsole.wear.model import DIRECTION, KIND, PRINT, UNSURE, WEEKS, Direction
from training.command import command
from training.export_plan import Arrays, ExportPlan
from training.losses import structural_dissimilarity
from training.system import Batch, Preset, System, device_of, rate_groups
from training.wear_pairs import TARGET, WearBatches

_WHITE = 255.0
_SQUARES_WEIGHT, _MORE_SQUARES_WEIGHT = 8.0, 40.0
_FURTHER_STEPS = 500


def loss_of(network: nn.Module, batch: Batch, *, squares_weight: float = _SQUARES_WEIGHT) -> Mapping[str, torch.Tensor]:
    """Mean squared error and structural dissimilarity of the contact, mean squared error of the expected error."""
    predicted, truth, unsure = _predicted(network, batch)
    squares = functional.mse_loss(predicted, truth)
    unlikeness = structural_dissimilarity(predicted, truth)
    return {
        "loss": squares_weight * squares + unlikeness + unsure,
        "squares": squares,
        "unlikeness": unlikeness,
        "unsure": unsure,
    }


def loss_of_paper(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Mean squared error of the contact, as in the literature; beside it that of the expected error."""
    predicted, truth, unsure = _predicted(network, batch)
    squares = functional.mse_loss(predicted, truth)
    return {"loss": squares + unsure, "squares": squares, "unsure": unsure}


def _predicted(network: nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    predicted, expected = network(batch[IMAGE], batch[WEEKS])
    truth = batch[TARGET].float() / _WHITE
    error = (predicted.detach() - truth).abs()
    return predicted, truth, functional.mse_loss(expected, error)


def evaluate(
    network: nn.Module, preset: Preset, *, direction: Direction, mean: NDArray[np.float32] | None = None
) -> Mapping[str, float]:
    """Figures on shoes that no training saw.

    Args:
        network: Predicts.
        preset: Says on how many pairs.
        direction: Of the network.
        mean: The mean of the training's targets [640, 256], where it is at hand; made anew else.

    Returns:
        ``ssim``, ``psnr_db``: of the predictions. ``ssim_gain``, ``psnr_gain_db``: above the better of the print
        unchanged and the mean of the training's targets; ``ssim_gain_clean``, ``psnr_gain_clean_db``: above the print
        unchanged and free of noise. ``unsure_corr``: correlation of expected and true error over pixels, -1 .. 1.
    """
    pairs = unseen_pairs(direction, preset.evaluate_items)
    answers = [_answer(network, pair) for pair in pairs]
    by_pair = {id(pair): contact for pair, (contact, _) in zip(pairs, answers, strict=True)}
    predict: Predict = lambda pair: by_pair[id(pair)]  # noqa: E731
    found = likeness(pairs, predict)
    trivial = [likeness(pairs, unchanged), likeness(pairs, always(mean_of_learned(direction)))]
    clean = likeness(pairs, unchanged_clean)
    gained, gained_clean = gains(found, trivial), gains(found, [clean])
    return {
        "ssim": found.means[0],
        "psnr_db": found.means[1],
        "ssim_gain": gained[0],
        "psnr_gain_db": gained[1],
        "ssim_gain_clean": gained_clean[0],
        "psnr_gain_clean_db": gained_clean[1],
        "unsure_corr": _unsure_correlation(pairs, answers),
    }


def _answer(network: nn.Module, pair: WearPair) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    device = device_of(network)
    weeks = torch.tensor([[pair.weeks]], dtype=torch.uint8, device=device)
    contact, unsure = network(torch.from_numpy(pair.image)[None].to(device), weeks)
    return contact[0].float().cpu().numpy(), unsure[0].float().cpu().numpy()


def _unsure_correlation(
    pairs: tuple[WearPair, ...], answers: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> float:
    errors = np.stack(
        [np.abs(contact - pair.target / _WHITE) for pair, (contact, _) in zip(pairs, answers, strict=True)]
    )
    expected = np.stack([unsure for _, unsure in answers])
    return float(np.corrcoef(errors.ravel(), expected.ravel())[0, 1])


def _dataset(preset: Preset, *, direction: Direction) -> WearBatches:
    pairs = MadeWearPairs(
        direction, items=preset.batch_items, seed=preset.seed, plan_seed=LEARNED_SEED, models=LEARNED_MODELS
    )
    return WearBatches(pairs, steps=preset.steps)


_PRESETS = {
    "smoke": Preset(steps=10, batch_items=4, trunk_rate=0.0, head_rate=2e-3, warmup_steps=3, evaluate_items=8),
    "short": Preset(steps=400, batch_items=8, trunk_rate=0.0, head_rate=3e-3, warmup_steps=20, evaluate_items=200),
    "cpu": Preset(steps=1300, batch_items=8, trunk_rate=0.0, head_rate=3e-3, warmup_steps=40, evaluate_items=200),
    "gpu": Preset(
        steps=20_000,
        batch_items=32,
        trunk_rate=0.0,
        head_rate=3e-3,
        warmup_steps=200,
        evaluate_items=400,
        workers=12,
    ),
}


def _adam(preset: Preset) -> Preset:
    # Without decay AdamW is Adam; without normalisation a higher rate diverges.
    return dataclasses.replace(preset, weight_decay=0.0, head_rate=1e-3)


def _further(preset: Preset) -> Preset:
    """For going on from what is trained: lower rates, fewer steps; what would be long sees batches that are new."""
    steps = min(preset.steps, _FURTHER_STEPS)
    return dataclasses.replace(preset, head_rate=1e-3, steps=steps, seed=1 if steps == preset.steps else 2)


def _system(direction: Direction) -> System:
    ours = System(
        name=f"wear_{direction.value}",
        title=f"Wear of prints, {direction.value}",
        paper="residual U-Net; Ronneberger et al., MICCAI 2015, and feature-wise modulation, AAAI 2018",
        presets=_PRESETS,
        build=functools.partial(WearUnet, direction),
        dataset=functools.partial(_dataset, direction=direction),
        loss=loss_of,
        rates=lambda network, preset: rate_groups(network, preset),
        evaluate=functools.partial(evaluate, direction=direction),
        settings={DIRECTION: direction.value, "squares_weight": _SQUARES_WEIGHT},
    )
    paper = dataclasses.replace(
        ours,
        name=f"{ours.name}:paper",
        title=f"{ours.title}, the literature's autoencoder",
        paper="wear prediction and outsole reconstruction, 2019",
        presets={name: _adam(preset) for name, preset in _PRESETS.items()},
        build=functools.partial(WearAutoencoder, direction),
        loss=loss_of_paper,
        settings={DIRECTION: direction.value, "network": "paper"},
    )
    squares = dataclasses.replace(
        ours,
        name=f"{ours.name}:squares",
        title=f"{ours.title}, more weight on squares",
        presets={name: _further(preset) for name, preset in _PRESETS.items()},
        loss=functools.partial(loss_of, squares_weight=_MORE_SQUARES_WEIGHT),
        settings={DIRECTION: direction.value, "squares_weight": _MORE_SQUARES_WEIGHT},
    )
    return dataclasses.replace(ours, variants={"paper": paper, "squares": squares})


FORWARD, BACKWARD = _system(Direction.FORWARD), _system(Direction.BACKWARD)


def _examples(count: int, *, direction: Direction) -> Arrays:
    pairs = unseen_pairs(direction, count)
    weeks = np.array([[pair.weeks] for pair in pairs], np.uint8)
    return np.stack([pair.image for pair in pairs]), weeks


def _plan(direction: Direction, summary: str) -> ExportPlan:
    return ExportPlan(
        kind=KIND,
        inputs=(TensorShape(IMAGE, "uint8", CANVAS_PX), TensorShape(WEEKS, "uint8", (1,))),
        outputs=(TensorShape(PRINT, "float16", CANVAS_PX), TensorShape(UNSURE, "float16", CANVAS_PX)),
        px_per_cm=float(PX_PER_CM),
        summary=summary,
        trained_on="made shoes of outsole.synthesis, worn by a simple model of erosion: no real shoe was seen",
        licence="Apache-2.0",
        limits=(
            "A simulation. Who wears a shoe, on what ground and how often is not in its print, and neither is what "
            "will chip or lies buried; the second output says where the network knows that it does not know. How real "
            "soles wear was not measured here."
        ),
        settings={DIRECTION: direction.value},
        examples=functools.partial(_examples, direction=direction),
        merges=False,
        precision="fp16",
    )


EXPORT_PLANS = {
    FORWARD.name: _plan(
        Direction.FORWARD,
        "A residual U-Net: a print and a number of weeks (even, 0 to 52) to the print after so many weeks of wear, "
        "contact 0 .. 1, and the error that it expects of itself.",
    ),
    BACKWARD.name: _plan(
        Direction.BACKWARD,
        "A residual U-Net: a worn print and a number of weeks (even, 0 to 52) to the print so many weeks before, "
        "contact 0 .. 1, and the error that it expects of itself.",
    ),
}

main = command(FORWARD, BACKWARD)

if __name__ == "__main__":
    main()
