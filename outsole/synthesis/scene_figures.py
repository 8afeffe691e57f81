"""Made walkers as a camera sees them: rounded limbs, clothes, hair, hands, and the shoes of their model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from outsole.synthesis.gait import Gait, Pose
from outsole.synthesis.noise import fractal_noise
from outsole.synthesis.scene_canvas import BARE, Canvas, Colour, Field
from outsole.synthesis.scene_shoes import FEET, LaidShoe, SeenShoe, lay_shoe
from outsole.synthesis.scenes import Camera, Walker
from outsole.synthesis.upper_designs import design_of

_ROOM_PX = 24
# Above this scale there are pixels enough to draw on as they are.
_FINE_UNTIL_PX_M = 290.0
_SKINS = ((236, 188, 158), (224, 172, 138), (198, 140, 104), (150, 100, 70), (98, 64, 44))
_HAIRS = ((30, 24, 20), (60, 40, 26), (96, 66, 40), (170, 130, 80), (120, 116, 112))


@dataclass(frozen=True)
class Figure:
    """A walker in the picture.

    Attributes:
        rgb: float32 [h, w, 3], 0 .. 255, times ``cover``.
        cover: float32 [h, w], 0 .. 1.
        left, top: Where the patch's corner lies, pixels; all of it lies inside the picture.
        shoes: Those that are at least partly in the picture.
        box: Around the person, pixels; it may reach beyond the picture.
        z: Distance of the body, metres.
    """

    rgb: Field
    cover: Field
    left: int
    top: int
    shoes: tuple[SeenShoe, ...]
    box: tuple[float, float, float, float]
    z: float


@dataclass(frozen=True)
class Looks:
    """Clothes and hair of a walker; colours 0 .. 255."""

    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    socks: Colour
    has_long_hair: bool
    has_short_sleeves: bool
    has_coat: bool
    hem: float
    flare: float
    cloth: Field


def looks_of(walker: Walker) -> Looks:
    """What a walker wears; the same walker wears the same."""
    rng = np.random.default_rng([0x100C, walker.seed])
    is_woman = walker.model.wearer == "women"
    kind = rng.random()
    rows, columns = (axis.astype(np.float32) for axis in np.mgrid[:512, :384])
    cloth = 0.10 * fractal_noise(rng, (512, 384), largest_px=24, octaves=4)
    if kind < 0.35:
        cloth = cloth + 0.16 * np.sign(np.sin(rows * np.float32(rng.uniform(0.25, 0.6))))
    elif kind < 0.5:
        cloth = cloth + 0.1 * (np.sign(np.sin(rows * 0.4)) + np.sign(np.sin(columns * 0.4)))
    return Looks(
        skin=_drawn_colour(rng, _SKINS),
        hair=_drawn_colour(rng, _HAIRS),
        top=_cloth_colour(rng, 0.08, 0.85),
        trousers=_cloth_colour(rng, 0.05, 0.45),
        socks=_cloth_colour(rng, 0.1, 0.9),
        has_long_hair=bool(rng.random() < (0.7 if is_woman else 0.08)),
        has_short_sleeves=bool(rng.random() < 0.4),
        has_coat=bool(rng.random() < 0.2),
        hem=float(rng.uniform(0.85, 1.15)),
        flare=float(rng.uniform(0.046, 0.060)),
        cloth=np.asarray(cloth, np.float32),
    )


def _drawn_colour(rng: np.random.Generator, colours: Sequence[tuple[int, int, int]]) -> Colour:
    red, green, blue = colours[int(rng.integers(len(colours)))]
    return float(red), float(green), float(blue)


def _darker(colour: Colour) -> Colour:
    red, green, blue = colour
    return 0.94 * red, 0.94 * green, 0.94 * blue


def _cloth_colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    level = rng.uniform(low, high) * 255
    red, green, blue = np.clip(level * (1 + rng.normal(0, 0.22, 3)), 8, 240).tolist()
    return red, green, blue


class FigurePainter:
    """Paints one walker on one walk."""

    def __init__(self, camera: Camera, gait: Gait, walker: Walker) -> None:
        self._camera, self._gait, self._walker = camera, gait, walker
        self._looks = looks_of(walker)
        self._collar = design_of(walker.model).collar
        room = np.array(camera.size_px) + 2 * _ROOM_PX
        cloth = self._looks.cloth
        times = -(-room // np.array(cloth.shape))
        self._cloth = np.tile(cloth, times.tolist())[: room[0], : room[1]]

    def paint(self, time_s: float) -> Figure | None:
        """The walker at a time; None where nothing of them is in the picture."""
        pose = self._gait.pose_at(time_s)
        points = np.vstack([pose.hips, pose.ankles, pose.shoulders, pose.hands, pose.head[None]])
        points = np.vstack([points, *([foot.heel, foot.toe] for foot in pose.feet)])
        if points[:, 2].min() < 0.3:
            return None
        seen = self._camera.project(points)
        scale = self._camera.focal_px / float(pose.hips[:, 2].mean())
        low, high = seen.min(axis=0) - 0.13 * scale, seen.max(axis=0) + 0.13 * scale
        low[1] += 0.02 * scale
        high[1] -= 0.11 * scale
        limits = np.array(self._camera.size_px[::-1], np.float64)
        start = np.maximum(np.floor(low) - 2, -_ROOM_PX).astype(int)
        stop = np.minimum(np.ceil(high) + 3, limits + _ROOM_PX).astype(int)
        if (stop - start < 2).any() or (high < 0).any() or (low > limits).any():
            return None
        canvas = Canvas(self._camera, start, stop - start, fine=2 if scale < _FINE_UNTIL_PX_M else 1)
        shoes = self._draw(canvas, pose, time_s)
        return self._finished(canvas, shoes, pose, time_s)

    def _draw(self, canvas: Canvas, pose: Pose, time_s: float) -> list[LaidShoe]:
        looks, stature = self._looks, self._walker.stature_m
        far, near = (0, 1) if pose.hips[0, 2] >= pose.hips[1, 2] else (1, 0)
        self._arm(canvas, pose, far)
        neck = np.stack([pose.neck - np.array([0, 0.02 * stature, 0]), pose.head])
        canvas.solid(neck, np.array([0.034, 0.03]) * stature, looks.skin, code=BARE)
        shoes = [self._leg(canvas, pose, side, time_s) for side in (far, near)]
        low = pose.hips - np.array([0, 0.24 if looks.has_coat else 0.03, 0]) * stature / 1.75
        canvas.solid(np.vstack([pose.shoulders, low]), np.array([0.045, 0.045, 0.062, 0.062]) * stature, looks.top)
        self._head(canvas, pose)
        self._arm(canvas, pose, near)
        return shoes

    def _arm(self, canvas: Canvas, pose: Pose, side: int) -> None:
        looks, stature = self._looks, self._walker.stature_m
        sleeve, code = (looks.skin, BARE) if looks.has_short_sleeves else (looks.top, 0)
        hand = np.stack([pose.hands[side], pose.hands[side] + 0.35 * (pose.hands[side] - pose.elbows[side])])
        canvas.solid(hand, np.array([0.017, 0.016]) * stature, looks.skin, code=BARE)
        fore = np.stack([pose.elbows[side], pose.hands[side]])
        canvas.solid(fore, np.array([0.026, 0.018]) * stature, sleeve, code=code)
        upper = np.stack([pose.shoulders[side], pose.elbows[side]])
        canvas.solid(upper, np.array([0.036, 0.028]) * stature, _darker(looks.top))

    def _leg(self, canvas: Canvas, pose: Pose, side: int, time_s: float) -> LaidShoe:
        looks, stature, shoe_m = self._looks, self._walker.stature_m, self._walker.shoe_m
        foot = pose.feet[side]
        in_shoe = foot.heel + 0.19 * (foot.toe - foot.heel)
        hem = in_shoe + looks.hem * self._collar * shoe_m * foot.up
        ankle = in_shoe + 0.6 * self._collar * shoe_m * foot.up
        canvas.solid(np.stack([hem, ankle]), np.array([0.034, 0.036]), looks.socks)
        moved = self._gait.pose_at(time_s + self._camera.exposure_s).feet[side]
        laid = lay_shoe(canvas, self._camera, self._walker, (foot, moved), side)
        calf = 0.5 * (pose.knees[side] + hem) + 0.02 * pose.forward * -1
        canvas.solid(np.stack([pose.knees[side], calf, hem]), np.array([0.062, 0.06, looks.flare]), looks.trousers)
        canvas.solid(np.stack([pose.hips[side], pose.knees[side]]), np.array([0.05 * stature, 0.062]), looks.trousers)
        laid.own_px = canvas.count(side + 1)
        return laid

    def _head(self, canvas: Canvas, pose: Pose) -> None:
        looks, stature = self._looks, self._walker.stature_m
        up = np.array([0.0, stature, 0.0])
        face = pose.head + 0.006 * stature * pose.forward
        back = pose.head - 0.016 * stature * pose.forward
        hair = [back + 0.012 * up, back - (0.11 if looks.has_long_hair else 0.01) * up]
        faces_camera = pose.forward[2] < 0.25
        radii = np.array([0.058, 0.055]) * stature
        if faces_camera:
            canvas.solid(np.stack(hair), radii, looks.hair, code=BARE)
        canvas.solid(np.stack([face, face - 0.028 * up]), np.array([0.051, 0.042]) * stature, looks.skin, code=BARE)
        crown = np.stack([back + 0.026 * up, face + 0.034 * up])
        canvas.solid(crown, np.array([0.048, 0.04]) * stature, looks.hair, code=BARE)
        if not faces_camera:
            canvas.solid(np.stack(hair), radii, looks.hair, code=BARE)

    def _finished(self, canvas: Canvas, shoes: list[LaidShoe], pose: Pose, time_s: float) -> Figure | None:
        layers, covers, bare = canvas.small([FEET.index(shoe.foot) + 1 for shoe in shoes])
        layers = self._clothed(layers, bare)
        self._blur_body(layers, canvas, pose, time_s)
        limits = self._camera.size_px
        left, top = (int(-min(value, 0)) for value in canvas.start)
        stop = [min(int(canvas.start[axis]) + layers.shape[1 - axis], limits[1 - axis]) for axis in (0, 1)]
        area = slice(top, stop[1] - int(canvas.start[1])), slice(left, stop[0] - int(canvas.start[0]))
        if layers[area].size == 0:
            return None
        seen = tuple(
            shoe.seen(cover[area], canvas.fine)
            for shoe, cover in zip(shoes, covers, strict=True)
            if _is_in(shoe.box, limits)
        )
        shown = layers[area]
        corner = int(canvas.start[0]) + left, int(canvas.start[1]) + top
        z = float(pose.hips[:, 2].mean())
        return Figure(shown[..., :3], np.ascontiguousarray(shown[..., 3]), *corner, seen, canvas.box, z)

    def _clothed(self, layers: Field, bare: Field) -> Field:
        """Give everything its cloth but skin, hair and shoes."""
        rows, columns = layers.shape[:2]
        weave = 1 + self._cloth[:rows, :columns] * (1 - bare)
        worn = cv2.multiply(layers, cv2.merge([weave, weave, weave, np.ones_like(weave)]))
        return np.minimum(np.asarray(worn, np.float32), np.float32(255))

    def _blur_body(self, layers: Field, canvas: Canvas, pose: Pose, time_s: float) -> None:
        """What is above the knees moves with the body while the shutter is open; a standing foot does not."""
        later = self._gait.pose_at(time_s + self._camera.exposure_s)
        before, after = self._camera.project(np.stack([pose.neck, later.neck]))
        reach = round(abs(float(after[0] - before[0])))
        knees = int(self._camera.project(pose.knees)[:, 1].min() - canvas.start[1])
        if reach >= 2 and knees > 0:
            layers[:knees] = cv2.blur(layers[:knees], (reach, 1))


def _is_in(box: tuple[float, float, float, float], size_px: tuple[int, int]) -> bool:
    return box[0] < size_px[1] and box[1] < size_px[0] and box[2] > 0 and box[3] > 0
