"""Tread families: each turns coordinates in pixels into relief, 0 groove .. 1 contact.

A family takes ``(x, y, cell_px, rng)``: float32 [H, W] coordinates, the size of one element in pixels (20 px are 1 cm)
and the randomness for its proportions. It returns float32 [H, W] with soft edges about 1.5 px wide.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import step

Field = NDArray[np.float32]
Pattern = Callable[[Field, Field, float, np.random.Generator], Field]
_EDGE_PX = 1.5


def _saw(values: Field, period: float) -> Field:
    """Distance to the nearest multiple of ``period``, 0 .. period / 2."""
    turns = values / np.float32(period)
    return np.asarray(np.abs(turns - np.rint(turns)) * np.float32(period), dtype=np.float32)


def _offset(values: Field, period: float) -> Field:
    """Signed distance to the nearest multiple of ``period``."""
    turns = values / np.float32(period)
    return np.asarray((turns - np.rint(turns)) * np.float32(period), dtype=np.float32)


def _staggered(x: Field, y: Field, cell_x: float, cell_y: float, shift: float) -> tuple[Field, Field]:
    """Offsets from the centres of a brick lattice; every other row is moved by ``shift`` cells."""
    row = np.rint(y / np.float32(cell_y))
    moved = x + (row % 2) * np.float32(shift * cell_x)
    return _offset(moved, cell_x), _offset(y, cell_y)


def bars(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Straight bars across, some broken along their length."""
    duty = rng.uniform(0.4, 0.65)
    relief = step(np.float32(duty * cell_px / 2) - _saw(y, cell_px), _EDGE_PX)
    if rng.random() < 0.4:
        relief = relief * step(_saw(x, cell_px * rng.uniform(2.0, 4.0)) - np.float32(0.12 * cell_px), _EDGE_PX)
    return relief


def waves(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Sinuous bars."""
    length, height = cell_px * rng.uniform(1.8, 4.0), cell_px * rng.uniform(0.3, 0.8)
    bent = y + np.float32(height) * np.sin(x * np.float32(2 * np.pi / length))
    return step(np.float32(rng.uniform(0.4, 0.6) * cell_px / 2) - _saw(bent, cell_px), _EDGE_PX)


def herringbone(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Zigzag bars."""
    bent = y + np.float32(rng.uniform(0.7, 1.3)) * _saw(x, cell_px * rng.uniform(1.5, 3.5))
    return step(np.float32(rng.uniform(0.4, 0.62) * cell_px / 2) - _saw(bent, cell_px), _EDGE_PX)


def hexagons(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A honeycomb: solid cells, walls alone, or cells with a hole."""
    root = np.float32(np.sqrt(3.0))
    first = _hexagon(_offset(x, cell_px), _offset(y, cell_px * float(root)))
    second = _hexagon(_offset(x + cell_px / 2, cell_px), _offset(y + cell_px * root / 2, cell_px * float(root)))
    radius = np.minimum(first, second)
    gap = np.float32(cell_px / 2 - max(1.2, cell_px * rng.uniform(0.06, 0.13)))
    kind = rng.integers(3)
    if kind == 0:
        return step(gap - radius, _EDGE_PX)
    if kind == 1:
        return step(radius - gap, _EDGE_PX)
    return step(gap - radius, _EDGE_PX) * step(radius - gap * np.float32(rng.uniform(0.35, 0.6)), _EDGE_PX)


def _hexagon(dx: Field, dy: Field) -> Field:
    """Hexagonal distance from a cell's centre."""
    slanted = np.abs(dx) * np.float32(0.5) + np.abs(dy) * np.float32(np.sqrt(0.75))
    return np.asarray(np.maximum(np.abs(dx), slanted), dtype=np.float32)


def circles(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A lattice of discs, rings or rings with a dot."""
    dx, dy = _staggered(x, y, cell_px, cell_px * rng.uniform(0.85, 1.0), float(rng.choice([0.0, 0.5])))
    radius = np.sqrt(dx * dx + dy * dy)
    outer = cell_px * rng.uniform(0.3, 0.44)
    relief = step(np.float32(outer) - radius, _EDGE_PX)
    kind = rng.integers(3)
    if kind == 0:
        return relief
    relief = relief * step(radius - np.float32(outer * rng.uniform(0.5, 0.7)), _EDGE_PX)
    return np.maximum(relief, step(np.float32(outer * 0.3) - radius, _EDGE_PX)) if kind == 1 else relief


def lugs(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Rounded rectangles in bonds, with an optional slit."""
    aspect = rng.uniform(0.6, 1.8)
    dx, dy = _staggered(x, y, cell_px * aspect, cell_px, float(rng.choice([0.0, 0.5, 0.33])))
    half_x, half_y = cell_px * aspect * rng.uniform(0.33, 0.44), cell_px * rng.uniform(0.32, 0.44)
    corner = min(half_x, half_y) * rng.uniform(0.1, 0.7)
    outside_x = np.maximum(np.abs(dx) - np.float32(half_x - corner), 0)
    outside_y = np.maximum(np.abs(dy) - np.float32(half_y - corner), 0)
    relief = step(np.float32(corner) - np.sqrt(outside_x**2 + outside_y**2), _EDGE_PX)
    if rng.random() < 0.4:
        relief = relief * step(np.abs(dx + np.float32(rng.uniform(-1, 1)) * dy) - np.float32(cell_px * 0.05), _EDGE_PX)
    return relief


def checks(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A chequerboard or a plain mesh of squares, turned by up to 45 degrees."""
    turn = rng.choice([0.0, np.pi / 4, rng.uniform(0, np.pi / 4)])
    u, v = _rotated(x, y, float(turn))
    product = np.sin(u * np.float32(np.pi / cell_px)) * np.sin(v * np.float32(np.pi / cell_px))
    if rng.random() < 0.5:
        return step(product, 0.3)
    return step(np.abs(product) - np.float32(rng.uniform(0.1, 0.3)), 0.2)


def crosses(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Three- or four-armed stars."""
    dx, dy = _staggered(x, y, cell_px, cell_px * 0.87, 0.5)
    radius, angle = np.sqrt(dx * dx + dy * dy), np.arctan2(dy, dx)
    arms = int(rng.choice([3, 4, 5]))
    reach = np.float32(cell_px * 0.34) * (1 + np.float32(rng.uniform(0.3, 0.5)) * np.cos(angle * np.float32(arms)))
    return step(np.asarray(reach - radius, np.float32), _EDGE_PX)


def chevrons(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Nested arrow heads, pointing to the toe, in columns with gaps."""
    column = cell_px * rng.uniform(2.2, 3.6)
    dx = _saw(x, column)
    relief = step(np.float32(rng.uniform(0.45, 0.62) * cell_px / 2) - _saw(y - dx, cell_px), _EDGE_PX)
    return relief * step(np.float32(column * 0.44) - dx, _EDGE_PX)


def stipple(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A dense grid of small dots."""
    small = max(cell_px * 0.4, 6.0)
    dx, dy = _staggered(x, y, small, small, float(rng.choice([0.0, 0.5])))
    return step(np.float32(small * rng.uniform(0.25, 0.36)) - np.sqrt(dx * dx + dy * dy), _EDGE_PX)


def rings(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Concentric rings about the origin: a pivot point."""
    radius = np.sqrt(x * x + y * y)
    period = cell_px * rng.uniform(0.6, 0.9)
    relief = step(np.float32(period * rng.uniform(0.22, 0.33)) - _saw(radius, period), _EDGE_PX)
    if rng.random() < 0.3:
        spokes = int(rng.integers(3, 9))
        relief = relief * step(np.abs(np.sin(np.arctan2(y, x) * np.float32(spokes / 2))) - np.float32(0.15), 0.1)
    return relief


def glyphs(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Logo-like blocks: a line of random letter shapes, drawn about the origin."""
    letters = int(rng.integers(3, 7))
    bitmap = np.zeros((7, letters * 6 + 1), np.float32)
    bitmap[1:6, 1:] = rng.random((5, letters * 6)) < 0.55
    bitmap[:, ::6] = 0
    bitmap[1:6, 1::6] = 1
    pixel = np.float32(cell_px / 6)
    columns, rows = x / pixel + bitmap.shape[1] / 2 - 0.5, y / pixel + bitmap.shape[0] / 2 - 0.5
    flat = cv2.remap(bitmap, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    return step(np.asarray(flat, np.float32) - np.float32(0.5), 0.4)


def _rotated(x: Field, y: Field, angle_rad: float) -> tuple[Field, Field]:
    cosine, sine = np.float32(np.cos(angle_rad)), np.float32(np.sin(angle_rad))
    return x * cosine + y * sine, y * cosine - x * sine


FAMILIES: dict[str, Pattern] = {
    "bars": bars,
    "waves": waves,
    "herringbone": herringbone,
    "hexagons": hexagons,
    "circles": circles,
    "lugs": lugs,
    "checks": checks,
    "crosses": crosses,
    "chevrons": chevrons,
    "stipple": stipple,
    "rings": rings,
}


def triangles(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A triangular lattice: all triangles, or every other one."""
    height = cell_px * 0.87
    first, second = _rotated(x, y, np.pi / 6)[0], _rotated(x, y, -np.pi / 6)[0]
    nearest = np.minimum(np.minimum(_saw(first, height), _saw(second, height)), _saw(y, height))
    relief = step(nearest - np.float32(cell_px * rng.uniform(0.04, 0.09)), _EDGE_PX)
    if rng.random() < 0.6:
        turns = [np.floor(v / np.float32(height)) for v in (first, second, y)]
        relief = relief * ((turns[0] + turns[1] + turns[2]) % 2).astype(np.float32)
    return relief


def tyre(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Slanted blocks mirrored about a spine, cut lengthwise, as on a tyre."""
    column = cell_px * rng.uniform(1.6, 3.0)
    away = np.asarray(np.abs(x), np.float32)
    bent = y + np.float32(rng.uniform(0.4, 1.1)) * away
    relief = step(np.float32(cell_px * rng.uniform(0.28, 0.4)) - _saw(bent, cell_px), _EDGE_PX)
    relief = relief * step(_saw(away - np.float32(column / 2), column) - np.float32(cell_px * 0.07), _EDGE_PX)
    if rng.random() < 0.5:
        rib = cell_px * rng.uniform(0.15, 0.3)
        relief = relief * step(away - np.float32(rib + 2), _EDGE_PX) + step(np.float32(rib) - away, _EDGE_PX)
    return np.clip(relief, 0, 1)


def pebbles(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Irregular polygons with grooves between them (cells of a jittered lattice); rarely the grooves stand out."""
    table = rng.uniform(-0.36, 0.36, size=(2, 64, 64)).astype(np.float32)
    u, v = x / np.float32(cell_px), y / np.float32(cell_px)
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    first = np.full(np.broadcast(u, v).shape, np.inf, np.float32)
    second = first.copy()
    # Nine neighbours a pixel; the two nearest are all that is needed, so no stack of nine maps is kept.
    for down, right in np.ndindex(3, 3):
        c, r = column + (right - 1), row + (down - 1)
        dx = c + np.float32(0.5) + table[0, r & 63, c & 63] - u
        dy = r + np.float32(0.5) + table[1, r & 63, c & 63] - v
        distance = np.sqrt(dx * dx + dy * dy)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    wall = (second - first) * np.float32(cell_px)
    relief = step(wall - np.float32(cell_px * rng.uniform(0.1, 0.26)), 2 * _EDGE_PX)
    return np.asarray(1 - relief if rng.random() < 0.15 else relief, np.float32)


def contours(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Winding bars of uneven width: level lines of a sum of a few waves."""
    flat: Field = np.zeros((1, 1), np.float32)
    for _ in range(4):
        length, angle = cell_px * rng.uniform(2.5, 7), rng.uniform(0, np.pi)
        along = _rotated(x, y, float(angle))[0]
        flat = flat + np.sin(along * np.float32(2 * np.pi / length) + np.float32(rng.uniform(0, 7)))
    level = flat * np.float32(rng.uniform(0.25, 0.55)) + y * np.float32(rng.uniform(0.3, 1.0) / cell_px)
    return step(np.float32(rng.uniform(0.2, 0.3)) - _saw(level, 1.0), 1.5 / cell_px)


def weave(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Squares of parallel bars whose direction changes from square to square."""
    bars_a_square = int(rng.integers(2, 5))
    side = cell_px * rng.uniform(1.0, 1.8)
    odd = (np.floor(x / np.float32(side)) + np.floor(y / np.float32(side))) % 2 > 0
    across = np.where(odd, x, y).astype(np.float32)
    period = side / bars_a_square
    relief = step(_saw(across, period) - np.float32(period * rng.uniform(0.14, 0.24)), _EDGE_PX)
    edge = np.minimum(_saw(x, side), _saw(y, side))
    return relief * step(edge - np.float32(cell_px * rng.uniform(0.0, 0.06)), _EDGE_PX)


def nested(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Squares or diamonds, one inside the other."""
    dx, dy = _staggered(x, y, cell_px, cell_px, float(rng.choice([0.0, 0.5])))
    dx, dy = np.asarray(np.abs(dx), np.float32), np.asarray(np.abs(dy), np.float32)
    radius = np.maximum(dx, dy) if rng.random() < 0.5 else (dx + dy) * np.float32(0.75)
    outer = cell_px * rng.uniform(0.36, 0.46)
    period = outer / rng.uniform(1.4, 2.4)
    relief = step(_saw(radius - np.float32(outer), period) - np.float32(period * rng.uniform(0.16, 0.28)), _EDGE_PX)
    return relief * step(np.float32(outer) - radius, _EDGE_PX)


def solid(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """Smooth rubber or leather: contact everywhere."""
    return np.ones(np.broadcast(x, y).shape, np.float32)


def lettering(x: Field, y: Field, cell_px: float, rng: np.random.Generator) -> Field:
    """A word of random capitals and digits, ``cell_px`` high, about the origin."""
    word = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTUVXYZ0123456789"), size=int(rng.integers(3, 9))))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    (width, height), _ = cv2.getTextSize(word, font, 1.0, 3)
    bitmap = np.zeros((height + 8, width + 8), np.uint8)
    cv2.putText(bitmap, word, (4, height + 4), font, 1.0, 255, 3, cv2.LINE_AA)
    pixels = np.float32(height / cell_px)
    columns, rows = x * pixels + np.float32(width / 2 + 4), y * pixels + np.float32(height / 2 + 4)
    across, down = np.broadcast_arrays(columns, rows)
    flat = cv2.remap(bitmap, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(flat, np.float32) / np.float32(255)


# Drawn by ``outsole.synthesis.shoes`` alone: shipped treads were drawn from ``FAMILIES``, which stays as it is.
FURTHER_FAMILIES: dict[str, Pattern] = {
    "triangles": triangles,
    "tyre": tyre,
    "pebbles": pebbles,
    "contours": contours,
    "weave": weave,
    "nested": nested,
    "solid": solid,
}
