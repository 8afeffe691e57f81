"""A print before and after denoising, and what was taken for noise, side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from outsole.report.pictures import png_bytes
from outsole.wear.denoising import Denoised

CAPTIONS = ("before", "after", "taken for noise")
_GAP_PX, _LINE_PX, _FONT_PX = 16, 24, 16
_LEAST_WIDTH_PX = 120
_INK, _WHITE = (26, 32, 44), 255


def denoising_sheet(before: NDArray[np.uint8], after: Denoised) -> bytes:
    """Three captioned pictures in the size of the print, PNG bytes.

    Args:
        before: The print as decoded, uint8 [H, W].
        after: The same denoised, [H, W].
    """
    noise = np.where(after.noise, np.uint8(0), np.uint8(_WHITE))
    height, width = before.shape
    column = max(width, _LEAST_WIDTH_PX) + _GAP_PX
    sheet = Image.new("RGB", (3 * column + _GAP_PX, height + _LINE_PX + 2 * _GAP_PX), (_WHITE,) * 3)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_PX)
    for place, (picture, caption) in enumerate(zip((before, after.gray, noise), CAPTIONS, strict=True)):
        left = _GAP_PX + place * column
        draw.text((left, _GAP_PX), caption, _INK, font)
        sheet.paste(Image.fromarray(picture), (left, _GAP_PX + _LINE_PX))
        # The paper of a print is as white as the sheet.
        frame = (left - 1, _GAP_PX + _LINE_PX - 1, left + width, _GAP_PX + _LINE_PX + height)
        draw.rectangle(frame, outline=(203, 213, 224))
    return png_bytes(np.asarray(sheet))
