"""The rooms of made cameras: floor, wall, and clutter that stands behind walkers or hides their shoes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import fractal_noise, smooth_noise
from outsole.synthesis.scenes import SHORTEST_SHOE_M, Camera
from outsole.synthesis.surveillance import draw_floor

_SHIFT = 4
_FIELD_MARGIN_M = 0.3
_WALL_BEYOND = 1.18
# Between the lanes: what stands here hides shoes on the far one.
_CLUTTER_AT = 1.07
_Field = NDArray[np.float32]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Occluder:
    """Something that stands between lanes.

    Attributes:
        z: Its distance, metres; walkers farther away are behind it.
        rgb: float32 [h, w, 3], 0 .. 255, black where it is not.
        cover: float32 [h, w], 0 .. 1.
        left, top: Where its corner lies in the picture, pixels; all of it lies inside.
    """

    z: float
    rgb: _Field
    cover: _Field
    left: int
    top: int


@dataclass(frozen=True)
class Room:
    """What a camera sees when nobody is there.

    Attributes:
        rgb: float32 [H, W, 3], 0 .. 255, occluders included.
        occluders: What walkers pass behind, the farthest first.
    """

    rgb: _Field
    occluders: tuple[Occluder, ...]


def draw_room(camera: Camera) -> Room:
    """Draw a camera's room; the same camera has the same."""
    rng = np.random.default_rng([0x2003, camera.seed, camera.number])
    wall_z = camera.far_m * _WALL_BEYOND
    picture = _wall(rng, camera, wall_z)
    floor_top = round(camera.floor_row(wall_z))
    picture[floor_top:] = _floor_seen(rng, camera, wall_z)[floor_top:]
    side = camera.half_width_m(wall_z)
    for _ in range(int(rng.integers(1, 3))):
        x, z = float(rng.uniform(-0.85, 0.85)) * side, wall_z - 0.15
        picture = _pasted(picture, _thing(rng, camera, x, z))
    places = [float(rng.choice([-1, 1])) * float(rng.uniform(0.3, 0.75))]
    if rng.random() < 0.5:
        places.append(-places[0])
    z = camera.far_m / _CLUTTER_AT
    occluders = [_thing(rng, camera, place * camera.half_width_m(z), z) for place in places]
    shown = [item for item in occluders if item is not None]
    for item in shown:
        picture = _pasted(picture, item)
    return Room(np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.6), np.float32), tuple(shown))


def _colour(rng: np.random.Generator, low: float, high: float, spread: float = 0.06) -> _Field:
    return np.asarray(np.clip(rng.uniform(low, high) + rng.normal(0, spread, 3), 0.03, 0.97) * 255, np.float32)


def _wall(rng: np.random.Generator, camera: Camera, wall_z: float) -> _Field:
    height, width = camera.size_px
    level = 1 + np.float32(0.02) * fractal_noise(rng, (height, width), largest_px=width / 6, octaves=4)
    level = level * np.linspace(1.08, 0.92, height, dtype=np.float32)[:, None]
    colour = _colour(rng, 0.45, 0.9, 0.03)
    picture = np.asarray(colour * level[..., None], np.float32)
    metre = camera.focal_px / wall_z
    bottom = camera.floor_row(wall_z)
    for _ in range(int(rng.integers(1, 4))):
        # Doors, boards, windows and posts: all are upright panels.
        across = float(rng.uniform(-0.05, 0.9)) * width
        breadth, high = float(rng.choice([0.15, 0.6, 0.9])) * metre, float(rng.choice([1.1, 2.2])) * metre
        foot = bottom if high > 2 * metre else bottom - 0.8 * metre
        area = (
            slice(max(round(foot - high), 0), max(round(foot), 0)),
            slice(max(round(across), 0), round(across + breadth)),
        )
        frame = slice(area[0].start, max(area[0].stop, 0)), slice(max(area[1].start - 3, 0), area[1].stop + 3)
        shade = _colour(rng, 0.15, 0.85, 0.05)
        picture[frame] *= np.float32(0.8)
        picture[area] = shade * level[area][..., None]
    board = max(round(bottom - 0.09 * metre), 0)
    picture[board : round(bottom)] = _colour(rng, 0.1, 0.5)
    return picture


def _floor_seen(rng: np.random.Generator, camera: Camera, wall_z: float) -> _Field:
    """The floor drawn as a plan and seen in perspective, float32 [H, W, 3], 0 .. 255."""
    height, width = camera.size_px
    near_z = camera.focal_px * camera.height_m / (height - camera.horizon_px) * 0.98
    half = camera.half_width_m(wall_z) + _FIELD_MARGIN_M
    metre = camera.focal_px / camera.far_m
    shape = (round((wall_z - near_z) * metre), round(2 * half * metre))
    plan = draw_floor(rng, shape, unit_px=SHORTEST_SHOE_M * metre, kind=camera.floor)
    world = np.array([[x, 0, z] for x, z in ((-half, wall_z), (half, wall_z), (half, near_z), (-half, near_z))])
    corners = np.array([[0, 0], [shape[1], 0], [shape[1], shape[0]], [0, shape[0]]], np.float32)
    way = cv2.getPerspectiveTransform(corners, camera.project(world).astype(np.float32))
    seen = cv2.warpPerspective(plan, way, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen * 255, np.float32)


def _pasted(picture: _Field, item: Occluder | None) -> _Field:
    if item is not None:
        rows, columns = item.cover.shape
        area = picture[item.top : item.top + rows, item.left : item.left + columns]
        area *= 1 - item.cover[..., None]
        area += item.rgb
    return picture


class _Drawing:
    """A picture of flat faces with its coverage, drawn back to front."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self.rgb: _Field = np.zeros((*camera.size_px, 3), np.float32)
        self.cover: _Field = np.zeros(camera.size_px, np.float32)

    def face(self, corners: Points, colour: _Field) -> None:
        """Cover a convex face of the world, float64 [N, 3]."""
        pixels = np.rint(self._camera.project(corners) * (1 << _SHIFT)).astype(np.int32)
        for canvas, value in ((self.rgb, colour.tolist()), (self.cover, 1.0)):
            cv2.fillConvexPoly(canvas, pixels, value, cv2.LINE_AA, _SHIFT)

    def block(self, low: Points, high: Points, colour: _Field) -> None:
        """A block's top, front and the side that the camera sees; ``low`` and ``high`` are corners, float64 [3]."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        self.face(np.array([[x0, y1, z1], [x1, y1, z1], [x1, y1, z0], [x0, y1, z0]]), colour)
        side = x1 if x1 < 0 else x0
        if not x0 <= 0 <= x1:
            faced = np.array([[side, y0, z0], [side, y1, z0], [side, y1, z1], [side, y0, z1]])
            self.face(faced, colour * np.float32(0.6))
        self.face(np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]]), colour * np.float32(0.8))


def _thing(rng: np.random.Generator, camera: Camera, x: float, z: float) -> Occluder | None:
    """A box, a chair or a table on the floor at (x, z); None where it lies out of the picture."""
    drawing = _Drawing(camera)
    kinds: tuple[Callable[[np.random.Generator, _Drawing, float, float], None], ...] = (_box, _chair, _table)
    kinds[int(rng.choice(3, p=(0.4, 0.4, 0.2)))](rng, drawing, x, z)
    rows, columns = np.flatnonzero(drawing.cover.any(axis=1)), np.flatnonzero(drawing.cover.any(axis=0))
    if not rows.size:
        return None
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    cover = drawing.cover[area]
    grain = 1 + np.float32(0.05) * smooth_noise(rng, (cover.shape[0], cover.shape[1]), scale_px=2)
    rgb = np.clip(drawing.rgb[area] * grain[..., None], 0, 255)
    return Occluder(z, np.asarray(rgb, np.float32), cover, int(columns[0]), int(rows[0]))


def _box(rng: np.random.Generator, drawing: _Drawing, x: float, z: float) -> None:
    width, height, depth = rng.uniform(0.25, 0.45), rng.uniform(0.2, 0.4), 0.2
    tint = np.array([0.72, 0.55, 0.38]) if rng.random() < 0.5 else rng.uniform(0.2, 0.8, 3)
    colour = np.asarray(tint * 255, np.float32)
    drawing.block(np.array([x - width / 2, 0, z]), np.array([x + width / 2, height, z + depth]), colour)


def _chair(rng: np.random.Generator, drawing: _Drawing, x: float, z: float) -> None:
    dark, seat = _colour(rng, 0.08, 0.35, 0.02), _colour(rng, 0.1, 0.7)
    half, high, depth, thick = 0.21, 0.44, 0.38, 0.016
    for leg_z in (z + depth, z):
        for side in (-1, 1):
            leg = x + side * (half - thick)
            drawing.block(np.array([leg - thick, 0, leg_z]), np.array([leg + thick, high, leg_z + 2 * thick]), dark)
    drawing.block(np.array([x - half, high, z]), np.array([x + half, high + 0.04, z + depth]), seat)
    if rng.random() < 0.5:
        drawing.block(np.array([x - half, 0.55, z + depth]), np.array([x + half, 0.85, z + depth + 0.03]), seat)


def _table(rng: np.random.Generator, drawing: _Drawing, x: float, z: float) -> None:
    metal, top = _colour(rng, 0.3, 0.6, 0.01), _colour(rng, 0.5, 0.95)
    drawing.block(np.array([x - 0.22, 0, z]), np.array([x + 0.22, 0.03, z + 0.06]), metal)
    drawing.block(np.array([x - 0.03, 0.03, z]), np.array([x + 0.03, 0.72, z + 0.05]), metal)
    drawing.block(np.array([x - 0.3, 0.72, z - 0.1]), np.array([x + 0.3, 0.75, z + 0.3]), top)
