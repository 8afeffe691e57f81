"""Sole photographs of made treads, aligned with the true depth and the clean print: a depth predictor's lessons."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.noise import fractal_noise, smooth_noise, step
from outsole.synthesis.treads import DEFAULT_HEIGHT_PX, Tread

Field = NDArray[np.float32]
# Grey levels of a clean print.
PAPER, INK = 250, 25
_CONTACT_DEPTH = 0.62


@dataclass(frozen=True)
class Photograph:
    """A made photograph of a sole, toe up, with the truth behind it.

    Attributes:
        rgb: uint8 [H, W, 3], red first.
        depth: float32 [H, W], 0 far (and outside the sole) .. 1 touching.
        print: uint8 [H, W], the clean print, contact dark on white.
        inside: bool [H, W], the sole's area.
        lamp: float32 [2], right and down parts of the unit vector towards the lamp.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    print: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    lamp: NDArray[np.float32]


def photograph(tread: Tread, seed: int) -> Photograph:
    """Photograph a sole from below, as a shop does: one lamp, soft light from around, a plain background.

    Args:
        tread: The sole, depth float32 [H, W].
        seed: At least 0; draws rubber colours, dirt, light, background, blur and JPEG quality. The same tread and seed
            give the same photograph.

    Returns:
        Photograph, depth, print and area of the tread's own size, aligned pixel by pixel.

    Raises:
        InvalidInput: A negative seed.
    """
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    rng = np.random.default_rng([0x9407, seed])
    scale = tread.depth.shape[0] / DEFAULT_HEIGHT_PX
    albedo = _albedo(rng, tread, scale)
    light, shine, towards = _light(rng, tread, scale)
    lamp = np.array([1.0, 1.0, 1.0]) + rng.normal(0, 0.05, 3)
    sole = albedo * light[..., None] * lamp.astype(np.float32) + shine[..., None]
    edge = cv2.GaussianBlur(tread.inside.astype(np.float32), (0, 0), 0.7)[..., None]
    picture = _background(rng, tread, scale) * (1 - edge) + sole * edge
    return Photograph(_camera(rng, picture), tread.depth, clean_print(tread.depth), tread.inside, towards[:2])


def clean_print(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The print that a depth map leaves on a flat floor: what lies above a threshold touches.

    Args:
        depth: float32 [..., H, W], 0 far .. 1 touching.

    Returns:
        uint8 [..., H, W], contact dark (25) on white (250).
    """
    return np.asarray(PAPER - (PAPER - INK) * step(depth - np.float32(_CONTACT_DEPTH), 0.2), np.uint8)


def _colour(rng: np.random.Generator) -> Field:
    """A rubber colour, float32 [3], 0 .. 1: black, white, gum, grey or anything vivid."""
    kind = rng.choice(5, p=(0.28, 0.22, 0.14, 0.12, 0.24))
    colours = (
        np.full(3, rng.uniform(0.06, 0.2)),
        np.full(3, rng.uniform(0.72, 0.92)),
        np.array([0.66, 0.45, 0.25]) * rng.uniform(0.7, 1.2),
        np.full(3, rng.uniform(0.25, 0.6)),
        rng.uniform(0.08, 0.9, 3),
    )
    return np.clip(colours[int(kind)] + rng.normal(0, 0.02, 3), 0.03, 0.95).astype(np.float32)


def _albedo(rng: np.random.Generator, tread: Tread, scale: float) -> Field:
    """Colour of the rubber, float32 [H, W, 3], 0 .. 1: zones along the sole, patches of other colours, tops, dirt."""
    height, width = tread.depth.shape
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    colours = np.stack([_colour(rng) for _ in range(3)])
    bent = y + np.float32(rng.uniform(-0.15, 0.15)) * x**2 + np.float32(rng.uniform(-0.15, 0.15)) * x
    zone = np.digitize(bent, np.sort(rng.uniform(0.25, 0.85, 2))) if rng.random() < 0.4 else np.zeros_like(bent, int)
    albedo = colours[zone]
    for _ in range(int(rng.integers(0, 3))):
        # Colours of logos and inlays do not follow the relief, so that colour alone tells nothing about depth.
        reach = rng.uniform(0.04, 0.14), rng.uniform(0.15, 0.6)
        spot = ((y - np.float32(rng.uniform(0.1, 0.9))) / np.float32(reach[0])) ** 2
        spot = spot + ((x - np.float32(rng.uniform(-0.4, 0.4))) / np.float32(reach[1])) ** 2
        albedo = np.where((spot < 1)[..., None], _colour(rng), albedo)
    if rng.random() < 0.2:
        tops = step(tread.depth - np.float32(_CONTACT_DEPTH), 0.1)[..., None]
        albedo = albedo * (1 - tops) + _colour(rng) * tops
    if rng.random() < 0.5:
        dirt = step(fractal_noise(rng, (height, width), largest_px=70 * scale, octaves=5) - np.float32(0.7), 1.2)
        # Dirt stays in the grooves longer than on the tops.
        dirt = dirt * (1 - np.float32(0.6) * tread.depth) * np.float32(rng.uniform(0.3, 0.9))
        albedo = albedo * (1 - dirt[..., None]) + np.array([0.34, 0.27, 0.2], np.float32) * dirt[..., None]
    grain = smooth_noise(rng, (height, width), scale_px=1)[..., None] * np.float32(rng.uniform(0.0, 0.02))
    return np.asarray(np.clip(albedo + grain, 0.02, 1), np.float32)


def _light(rng: np.random.Generator, tread: Tread, scale: float) -> tuple[Field, Field, Field]:
    """Diffuse light and specular shine on each pixel, float32 [H, W] each: Lambert and Blinn-Phong on depth normals.

    The third is the unit vector towards the lamp, float32 [3]: right, down, out of the sole.
    """
    relief = tread.depth * np.float32(rng.uniform(5, 11) * scale)
    smooth = cv2.GaussianBlur(relief, (0, 0), max(0.8 * scale, 0.4))
    slope_x = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), np.float32)
    slope_y = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125), np.float32)
    longer = np.sqrt(slope_x**2 + slope_y**2 + 1)
    turn, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.4)
    lamp = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)], np.float32)
    diffuse = np.clip((lamp[2] - lamp[0] * slope_x - lamp[1] * slope_y) / longer, 0, None)
    half = lamp + np.array([0, 0, 1], np.float32)
    half = half / np.linalg.norm(half)
    facing = np.clip((half[2] - half[0] * slope_x - half[1] * slope_y) / longer, 0, 1)
    shine = np.float32(rng.uniform(0, 0.25)) * facing ** np.float32(rng.uniform(15, 70))
    # Ambient occlusion: how far a pixel lies below its surroundings.
    below = np.clip(cv2.GaussianBlur(tread.depth, (0, 0), 6 * scale) - tread.depth, 0, 1)
    open_sky = 1 - np.float32(rng.uniform(0.6, 1.5)) * below
    shadow = 1 - np.float32(rng.uniform(0, 0.3)) * (1 - tread.depth)
    ambient = np.float32(rng.uniform(0.3, 0.65))
    light = np.clip(open_sky, 0.15, 1) * shadow * (ambient + (1 - ambient) * diffuse * np.float32(1.15))
    return np.asarray(light, np.float32), np.asarray(shine * np.clip(open_sky, 0, 1), np.float32), lamp


def _background(rng: np.random.Generator, tread: Tread, scale: float) -> Field:
    """White, plain or textured, with the shoe's soft shadow; float32 [H, W, 3]."""
    height, width = tread.depth.shape
    kind = rng.choice(["white", "plain", "textured"], p=(0.5, 0.25, 0.25))
    colour = np.ones(3, np.float32) if kind == "white" else rng.uniform(0.2, 0.95, 3).astype(np.float32)
    flat = np.broadcast_to(colour, (height, width, 3))
    if kind == "textured":
        texture = fractal_noise(rng, (height, width), largest_px=80 * scale, octaves=5)
        flat = flat * (1 + np.float32(0.12) * texture[..., None])
    spread = rng.uniform(4, 14) * scale
    shadow = cv2.GaussianBlur(tread.inside.astype(np.float32), (0, 0), spread) * np.float32(rng.uniform(0, 0.4))
    return np.asarray(flat * (1 - shadow[..., None]), np.float32)


def _camera(rng: np.random.Generator, picture: Field) -> NDArray[np.uint8]:
    """Exposure, tone curve, blur, sensor noise and JPEG; uint8 [H, W, 3]."""
    exposed = np.clip(picture * np.float32(rng.uniform(0.85, 1.2)), 0, 1) ** np.float32(rng.uniform(0.7, 1.1))
    if rng.random() < 0.6:
        exposed = np.asarray(cv2.GaussianBlur(exposed, (0, 0), rng.uniform(0.4, 1.1)), np.float32)
    noise = rng.standard_normal(exposed.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.02))
    sensed = np.asarray(np.clip((exposed + noise) * 255, 0, 255), np.uint8)
    _, packed = cv2.imencode(".jpg", sensed[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 97))])
    decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
