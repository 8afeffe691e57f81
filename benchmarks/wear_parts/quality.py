"""How near wear models come to the truth on shoes that no training saw, beside answers that know nothing of wear."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.finished import Metrics
from benchmarks.reporting import text_table
from outsole.evaluation.wear_scores import Likeness, Predict, always, gains, likeness, unchanged, unchanged_clean
from outsole.inference.encoder import IMAGE
from outsole.inference.in_process import InProcessEncoder
from outsole.synthesis.wear_pairs import WearPair, mean_of_learned, unseen_pairs
from outsole.wear.canvas import contact_of
from outsole.wear.denoising import denoised
from outsole.wear.model import PRINT, UNSURE, WEEKS, Direction, WearModel, find_wear_models

_TIMEOUT_S = 60.0
# Loaded when it is asked for: it comes with the training.
_SERIES = "training.data.wear_series"
_RESULT_FILE = "result.json"
_WHITE = 255.0
# As published: mean SSIM and PSNR in decibels over 52 impressions of one pair of shoes, of which the networks saw some.
PUBLISHED: Mapping[Direction, tuple[float, float]] = {
    Direction.FORWARD: (0.8645, 22.0),
    Direction.BACKWARD: (0.8596, 21.4),
}
_SPANS = ((2, 12), (14, 26), (28, 40), (42, 52))


def measure_quality(repository: Path, *, pairs: int, runs: Path) -> Metrics:
    """Figures of both directions; prints their tables.

    Args:
        repository: Model repository with the wear models.
        pairs: Pairs of prints of unseen shoes.
        runs: Folder of training runs; the literature's autoencoder has a row where it was trained there.

    Returns:
        ``forward_ssim``, ``forward_psnr`` (dB), ``forward_ssim_gain``, ``forward_psnr_gain``: above the better of the
        print unchanged and the mean of the training's targets; ``..._gain_clean``: above the print unchanged and
        without any noise; ``forward_unsure_corr``; the same of ``backward_``.
    """
    models = find_wear_models([repository])
    return {name: value for way in Direction for name, value in _one_way(models[way], pairs, runs).items()}


def measure_series(repository: Path, folder: Path) -> Metrics:
    """The same on real series of scans (``training.data.wear_series``): each shoe's first week and every later one.

    Returns:
        As ``measure_quality``, each name with ``series_`` before it; gains are above the print unchanged.
    """
    loader = importlib.import_module(_SERIES)
    models, series = find_wear_models([repository]), loader.read_series(folder)
    found: Metrics = {}
    for way in Direction:
        figures = _figures(
            models[way], loader.pairs_of_series(series, way), title=f"{len(series)} real series", others={}
        )
        found |= {f"series_{name}": value for name, value in figures.items()}
    return found


def _one_way(model: WearModel, count: int, runs: Path) -> Metrics:
    way = model.direction
    others = {"the mean of the training's targets": always(mean_of_learned(way))}
    title = f"{count} pairs of unseen shoes"
    rows = (*_paper_rows(runs, model.name, count), ("published, another task: one pair of shoes", *PUBLISHED[way]))
    return _figures(model, unseen_pairs(way, count), title=title, others=others, told=rows)


def _figures(
    model: WearModel,
    pairs: Sequence[WearPair],
    *,
    title: str,
    others: Mapping[str, Predict],
    told: Sequence[tuple[str, float, float]] = (),
) -> Metrics:
    """Figures of a model on pairs beside trivial answers, which are ``others`` and the print unchanged; prints tables.

    Rows that were measured elsewhere (``told``) stand below.
    """
    way = model.direction
    answers = asyncio.run(_answers(model, pairs))
    by_pair = {id(pair): contact for pair, (contact, _) in zip(pairs, answers, strict=True)}
    found = likeness(pairs, lambda pair: by_pair[id(pair)])
    trivial = {name: likeness(pairs, answer) for name, answer in {"the print unchanged": unchanged, **others}.items()}
    clean = likeness(pairs, unchanged_clean)
    rows = [
        (f"{model.name}, as served", *found.means),
        *((name, *answer.means) for name, answer in trivial.items()),
        ("the print unchanged, denoised", *likeness(pairs, _denoised).means),
        ("the print unchanged, free of any noise", *clean.means),
        *told,
    ]
    click.echo(text_table((f"{way} in time, {title}", "SSIM", "PSNR dB"), _shown(rows)))
    spans = ("weeks", "pairs", "SSIM", "unchanged, clean", "PSNR dB", "unchanged, clean")
    click.echo(text_table(spans, _by_weeks(pairs, found, clean)))
    gained, gained_clean = gains(found, trivial.values()), gains(found, (clean,))
    return {
        f"{way}_ssim": found.means[0],
        f"{way}_psnr": found.means[1],
        f"{way}_ssim_gain": gained[0],
        f"{way}_psnr_gain": gained[1],
        f"{way}_ssim_gain_clean": gained_clean[0],
        f"{way}_psnr_gain_clean": gained_clean[1],
        f"{way}_unsure_corr": _unsure_correlation(pairs, answers),
    }


async def _answers(model: WearModel, pairs: Sequence[WearPair]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    encoder = InProcessEncoder(model.folder, contract=model.contract())
    answers = []
    for pair in tqdm(pairs, desc=model.name, unit="print"):
        inputs = {IMAGE: pair.image[None], WEEKS: np.array([[pair.weeks]], np.uint8)}
        outputs = await encoder.encode(inputs, timeout_s=_TIMEOUT_S)
        answers.append((outputs[PRINT][0].astype(np.float32), outputs[UNSURE][0].astype(np.float32)))
    await encoder.close()
    return answers


def _denoised(pair: WearPair) -> NDArray[np.floating]:
    return contact_of(denoised(pair.image).gray)


def _paper_rows(runs: Path, name: str, count: int) -> list[tuple[str, float, float]]:
    """The literature's network by its trainings' own evaluation, where it is on the same pairs."""
    rows = []
    for path in sorted(runs.glob(f"{name}_paper_*/{_RESULT_FILE}")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["settings"]["evaluate_items"] == count:
            figures = result["metrics"]
            title = f"the literature's autoencoder, {result['steps']} steps"
            rows.append((title, figures["ssim"], figures["psnr_db"]))
    return rows


def _shown(rows: Sequence[tuple[str, float, float]]) -> list[tuple[str, str, str]]:
    return [(name, f"{likeness_:.3f}", f"{decibels:.1f}") for name, likeness_, decibels in rows]


def _by_weeks(pairs: Sequence[WearPair], found: Likeness, clean: Likeness) -> list[tuple[str, int, str, str, str, str]]:
    weeks = np.array([pair.weeks for pair in pairs])
    rows = []
    for first, last in _SPANS:
        inside = (weeks >= first) & (weeks <= last)
        if inside.any():
            values = (found.ssim, clean.ssim, found.psnr_db, clean.psnr_db)
            a, b, c, d = (float(value[inside].mean()) for value in values)
            rows.append((f"{first} to {last}", int(inside.sum()), f"{a:.3f}", f"{b:.3f}", f"{c:.1f}", f"{d:.1f}"))
    return rows


def _unsure_correlation(pairs: Sequence[WearPair], answers: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> float:
    """Correlation of expected and true error over all pixels."""
    errors = [np.abs(contact - pair.target / _WHITE) for pair, (contact, _) in zip(pairs, answers, strict=True)]
    return float(np.corrcoef(np.ravel(errors), np.ravel([unsure for _, unsure in answers]))[0, 1])
