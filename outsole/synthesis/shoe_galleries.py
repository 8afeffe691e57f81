"""A made catalogue of shoe models on disk: their soles, their photographs, and what a scene and a camera keep of them.

``python -m outsole.synthesis.shoe_galleries DIR --models 24 --seed 1`` writes one. Soles and photographs have the same
model ids, so that a print can be traced to uppers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.answers import Role, ShoeMarks, View
from outsole.errors import InvalidInput, OutsoleError
from outsole.synthesis.prints import clean_impression, scene_print
from outsole.synthesis.shoe_pictures import CameraPlan, retail_photograph, surveillance_crop
from outsole.synthesis.shoes import ShoeModel, make_instance, plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper

_COLUMNS = ("sku", "path", "role", "model", "category")
_ROLES = {Role.SIDE: View.SIDE, Role.FRONT: View.FRONT, Role.HEEL: View.BACK}
_SEEN_PX = 80
MAX_MODELS = 99_999


@dataclass(frozen=True)
class SeenShoe:
    """What a camera saw of a model.

    Attributes:
        path: The picture.
        model_id: What it shows.
        marks: Where the shoe is in it.
    """

    path: Path
    model_id: str
    marks: ShoeMarks


@dataclass(frozen=True)
class MadeShoes:
    """Where a made catalogue lies.

    Attributes:
        directory: Holds ``soles.csv`` and ``shoes.csv`` with their pictures, ``prints/<model>.png`` (a scene
            print of each model), ``seen/<model>.jpg`` and ``seen.json``.
        model_ids: The models, in order.
    """

    directory: Path
    model_ids: tuple[str, ...]

    @property
    def soles(self) -> Path:
        """The manifest of the soles, one impression a model."""
        return self.directory / "soles.csv"

    @property
    def shoes(self) -> Path:
        """The manifest of the photographs, side, front and heel of each model."""
        return self.directory / "shoes.csv"

    def print_of(self, model_id: str) -> Path:
        """A scene print of a model's sole."""
        return self.directory / "prints" / f"{model_id}.png"

    def seen(self) -> list[SeenShoe]:
        """What a camera saw, one side view a model, in order of the models."""
        rows = json.loads((self.directory / "seen.json").read_text(encoding="utf-8"))
        return [
            SeenShoe(
                self.directory / row["path"],
                row["model"],
                ShoeMarks(View.SIDE, tuple(row["toe"]), tuple(row["heel"])),
            )
            for row in rows
        ]


def make_shoe_gallery(directory: Path, *, models: int, seed: int, with_bar: bool = False) -> MadeShoes:
    """Write a catalogue of made shoe models.

    Args:
        directory: Made if missing; files of the same names are written over.
        models: How many, 1 .. 99,999.
        seed: At least 0; the same numbers give the same files byte for byte.
        with_bar: Whether a progress bar is shown.

    Raises:
        InvalidInput: A number out of range.
    """
    if not 1 <= models <= MAX_MODELS:
        raise InvalidInput(f"models is {models}", field="models", remedy=f"1 to {MAX_MODELS:,}")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    for name in ("soles", "shoes", "prints", "seen"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    plan = plan_models(models, seed=seed)
    soles, shoes, seen = [], [], []
    for model in tqdm(plan, desc="models", unit="model", disable=not with_bar):
        soles.append(_write_sole(directory, model))
        shoes += [_write_photograph(directory, model, role) for role in _ROLES]
        seen.append(_write_seen(directory, model))
    made = MadeShoes(directory, tuple(model.model_id for model in plan))
    _write_table(made.soles, soles)
    _write_table(made.shoes, shoes)
    (directory / "seen.json").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
    return made


def _write_sole(directory: Path, model: ShoeModel) -> tuple[str, ...]:
    path = f"soles/{model.model_id}.png"
    _write(directory / path, clean_impression(make_instance(model, 0), 0))
    scene = scene_print(make_instance(model, 1), 1)
    _write(directory / "prints" / f"{model.model_id}.png", scene.gray)
    return model.model_id, path, Role.SOLE.value, model.model_id, model.style


def _write_photograph(directory: Path, model: ShoeModel, role: Role) -> tuple[str, ...]:
    name = f"{model.model_id}-{role.value.lower()}"
    picture = retail_photograph(draw_upper(design_of(model), _ROLES[role]), model.seed % 1_000_000)
    _write(directory / f"shoes/{name}.jpg", picture.rgb[..., ::-1])
    return name, f"shoes/{name}.jpg", role.value, model.model_id, model.style


def _write_seen(directory: Path, model: ShoeModel) -> dict[str, object]:
    plan = CameraPlan(length_px=_SEEN_PX)
    picture = surveillance_crop(draw_upper(design_of(model), View.SIDE), model.seed % 1_000_000 + 1, plan)
    path = f"seen/{model.model_id}.jpg"
    _write(directory / path, picture.rgb[..., ::-1])
    return {"path": path, "model": model.model_id, "toe": picture.toe, "heel": picture.heel}


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    _, packed = cv2.imencode(path.suffix, picture)
    path.write_bytes(packed.tobytes())


def _write_table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *rows])


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--models", default=24, show_default=True, help="How many shoe models.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
def main(directory: Path, models: int, seed: int) -> None:
    """Write a made catalogue of shoes to DIRECTORY: soles, photographs, scene prints and camera crops."""
    try:
        made = make_shoe_gallery(directory, models=models, seed=seed, with_bar=True)
    except OutsoleError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{models} models: {made.soles}, {made.shoes}, and a print and a camera crop of each")


if __name__ == "__main__":
    main()
