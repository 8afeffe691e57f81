"""Scans of made impressions: what a scanner and a desk add to them, and how far a picture is from the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scan:
    """A scan, uint8 [H, W], the impression without its noise, and where debris lies, bool [H, W]."""

    gray: Pixels
    clean: Pixels
    debris: NDArray[np.bool_]


def impression(seed: int, *, margin_px: int = 0) -> Pixels:
    """A clean impression, with paper about it."""
    gray = clean_impression(make_tread(seed), seed)
    return np.asarray(cv2.copyMakeBorder(gray, *(margin_px,) * 4, cv2.BORDER_CONSTANT, value=(251,)), np.uint8)


def scan_of(clean: Pixels, seed: int, *, grain: float = 12.0, specks: int = 100, hairs: int = 4) -> Scan:
    """Debris and hairs on an impression, a light that falls off towards one corner, and grain."""
    rng = np.random.default_rng(seed)
    height, width = clean.shape
    gray, debris = clean.copy(), np.zeros(clean.shape, np.uint8)
    for _ in range(specks):
        centre, radius = (int(rng.integers(width)), int(rng.integers(height))), int(rng.integers(1, 4))
        cv2.circle(gray, centre, radius, int(rng.integers(20, 150)), cv2.FILLED)
        cv2.circle(debris, centre, radius, 1, cv2.FILLED)
    for _ in range(hairs):
        way = np.linspace(0, rng.uniform(40, 120), 20)
        angle = rng.uniform(0, 2 * np.pi) + rng.uniform(-1, 1) * way / 120
        line = rng.uniform((0, 0), (width, height)) + np.stack([way * np.cos(angle), way * np.sin(angle)], axis=1)
        points = [np.rint(line).astype(np.int32).reshape(-1, 1, 2)]
        cv2.polylines(gray, points, False, 60, 1, cv2.LINE_AA)
        cv2.polylines(debris, points, False, 1, 2)
    light = 1 - 0.15 * np.linspace(0, 1, width)[None] * np.linspace(0.3, 1, height)[:, None]
    noisy = np.clip(gray * light + rng.normal(0, grain, gray.shape), 0, 255)
    return Scan(noisy.astype(np.uint8), clean, debris.astype(np.bool_))


def psnr_db(first: Pixels, second: Pixels) -> float:
    """Peak signal to noise ratio of two pictures [H, W] that differ, dB."""
    return float(cv2.PSNR(first, second))


def ssim(first: Pixels, second: Pixels) -> float:
    """Structural similarity by Gaussian windows of 1.5 px, averaged; at most 1."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b = _soft(a), _soft(b)
    spread = _soft(a * a) - mean_a**2 + _soft(b * b) - mean_b**2 + 58.5225
    shared = 2 * (_soft(a * b) - mean_a * mean_b) + 58.5225
    return float(((2 * mean_a * mean_b + 6.5025) * shared / ((mean_a**2 + mean_b**2 + 6.5025) * spread)).mean())


def _soft(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)


def png(picture: NDArray[np.unsignedinteger]) -> bytes:
    """PNG bytes of a picture [H, W], or [H, W, 3] with blue first."""
    return cv2.imencode(".png", picture)[1].tobytes()
