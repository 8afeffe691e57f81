"""What lands among a shop's photographs of a shoe by mistake: its box, the pair, another thing, another side of it.

Each is returned like a drawn shoe, so that it can be photographed like one
(`outsole.synthesis.shoe_pictures.retail_photograph`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise
from outsole.synthesis.upper_designs import UpperDesign
from outsole.synthesis.uppers import Upper, draw_upper

MISTAKES = ("box", "pair", "thing", "view")
_Field = NDArray[np.float32]


def draw_mistake(design: UpperDesign, kind: str, seed: int, *, length_px: int = 256) -> Upper:
    """Draw what is taken for a photograph of a shoe model and is none.

    Args:
        design: The model's; a pair and another view show it, a box and a thing do not.
        kind: ``box`` (a closed shoe box), ``pair`` (both shoes, one behind the other), ``thing`` (laces, an insole or a
            bag) or ``view`` (its front or its back).
        seed: At least 0; draws the rest.
        length_px: Length of a shoe in pixels; the other things are about as long.

    Raises:
        InvalidInput: An unknown kind, a negative seed or too small a length.
    """
    if kind not in _DRAWN:
        raise InvalidInput(f"the mistake is {kind!r}", field="kind", remedy=f"one of {', '.join(MISTAKES)}")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    return _DRAWN[kind](design, np.random.default_rng([0x3157, seed]), length_px)


def _box(design: UpperDesign, rng: np.random.Generator, length_px: int) -> Upper:
    """A box seen from its corner: front, end, lid."""
    del design
    depth, height = rng.uniform(0.2, 0.4), rng.uniform(0.3, 0.5)
    rise, lid = rng.uniform(0.08, 0.16), rng.uniform(0.2, 0.4)
    front = 1 - depth
    colour, top = (rng.uniform(0.1, 0.9, 3) for _ in range(2))
    left, right, low, high = 0.6 * front, 0.9 * front, 0.1 * height, 0.5 * height
    parts = [
        ([(0, 0), (front, 0), (front, height), (0, height)], colour),
        ([(front, 0), (1, rise), (1, height + rise), (front, height)], colour * 0.75),
        ([(0, height), (front, height), (1, height + rise), (depth, height + rise)], top),
        ([(0, height * (1 - lid)), (front, height * (1 - lid)), (front, height), (0, height)], top * 0.9),
        ([(left, low), (right, low), (right, high), (left, high)], np.full(3, 0.92)),
    ]
    return _of_polygons(rng, parts, height + rise, length_px)


def _thing(design: UpperDesign, rng: np.random.Generator, length_px: int) -> Upper:
    """Laces, an insole or a bag."""
    del design
    colour = rng.uniform(0.05, 0.95, 3)
    kind = int(rng.integers(3))
    turn = np.linspace(0, 2 * np.pi, 64)
    if kind == 0:
        breadth = rng.uniform(0.16, 0.2)
        waist = 1 - 0.25 * np.exp(-(((np.cos(turn) + 0.1) / 0.3) ** 2))
        outline = np.column_stack([0.5 + 0.5 * np.cos(turn), breadth + breadth * waist * np.sin(turn)])
        parts = [(outline, colour), (0.5 * outline + [0.3, 0.5 * breadth], 0.8 * colour)]
        return _of_polygons(rng, parts, 2 * breadth, length_px)
    if kind == 1:
        height = rng.uniform(0.5, 0.75)
        body = [(0.02, 0), (0.98, 0), (0.85, height), (0.15, height)]
        handle = np.column_stack([0.5 + 0.2 * np.cos(turn[:33]), height + 0.2 * np.sin(turn[:33])])
        inner = np.column_stack([0.5 + 0.16 * np.cos(turn[:33]), height + 0.15 * np.sin(turn[:33])])
        return _of_polygons(rng, [([*handle, *inner[::-1]], 0.6 * colour), (body, colour)], height + 0.2, length_px)
    return _laces(rng, colour, length_px)


def _laces(rng: np.random.Generator, colour: _Field | NDArray[np.float64], length_px: int) -> Upper:
    """A wound cord."""
    size = (round(0.45 * length_px), length_px)
    turn = np.linspace(0, 2 * np.pi, 400)
    waves, shift = rng.integers(2, 6, 2), rng.uniform(0, np.pi)
    x = (0.5 + 0.44 * np.sin(waves[0] * turn)) * size[1]
    y = (0.5 + 0.40 * np.sin((waves[1] + 0.5) * turn + shift)) * size[0]
    inside = np.zeros(size, np.uint8)
    line = np.rint(np.column_stack([x, y])).astype(np.int32)
    cv2.polylines(inside, [line], isClosed=False, color=255, thickness=max(2, length_px // 40), lineType=cv2.LINE_AA)
    cover = (inside / 255).astype(np.float32)
    return _upper(np.multiply(cover[..., None], colour, dtype=np.float32), cover, length_px)


def _pair(design: UpperDesign, rng: np.random.Generator, length_px: int) -> Upper:
    """Both shoes of a model, the second behind the first and mirrored or not."""
    shoe = draw_upper(design, View.SIDE, length_px=max(32, round(0.72 * length_px)))
    height, width = shoe.inside.shape
    right, up = round(rng.uniform(0.2, 0.38) * width), round(rng.uniform(0.1, 0.3) * width)
    rgb = np.zeros((height + up, width + right, 3), np.float32)
    cover = np.zeros(rgb.shape[:2], np.float32)
    behind = -1 if rng.random() < 0.5 else 1
    layers = ((shoe.rgb[:, ::behind], shoe.inside[:, ::behind], 0, right), (shoe.rgb, shoe.inside, up, 0))
    for colours, inside, top, left in layers:
        area = (slice(top, top + height), slice(left, left + width))
        # Colours are premultiplied: what lies outside a shoe is black.
        rgb[area] = rgb[area] * (1 - inside[..., None]) + colours.astype(np.float32) / 255
        cover[area] = np.maximum(cover[area], inside)
    return _upper(rgb, cover, length_px)


def _view(design: UpperDesign, rng: np.random.Generator, length_px: int) -> Upper:
    return draw_upper(design, View.FRONT if rng.random() < 0.5 else View.BACK, length_px=length_px)


_DRAWN: Mapping[str, Callable[[UpperDesign, np.random.Generator, int], Upper]] = {
    "box": _box,
    "pair": _pair,
    "thing": _thing,
    "view": _view,
}


def _of_polygons(
    rng: np.random.Generator,
    parts: Sequence[tuple[ArrayLike, NDArray[np.float64]]],
    height: float,
    length_px: int,
) -> Upper:
    """Polygons of one colour each, one over the other; points (x, y) as parts of the length, y upwards."""
    size = (max(1, round(height * length_px)), length_px)
    rgb, cover = np.zeros((*size, 3), np.float32), np.zeros(size, np.uint8)
    for points, colour in parts:
        corners = np.asarray(points, np.float64) * [1, -1] + [0, height]
        place = np.rint(corners * (length_px - 1)).astype(np.int32)
        cv2.fillPoly(rgb, [place], [float(part) for part in colour])
        cv2.fillPoly(cover, [place], 1)
    uneven = smooth_noise(rng, size, scale_px=max(4.0, 0.05 * length_px))
    shaded = np.clip(rgb * (1 + np.float32(0.05) * uneven)[..., None], 0, 1) * cover[..., None]
    return _upper(shaded.astype(np.float32), cover.astype(np.float32), length_px)


def _upper(rgb: _Field, inside: _Field, length_px: int) -> Upper:
    """Colours 0 .. 1 with the ends of the lower edge as toe and heel, as a network would guess them."""
    height, width = inside.shape
    points = (width - 1.0, height - 1.0), (0.0, height - 1.0)
    shown = np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)
    return Upper(shown, inside, *points, View.SIDE, length_px)
