"""Export a network to the model repository: ``python -m training.export [NAME] --checkpoint RUN/checkpoint.pt``.

Writes ``<repository>/<name>/{1/model.onnx, spec.json, config.pbtxt, card.md}`` and the TensorRT variant below
``deploy/tensorrt/<name>/``. The same weights give the same bytes, hence the same specification hash, on
processors that round alike.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from outsole.encoders.network_spec import NetworkSpec
from outsole.encoders.spec import EncoderSpec
from outsole.encoders.spec_file import WEIGHTS_FILE
from outsole.errors import InvalidInput, NotFound, OutsoleError
from training.cards import CARD_FILE, card_text
from training.export_plan import ExportPlan
from training.exporting import print_encoder
from training.exporting.folder import errors_of_the_disk, whole_folder
from training.exporting.graph import PRECISIONS, compacted, to_onnx
from training.exporting.parity import Parity, measure
from training.exporting.served import ServedModel, onnxruntime_config
from training.exporting.subjects import Subject, find_subject, known_names
from training.exporting.tensorrt import write_tensorrt

CONFIG_FILE = "config.pbtxt"
REPOSITORY = Path("model_repository")
TENSORRT = Path("deploy") / "tensorrt"
PRECISION_SETTING = "stored_weights"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: The model's folder.
        spec: Its specification.
        parity: Its distance from what it was made from.
        weights_bytes: Size of ``model.onnx``.
    """

    folder: Path
    spec: EncoderSpec | NetworkSpec
    parity: Parity
    weights_bytes: int


@dataclass(frozen=True)
class Made:
    """A graph that is ready to be shipped.

    Attributes:
        plan: How it is served.
        weights: The graph, stored as ``parity.precision`` says.
        parity: Its distance from what it was made from.
        card: Text of its card.
    """

    plan: ExportPlan
    weights: bytes
    parity: Parity
    card: str


def export_model(
    subject: Subject,
    name: str,
    *,
    repository: Path,
    precision: str = "",
    tensorrt: Path | None = None,
    command: str = "",
) -> Exported:
    """Write a network's model folder, whole or not at all, and its TensorRT variant.

    Args:
        subject: The network with its plan and its run.
        name: Of the model's folder.
        repository: Folder of model folders; made where missing.
        precision: One of ``PRECISIONS``; empty takes the plan's.
        tensorrt: Where the TensorRT variant goes (``deploy/tensorrt``); None writes none.
        command: As the card shows it.

    Raises:
        PreconditionFailed: The graph is too far from torch, or the disk is full; nothing is changed then.
        InvalidInput: The name is none for a folder, or the repository cannot be written to.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise InvalidInput(f"a model cannot be called {name!r}", field="name", remedy="letters, digits and _ . -")
    plan, precision = subject.plan, precision or subject.plan.precision
    with errors_of_the_disk(Path(tempfile.gettempdir())):
        weights = compacted(to_onnx(subject.network, plan), precision)
    parity = measure(subject.network, weights, plan, precision)
    parity.check(name)
    card = card_text(name, plan, run=subject.run, parity=parity, weights_bytes=len(weights), command=command)
    made = Made(plan, weights, parity, card)
    return write_model(made, name, repository=repository, tensorrt=tensorrt)


def write_model(made: Made, name: str, *, repository: Path, tensorrt: Path | None = None) -> Exported:
    """Write a model folder, whole or not at all, and its TensorRT variant.

    Raises:
        PreconditionFailed: The disk is full; nothing is changed then.
        InvalidInput: The repository cannot be written to.
    """
    plan = made.plan
    spec = specification(name, plan, weights=made.weights, precision=made.parity.precision)
    served = ServedModel(name, plan.inputs, plan.outputs, plan.max_batch, plan.preferred_batch, plan.merges)
    with whole_folder(repository, name) as folder:
        (folder / WEIGHTS_FILE).parent.mkdir()
        (folder / WEIGHTS_FILE).write_bytes(made.weights)
        spec.dump(folder)
        (folder / CONFIG_FILE).write_text(onnxruntime_config(served), encoding="utf-8")
        (folder / CARD_FILE).write_text(made.card, encoding="utf-8")
    if tensorrt is not None:
        with errors_of_the_disk(tensorrt):
            write_tensorrt(served, tensorrt)
    return Exported(repository / name, spec, made.parity, len(made.weights))


def specification(name: str, plan: ExportPlan, *, weights: bytes, precision: str) -> EncoderSpec | NetworkSpec:
    """The specification of a model with these ``model.onnx`` bytes."""
    if plan is print_encoder.PLAN:
        return print_encoder.specification(weights, name)
    return NetworkSpec(
        name=name,
        kind=plan.kind,
        inputs=plan.inputs,
        outputs=plan.outputs,
        px_per_cm=plan.px_per_cm,
        settings={**plan.settings, PRECISION_SETTING: precision},
        trained_on=plan.trained_on,
        licence=plan.licence,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )


@click.command(epilog=f"Names: {', '.join(known_names())}; a variant as NAME:VARIANT.")
@click.argument("name", default=print_encoder.NAME)
@click.option("--checkpoint", type=click.Path(path_type=Path), help="checkpoint.pt of the run to export.")
@click.option("--precision", type=click.Choice(PRECISIONS), help="Of the stored weights; the plan's if left out.")
@click.option("--repository", type=click.Path(path_type=Path), default=REPOSITORY, show_default=True)
@click.option(
    "--tensorrt",
    type=click.Path(path_type=Path),
    help=f"Where the TensorRT variant goes; {TENSORRT} for what is shipped, beside the repository else.",
)
@click.option("--as", "model", help="Name of the model's folder; NAME if left out.")
def main(
    name: str,
    checkpoint: Path | None,
    precision: str | None,
    repository: Path,
    tensorrt: Path | None,
    model: str | None,
) -> None:
    """Export the network NAME into a model repository."""
    parts = [name, *(["--checkpoint", str(checkpoint)] if checkpoint else [])]
    parts += [*(["--precision", precision] if precision else []), *(["--as", model] if model else [])]
    try:
        done = export_model(
            find_subject(name, checkpoint),
            model or name.replace(":", "_"),
            repository=repository,
            precision=precision or "",
            tensorrt=tensorrt or (TENSORRT if repository == REPOSITORY else repository.parent / TENSORRT.name),
            command=shlex.join(["python", "-m", "training.export", *parts]),
        )
    except OutsoleError as error:
        raise one_sentence(error) from error
    click.echo(
        f"{done.folder.as_posix()}: {done.weights_bytes} bytes, differs from torch by {done.parity.difference:.1e}, "
        f"cosine {done.parity.cosine:.5f}, specification {done.spec.hash[:12]}"
    )


class _Refused(click.ClickException):
    """One sentence, and status 2: the input is at fault."""

    exit_code = 2


def one_sentence(error: OutsoleError) -> click.ClickException:
    """What a program that writes models says when it cannot."""
    kind = _Refused if isinstance(error, InvalidInput | NotFound) else click.ClickException
    return kind(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
