"""The single harms that a crime scene does to a print; ``outsole.synthesis.prints`` says in which order."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import fractal_noise, smooth_noise, step

# Below this area a piece shows too little for anyone to work with.
MIN_VISIBLE_PX = 1500


@dataclass(frozen=True)
class Scene:
    """A print on its way.

    Attributes:
        contact: float32 [H, W], 0 nothing .. 1 full mark.
        mask: bool [H, W], where the sole lay and can be seen.
    """

    contact: NDArray[np.float32]
    mask: NDArray[np.bool_]


def fade_by_pressure(
    rng: np.random.Generator, contact: NDArray[np.float32], inside: NDArray[np.bool_], strength: float
) -> NDArray[np.float32]:
    """Weaken the mark smoothly over the foot, in parts down to a third; float32 [H, W], 0 .. 1."""
    load = step(smooth_noise(rng, inside.shape, scale_px=110) + np.float32(0.7), 2.2)
    return np.asarray(contact * (1 - np.float32(min(0.6 * strength, 1.0)) * (1 - load)), np.float32)


def crop_window(rng: np.random.Generator, mask: NDArray[np.bool_], kind: str) -> tuple[slice, slice]:
    """Rows and columns of the part that is left, with a few pixels of floor around it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    shares = {
        "full": (0.0, 1.0),
        "toe": (0.0, rng.uniform(0.38, 0.6)),
        "middle": (rng.uniform(0.15, 0.3), rng.uniform(0.6, 0.8)),
        "heel": (rng.uniform(0.5, 0.66), 1.0),
        "small": (rng.uniform(0.05, 0.72), 0.0),
    }
    first, last = shares[kind]
    if kind == "small":
        last = min(first + rng.uniform(0.22, 0.34), 1.0)
        width = right - left
        left, right = left + int(rng.uniform(0, 0.25) * width), right - int(rng.uniform(0, 0.25) * width)
    length = bottom - top
    top, bottom = top + int(first * length), top + int(last * length)
    around = rng.integers(0, 14, size=4)
    height, width = mask.shape
    return (
        slice(max(top - around[0], 0), min(bottom + around[1], height)),
        slice(max(left - around[2], 0), min(right + around[3], width)),
    )


def erase_grains(rng: np.random.Generator, scene: Scene, strength: float) -> Scene:
    """Lose grains everywhere and whole patches here and there; the mask keeps what still shows."""
    shape = scene.contact.shape
    grain = fractal_noise(rng, shape, largest_px=rng.uniform(2.5, 7), octaves=3, gain=0.8)
    keep = step(grain + np.float32(rng.uniform(0.5, 1.8) / max(strength, 0.1)), 1.2)
    patches = fractal_noise(rng, shape, largest_px=rng.uniform(50, 130), octaves=4)
    left = step(patches + np.float32(rng.uniform(0.8, 1.8) / max(strength, 0.1)), 0.5)
    visible = scene.mask & (left > 0.4)
    if visible.sum() < MIN_VISIBLE_PX:
        left, visible = np.ones_like(left), scene.mask
    return Scene(contact=np.asarray(scene.contact * keep * left, np.float32), mask=visible)


def lay_second_print(rng: np.random.Generator, scene: Scene, other: NDArray[np.float32]) -> Scene:
    """Another sole's weaker print across the first, turned and shifted by anything; the mask stays."""
    height, width = scene.contact.shape
    turn = cv2.getRotationMatrix2D((other.shape[1] / 2, other.shape[0] / 2), rng.uniform(0, 360), 1.0)
    shift = np.array([width, height]) * rng.uniform(0.1, 0.9, size=2) - np.array(other.shape[::-1]) / 2
    turn = np.column_stack([turn[:, :2], turn[:, 2] + shift])
    turned = cv2.warpAffine(other, turn, (width, height), flags=cv2.INTER_LINEAR)
    return Scene(np.maximum(scene.contact, turned * np.float32(rng.uniform(0.25, 0.6))), scene.mask)


def add_background(rng: np.random.Generator, scene: Scene, strength: float) -> NDArray[np.uint8]:
    """Turn contact into grey on a floor of its own tone.

    Returns:
        uint8 [H, W]; with ``strength`` 0 plain ink on white paper.
    """
    contact, shape = scene.contact, scene.contact.shape
    if strength <= 0:
        return np.asarray(np.clip(250 - 220 * contact, 0, 255), np.uint8)
    tone = rng.choice([rng.uniform(225, 248), rng.uniform(150, 215), rng.uniform(70, 110)], p=[0.35, 0.5, 0.15])
    light_on_dark = tone < 120 and rng.random() < 0.5
    contrast = rng.uniform(75, 150) * (1.25 if tone > 220 else 1.0)
    ink = contrast if light_on_dark else -min(contrast, tone - 5)
    mottle = fractal_noise(rng, shape, largest_px=rng.uniform(60, 200), octaves=5) * np.float32(rng.uniform(4, 20))
    grain = smooth_noise(rng, shape, scale_px=rng.choice([1.0, 2.0])) * np.float32(rng.uniform(3, 20))
    gray: NDArray[np.floating] = np.float32(tone) + np.float32(ink) * contact + np.float32(strength) * (mottle + grain)
    if rng.random() < 0.35:
        gray = gray + np.float32(strength * rng.uniform(5, 16)) * _streaks(rng, shape)
    if rng.random() < 0.25:
        gray = np.where(_floor_lines(rng, shape), np.float32(rng.uniform(20, 235)), gray)
    if rng.random() < 0.4:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.6, 1.4)), np.float32)
    return np.asarray(np.clip(gray, 0, 255), np.uint8)


def _streaks(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Wood grain or wiping: noise drawn out in one direction; float32 [H, W], deviation about 1."""
    long, short = rng.uniform(60, 200), rng.uniform(2, 5)
    height, width = shape
    down = rng.random() < 0.6
    rows, columns = (height / long, width / short) if down else (height / short, width / long)
    coarse = rng.standard_normal((int(rows) + 3, int(columns) + 3), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _floor_lines(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """One or two straight joints of tiles across the picture; bool [H, W]."""
    lines = np.zeros(shape, np.uint8)
    height, width = shape
    angle = rng.uniform(0, np.pi)
    for turn in (0.0, np.pi / 2)[: int(rng.integers(1, 3))]:
        across = np.array([np.cos(angle + turn), np.sin(angle + turn)]) * (height + width)
        middle = np.array([width, height]) * rng.uniform(0.15, 0.85, size=2)
        ends = np.rint([middle - across, middle + across]).astype(int).tolist()
        cv2.line(lines, ends[0], ends[1], 1, thickness=int(rng.integers(2, 8)))
    return lines.astype(np.bool_)


def add_shapes(rng: np.random.Generator, gray: NDArray[np.uint8], scene: Scene) -> tuple[NDArray[np.uint8], Scene]:
    """Tape, a card or a smear over a part, on a third of the pictures; what is covered leaves the mask."""
    if rng.random() >= 0.33:
        return gray, scene
    height, width = gray.shape
    cover = np.zeros(gray.shape, np.uint8)
    middle = (width * rng.uniform(0.0, 1.0), height * rng.uniform(0.0, 1.0))
    if rng.random() < 0.5:
        size = (max(width, height) * rng.uniform(0.5, 1.6), rng.uniform(8, 26))
        box = cv2.boxPoints((middle, size, rng.uniform(0, 180)))
        cv2.fillConvexPoly(cover, np.rint(box).astype(np.int32), 1)
        filled = np.full(gray.shape, rng.choice([15, 235]), np.float32)
        filled += smooth_noise(rng, gray.shape, scale_px=3) * np.float32(3)
    else:
        axes = (int(rng.uniform(0.08, 0.22) * width) + 2, int(rng.uniform(0.08, 0.2) * height) + 2)
        cv2.ellipse(cover, (int(middle[0]), int(middle[1])), axes, rng.uniform(0, 180), 0, 360, 1, -1)
        filled = cv2.GaussianBlur(gray, (0, 0), 9).astype(np.float32) - np.float32(rng.uniform(-30, 60))
    covered = cover.astype(np.bool_)
    if (scene.mask & ~covered).sum() < MIN_VISIBLE_PX:
        return gray, scene
    drawn = np.where(covered, np.clip(filled, 0, 255), gray).astype(np.uint8)
    return drawn, Scene(contact=scene.contact, mask=scene.mask & ~covered)


def cover_corners(rng: np.random.Generator, gray: NDArray[np.uint8], scene: Scene) -> tuple[NDArray[np.uint8], Scene]:
    """Black or white wedges in two opposite corners, as a turned scan leaves them, on a quarter of the pictures."""
    if rng.random() >= 0.25:
        return gray, scene
    height, width = gray.shape
    lean = rng.uniform(0.03, 0.14)
    reach_x, reach_y = int(width * rng.uniform(0.3, 1.0)), int(lean * height * rng.uniform(0.5, 1.5)) + 3
    first = np.array([[0, 0], [reach_x, 0], [0, reach_y]], np.int32)
    second = np.array([width - 1, height - 1], np.int32) - first
    wedges = np.zeros(gray.shape, np.uint8)
    cv2.fillPoly(wedges, [first, second], 1)
    if rng.random() < 0.5:
        wedges = np.ascontiguousarray(wedges[:, ::-1])
    covered = wedges.astype(np.bool_)
    if (scene.mask & ~covered).sum() < MIN_VISIBLE_PX:
        return gray, scene
    drawn = np.where(covered, np.uint8(rng.choice([0, 255])), gray)
    return drawn, Scene(contact=scene.contact, mask=scene.mask & ~covered)


def with_jpeg(gray: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Pass uint8 [H, W] through a JPEG of the given quality, 1 .. 100."""
    _, packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
