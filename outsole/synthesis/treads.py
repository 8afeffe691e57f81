"""Made treads: a sole shape, zones with their tread families, and the depth map that they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise, step
from outsole.synthesis.outlines import SHAPES, Outline, make_outline
from outsole.synthesis.patterns import FAMILIES, glyphs, rings

PX_PER_CM = 20
DEFAULT_HEIGHT_PX = 586
MIN_HEIGHT_PX = 64
_GROOVE_DEPTH = 0.25


@dataclass(frozen=True)
class Tread:
    """One made sole, a right shoe's print, toe up.

    Attributes:
        depth: float32 [H, W], 0 far (and outside the sole) .. 1 touching.
        inside: bool [H, W], the sole's area.
        shape: Name of the sole shape.
        families: Tread families of forefoot, arch and heel; ``blank`` where a zone does not touch.
    """

    depth: NDArray[np.float32]
    inside: NDArray[np.bool_]
    shape: str
    families: tuple[str, str, str]


def check_sole(seed: int, height_px: int) -> None:
    """Raise ``InvalidInput`` for a negative seed, or for a height in which no element has room."""
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    if height_px < MIN_HEIGHT_PX:
        raise InvalidInput(f"the height is {height_px} px", field="height_px", remedy=f"at least {MIN_HEIGHT_PX} px")


def make_tread(seed: int, *, height_px: int = DEFAULT_HEIGHT_PX) -> Tread:
    """Make the tread that belongs to a seed.

    Args:
        seed: At least 0; the same seed and height give the same tread.
        height_px: Height of the image in pixels, at least 64. At the default of 586 there are 20 px to the centimetre;
            elements scale with the height.

    Returns:
        A tread about 0.37 times as wide as it is high.

    Raises:
        InvalidInput: A negative seed or too small a height.
    """
    check_sole(seed, height_px)
    rng = np.random.default_rng([0x501E, seed])
    shape = str(rng.choice(SHAPES))
    outline = make_outline(rng, height_px, shape=shape)
    scale = height_px / DEFAULT_HEIGHT_PX
    relief, families = _zones(rng, outline, scale)
    relief = _with_pivot(rng, relief, outline, scale)
    relief = _with_rim(rng, relief, outline, scale)
    relief = _with_flex_grooves(rng, relief, outline, scale)
    relief = _with_logo(rng, relief, outline, scale)
    return Tread(depth=_to_depth(rng, relief, outline), inside=outline.inside, shape=shape, families=families)


def _grid(outline: Outline) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixel coordinates from the image's centre: x [1, W] and y [H, 1]."""
    height, width = outline.inside.shape
    x = np.arange(width, dtype=np.float32)[None] - np.float32(width / 2)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    return x, y


def _one_zone(rng: np.random.Generator, family: str, outline: Outline, scale: float) -> NDArray[np.float32]:
    x, y = _grid(outline)
    angle = rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5), np.pi / 2])
    # A slow bend keeps long bars from being ruler-straight on every sole.
    bend = np.float32(rng.uniform(-14, 14) * scale) * outline.across.clip(-1.2, 1.2) ** 2
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = x * cosine + y * sine, y * cosine - x * sine + bend
    cell = rng.uniform(14, 42) * scale if family != "stipple" else rng.uniform(16, 26) * scale
    if family == "rings":
        v = v + np.float32(rng.uniform(-0.35, 0.35) * outline.inside.shape[0])
    relief = FAMILIES[family](u + np.float32(rng.uniform(0, cell)), v + np.float32(rng.uniform(0, cell)), cell, rng)
    return 1 - relief if rng.random() < 0.12 else relief


def _zones(
    rng: np.random.Generator, outline: Outline, scale: float
) -> tuple[NDArray[np.float32], tuple[str, str, str]]:
    """Relief of the three zones, divided by curved gaps, with the names of their families."""
    names = list(FAMILIES)
    fore = str(rng.choice(names))
    arch = str(rng.choice([fore, "blank", "blank", str(rng.choice(names))]))
    heel = fore if rng.random() < 0.4 else str(rng.choice(names))
    fore_relief = _one_zone(rng, fore, outline, scale)
    heel_relief = fore_relief if heel == fore else _one_zone(rng, heel, outline, scale)
    arch_relief = np.zeros_like(fore_relief)
    if arch != "blank":
        arch_relief = fore_relief if arch == fore else _one_zone(rng, arch, outline, scale)
    curve = np.float32(rng.uniform(-0.05, 0.05)) * outline.across.clip(-1.2, 1.2) ** 2 + np.float32(
        rng.uniform(-0.03, 0.03)
    ) * outline.across.clip(-1.2, 1.2)
    bent = outline.along + curve
    upper, lower = np.float32(rng.uniform(0.44, 0.54)), np.float32(rng.uniform(0.66, 0.74))
    relief = np.where(bent < upper, fore_relief, np.where(bent < lower, arch_relief, heel_relief))
    gap = np.float32(rng.uniform(2, 6) * scale / outline.inside.shape[0])
    if not fore == arch == heel:
        relief = relief * step(np.minimum(np.abs(bent - upper), np.abs(bent - lower)) - gap, 0.003)
    return np.asarray(relief, np.float32), (fore, arch, heel)


def _with_pivot(
    rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline, scale: float
) -> NDArray[np.float32]:
    """Concentric rings under the ball of the foot (and the heel), on half of the soles."""
    for along, chance in ((rng.uniform(0.24, 0.34), 0.4), (rng.uniform(0.82, 0.88), 0.2)):
        if rng.random() >= chance:
            continue
        x, y = _grid(outline)
        height = outline.inside.shape[0]
        row = int(along * height)
        columns = np.flatnonzero(outline.inside[row])
        middle = columns.mean() + rng.uniform(-0.1, 0.1) * len(columns)
        dx, dy = x - np.float32(middle - outline.inside.shape[1] / 2), y - np.float32(row - height / 2)
        radius = rng.uniform(0.2, 0.42) * len(columns)
        distance = np.sqrt(dx * dx + dy * dy)
        inner = step(np.float32(radius) - distance, 1.5)
        moat = step(distance - np.float32(radius + 3 * scale), 1.5)
        relief = relief * moat + inner * rings(dx, dy, rng.uniform(12, 26) * scale, rng)
    return relief


def _with_rim(
    rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline, scale: float
) -> NDArray[np.float32]:
    """An edge band: none, solid, or cut into blocks along the edge."""
    kind = rng.choice(["none", "none", "solid", "blocks"])
    if kind == "none":
        return relief
    width = rng.uniform(7, 13) * scale if kind == "solid" else rng.uniform(12, 26) * scale
    band = step(np.float32(width) - outline.edge_px, 1.5)
    if kind == "blocks":
        _, y = _grid(outline)
        period = rng.uniform(16, 36) * scale
        slanted = y + np.float32(rng.uniform(-0.4, 0.4)) * np.abs(outline.across.clip(-1.5, 1.5)) * np.float32(
            40 * scale
        )
        turns = slanted / np.float32(period)
        blocks = step(np.abs(turns - np.rint(turns)) * np.float32(period) - np.float32(2.2 * scale), 1.5)
    else:
        blocks = np.ones_like(relief)
    outside_band = step(outline.edge_px - np.float32(width + rng.uniform(2, 5) * scale), 1.5)
    return np.asarray(relief * outside_band + band * blocks, np.float32)


def _with_flex_grooves(
    rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline, scale: float
) -> NDArray[np.float32]:
    """Up to three curved grooves across the forefoot, on a third of the soles."""
    if rng.random() >= 0.35:
        return relief
    height = outline.inside.shape[0]
    bent = outline.along + np.float32(rng.uniform(-0.05, 0.05)) * outline.across.clip(-1.2, 1.2) ** 2
    for along in rng.uniform(0.12, 0.46, size=int(rng.integers(1, 4))):
        distance = np.abs(bent - np.float32(along)) * np.float32(height)
        relief = relief * step(distance - np.float32(3 * scale), 1.5)
    return relief


def _with_logo(
    rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline, scale: float
) -> NDArray[np.float32]:
    """A plate with letters in the arch, on a third of the soles."""
    if rng.random() >= 0.35:
        return relief
    x, y = _grid(outline)
    height = outline.inside.shape[0]
    dy = y - np.float32((rng.uniform(0.56, 0.62) - 0.5) * height)
    dx = x - np.float32(rng.uniform(-10, 10) * scale)
    if rng.random() < 0.5:
        dx, dy = dy + 0 * dx, dx + 0 * dy
    cell = rng.uniform(14, 20) * scale
    letters = glyphs(dx + 0 * dy, dy + 0 * dx, cell, rng)
    plate = np.maximum(np.abs(dx) - np.float32(2.2 * cell), np.abs(dy) - np.float32(0.9 * cell))
    if rng.random() < 0.5:
        letters = 1 - letters
    return np.asarray(np.where(plate < 0, letters, relief * step(plate - 3, 1.5)), np.float32)


def _to_depth(rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline) -> NDArray[np.float32]:
    """Relief 0 .. 1 to depth: grooves have a floor, the arch is hollow, the edge is rounded, rubber is uneven."""
    hollow = np.float32(rng.uniform(0.0, 0.3)) * np.exp(-(((outline.along - np.float32(0.58)) / np.float32(0.1)) ** 2))
    rounded = np.clip(outline.edge_px / np.float32(5), 0, 1)
    uneven = smooth_noise(rng, outline.inside.shape, scale_px=40) * np.float32(0.03)
    depth = np.float32(_GROOVE_DEPTH) + np.float32(1 - _GROOVE_DEPTH) * relief
    depth = (depth - hollow + uneven - np.float32(0.03)) * (np.float32(0.6) + np.float32(0.4) * rounded)
    return np.asarray(np.where(outline.inside, np.clip(depth, 0.02, 1.0), 0.0), np.float32)
