"""A made gallery on disk, in the layout of the FID-300 collection: references, scene prints and their labels.

``python -m outsole.synthesis.galleries DIR --models 200 --probes 40 --seed 1`` writes one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.errors import InvalidInput, OutsoleError
from outsole.synthesis.prints import Degradation, clean_impression, scene_print
from outsole.synthesis.treads import Tread, make_tread

MANIFEST_COLUMNS = ("id", "path", "model", "brand", "side", "category", "tread_family")
MAX_ITEMS = 99_999
_BRANDS = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Rowan")
_CATEGORIES = {"sneaker": "sneakers", "runner": "running shoes", "boot": "boots", "dress": "dress shoes"}
_SEEDS_PER_GALLERY = 1_000_000

Item = TypeVar("Item")
Progress = Callable[[Iterable[Item], int, str], Iterable[Item]]


@dataclass(frozen=True)
class MadeGallery:
    """Where a made gallery lies.

    Attributes:
        directory: Holds ``references/NNNNN.png``, ``tracks_cropped/NNNNN.jpg``, ``masks/NNNNN.png``, ``manifest.csv``
            (one row a reference) and ``label_table.csv`` (probe, reference; no header).
        models: How many references there are, one a model, numbered from 1.
        probes: How many probes there are, numbered from 1.
    """

    directory: Path
    models: int
    probes: int

    @property
    def manifest(self) -> Path:
        """The table of the references."""
        return self.directory / "manifest.csv"

    @property
    def label_table(self) -> Path:
        """Which reference each probe shows."""
        return self.directory / "label_table.csv"


def _silent(items: Iterable[Item], total: int, label: str) -> Iterable[Item]:
    return items


def make_print_gallery(
    directory: Path,
    *,
    models: int,
    probes: int,
    seed: int,
    degradation: Degradation | None = None,
    progress: Progress[int] = _silent,
) -> MadeGallery:
    """Write a gallery of made soles and crime-scene prints of some of them.

    Args:
        directory: Made if missing; files of the same names are written over.
        models: Number of references, 1 .. 99,999, each its own shoe model and tread family.
        probes: Number of scene prints, 0 .. 99,999; their soles are drawn without repetition while they last.
        seed: At least 0; the same numbers give the same files byte for byte.
        degradation: What happens to the scene prints; the defaults of ``Degradation`` where None.
        progress: Wraps each loop: ``progress(items, total, label)``.

    Returns:
        Where everything lies.

    Raises:
        InvalidInput: A number out of range.
    """
    for name, value, low in (("models", models, 1), ("probes", probes, 0)):
        if not low <= value <= MAX_ITEMS:
            raise InvalidInput(f"{name} is {value}", field=name, remedy=f"{low} to {MAX_ITEMS}")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    gallery = MadeGallery(directory=Path(directory), models=models, probes=probes)
    for name in ("references", "tracks_cropped", "masks"):
        (gallery.directory / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([0x6A11, seed])
    sides = rng.choice(["left", "right"], size=models)
    rows = [
        _write_reference(gallery, number, seed, str(sides[number - 1]))
        for number in progress(range(1, models + 1), models, "references")
    ]
    _write_table(gallery.manifest, [MANIFEST_COLUMNS, *rows])
    shown = _drawn(rng, models, probes)
    for probe in progress(range(1, probes + 1), probes, "probes"):
        reference = int(shown[probe - 1])
        other = int(rng.integers(1, models + 1))
        treads = [_tread(seed, number, str(sides[number - 1])) for number in (reference, other)]
        _write_probe(gallery, probe, _item_seed(seed, probe), treads=treads, degradation=degradation)
    _write_table(gallery.label_table, [(probe, int(shown[probe - 1])) for probe in range(1, probes + 1)])
    return gallery


def _item_seed(seed: int, number: int) -> int:
    return seed * _SEEDS_PER_GALLERY + number


def _tread(seed: int, number: int, side: str) -> Tread:
    tread = make_tread(_item_seed(seed, number))
    if side == "right":
        return tread
    return Tread(
        depth=np.ascontiguousarray(tread.depth[:, ::-1]),
        inside=np.ascontiguousarray(tread.inside[:, ::-1]),
        shape=tread.shape,
        families=tread.families,
    )


def _drawn(rng: np.random.Generator, models: int, probes: int) -> NDArray[np.int64]:
    """The reference of each probe, 1-based: every reference once before any a second time."""
    rounds = -(-probes // models)
    numbers = rng.permuted(np.tile(np.arange(1, models + 1), (rounds, 1)), axis=1) if rounds else np.zeros((1, 0))
    return np.asarray(numbers.ravel()[:probes], np.int64)


def _write_reference(gallery: MadeGallery, number: int, seed: int, side: str) -> tuple[str, ...]:
    """Write one impression; returns its row of the manifest."""
    tread = _tread(seed, number, side)
    path = f"references/{number:05d}.png"
    _write_image(gallery.directory / path, clean_impression(tread, _item_seed(seed, number)))
    brand = _BRANDS[number % len(_BRANDS)]
    category = _CATEGORIES[tread.shape]
    return (f"{number:05d}", path, f"model-{number:05d}", brand, side, category, f"tread-{number:05d}")


def _write_probe(
    gallery: MadeGallery, probe: int, seed: int, *, treads: list[Tread], degradation: Degradation | None
) -> None:
    made = scene_print(treads[0], seed, degradation=degradation, other=treads[1])
    _write_image(gallery.directory / "tracks_cropped" / f"{probe:05d}.jpg", made.gray)
    _write_image(gallery.directory / "masks" / f"{probe:05d}.png", made.mask.astype(np.uint8) * np.uint8(255))


def _write_image(path: Path, gray: NDArray[np.uint8]) -> None:
    _, packed = cv2.imencode(path.suffix, gray)
    path.write_bytes(packed.tobytes())


def _write_table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _with_bar(items: Iterable[Item], total: int, label: str) -> Iterable[Item]:
    bar: Iterable[Item] = tqdm(items, total=total, desc=label, unit="image")
    return bar


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--models", default=200, show_default=True, help="Number of references, one a shoe model.")
@click.option("--probes", default=40, show_default=True, help="Number of crime-scene prints.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
def main(directory: Path, models: int, probes: int, seed: int) -> None:
    """Write a made gallery of sole impressions and crime-scene prints to DIRECTORY."""
    try:
        gallery = make_print_gallery(directory, models=models, probes=probes, seed=seed, progress=_with_bar)
    except OutsoleError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{gallery.models} references and {gallery.probes} probes in {gallery.directory}")


if __name__ == "__main__":
    main()
