"""Pictures of an answer about wear: each print, the map of where the model is unsure, and a strip of all weeks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from outsole.report.pictures import heat_overlay, palette_stops, png_bytes
from outsole.wear_answers import WearAnswer

UNSURE_TOP = 0.5
"""Expected error of contact that a map draws with its last colour; the same in all, so that maps can be compared."""
MAP_TITLE = "Where the model is unsure"
_FAINT = 0.4
_STRIP_SIDE_PX = 520
# A small piece of a sole is enlarged, but not beyond what it shows.
_LARGEST_SCALE = 2.0
_LEAST_WIDTH_PX = 220
_GAP_PX, _LINE_PX = 24, 28
_CAPTION_PX, _SMALL_PX = 21, 17
_BAR_PX = 14
_INK, _SOFT, _WHITE = (26, 32, 44), (74, 85, 104), (255, 255, 255)


@dataclass(frozen=True)
class ShownPrint:
    """A prediction as it is shown.

    Attributes:
        when: When it would be, seen from the print that was given.
        mean_unsure: The error of contact that the model expects, over the picture, 0 .. 1.
        print_png: The print, PNG bytes.
        map_png: The same with where the model is unsure laid over it, PNG bytes.
    """

    when: str
    mean_unsure: float
    print_png: bytes
    map_png: bytes


def shown_prints(answer: WearAnswer, *, side_px: int) -> tuple[ShownPrint, ...]:
    """The predictions of an answer, none larger than a square of ``side_px``."""
    shown = []
    for worn in answer.prints:
        gray, unsure = (fitted(_gray(png), side_px=side_px) for png in (worn.image_png, worn.unsure_png))
        # Under full ink no colour of the map could be told from another.
        faint = np.rint(255 - _FAINT * (255 - gray.astype(np.float32))).astype(np.uint8)
        overlay = heat_overlay(faint, unsure / np.float32(255), top=UNSURE_TOP)
        shown.append(ShownPrint(answer.when(worn), worn.mean_unsure, png_bytes(gray), overlay))
    return tuple(shown)


def fitted(gray: NDArray[np.uint8], *, side_px: int, largest_scale: float = 1.0) -> NDArray[np.uint8]:
    """A grey picture [H, W] fitted into a square of ``side_px``, but not enlarged by more than a factor."""
    scale = min(side_px / max(gray.shape), largest_scale)
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, size, interpolation=kind), np.uint8)


def wear_strip(given: NDArray[np.uint8], answer: WearAnswer) -> bytes:
    """The print that was given and a picture a week, each above its map, with captions and what they are; PNG bytes.

    Args:
        given: The print, upright, uint8 [H, W].
        answer: What the service predicted from it.
    """
    first = Image.fromarray(fitted(given, side_px=_STRIP_SIDE_PX, largest_scale=_LARGEST_SCALE))
    columns = [_given_column(first)]
    columns += [_column(shown, first.size) for shown in shown_prints(answer, side_px=_STRIP_SIDE_PX)]
    width = sum(column.width + _GAP_PX for column in columns) + _GAP_PX
    notes = _wrapped(_notes(answer), width - 2 * _GAP_PX)
    sheet = Image.new("RGB", (width, columns[0].height + 3 * _GAP_PX + _LINE_PX * len(notes)), _WHITE)
    left = _GAP_PX
    for column in columns:
        sheet.paste(column, (left, _GAP_PX))
        left += column.width + _GAP_PX
    draw = ImageDraw.Draw(sheet)
    for line, text in enumerate(notes):
        top = columns[0].height + 2 * _GAP_PX + _LINE_PX * line
        draw.text((_GAP_PX, top), text, _INK, _font(_SMALL_PX))
    return png_bytes(np.asarray(sheet)[..., ::-1])


def _notes(answer: WearAnswer) -> tuple[str, ...]:
    return (answer.simulation_notice, f"{answer.model} {answer.model_hash[:16]}, trained on {answer.trained_on}")


def _given_column(picture: Image.Image) -> Image.Image:
    """The print that was given, above the scale of the maps."""
    column = _empty_column(picture.size)
    _put(column, picture, row=0, caption="given")
    draw, top = ImageDraw.Draw(column), picture.height + 2 * _LINE_PX
    draw.text((0, top - _LINE_PX), MAP_TITLE, _INK, _font(_SMALL_PX))
    colours = palette_stops(_LEAST_WIDTH_PX)
    for x, colour in enumerate(colours):
        draw.line((x, top, x, top + _BAR_PX), colour)
    draw.text((0, top + _BAR_PX + 4), "0", _SOFT, _font(_SMALL_PX))
    draw.text((_LEAST_WIDTH_PX, top + _BAR_PX + 4), f"{UNSURE_TOP:g}", _SOFT, _font(_SMALL_PX), anchor="ra")
    for line, text in enumerate(("expected error,", "part of full contact;", "unpainted: hardly any")):
        draw.text((0, top + _BAR_PX + _LINE_PX * (line + 1)), text, _SOFT, _font(_SMALL_PX))
    return column


def _column(shown: ShownPrint, size: tuple[int, int]) -> Image.Image:
    """A prediction above its map, each in the size of the print that was given."""
    column = _empty_column(size)
    _put(column, _picture(shown.print_png, size), row=0, caption=shown.when)
    _put(column, _picture(shown.map_png, size), row=1, caption=f"mean unsure {shown.mean_unsure:.3f}")
    return column


def _empty_column(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", (max(size[0], _LEAST_WIDTH_PX), 2 * (max(size[1], 6 * _LINE_PX) + _LINE_PX)), _WHITE)


def _put(column: Image.Image, picture: Image.Image, *, row: int, caption: str) -> None:
    top = row * (picture.height + _LINE_PX)
    draw = ImageDraw.Draw(column)
    draw.text((0, top), caption, _INK, _font(_CAPTION_PX if row == 0 else _SMALL_PX))
    column.paste(picture, (0, top + _LINE_PX))
    draw.rectangle((0, top + _LINE_PX, picture.width - 1, top + _LINE_PX + picture.height - 1), outline=(217, 222, 230))


def _wrapped(texts: tuple[str, ...], width_px: int) -> list[str]:
    """Texts in lines of at most a width."""
    font, lines = _font(_SMALL_PX), []
    for text in texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width_px:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _gray(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def _picture(png: bytes, size: tuple[int, int]) -> Image.Image:
    colour = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    return Image.fromarray(np.ascontiguousarray(colour[..., ::-1])).resize(size)
