"""``outsole prepare``: prints as the wear models take them, and what denoising does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.commands.output import json_option, show
from outsole.errors import InvalidInput
from outsole.report.denoising_sheet import denoising_sheet
from outsole.report.pictures import png_bytes
from outsole.wear.canvas import lay_print
from outsole.wear.denoising import denoised
from outsole.wear.intake import print_from_bytes

SHEET_ENDING = "_denoised.png"
_INPUT_AT_FAULT = 2


@dataclass(frozen=True)
class PreparedPrint:
    """What became of one picture.

    Attributes:
        picture: The file that was given.
        refused: Why it was not used; empty where it was.
        files: What was written: the prepared print, then the sheet where there is one.
        steps: What was done to the pixels, in order, in plain words.
        warnings: What a person should know about the file.
    """

    picture: Path
    refused: str = ""
    files: tuple[Path, ...] = ()
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@click.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write into.")
@click.option("--denoise", is_flag=True, help="Take specks, hairs, grain and shading off, and write a sheet of it.")
@json_option
def prepare(pictures: tuple[Path, ...], *, out: Path, denoise: bool, as_json: bool) -> int:
    """Write each PICTURE of a print as the wear models take it: in grey, ink and paper levelled, 640 x 256 px.

    With --denoise the print is denoised first, and a sheet shows it before and after with what was taken for noise.
    Pictures that are no prints are listed with the reason; the others are written all the same.
    """
    targets = _targets(pictures, out)
    out.mkdir(parents=True, exist_ok=True)
    bar = tqdm(zip(pictures, targets, strict=True), total=len(pictures), desc="prepare", unit="print", disable=None)
    results = [_prepared(picture, target, denoise=denoise) for picture, target in bar]
    show(results, lambda: _text(results), as_json=as_json)
    return _INPUT_AT_FAULT if any(result.refused for result in results) else 0


def _targets(pictures: Sequence[Path], out: Path) -> list[Path]:
    """The file that each picture becomes.

    Raises:
        InvalidInput: Two pictures would become one file, or one would be written over a picture that was given.
    """
    targets = [out / f"{picture.stem}.png" for picture in pictures]
    given = {picture.resolve(): picture for picture in pictures}
    owners: dict[Path, Path] = {}
    for picture, target in zip(pictures, targets, strict=True):
        for file in (target, _sheet_of(target)):
            if file.resolve() in given:
                message = f"{file} would be written over {given[file.resolve()]}"
                raise InvalidInput(message, field="out", remedy="a folder of its own")
            if file in owners:
                message = f"{owners[file]} and {picture} would both become {file}"
                raise InvalidInput(message, field="pictures", remedy="one file name a print, or one run a folder")
            owners[file] = picture
    return targets


def _sheet_of(target: Path) -> Path:
    return target.with_name(target.stem + SHEET_ENDING)


def _prepared(picture: Path, target: Path, *, denoise: bool) -> PreparedPrint:
    try:
        found = print_from_bytes(picture.read_bytes(), field="picture")
    except InvalidInput as error:
        return PreparedPrint(picture, refused=f"{error.message} ({error.remedy})" if error.remedy else error.message)
    except OSError as error:
        return PreparedPrint(picture, refused=error.strerror or str(error))
    if not denoise:
        laid = _written(found.gray, target)
        return PreparedPrint(picture, "", (target,), (*found.steps, laid), found.warnings)
    clean = denoised(found.gray)
    laid = _written(clean.gray, target)
    sheet = _sheet_of(target)
    sheet.write_bytes(denoising_sheet(found.gray, clean))
    return PreparedPrint(picture, "", (target, sheet), (*found.steps, *clean.steps, laid), found.warnings)


def _written(gray: NDArray[np.uint8], target: Path) -> str:
    """Write the print as the wear models take it, and say how it was laid."""
    laid = lay_print(gray)
    target.write_bytes(png_bytes(laid.image))
    height, width = laid.image.shape
    reduced = f"reduced to {laid.width} x {laid.height} px, " if laid.height < laid.size_px[0] else ""
    return f"ink and paper levelled, {reduced}laid on {width} x {height} px"


def _text(results: Sequence[PreparedPrint]) -> str:
    lines = []
    for result in results:
        if result.refused:
            lines.append(f"{result.picture}: refused: {result.refused}")
            continue
        lines.append(f"{result.picture}: {', '.join(map(str, result.files))}")
        lines += [f"  {step}" for step in result.steps]
        lines += [f"  note: {warning}" for warning in result.warnings]
    refused = sum(bool(result.refused) for result in results)
    lines.append(f"{len(results) - refused:,} of {len(results):,} prints prepared, {refused:,} refused")
    return "\n".join(lines)
