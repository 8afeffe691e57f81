"""``outsole explain``: which parts of a print made an item's score, as a picture."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Explanation
from outsole.api import Client
from outsole.commands.output import placement_text, target_of, target_option
from outsole.report.pictures import heat_overlay, png_bytes

_GAP_PX = 16
_WHITE = 255


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--gallery", required=True, help="Name of the gallery.")
@click.option("--item", required=True, help="Id of the item to compare with.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="PNG to write.")
@click.option("--worn", type=int, default=0, metavar="WEEKS", help="The item as it is worn for these weeks.")
@click.option(
    "--probe-worn", type=int, default=0, metavar="WEEKS", help="The print as it is taken back by these weeks."
)
@target_option
def explain(
    file: Path,
    gallery: str,
    *,
    item: str,
    out: Path,
    worn: int,
    probe_worn: int,
    target: str | None,
    home: Path,
) -> None:
    """Write a picture of the print in FILE beside an item: the brighter a place, the more it added to the score."""
    with Client(target_of(target, home), timeout_s=120.0) as client:
        explanation = client.explain_hit(file, gallery=gallery, item_id=item, worn_weeks=worn, probe_weeks=probe_worn)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(side_by_side(explanation))
    hit = explanation.hit
    click.echo(f"{hit.item_id} ({hit.model_id}): score {hit.score:.4f}, {placement_text(hit.placement)}; see {out}")


def heat_picture(explanation: Explanation) -> bytes:
    """The probe as compared under its heat map, PNG bytes."""
    heat = np.array(explanation.heat, np.float32).reshape(explanation.rows, explanation.columns)
    return heat_overlay(_gray(explanation.probe_png), heat)


def side_by_side(explanation: Explanation) -> bytes:
    """The probe under its heat map and the item, on one white sheet, PNG bytes."""
    left = _colour(heat_picture(explanation))
    right = _colour(explanation.item_png) if explanation.item_png else left[:, :0]
    sheet = np.full((max(len(left), len(right)), left.shape[1] + _GAP_PX + right.shape[1], 3), _WHITE, np.uint8)
    sheet[: len(left), : left.shape[1]] = left
    sheet[: len(right), left.shape[1] + _GAP_PX :] = right
    return png_bytes(sheet)


def half_size(png: bytes) -> bytes:
    """The same picture at half its width and height, PNG bytes: a report of many stays small."""
    colour = _colour(png)
    return png_bytes(np.asarray(cv2.resize(colour, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))


def _gray(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def _colour(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)
