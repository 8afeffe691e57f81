"""Shoes of made walkers: the drawn uppers of their model, laid between the projected ends of the sole.

So the truth of toe and heel is where they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from outsole.answers import Point, View
from outsole.synthesis.gait import Foot
from outsole.synthesis.scene_canvas import Canvas, Field, Floats
from outsole.synthesis.scenes import Camera, Walker
from outsole.synthesis.shoes import ShoeModel
from outsole.synthesis.surveillance import line_kernel
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper

FEET = ("left", "right")
# Beyond this angle between shoe and line of sight its side is hardly seen.
_END_ON = 0.78
_LENGTHS = (64, 96, 128, 192, 256, 384, 512)


@dataclass(frozen=True)
class SeenShoe:
    """A shoe of a figure, before anything stands in front of it.

    Attributes:
        foot: ``left`` or ``right``.
        view: From where it is seen.
        toe, heel: (x, y) in pixels; both the middle of the ground line where it is seen from the front or the back.
        box: (left, top, right, bottom) of what is drawn of it, pixels; it may reach beyond the picture.
        is_standing: Whether the whole sole is on the floor.
        cover: float32 [h, w] of the figure's patch: how much of each pixel shows it, once the wearer's own legs are
            in front.
        whole_px: How many pixels it would cover if nothing but its own trouser leg were in front of it.
    """

    foot: str
    view: View
    toe: Point
    heel: Point
    box: tuple[float, float, float, float]
    is_standing: bool
    cover: Field
    whole_px: float


@lru_cache(maxsize=512)
def _upper(model: ShoeModel, view: View, length_px: int) -> tuple[Field, tuple[float, float, float, float]]:
    """A model's drawn shoe, float32 [H, W, 4] (colour times coverage, 0 .. 255; coverage), its toe and its heel."""
    drawn = draw_upper(design_of(model), view, length_px=length_px)
    layers = np.dstack([drawn.rgb.astype(np.float32), drawn.inside])
    return np.asarray(layers, np.float32), (*drawn.toe, *drawn.heel)


@dataclass
class LaidShoe:
    """A shoe on the canvas; ``drawn_px`` and ``own_px`` count fine pixels before and after its own trouser leg."""

    foot: str
    view: View
    toe: Point
    heel: Point
    box: tuple[float, float, float, float]
    is_standing: bool
    area_px: float
    drawn_px: float
    own_px: float = 0.0

    def seen(self, cover: Field, fine: int) -> SeenShoe:
        worn = self.own_px / self.drawn_px if self.drawn_px else 1.0
        return SeenShoe(
            foot=self.foot,
            view=self.view,
            toe=self.toe,
            heel=self.heel,
            box=self.box,
            is_standing=self.is_standing,
            cover=cover,
            whole_px=max(self.area_px * worn / fine**2, 1e-6),
        )


def _view_of(foot: Foot) -> View:
    ahead, sight = np.array([np.cos(foot.yaw), np.sin(foot.yaw)]), foot.heel[[0, 2]]
    along = float(ahead @ sight / np.linalg.norm(sight))
    if abs(along) <= _END_ON:
        return View.SIDE
    return View.BACK if along > 0 else View.FRONT


def _ends(camera: Camera, foot: Foot, shoe_m: float, view: View) -> tuple[Floats, Floats, Floats, Floats]:
    """Heel and toe in the picture, and how a shoe's length runs there along and out of its sole, pixels [2] each."""
    heel, toe = camera.project(np.stack([foot.heel, foot.toe]))
    if view is View.SIDE:
        up = (camera.project(foot.heel + 0.01 * foot.up) - heel) / 0.01
        return heel, toe, toe - heel, shoe_m * up
    middle, z = (toe, foot.toe[2]) if view is View.FRONT else (heel, foot.heel[2])
    length = shoe_m * camera.focal_px / z
    return middle, middle, np.array([length, 0.0]), np.array([0.0, -length])


def lay_shoe(canvas: Canvas, camera: Camera, walker: Walker, feet: tuple[Foot, Foot], side: int) -> LaidShoe:
    """Lay a drawn upper between heel and toe, blurred by its way from the first to the second of ``feet``."""
    view = _view_of(feet[0])
    heel, toe, along, up = _ends(camera, feet[0], walker.shoe_m, view)
    needed = canvas.fine * max(float(np.hypot(*up)), 1.0)
    length = next((size for size in _LENGTHS if size >= needed), _LENGTHS[-1])
    layers, (_, _, anchor_x, anchor_y) = _upper(walker.model, view, length)
    rows, columns = layers.shape[:2]
    unit = columns - 1.0 if view is View.SIDE else float(length)
    linear = np.column_stack([along / unit, -up / unit])
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]], np.float64)
    seen = heel + (corners - [anchor_x, anchor_y]) @ linear.T
    canvas.reach(seen)
    later = _ends(camera, feet[1], walker.shoe_m, view)[0]
    drawn, inside, area = _warped(canvas, layers, linear, heel - linear @ [anchor_x, anchor_y], later - heel)
    _blend(canvas, drawn, area, side + 1)
    ys, xs = np.nonzero(inside > 0.5)
    corner = np.array([area[1].start, area[0].start])
    low, high = seen.min(axis=0), seen.max(axis=0)
    if ys.size:
        fine = np.array([[xs.min(), ys.min()], [xs.max() + 1, ys.max() + 1]]) + corner
        low, high = fine / canvas.fine + canvas.start
    return LaidShoe(
        foot=FEET[side],
        view=view,
        toe=(float(toe[0]), float(toe[1])),
        heel=(float(heel[0]), float(heel[1])),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        is_standing=feet[0].is_standing,
        area_px=float(layers[..., 3].sum()) * abs(float(np.linalg.det(linear))) * canvas.fine**2,
        drawn_px=float(ys.size),
    )


def _warped(
    canvas: Canvas, layers: Field, linear: Floats, offset: Floats, moved: Floats
) -> tuple[Field, Field, tuple[slice, slice]]:
    """A shoe on the part of the canvas that it covers, blurred by its way; its coverage unblurred; and which part."""
    rows, columns = layers.shape[:2]
    to_canvas = np.column_stack([linear * canvas.fine, canvas.fine_of(offset)])
    corners = to_canvas @ np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]], np.float64)
    way = moved * canvas.fine
    room = 3 + float(np.hypot(*way))
    shape = canvas.codes.shape
    start = np.clip(np.floor(corners.min(axis=1) - room), 0, shape[::-1]).astype(int)
    stop = np.clip(np.ceil(corners.max(axis=1) + room), 0, shape[::-1]).astype(int)
    area = slice(int(start[1]), int(stop[1])), slice(int(start[0]), int(stop[0]))
    size = (int(stop[0] - start[0]), int(stop[1] - start[1]))
    if min(size) < 1:
        return np.zeros((0, 0, 4), np.float32), np.zeros((0, 0), np.float32), area
    to_canvas[:, 2] -= start
    warped = np.asarray(cv2.warpAffine(layers, to_canvas, size, flags=cv2.INTER_LINEAR), np.float32)
    inside = warped[..., 3].copy()
    reach = int(np.hypot(*way)) | 1
    if reach >= 3:
        kernel = line_kernel(reach, float(np.arctan2(way[1], way[0])))
        warped = np.asarray(cv2.filter2D(warped, -1, kernel), np.float32)
    return warped, inside, area


def _blend(canvas: Canvas, drawn: Field, area: tuple[slice, slice], code: int) -> None:
    if drawn.size:
        rest = canvas.layers[area] * (1 - drawn[..., 3:])
        rest[..., :3] += drawn[..., :3]
        rest[..., 3] += 255 * drawn[..., 3]
        canvas.layers[area] = np.clip(np.rint(rest), 0, 255).astype(np.uint8)
        canvas.codes[area][drawn[..., 3] > 0.5] = code
