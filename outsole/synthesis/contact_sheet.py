"""A sheet to look at: depth maps, photographs, clean and degraded prints of made shoes, beside real prints if given.

``python -m outsole.synthesis.contact_sheet OUT.png [--real DIR] [--held-out]``; DIR is in the layout of FID-300.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, NotFound, OutsoleError
from outsole.synthesis.crisp_degradation import OUTSIDE_GRAY, CrispDegradation, Degraded, degrade
from outsole.synthesis.looks import LOOKS
from outsole.synthesis.photographs import Photograph, photograph
from outsole.synthesis.shoes import make_instance, plan_models

THUMBNAIL_PX = (200, 100)
_HEIGHT_PX = 384
MAX_COLUMNS = 60
Pixels = NDArray[np.uint8]


def contact_sheet(columns: int, *, seed: int = 1, real: Path | None = None, held_out: bool = False) -> Pixels:
    """Draw the sheet.

    Args:
        columns: Number of shoes, 1 .. 60.
        seed: At least 0; the same numbers give the same sheet.
        real: A folder that holds ``tracks_cropped/*.jpg`` or images itself; two rows of them, and two rows of made
            prints cropped as they are, stand below the others.
        held_out: Whether the degradations are those that training never uses.

    Returns:
        uint8 [rows * 200, columns * 100, 3], red first. Rows: depth, photograph, clean print, one row a look.

    Raises:
        InvalidInput: A number out of range.
        NotFound: No image in ``real``.
    """
    if not 1 <= columns <= MAX_COLUMNS:
        raise InvalidInput(f"columns is {columns}", field="columns", remedy=f"1 to {MAX_COLUMNS}")
    models = plan_models(2 * columns, seed=seed)
    shown = [photograph(make_instance(m, seed, height_px=_HEIGHT_PX), n) for n, m in enumerate(models)]
    rows = [
        [thumbnail(np.asarray(p.depth * 255, np.uint8)) for p in shown[:columns]],
        [thumbnail(p.rgb) for p in shown[:columns]],
        [thumbnail(p.print) for p in shown[:columns]],
    ]
    for look in LOOKS:
        plan = CrispDegradation(look=look, held_out=held_out)
        rows.append([thumbnail(_degraded(shown, n, plan).gray) for n in range(columns)])
    if real is not None:
        plan = CrispDegradation(rotation_limit_deg=16.0, held_out=held_out)
        rows += _beside(shown, real, columns, plan)
    return np.vstack([np.hstack(row) for row in rows])


def thumbnail(picture: Pixels) -> Pixels:
    """Shrink uint8 [H, W] or [H, W, 3] to fit into ``THUMBNAIL_PX``, centred on grey; uint8 [200, 100, 3]."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    room = np.array(THUMBNAIL_PX)
    height, width = np.maximum((np.array(colour.shape[:2]) * (room / colour.shape[:2]).min()).astype(int), 1).tolist()
    small = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)
    frame = np.full((*THUMBNAIL_PX, 3), OUTSIDE_GRAY, np.uint8)
    top, left = ((room - (height, width)) // 2).tolist()
    frame[top : top + height, left : left + width] = small
    return frame


def _degraded(shown: Sequence[Photograph], number: int, plan: CrispDegradation) -> Degraded:
    contacts = [_contact(shown[(number + step) % len(shown)]) for step in range(3)]
    return degrade(contacts[0], shown[number].inside, number, plan=plan, others=contacts[1:])


def _contact(shown: Photograph) -> NDArray[np.float32]:
    return np.asarray((np.float32(250) - shown.print) / np.float32(225), np.float32)


def _beside(shown: Sequence[Photograph], real: Path, columns: int, plan: CrispDegradation) -> list[list[Pixels]]:
    """Rows of made and real prints by turns, each cropped to what is left of it."""
    folder = real / "tracks_cropped" if (real / "tracks_cropped").is_dir() else real
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".jpg", ".png"))
    if not paths:
        raise NotFound(f"there is no image in {folder}", field="real", remedy="a folder with .jpg or .png files")
    picked = [paths[i] for i in np.linspace(0, len(paths) - 1, 2 * columns).astype(int).tolist()]
    decoded = [cv2.imdecode(np.frombuffer(p.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE) for p in picked]
    if any(picture is None for picture in decoded):
        raise InvalidInput(f"a file in {folder} is no image", field="real", remedy="a folder of images alone")
    prints = [thumbnail(np.asarray(picture, np.uint8)) for picture in decoded]
    made = [thumbnail(_trimmed(_degraded(shown, n, plan))) for n in range(2 * columns)]
    return [made[:columns], prints[:columns], made[columns:], prints[columns:]]


def _trimmed(degraded: Degraded) -> Pixels:
    """The picture about what can be seen of the sole."""
    rows, columns = np.flatnonzero(degraded.mask.any(axis=1)), np.flatnonzero(degraded.mask.any(axis=0))
    return degraded.gray[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--real", type=click.Path(file_okay=False, path_type=Path), help="Folder with tracks_cropped/*.jpg.")
@click.option("--columns", default=16, show_default=True, help="Number of shoes.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same sheet.")
@click.option("--held-out", is_flag=True, help="Degrade as training never does.")
def main(out: Path, real: Path | None, columns: int, seed: int, held_out: bool) -> None:
    """Write a sheet of made shoes and prints to OUT, a PNG."""
    try:
        sheet = contact_sheet(columns, seed=seed, real=real, held_out=held_out)
        _, packed = cv2.imencode(".png", sheet[..., ::-1])
        out.write_bytes(packed.tobytes())
    except (OutsoleError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{sheet.shape[0] // THUMBNAIL_PX[0]} rows of {columns} in {out}")


if __name__ == "__main__":
    main()
