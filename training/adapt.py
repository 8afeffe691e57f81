"""A general system trained further on a gallery's own clean impressions, without labels.

    python -m training.adapt IMPRESSIONS_DIR --as NAME [--system partial_print|crisp_lite] [--leave-out FILE]

Nothing is asked for but the impressions themselves: their prints are simulated (``training.print_views``). ``outsole
adapt GALLERY`` does the same to the partial-print embedding with what a gallery holds. What was adapted belongs to the
gallery's owner, under the terms of the gallery's images, and is never part of this project.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from outsole.encoders.network_spec import NetworkSpec
from outsole.encoders.spec_file import WEIGHTS_FILE
from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.imaging.decode import decode_image
from training.adaptable import ADAPTABLE
from training.cards import RunRecord
from training.command import RUNS, OneSentence
from training.export import REPOSITORY, Exported, export_model
from training.exporting.subjects import Subject
from training.partial_print import SYSTEM as PARTIAL_PRINT_SYSTEM
from training.print_views import KeptImpressions
from training.system import Preset, System
from training.trainer import Run, train

FEWEST_IMPRESSIONS = 16
PARTIAL_PRINT = PARTIAL_PRINT_SYSTEM.name
_GRAPH_PREFIX, _HALF_SUFFIX = "network.", "_fp16"
_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
_PRESETS = ("smoke", "cpu", "gpu")


@dataclass(frozen=True)
class Adaptation:
    """What is adapted to, and from where.

    Attributes:
        name: Of the new model's folder.
        impressions: uint8 [H, W] each, contact dark, 20 px/cm.
        base: Model folder of the general system.
        about: Where the impressions are from, for the card.
        system: Which system, one of ``training.adaptable.ADAPTABLE``.
    """

    name: str
    impressions: Sequence[NDArray[np.uint8]]
    base: Path
    about: str
    system: str = PARTIAL_PRINT

    def __post_init__(self) -> None:
        if self.name in ADAPTABLE:
            raise InvalidInput(f"{self.name!r} is the general one", field="as", remedy="another name")
        if len(self.impressions) < FEWEST_IMPRESSIONS:
            raise InvalidInput(
                f"there are {len(self.impressions)} impressions to adapt to",
                field="impressions",
                remedy=f"at least {FEWEST_IMPRESSIONS}",
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
    count = len(adaptation.impressions)
    plan = dataclasses.replace(
        ADAPTABLE[adaptation.system].plan,
        trained_on=f"made treads, then {count} clean impressions of {adaptation.about}, without labels",
        licence="that of the impressions it was adapted to; not for passing on",
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
    """The system that learns from these impressions, starting at the general one."""
    adaptable = ADAPTABLE[adaptation.system]
    source = KeptImpressions(adaptation.impressions)
    weights = (adaptation.base / WEIGHTS_FILE).read_bytes() if adaptation.base.is_dir() else b""
    digest = hashlib.sha256(weights)
    for impression in adaptation.impressions:
        digest.update(impression.tobytes())

    def build() -> nn.Module:
        network = general_network(adaptation.base, adaptation.system)
        adaptable.prepare(network, source)
        return network

    def evaluate(network: nn.Module, preset: Preset) -> Mapping[str, float]:
        # The impressions are those that were learned from, their degradations are not.
        return adaptable.evaluate(network, KeptImpressions(adaptation.impressions[: preset.evaluate_items]), preset)

    return dataclasses.replace(
        adaptable.system,
        name=adaptation.name,
        title=f"{adaptable.system.title}, adapted",
        presets=adaptable.presets,
        build=build,
        loss=adaptable.loss or adaptable.system.loss,
        dataset=partial(adaptable.dataset, source),
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
    import onnx
    from onnx import numpy_helper

    NetworkSpec.load(folder)
    graph = onnx.load(str(folder / WEIGHTS_FILE)).graph
    found = {
        tensor.name.removeprefix(_GRAPH_PREFIX).removesuffix(_HALF_SUFFIX): numpy_helper.to_array(tensor)
        for tensor in graph.initializer
    }
    adaptable = ADAPTABLE[system]
    network = adaptable.system.build()
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in found and name not in adaptable.not_served]
    if missing:
        raise DataCorrupt(
            f"model {folder.name!r} has no weights {missing[0]!r}", remedy=f"export {system} again as fp32 or fp16"
        )
    kept = {name: torch.from_numpy(found[name].astype(np.float32)) for name in wanted if name in found}
    network.load_state_dict(wanted | kept)
    return network


def read_impressions(
    directory: Path, *, without: Sequence[str] = (), progress: Callable[[Sequence[Path]], Sequence[Path]] = tqdm
) -> list[NDArray[np.uint8]]:
    """The images of a directory, but for those whose names (without suffix) are left out.

    Raises:
        NotFound: No such directory.
        OutsoleError: An image cannot be used; the message names it.
    """
    if not directory.is_dir():
        raise NotFound(f"{directory} is no directory", field="impressions")
    left_out = set(without)
    files = sorted(file for file in directory.iterdir() if file.suffix.lower() in _IMAGES)
    return [
        decode_image(file.read_bytes(), field=file.name).gray for file in progress(files) if file.stem not in left_out
    ]


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
    """Train a general system further on the clean impressions of DIRECTORY."""
    without = leave_out.read_text(encoding="utf-8").split() if leave_out is not None else []
    impressions = read_impressions(directory, without=without)
    adaptation = Adaptation(name, impressions, base or REPOSITORY / system, f"{directory.name!r}", system)
    run, exported = adapt(adaptation, preset, folder=RUNS / f"{name}_{preset}", repository=repository, minutes=minutes)
    if leave_out is not None:
        (exported.folder / "held_out.txt").write_text("\n".join(without) + "\n", encoding="utf-8")
    click.echo(f"{exported.folder}: {run.result.steps} steps, {run.result.seconds:.0f} s")
    click.echo(shlex.join(["python", "-m", "benchmarks.literature", "--side", "print", "--runs", str(RUNS)]))


if __name__ == "__main__":
    main()
