"""A run's curves as a small picture, drawn with Pillow alone."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_WIDTH_PX, _HEIGHT_PX = 720, 400
_LEFT_PX, _TOP_PX, _RIGHT_PX, _BOTTOM_PX = 64, 28, 700, 364
_COLOURS = ("#1b5e9b", "#c8501e", "#2f8a4b", "#8a3b8f", "#7a6a1c", "#4a4a4a")
_GRID, _INK = "#dddddd", "#222222"
_TICKS = 5
_SMOOTHED = 60

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_curves(log: Sequence[Mapping[str, float]], *, title: str) -> bytes:
    """Draw the loss and its parts over the steps.

    Args:
        log: Rows with ``step``, ``loss`` and parts of it; ``rate`` and ``seconds`` are left out. Values that are not
            finite are gaps.
        title: Above the picture.

    Returns:
        A PNG of 720 x 400 px: faint dots are the values, lines their moving averages.
    """
    image = Image.new("RGB", (_WIDTH_PX, _HEIGHT_PX), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(12)
    curves = _curves(log)
    steps, values = _ranges(curves)
    _axes(draw, font, steps=steps, values=values)
    for i, (name, (x, y)) in enumerate(curves.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        smooth = _moving_average(y, max(1, len(y) // _SMOOTHED))
        draw.point(_points(x, y, steps=steps, values=values), fill=colour)
        draw.line(_points(x, smooth, steps=steps, values=values), fill=colour, width=2)
        label = f"{name} {smooth[-1]:.4g}"
        draw.text((_RIGHT_PX - 8, _TOP_PX + 6 + 16 * i), label, fill=colour, font=font, anchor="ra")
    draw.text((_LEFT_PX, 8), title, fill=_INK, font=font)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def _curves(log: Sequence[Mapping[str, float]]) -> dict[str, Curve]:
    """Steps and values of each curve, float64 [n] both, the loss first."""
    names = {name: None for row in log for name in row if name not in ("step", "rate", "seconds")}
    curves = {}
    for name in sorted(names, key=lambda name: name != "loss"):
        rows = [(row["step"], row[name]) for row in log if name in row and math.isfinite(row[name])]
        if rows:
            x, y = np.asarray(rows, dtype=np.float64).T
            curves[name] = (x, y)
    return curves


def _ranges(curves: Mapping[str, Curve]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges of the axes: the steps from 0; the values from 0 or below, single peaks cut off."""
    if not curves:
        return (0.0, 1.0), (0.0, 1.0)
    last = max(float(x.max()) for x, _ in curves.values())
    low = min(float(y.min()) for _, y in curves.values())
    high = max(float(np.quantile(y, 0.995)) for _, y in curves.values())
    low = min(low, 0.0)
    return (0.0, max(last, 1.0)), (low, high * 1.05 if high > low else low + 1.0)


def _axes(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    *,
    steps: tuple[float, float],
    values: tuple[float, float],
) -> None:
    """Frame, grid and labels."""
    for x, step in zip(np.linspace(_LEFT_PX, _RIGHT_PX, _TICKS + 1), np.linspace(*steps, _TICKS + 1), strict=True):
        draw.line([(x, _TOP_PX), (x, _BOTTOM_PX)], fill=_GRID)
        draw.text((x, _BOTTOM_PX + 4), f"{step:.4g}", fill=_INK, font=font, anchor="ma")
    for y, value in zip(np.linspace(_BOTTOM_PX, _TOP_PX, _TICKS + 1), np.linspace(*values, _TICKS + 1), strict=True):
        draw.line([(_LEFT_PX, y), (_RIGHT_PX, y)], fill=_GRID)
        draw.text((_LEFT_PX - 6, y), f"{value:.3g}", fill=_INK, font=font, anchor="rm")
    draw.rectangle([(_LEFT_PX, _TOP_PX), (_RIGHT_PX, _BOTTOM_PX)], outline=_INK)
    draw.text(((_LEFT_PX + _RIGHT_PX) / 2, _BOTTOM_PX + 19), "step", fill=_INK, font=font, anchor="ma")


def _points(
    x: NDArray[np.float64], y: NDArray[np.float64], *, steps: tuple[float, float], values: tuple[float, float]
) -> list[tuple[float, float]]:
    """Pixels of a curve; what lies above the frame is laid on its edge."""
    across = np.interp(x, steps, (_LEFT_PX, _RIGHT_PX))
    down = np.interp(y, values, (_BOTTOM_PX, _TOP_PX))
    return [(float(a), float(d)) for a, d in zip(across, down, strict=True)]


def _moving_average(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Mean of up to ``width`` values that end at each."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    means: NDArray[np.float64] = (sums[ends] - sums[starts]) / (ends - starts)
    return means
