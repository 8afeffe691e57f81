"""Show where the attention encoder looks: ``python -m training.grad_cam --checkpoint RUN --image FILE --out FILE.png``.

Four pictures side by side: the crop, its Grad-CAM map, guided gradients, and both together.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from outsole.answers import Point
from outsole.encoders.grad_cam import (
    Target,
    class_score,
    grad_cam,
    gradient_picture,
    guided_gradients,
    itself,
    overlay,
    similarity_to,
    vector_of,
)
from outsole.encoders.shoe import ShoeNet
from outsole.errors import InvalidInput, NotFound
from outsole.imaging.decode import decode_image
from outsole.imaging.shoe_crops import CROP_PX, level_crop
from training.checkpoints import CHECKPOINT_FILE, fill, load_checkpoint
from training.command import OneSentence
from training.registry import find_system
from training.shoe_attention import ShoeLearner

_GAP_PX = 4
_WHITE = 255


def load_learner(checkpoint: Path) -> ShoeLearner:
    """The attention encoder of a run, with its classes, in evaluation mode.

    Args:
        checkpoint: ``checkpoint.pt``, or the run's folder.

    Raises:
        NotFound, DataCorrupt, PreconditionFailed: The checkpoint is missing, damaged or another network's.
        InvalidInput: The run is of a system that has no attention encoder.
    """
    path = checkpoint / CHECKPOINT_FILE if checkpoint.is_dir() else checkpoint
    found = load_checkpoint(path)
    name = str(found.settings.get("system", ""))
    network = find_system(name).build()
    if not isinstance(network, ShoeLearner):
        raise InvalidInput(f"{path} is of {name}", field="checkpoint", remedy="a run of training.shoe_attention")
    fill(network, found, path)
    return network.eval()


def read_crop(path: Path, *, toe: Point | None = None, heel: Point | None = None) -> NDArray[np.uint8]:
    """A picture's crop as the encoder takes it, uint8 [112, 224, 3].

    Args:
        path: The picture; without ``toe`` and ``heel`` it must have the crop's size.
        toe, heel: (x, y), pixels; both or none.

    Raises:
        InvalidInput: No picture, one point alone, or another size than a crop's.
        NotFound: No such file.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}", field="image")
    decoded = decode_image(path.read_bytes(), with_color=True)
    rgb = np.dstack([decoded.gray] * 3) if decoded.color is None else decoded.color
    if (toe is None) != (heel is None):
        raise InvalidInput("one end alone is named", field="toe, heel", remedy="both, or none for a crop")
    if toe is not None and heel is not None:
        return level_crop(rgb, toe=toe, heel=heel)
    if rgb.shape[:2] != CROP_PX:
        size = f"{path.name} has {rgb.shape[1]} x {rgb.shape[0]} pixels"
        raise InvalidInput(size, field="image", remedy=f"name toe and heel, or give a crop of {CROP_PX[::-1]}")
    return rgb


def explained(network: ShoeNet, crop: NDArray[np.uint8], target: Target) -> NDArray[np.uint8]:
    """The four pictures side by side, uint8 [112, 908, 3]; see the module."""
    heat, gradients = grad_cam(network, crop, target), guided_gradients(network, crop, target)
    both = gradients * heat[..., None]
    gap = np.full((CROP_PX[0], _GAP_PX, 3), _WHITE, np.uint8)
    return np.hstack([crop, gap, overlay(crop, heat), gap, gradient_picture(gradients), gap, gradient_picture(both)])


def _target(learner: ShoeLearner, crop: NDArray[np.uint8], *, other: Path | None, number: int | None) -> Target:
    if other is not None and number is not None:
        raise InvalidInput("a picture and a class are named", field="like", remedy="one of both")
    if number is not None:
        return class_score(learner.proxies.proxies, number)
    if other is None:
        return itself(learner.encoder, crop)
    return similarity_to(vector_of(learner.encoder, read_crop(other)))


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=OneSentence)
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="A run of training.shoe_attention.")
@click.option("--image", type=_FILE, required=True, help="A crop; or any picture, with --toe and --heel.")
@click.option("--toe", type=float, nargs=2, help="x y, pixels.")
@click.option("--heel", type=float, nargs=2, help="x y, pixels.")
@click.option("--like", type=_FILE, help="Crop of another shoe: what makes the picture like it. Itself if left out.")
@click.option("--class", "number", type=int, help="Number of a model learned from, in the place of --like.")
@click.option("--out", type=_FILE, required=True, help="The picture that is written, PNG.")
def main(
    checkpoint: Path,
    image: Path,
    toe: Point | None,
    heel: Point | None,
    like: Path | None,
    number: int | None,
    out: Path,
) -> None:
    """Show where the attention encoder looks."""
    crop = read_crop(image, toe=toe, heel=heel)
    learner = load_learner(checkpoint)
    picture = explained(learner.encoder, crop, _target(learner, crop, other=like, number=number))
    Image.fromarray(picture).save(out, "PNG")
    click.echo(f"{out}: crop, Grad-CAM, guided gradients, both")


if __name__ == "__main__":
    main()
