"""Pictures of made shoes: a retailer's photograph, and what a surveillance camera keeps of one.

Both have the shoe's toe and heel marked, so that crops can be turned level.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View
from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise, step
from outsole.synthesis.surveillance import draw_floor, line_kernel
from outsole.synthesis.uppers import Upper

MIN_SHOE_PX = 16
_Field = NDArray[np.float32]


@dataclass(frozen=True)
class ShoePicture:
    """A shoe in a picture.

    Attributes:
        rgb: uint8 [H, W, 3], red first.
        toe, heel: (x, y), pixels; see `outsole.synthesis.uppers.Upper`.
        box: (left, top, right, bottom) around the frame of the drawn shoe, pixels.
        view: From where the shoe is seen.
    """

    rgb: NDArray[np.uint8]
    toe: Point
    heel: Point
    box: Box
    view: View


@dataclass(frozen=True)
class CameraPlan:
    """What surveillance does to a shoe; each part can be switched off.

    Attributes:
        length_px: Length of a side view in the frame, at least 16 pixels; other views are as much narrower.
        motion: Whether it moves while the shutter is open.
        compression: Whether the frame was compressed.
        light: Whether the scene's light has a colour and a gradient.
        trousers: Whether a trouser leg hangs over the collar.
        turn_limit_deg: Largest angle of the sole against the picture's lower edge, as feet have while walking.
    """

    length_px: int = 64
    motion: bool = True
    compression: bool = True
    light: bool = True
    trousers: bool = True
    turn_limit_deg: float = 25.0

    def __post_init__(self) -> None:
        if self.length_px < MIN_SHOE_PX:
            raise InvalidInput(
                f"length_px is {self.length_px}", field="length_px", remedy=f"at least {MIN_SHOE_PX} pixels"
            )
        if not 0 <= self.turn_limit_deg <= 90:
            raise InvalidInput(f"turn_limit_deg is {self.turn_limit_deg}", field="turn_limit_deg", remedy="0 to 90")


def retail_photograph(upper: Upper, seed: int) -> ShoePicture:
    """Photograph a shoe as a shop does: level, on white or a light ground, with a soft shadow.

    Args:
        upper: The drawn shoe; the picture has its resolution.
        seed: At least 0; draws side, size in the frame, light, exposure and JPEG quality.

    Raises:
        InvalidInput: A negative seed.
    """
    rng = _rng(0x5A09, seed)
    placed = _placed(rng, upper, scale=1.0, turn_deg=float(rng.uniform(-2, 2)), room=float(rng.uniform(0.06, 0.25)))
    height, width = placed.inside.shape
    ground = np.ones((height, width, 3), np.float32)
    if rng.random() < 0.3:
        ground *= rng.uniform(0.75, 1.0) + rng.normal(0, 0.02, 3).astype(np.float32)
    shadow = cv2.GaussianBlur(placed.inside, (0, 0), 0.04 * width) * np.float32(rng.uniform(0.0, 0.35))
    picture = ground * (1 - shadow[..., None])
    lit = placed.rgb * (1 + rng.normal(0, 0.03, 3).astype(np.float32)) * np.float32(rng.uniform(0.85, 1.15))
    picture = picture * (1 - placed.inside[..., None]) + lit * placed.inside[..., None]
    sensed = np.clip(picture, 0, 1) ** np.float32(rng.uniform(0.85, 1.15))
    return placed.picture(_jpeg(_noisy(rng, sensed, 0.008), int(rng.integers(75, 96))))


def surveillance_crop(upper: Upper, seed: int, plan: CameraPlan) -> ShoePicture:
    """See a shoe through a surveillance camera: small, moving, badly lit, compressed, on one of five floors.

    Args:
        upper: The drawn shoe; larger than it will be seen.
        seed: At least 0; draws everything that ``plan`` leaves open.
        plan: How large it is, and what happens to it.

    Raises:
        InvalidInput: A negative seed.
    """
    rng = _rng(0xCA3E, seed)
    # Painted at twice the size, so that motion and lens act on more than the pixels that are left.
    scale = 2 * plan.length_px / upper.length_px
    turn = float(rng.uniform(-plan.turn_limit_deg, plan.turn_limit_deg)) if upper.view is View.SIDE else 0.0
    placed = _placed(rng, upper, scale=scale, turn_deg=turn, room=float(rng.uniform(0.15, 0.4)))
    shape = placed.inside.shape
    floor = draw_floor(rng, (shape[0], shape[1]), unit_px=2.0 * plan.length_px)
    contact = cv2.GaussianBlur(placed.inside, (0, 0), 0.05 * shape[1])
    floor = floor * (1 - np.float32(rng.uniform(0.1, 0.5)) * contact[..., None])
    picture = floor * (1 - placed.inside[..., None]) + placed.rgb * placed.inside[..., None]
    if plan.trousers:
        picture = _with_trousers(rng, picture, placed)
    if plan.light:
        picture = _lit(rng, picture)
    if plan.motion:
        picture = _moved(rng, picture, reach_px=float(rng.uniform(0, 0.10)) * 2 * plan.length_px)
    size = (max(1, shape[1] // 2), max(1, shape[0] // 2))
    small = cv2.resize(np.clip(picture, 0, 1), size, interpolation=cv2.INTER_AREA)
    seen = _noisy(rng, np.asarray(small, np.float32), float(rng.uniform(0.005, 0.03)))
    if plan.compression:
        seen = _jpeg(seen, int(rng.integers(22, 65)))
    return placed.picture(seen, by=0.5)


@dataclass(frozen=True)
class _Placed:
    """A shoe in the frame that it will have: colours float32 [H, W, 3], coverage [H, W], and its points."""

    rgb: _Field
    inside: _Field
    toe: Point
    heel: Point
    collar: Point
    box: Box
    view: View

    def picture(self, rgb: NDArray[np.uint8], *, by: float = 1.0) -> ShoePicture:
        left, top, right, bottom = self.box
        points = (self.toe, self.heel, (left, top), (right, bottom))
        toe, heel, low, high = (((x + 0.5) * by - 0.5, (y + 0.5) * by - 0.5) for x, y in points)
        return ShoePicture(rgb, toe, heel, (*low, *high), self.view)


def _rng(key: int, seed: int) -> np.random.Generator:
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    return np.random.default_rng([key, seed])


def _placed(rng: np.random.Generator, upper: Upper, *, scale: float, turn_deg: float, room: float) -> _Placed:
    """The shoe scaled, turned, on either side, with room around it as a part of its width."""
    height, width = upper.inside.shape
    mirror = bool(rng.random() < 0.5)
    angle = np.deg2rad(turn_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.diag([-1.0 if mirror else 1.0, 1.0])
    corners = linear @ np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1]], np.float64)
    edge = room * width * scale
    low, high = corners.min(axis=1) - edge, corners.max(axis=1) + edge
    to_frame = np.column_stack([linear, -low])
    size = (int(np.ceil(high[0] - low[0])) + 1, int(np.ceil(high[1] - low[1])) + 1)
    layers = np.dstack([upper.rgb.astype(np.float32) / 255, upper.inside])
    if scale < 0.5:
        # A warp takes single pixels: what lies between them would be lost, or flicker.
        layers = np.asarray(cv2.GaussianBlur(layers, (0, 0), 0.4 / scale), np.float32)
    warped = np.asarray(cv2.warpAffine(layers, to_frame, size, flags=cv2.INTER_LINEAR), np.float32)
    rgb, cover = warped[..., :3], np.ascontiguousarray(warped[..., 3])
    # Colours are black outside the shoe: what was mixed with it at the edge is brought back.
    rgb = np.asarray(rgb / np.maximum(cover, 0.05)[..., None], np.float32)

    def moved(point: tuple[float, float]) -> tuple[float, float]:
        x, y = (to_frame @ [*point, 1.0]).tolist()
        return float(x), float(y)

    collar = moved((0.18 * width if upper.view is View.SIDE else 0.5 * width, 0.0))
    (left, top), (right, bottom) = (corners.min(axis=1) - low).tolist(), (corners.max(axis=1) - low).tolist()
    box = (left, top, right, bottom)
    return _Placed(np.clip(rgb, 0, 1), cover, moved(upper.toe), moved(upper.heel), collar, box, upper.view)


def _with_trousers(rng: np.random.Generator, picture: _Field, placed: _Placed) -> _Field:
    """A leg from above that ends on the shoe, now and then over it."""
    height, width = placed.inside.shape
    shoe = width * 0.5
    half = shoe * rng.uniform(0.16, 0.30)
    end = placed.collar[1] + rng.uniform(-0.02, 0.22) * abs(max(placed.toe[1], placed.heel[1]) - placed.collar[1])
    y, x = (axis.astype(np.float32) for axis in np.mgrid[:height, :width])
    lean = np.float32(rng.uniform(-0.3, 0.3))
    from_axis = np.abs(x - np.float32(placed.collar[0]) - lean * (y - np.float32(placed.collar[1])))
    area = step(np.float32(half) - from_axis, 1.5) * step(np.float32(end) - y, 1.5)
    colour = (rng.uniform(0.04, 0.6) * (1 + rng.normal(0, 0.15, 3))).astype(np.float32)
    folds = 1 + np.float32(0.12) * smooth_noise(rng, (height, width), scale_px=max(2.0, 0.06 * width))
    return np.asarray(picture * (1 - area[..., None]) + np.clip(colour, 0, 1) * (folds * area)[..., None], np.float32)


def _lit(rng: np.random.Generator, picture: _Field) -> _Field:
    height, width = picture.shape[:2]
    lamp = (np.float32(rng.uniform(0.45, 1.2)) * (1 + rng.normal(0, 0.10, 3))).astype(np.float32)
    slope = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(rng.uniform(-0.25, 0.25))
    slope = slope + np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(rng.uniform(-0.25, 0.25))
    return np.asarray(
        np.clip(picture * lamp * (1 + slope)[..., None], 0, 1) ** np.float32(rng.uniform(0.7, 1.3)), np.float32
    )


def _moved(rng: np.random.Generator, picture: _Field, *, reach_px: float) -> _Field:
    """Blurred along a straight way of so many pixels, mostly level, and a little by the lens."""
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.6, 1.8))), np.float32)
    size = int(reach_px) | 1
    if size < 3:
        return soft
    kernel = line_kernel(size, float(rng.normal(0, 0.35)))
    return np.asarray(cv2.filter2D(soft, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def _noisy(rng: np.random.Generator, picture: _Field, deviation: float) -> NDArray[np.uint8]:
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(deviation)
    return np.asarray(np.clip(np.rint((picture + noise) * 255), 0, 255), np.uint8)


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, packed = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
