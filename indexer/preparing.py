"""From a picture's bytes to a canvas: decode, role, depth and alignment of photographs, hashes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role
from outsole.encoders.spec import EncoderSpec
from outsole.errors import InvalidInput, OutsoleError
from outsole.imaging.canvas import CanvasRules, encode_png, place_item
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.imaging.photographs import is_photograph, print_of_sole, upright_sole
from outsole.imaging.picture_hash import hash_text, picture_hash
from outsole.imaging.roles import role_doubt

Contact = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Predicts where a sole uint8 [384, 192, 3] would touch the floor, [384, 192], 0 .. 1."""
Worn = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Predicts what an impression uint8 [H, W] will be after some weeks of wear, uint8 [H, W]."""


@dataclass(frozen=True)
class PreparedPicture:
    """See ``indexer.model.PreparedImage``."""

    image: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    width_px: int
    height_px: int
    thumbnail_png: bytes
    picture_hash: str


@dataclass(frozen=True)
class Preparer:
    """Makes canvases of sole pictures: impressions as they are, photographs by the print that is predicted of them.

    Attributes:
        rules: Of the correlation encoder's canvas.
        contact: The depth predictor; None to refuse photographs.
        worn: Wears every impression, that of a photograph too; None to take them as they are.
    """

    rules: CanvasRules
    contact: Contact | None = None
    worn: Worn | None = None

    def __call__(self, data: bytes, role: Role = Role.SOLE) -> PreparedPicture:
        """The canvas of a picture file; all show soles.

        Raises:
            InvalidInput: It is no picture, or does not show one sole.
            Unavailable, BudgetSpent: The depth predictor or the model of wear did not answer.
        """
        del role
        decoded = decode_image(data, with_color=True)
        gray = self._impression(decoded)
        if self.worn is not None:
            gray = self.worn(gray)
        placed = place_item(gray, self.rules)
        height, width = gray.shape
        # The hash is of the picture itself: duplicates are the same ones, however long they were worn.
        return PreparedPicture(
            placed.image, placed.valid, width, height, placed.thumbnail_png, hash_text(picture_hash(decoded.gray))
        )

    def _impression(self, decoded: DecodedImage) -> NDArray[np.uint8]:
        if decoded.color is None or not is_photograph(decoded.color):
            _check_role(decoded.gray)
            return decoded.gray
        if self.contact is None:
            raise InvalidInput(
                "a photograph, and no depth predictor is served",
                field="image",
                remedy="serve depth_unet, or send prints",
            )
        return print_of_sole(self.contact(upright_sole(decoded.color)))


def _check_role(gray: NDArray[np.uint8]) -> None:
    doubt = role_doubt(gray, Role.SOLE)
    if doubt:
        raise InvalidInput(doubt, field="role", remedy="the picture of one sole, or its true role")


@click.command()
@click.argument("pictures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for canvases.")
@click.option("--models", required=True, type=click.Path(file_okay=False, path_type=Path), help="Correlation encoder.")
def command(pictures: tuple[Path, ...], *, out: Path, models: Path) -> None:
    """Write what the encoder would be given of PICTURES, impressions alone, as PNG files to look at.

    The exit status is 0 where every picture can be used, else 1.
    """
    prepare, refused = Preparer(EncoderSpec.load(models)), 0
    out.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        try:
            (out / f"{picture.stem}.png").write_bytes(encode_png(prepare(picture.read_bytes()).image))
        except OutsoleError as error:
            refused += 1
            click.echo(f"{picture}: {error}", err=True)
    click.echo(f"{len(pictures) - refused:,} canvases in {out}, {refused:,} pictures refused")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    command()
