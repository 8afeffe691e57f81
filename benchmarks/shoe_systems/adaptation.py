"""What adapting the encoder of shoes to a catalogue gains, on made models of another look.

    python -m benchmarks.shoe_systems.adaptation [--models 150] [--preset cpu] [--minutes 8] [--json FILE]

The catalogue is one of dark, muted shoes, as work shoes are: the general encoder, which leans on colours, finds few of
them. Every third model is left out of the adaptation. Probes are camera crops of the shoes themselves, searched among
one photograph of each model's side; nothing of them was learned from.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.reporting import InputValue, make_result, text_table
from outsole.answers import View
from outsole.errors import OutsoleError
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER
from outsole.synthesis.shoe_pictures import retail_photograph, surveillance_crop
from outsole.synthesis.shoes import ShoeModel, plan_models
from outsole.synthesis.upper_designs import UpperDesign, design_of
from outsole.synthesis.uppers import draw_upper

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
RUNS = Path("build/training")
NAME = f"{DEFAULT_SHOE_ENCODER}_adapted"
# No training has models of this seed.
CATALOGUE_SEED = 77
_THUMBNAIL_PX = 192
_LEFT_OUT_EACH = 3
_PROBES_EACH = 2
# Colours are drawn towards their grey, and all greys into the dark.
_COLOUR_KEPT = 0.25
_DARKEST, _RANGE = 0.06, 0.4


@dataclass(frozen=True)
class Catalogue:
    """Made models of another look.

    Attributes:
        models: The plan.
    """

    models: tuple[ShoeModel, ...]

    @classmethod
    def of(cls, count: int) -> Catalogue:
        """So many models."""
        return cls(tuple(plan_models(count, seed=CATALOGUE_SEED)))

    def is_left_out(self, model_id: str) -> bool:
        """Whether a model is left out of the adaptation."""
        return int(model_id) % _LEFT_OUT_EACH == 0

    def photographs(self) -> Iterator[Any]:
        """``training.own_photographs.Photograph`` of each model from each view, as a gallery keeps them."""
        made = importlib.import_module("training.own_photographs")
        for model in tqdm(self.models, desc="photographs", unit="model"):
            for view in View:
                picture = retail_photograph(draw_upper(muted(model), view), model.seed % 1_000_000).rgb
                yield made.Photograph(_thumbnail(picture), view, model.model_id, f"{model.model_id}-{view.value}")

    def probes(self, models: tuple[ShoeModel, ...]) -> NDArray[np.uint8]:
        """Camera crops of the sides of models, uint8 [2 M, 112, 224, 3], those of one model behind each other."""
        made = importlib.import_module("training.made_shoes")
        crops = []
        for model in models:
            upper = draw_upper(muted(model), View.SIDE)
            seeds = range(model.seed % 1_000_000, model.seed % 1_000_000 + _PROBES_EACH)
            crops += [made.marked_crop(surveillance_crop(upper, n, made.any_camera(n)), n) for n in seeds]
        return np.stack(crops)


def muted(model: ShoeModel) -> UpperDesign:
    """The upper of a model in dark, muted colours."""
    design = design_of(model)
    colours = {}
    for name, colour in design.colours.items():
        grey = np.float32(colour.mean())
        level = _DARKEST + _RANGE * grey
        colours[name] = np.clip(level + _COLOUR_KEPT * (colour - grey), 0.02, 1).astype(np.float32)
    return dataclasses.replace(design, colours=colours)


def _thumbnail(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shrink = min(1.0, _THUMBNAIL_PX / max(rgb.shape[:2]))
    return np.asarray(cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)


def measure(models: int, *, preset: str, minutes: float | None, base: Path, runs: Path) -> dict[str, float]:
    """Adapt and measure.

    Returns:
        ``learned_rank1``, ``left_out_rank1`` (and ``..._map``, ``..._before``) of camera crops, 0 .. 1;
        ``catalogue_rank1`` (and ``_before``) of degraded photographs, as ``outsole adapt`` reports it; ``gain_pts`` and
        ``left_out_gain_pts``; ``left_out_pictures``, whose shoe could not be cut out.

    Raises:
        OutsoleError: See ``training.adapt.adapt``.
    """
    training = importlib.import_module("training.adapt")
    catalogue = Catalogue.of(models)
    kept, refused = importlib.import_module("training.own_photographs").KeptPhotographs.cut(catalogue.photographs())
    learned = kept.of_models(lambda name: not catalogue.is_left_out(name))
    adaptation = training.Adaptation(NAME, learned, base, "a made catalogue of another look", DEFAULT_SHOE_ENCODER)
    folder = runs / f"{NAME}_{preset}"
    run, _ = training.adapt(adaptation, preset, folder=folder, repository=runs / "models", minutes=minutes)
    general = training.general_network(base, DEFAULT_SHOE_ENCODER)
    figures = {f"{name}_before": value for name, value in _searched(general, kept, catalogue).items()}
    figures |= _searched(run.network, kept, catalogue)
    for name in ("rank1", "rank1_before"):
        figures[f"catalogue_{name}"] = run.result.metrics[name]
    figures["gain_pts"] = 100 * (figures["learned_rank1"] - figures["learned_rank1_before"])
    figures["left_out_gain_pts"] = 100 * (figures["left_out_rank1"] - figures["left_out_rank1_before"])
    return {**figures, "left_out_pictures": float(len(refused)), "steps": float(run.result.steps)}


def _searched(network: Any, kept: Any, catalogue: Catalogue) -> dict[str, float]:
    """Rank-1 and mAP of camera crops of models learned from, and of those left out, among all."""
    torch = importlib.import_module("torch")
    crop_figures = importlib.import_module("training.shoe_systems").crop_figures
    rows = [row for row, (_, view) in enumerate(kept.names) if view is View.SIDE]
    gallery = np.stack([kept.catalogue(row) for row in rows])
    shown = np.array([int(kept.names[row][0]) for row in rows])
    figures: dict[str, float] = {}
    for name, left_out in (("learned", False), ("left_out", True)):
        asked = tuple(
            m for m in catalogue.models if catalogue.is_left_out(m.model_id) is left_out and int(m.model_id) in shown
        )
        truth = np.repeat([int(model.model_id) for model in asked], _PROBES_EACH)
        with torch.no_grad():
            found = crop_figures(network.eval(), gallery, shown, probes=catalogue.probes(asked), shown=truth)
        figures |= {f"{name}_rank1": found["rank1"], f"{name}_map": found["map"]}
    return figures


@click.command()
@click.option("--models", type=click.IntRange(12), default=150, show_default=True, help="Of the catalogue.")
@click.option("--preset", type=click.Choice(["smoke", "cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop learning after this time.")
@click.option("--base", type=click.Path(file_okay=False, path_type=Path), default=REPOSITORY / DEFAULT_SHOE_ENCODER)
@click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default=RUNS, show_default=True)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="File for the result.")
def main(models: int, *, preset: str, minutes: float | None, base: Path, runs: Path, path: Path | None) -> None:
    """Adapt the encoder of shoes to a made catalogue of another look, and measure what it gains."""
    try:
        figures = measure(models, preset=preset, minutes=minutes, base=base, runs=runs)
    except OutsoleError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
    rows = [
        (title, 100 * figures[f"{name}_before"], 100 * figures[name])
        for title, name in (
            ("degraded photographs learned from, Rank-1", "catalogue_rank1"),
            ("camera crops of models learned from, Rank-1", "learned_rank1"),
            ("the same, mAP", "learned_map"),
            ("camera crops of models left out, Rank-1", "left_out_rank1"),
            ("the same, mAP", "left_out_map"),
        )
    ]
    click.echo(text_table(("%", "general", "adapted"), rows))
    if path is not None:
        inputs: dict[str, InputValue] = {"models": models, "preset": preset}
        make_result("shoe_adaptation", inputs=inputs, metrics=figures).write(path)


if __name__ == "__main__":
    main()
