"""Tiles of texture that prints are eroded with and laid on, made once a process, cut out anywhere.

Two banks have no texture in common, neither in kind nor in randomness: one to train on and one held out for evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import fractal_noise

Field = NDArray[np.float32]
_TILE_PX = 1024


@dataclass(frozen=True)
class TextureBank:
    """Tiles by what they are for; each float32 [1024, 1024], mean 0, standard deviation 1.

    Attributes:
        grain: Fine, to lose grains of a print by.
        patches: Coarse, to lose whole parts by.
        floor: What a print lies on.
        specks: Sparse, mostly low with high spots: crumbs, drops, bubbles.
    """

    grain: tuple[Field, ...]
    patches: tuple[Field, ...]
    floor: tuple[Field, ...]
    specks: tuple[Field, ...]


@cache
def texture_bank(*, held_out: bool) -> TextureBank:
    """The bank to train on, or the one that training never sees; built at the first call (about half a second)."""
    return _held_out_bank() if held_out else _training_bank()


def cut(rng: np.random.Generator, tiles: tuple[Field, ...], shape: tuple[int, int], *, zoom: float) -> Field:
    """A piece of one of the tiles, from anywhere, flipped by chance.

    Args:
        rng: Which tile, and where.
        tiles: Of a bank.
        shape: (H, W) of the piece.
        zoom: Magnification of the texture, above 0; 1 leaves its own scale.

    Returns:
        float32 [H, W], mean about 0, standard deviation about 1; perhaps a view of the tile, not to be written to.
    """
    tile = tiles[int(rng.integers(len(tiles)))]
    rows, columns = (min(max(round(side / zoom), 2), _TILE_PX) for side in shape)
    top, left = int(rng.integers(_TILE_PX - rows + 1)), int(rng.integers(_TILE_PX - columns + 1))
    piece = tile[top : top + rows, left : left + columns]
    down, right = (-1 if flip else 1 for flip in rng.random(2) < 0.5)
    if (rows, columns) != shape:
        piece = np.asarray(cv2.resize(piece, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
    return piece[::down, ::right]


def _training_bank() -> TextureBank:
    rng = np.random.default_rng(0x7EC5)
    square = (_TILE_PX, _TILE_PX)
    cloud = _standard(fractal_noise(rng, square, largest_px=150, octaves=6))
    mottle = _standard(fractal_noise(rng, square, largest_px=45, octaves=5))
    grain = _standard(fractal_noise(rng, square, largest_px=6, octaves=3, gain=0.8))
    return TextureBank(
        grain=(grain, _standard(cv2.GaussianBlur(rng.standard_normal(square, dtype=np.float32), (0, 0), 0.8))),
        patches=(cloud, _standard(fractal_noise(rng, square, largest_px=90, octaves=5))),
        floor=(cloud, mottle, _streaks(rng, 220, 4), _standard(mottle + grain)),
        specks=(_blobs(rng, 2.2, 2.3), _blobs(rng, 4.0, 2.6)),
    )


def _held_out_bank() -> TextureBank:
    rng = np.random.default_rng(0x4E1D)
    square = (_TILE_PX, _TILE_PX)
    boxes = cv2.blur(rng.random(square, dtype=np.float32), (3, 3))
    ridges = _standard(np.asarray(-np.abs(fractal_noise(rng, square, largest_px=130, octaves=4)), np.float32))
    return TextureBank(
        grain=(_standard(np.asarray(boxes, np.float32)), _cells(rng, 22_000)),
        patches=(_cells(rng, 120), _standard(cv2.GaussianBlur(ridges, (0, 0), 4))),
        floor=(_cells(rng, 3_000), _cloth(rng), ridges, _scratches(rng)),
        specks=(_scratches(rng), _cells(rng, 2_500) ** 3),
    )


def _standard(field: NDArray[Any]) -> Field:
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _streaks(rng: np.random.Generator, long_px: float, short_px: float) -> Field:
    """Wood grain or wiping, lengthwise."""
    coarse = rng.standard_normal((int(_TILE_PX / long_px) + 3, int(_TILE_PX / short_px) + 3), dtype=np.float32)
    return _standard(cv2.resize(coarse, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_CUBIC))


def _blobs(rng: np.random.Generator, size_px: float, rare: float) -> Field:
    """Sparse round spots: what of a smooth field exceeds ``rare`` deviations less a half."""
    field = cv2.GaussianBlur(rng.standard_normal((_TILE_PX, _TILE_PX), dtype=np.float32), (0, 0), size_px)
    return _standard(np.clip(field / field.std() - np.float32(rare - 0.5), 0, 1))


def _cells(rng: np.random.Generator, count: int) -> Field:
    """Distance to the nearest of random points (Worley's first basis function)."""
    apart = np.ones((_TILE_PX, _TILE_PX), np.uint8)
    apart[rng.integers(_TILE_PX, size=count), rng.integers(_TILE_PX, size=count)] = 0
    return _standard(cv2.distanceTransform(apart, cv2.DIST_L2, 3))


def _cloth(rng: np.random.Generator) -> Field:
    """Warp and weft of a coarse cloth or a carpet."""
    y, x = np.mgrid[:_TILE_PX, :_TILE_PX].astype(np.float32)
    wobble = fractal_noise(rng, (_TILE_PX, _TILE_PX), largest_px=60, octaves=3)
    return _standard(np.sin(x / np.float32(1.3) + wobble) * np.sin(y / np.float32(1.5) + np.float32(1.5) * wobble))


def _scratches(rng: np.random.Generator) -> Field:
    """Thin straight strokes, mostly along one direction, some across."""
    strokes = np.zeros((_TILE_PX, _TILE_PX), np.float32)
    starts = rng.uniform(0, _TILE_PX, size=(700, 2))
    angles = np.where(rng.random(700) < 0.75, rng.normal(1.1, 0.12, 700), rng.uniform(0, np.pi, 700))
    ends = starts + rng.uniform(20, 180, size=(700, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lines = np.rint(np.stack([starts, ends], axis=1)).astype(np.int32)
    cv2.polylines(strokes, list(lines), False, 1.0, 1, cv2.LINE_8)
    return _standard(cv2.GaussianBlur(strokes, (0, 0), 0.7))
