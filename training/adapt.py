"""A general system trained further on a gallery's own pictures, without labels.

    python -m training.adapt DIRECTORY --as NAME [--system partial_print|crisp_lite|shoe_attention] [--leave-out FILE]

Nothing is asked for but the pictures themselves: of clean impressions prints are simulated (``training.print_views``),
of photographs of shoes what surveillance leaves of them (``training.own_photographs``). ``outsole adapt GALLERY`` does
the same with what a gallery holds. What was adapted belongs to the gallery's owner, under the terms of the gallery's
images, and is never part of this project.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from torch import nn

from outsole.encoders.spec_file import WEIGHTS_FILE
from outsole.errors import InvalidInput, NotFound
from training.adaptable import Adaptable
from training.adaptable_prints import PRINTS
from training.adaptable_shoes import SHOES
from training.cards import RunRecord
from training.command import RUNS, OneSentence, folder_of_run
from training.export import REPOSITORY, Exported, export_model
from training.exporting.served_weights import served_weights
from training.exporting.subjects import Subject
from training.own_pictures import OwnPictures
from training.partial_print import SYSTEM as PARTIAL_PRINT_SYSTEM
from training.system import Preset, System, device_of
from training.trainer import Run, train

FEWEST_PICTURES = 16
ADAPTABLE: Mapping[str, Adaptable] = {**PRINTS, **SHOES}
PARTIAL_PRINT = PARTIAL_PRINT_SYSTEM.name
BEFORE = "_before"
_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_PRESETS = ("smoke", "cpu", "gpu")


@dataclass(frozen=True)
class Adaptation:
    """What is adapted to, and from where.

    Attributes:
        name: Of the new model's folder.
        pictures: What is learned from: ``training.print_views.KeptImpressions`` (contact dark, 20 px/cm) or
            ``training.own_photographs.KeptPhotographs``.
        base: Model folder of the general system.
        about: Where the pictures are from, for the card.
        system: Which system, one of ``ADAPTABLE``.
    """

    name: str
    pictures: OwnPictures
    base: Path
    about: str
    system: str = PARTIAL_PRINT

    def __post_init__(self) -> None:
        if self.name in ADAPTABLE:
            raise InvalidInput(f"{self.name!r} is the general one", field="as", remedy="another name")
        if len(self.pictures) < FEWEST_PICTURES:
            raise InvalidInput(
                f"there are {len(self.pictures)} {ADAPTABLE[self.system].pictures} to adapt to",
                field="pictures",
                remedy=f"at least {FEWEST_PICTURES}",
            )


def adapt(
    adaptation: Adaptation, preset: str, *, folder: Path, repository: Path, minutes: float | None = None
) -> tuple[Run, Exported]:
    """Train further and export.

    Args:
        adaptation: To what.
        preset: ``smoke``, ``cpu`` or ``gpu``.
        folder: Of the run; the same call goes on with what it finds there.
        repository: Where the model's folder goes.
        minutes: Stop learning after this time.

    Raises:
        NotFound, DataCorrupt: There is no general system, or it cannot be read.
        OutsoleError: See ``training.trainer.train`` and ``training.export.export_model``.
    """
    run = train(system_of(adaptation), preset, folder=folder, minutes=minutes)
    result = run.result
    adaptable = ADAPTABLE[adaptation.system]
    count, pictures = len(adaptation.pictures), adaptable.pictures
    plan = dataclasses.replace(
        adaptable.plan,
        trained_on=f"made shoes, then {count} {pictures} of {adaptation.about}, without labels",
        licence=f"that of the {pictures} it was adapted to; not for passing on",
    )
    record = RunRecord(
        settings=result.settings,
        steps=result.steps,
        seconds=result.seconds,
        metrics=result.metrics,
        machine=str(result.machine),
        command=result.command,
    )
    subject = Subject(plan, run.network.cpu().eval(), record)
    return run, export_model(subject, adaptation.name, repository=repository, command=result.command)


def system_of(adaptation: Adaptation) -> System:
    """The system that learns from these pictures, starting at the general one.

    Its figures are of pictures that were learned from under degradations that were not; those of the general system
    stand beside them, their names ending in ``_before``.
    """
    adaptable, pictures = ADAPTABLE[adaptation.system], adaptation.pictures
    weights = (adaptation.base / WEIGHTS_FILE).read_bytes() if adaptation.base.is_dir() else b""
    digest = hashlib.sha256(weights)
    for part in pictures.parts():
        digest.update(part)

    def build() -> nn.Module:
        network = general_network(adaptation.base, adaptation.system)
        adaptable.prepare(network, pictures)
        return network

    def evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
        measured = pictures.first(preset.evaluate_items)
        general: Any = general_network(adaptation.base, adaptation.system).eval()
        general.to(device=device_of(network), memory_format=torch.channels_last)
        after, before = (adaptable.evaluate(each, measured, preset) for each in (network, general))
        return {**after, **{f"{name}{BEFORE}": value for name, value in before.items()}}

    return dataclasses.replace(
        adaptable.system,
        name=adaptation.name,
        title=f"{adaptable.system.title}, adapted",
        presets=adaptable.presets,
        build=build,
        loss=adaptable.loss or adaptable.system.loss,
        dataset=partial(adaptable.dataset, pictures),
        evaluate=evaluate,
        settings=dict(adaptable.system.settings)
        | {"base": adaptation.system, "begun_with": digest.hexdigest()[:16], "proxies": adaptable.loss is not None},
    )


def general_network(folder: Path, system: str = PARTIAL_PRINT) -> nn.Module:
    """A system's network with the weights of a model folder.

    Raises:
        NotFound: There is no such model.
        DataCorrupt: Its weights are not those of this network.
    """
    adaptable = ADAPTABLE[system]
    network = adaptable.system.build()
    state = network.state_dict()
    network.load_state_dict(state | served_weights(folder, state, not_served=adaptable.not_served))
    return network


def picture_files(directory: Path, *, without: Sequence[str] = ()) -> list[Path]:
    """The images of a directory in order of name, but for those whose names (without suffix) are left out.

    Raises:
        NotFound: No such directory.
    """
    if not directory.is_dir():
        raise NotFound(f"{directory} is no directory", field="pictures")
    left_out = set(without)
    files = sorted(file for file in directory.iterdir() if file.suffix.lower() in _IMAGES)
    return [file for file in files if file.stem not in left_out]


def gains_of(run: Run) -> list[str]:
    """One line a figure of an adaptation: before and after, on degradations that were not learned from."""
    metrics = run.result.metrics
    return [
        f"{name} {metrics[name + BEFORE]:.3f} before, {value:.3f} after"
        for name, value in metrics.items()
        if name + BEFORE in metrics
    ]


def said_of(refused: Sequence[str], *, shown: int = 5) -> list[str]:
    """How many pictures are left out, and why the first of them are."""
    if not refused:
        return []
    return [f"pictures left out: {len(refused):,}", *(f"  {why}" for why in refused[:shown])]


@click.command(cls=OneSentence)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--as", "name", required=True, help="Name of the new model.")
@click.option("--preset", type=click.Choice([*_PRESETS]), default="cpu", show_default=True)
@click.option("--system", type=click.Choice([*ADAPTABLE]), default=PARTIAL_PRINT, show_default=True)
@click.option("--base", type=click.Path(path_type=Path), help="Model folder of the general system; the shipped one.")
@click.option("--repository", type=click.Path(path_type=Path), default=RUNS / "models", show_default=True)
@click.option("--leave-out", type=click.Path(dir_okay=False, path_type=Path), help="File with names, one a line.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop learning after this time.")
def main(
    directory: Path,
    *,
    name: str,
    preset: str,
    system: str,
    base: Path | None,
    repository: Path,
    leave_out: Path | None,
    minutes: float | None,
) -> None:
    """Train a general system further on the clean impressions, or the photographs of shoes' sides, in DIRECTORY."""
    without = leave_out.read_text(encoding="utf-8").split() if leave_out is not None else []
    pictures, refused = ADAPTABLE[system].read(picture_files(directory, without=without))
    adaptation = Adaptation(name, pictures, base or REPOSITORY / system, f"{directory.name!r}", system)
    run, exported = adapt(
        adaptation, preset, folder=folder_of_run(name, preset), repository=repository, minutes=minutes
    )
    if leave_out is not None:
        (exported.folder / "held_out.txt").write_text("\n".join(without) + "\n", encoding="utf-8")
    click.echo("\n".join([*said_of(refused), *gains_of(run)]))
    click.echo(f"{exported.folder}: {run.result.steps} steps, {run.result.seconds:.0f} s")
    side = "shoe" if system in SHOES else "print"
    click.echo(shlex.join(["python", "-m", "benchmarks.literature", "--side", side, "--runs", str(RUNS)]))


if __name__ == "__main__":
    main()
