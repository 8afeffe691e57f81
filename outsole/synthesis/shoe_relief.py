"""The relief of a shoe model's tread, element by element.

Each element draws from a stream of its own, so one can change while all the others stay as they are: that is what a
near-duplicate is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.noise import step
from outsole.synthesis.outlines import Outline, make_shoe_outline
from outsole.synthesis.patterns import FAMILIES, FURTHER_FAMILIES, Field, glyphs, lettering, rings
from outsole.synthesis.treads import DEFAULT_HEIGHT_PX

ELEMENTS = ("outline", "layout", "fore", "arch", "heel", "insert", "pivot", "rim", "grooves", "logo", "siping")
_PATTERNS = {**FAMILIES, **FURTHER_FAMILIES}
_POOLS = {
    "sport": (
        *("waves", "herringbone", "hexagons", "lugs", "triangles", "tyre", "chevrons", "contours", "crosses"),
        *("nested", "bars", "circles", "pebbles", "checks"),
    ),
    "boot": ("lugs", "lugs", "pebbles", "crosses", "chevrons", "tyre", "nested", "weave", "triangles", "bars"),
    "formal": ("bars", "stipple", "waves", "weave", "contours", "checks", "solid", "herringbone"),
    "court": ("herringbone", "herringbone", "circles", "hexagons", "checks", "stipple", "weave", "nested", "waves"),
}
# Size of one element at 20 px/cm, pixels.
_CELLS_PX = {"sport": (12.0, 42.0), "boot": (24.0, 58.0), "formal": (8.0, 24.0), "court": (10.0, 32.0)}
_DENSE = {"stipple": (16.0, 24.0), "pebbles": (18.0, 46.0), "nested": (24.0, 58.0), "weave": (18.0, 46.0)}


@dataclass(frozen=True)
class TreadRelief:
    """The tread that models share.

    Attributes:
        relief: float32 [H, W], 0 floor of the grooves .. 1 top.
        outline: Where the sole is.
        families: Pattern of forefoot, arch and heel; ``blank`` where there is none.
    """

    relief: NDArray[np.float32]
    outline: Outline
    families: tuple[str, str, str]


@dataclass(frozen=True)
class _Frame:
    """What every element is drawn on: the outline, the style, pixels from the centre, px over 20 px/cm, the streams."""

    outline: Outline
    style: str
    x: Field
    y: Field
    scale: float
    key: tuple[int, int]
    changed: str
    variant: int

    def base(self, element: str) -> np.random.Generator:
        """The stream of the family's own tread."""
        return np.random.default_rng([0x7E11, *self.key, ELEMENTS.index(element), 0])

    def own(self, element: str) -> np.random.Generator:
        """The stream of this variant: the family's, but for the element that changed."""
        version = self.variant if self.changes(element) else 0
        return np.random.default_rng([0x7E11, *self.key, ELEMENTS.index(element), version])

    def changes(self, element: str) -> bool:
        """Whether the element differs from the family's own."""
        return self.variant > 0 and element == self.changed


# Training asks for the instances of one model one after the other; their relief is the same.
@lru_cache(maxsize=4)
def tread_relief(seed: int, family: int, *, variant: int, kind: tuple[str, str, str], height_px: int) -> TreadRelief:
    """Draw the tread of a family's variant.

    Args:
        seed: The plan's seed.
        family: Number of the family.
        variant: 0 for the family's own tread.
        kind: (wearer, style, changed element or empty).
        height_px: Height in pixels.

    Returns:
        Relief and outline of a right shoe's print, tight about the sole; the arrays cannot be written to.
    """
    wearer, style, changed = kind
    streams = np.random.default_rng([0x7E11, seed, family, 0, 0])
    outline = make_shoe_outline(streams, height_px, wearer=wearer, style=style)
    height, width = outline.inside.shape
    x = np.arange(width, dtype=np.float32)[None] - np.float32(width / 2)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    scale = height_px / DEFAULT_HEIGHT_PX * (1.15 if wearer == "children" else 1.0)
    frame = _Frame(outline, style, x, y, scale, key=(seed, family), changed=changed, variant=variant)
    relief, families = _zones(frame)
    for add in (_siped, _with_insert, _with_pivot, _with_rim, _with_grooves, _with_logo):
        relief = add(frame, relief)
    for array in (relief, outline.inside, outline.edge_px, outline.across, outline.along):
        array.setflags(write=False)
    return TreadRelief(relief, outline, families)


def _pattern(rng: np.random.Generator, name: str, frame: _Frame) -> Field:
    """One pattern over the whole sole, straight, turned, or bent with the foot."""
    outline, scale = frame.outline, frame.scale
    height, width = outline.inside.shape
    across = outline.across.clip(-1.3, 1.3)
    bend = np.float32(rng.uniform(-22, 22) * scale) * across**2
    x: Field = frame.x
    if rng.random() < 0.3:
        # Columns that follow the sole's sides instead of running straight.
        x = across * np.float32(0.42 * width)
    angle = float(rng.choice([0.0, 0.0, rng.uniform(-0.6, 0.6), np.pi / 2]))
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    y = frame.y + bend
    u, v = x * cosine + y * sine, y * cosine - x * sine
    low, high = _DENSE.get(name, _CELLS_PX[frame.style])
    cell = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * scale
    if name == "circles" and rng.random() < 0.3:
        name, v = "rings", v + np.float32(rng.uniform(-0.3, 0.3) * height)
    shift = 0.0 if name in ("rings", "tyre") else float(rng.uniform(0, cell))
    relief = _PATTERNS[name](u + np.float32(shift), v + np.float32(shift), cell, rng)
    return 1 - relief if rng.random() < 0.1 and name != "solid" else relief


def _name(frame: _Frame, element: str, others: tuple[str, ...] = ()) -> str:
    """The zone's pattern; a changed zone never draws the one that the family has."""
    pool = (*_POOLS[frame.style], *others)
    name = pool[int(frame.base(element).integers(len(pool)))]
    if not frame.changes(element):
        return name
    left = tuple(other for other in pool if other not in (name, *others))
    return left[int(frame.own(element).integers(len(left)))]


def _zones(frame: _Frame) -> tuple[Field, tuple[str, str, str]]:
    """Relief of the three zones, divided by curved gaps, with the names of their patterns."""
    outline, rng = frame.outline, frame.base("layout")
    copies_heel = rng.random() < 0.4 and not frame.changes("heel")
    copies_arch = rng.random() < 0.25 and not frame.changes("arch")
    fore = _name(frame, "fore")
    fore_relief = _pattern(frame.own("fore"), fore, frame)
    heel = fore if copies_heel else _name(frame, "heel")
    heel_relief = fore_relief if copies_heel else _pattern(frame.own("heel"), heel, frame)
    arch = fore if copies_arch else _name(frame, "arch", ("blank",) * (6 if frame.style != "formal" else 24))
    arch_relief: Field = np.zeros_like(fore_relief)
    if arch != "blank":
        arch_relief = fore_relief if copies_arch else _pattern(frame.own("arch"), arch, frame)
    across = outline.across.clip(-1.2, 1.2)
    bent = outline.along + np.float32(rng.uniform(-0.07, 0.07)) * across**2 + np.float32(rng.normal() * 0.03) * across
    upper, lower = np.float32(rng.uniform(0.42, 0.54)), np.float32(rng.uniform(0.64, 0.74))
    relief = np.where(bent < upper, fore_relief, np.where(bent < lower, arch_relief, heel_relief))
    if not fore == arch == heel:
        gap = np.float32(rng.uniform(2, 6) * frame.scale / outline.inside.shape[0])
        relief = relief * step(np.minimum(np.abs(bent - upper), np.abs(bent - lower)) - gap, 0.003)
    return relief, (fore, arch, heel)


def _siped(frame: _Frame, relief: Field) -> Field:
    """Fine slits all over, on a fifth of the soles."""
    rng = frame.own("siping")
    if rng.random() >= 0.2:
        return relief
    period, lean = rng.uniform(8, 16) * frame.scale, np.float32(rng.uniform(-0.6, 0.6))
    wavy = np.float32(rng.uniform(0, 3) * frame.scale) * np.sin(frame.x / np.float32(4 * frame.scale))
    turns = (frame.y + frame.x * lean + wavy) / np.float32(period)
    slit = np.abs(turns - np.rint(turns)) * np.float32(period) - np.float32(0.9 * frame.scale)
    return relief * (np.float32(0.35) + np.float32(0.65) * step(np.asarray(slit, np.float32), 1.2))


def _present(frame: _Frame, element: str, chance: float) -> bool:
    """Whether the sole has the element; a variant that changes it always has one, drawn anew."""
    return bool(frame.base(element).random() < chance) or frame.changes(element)


def _with_insert(frame: _Frame, relief: Field) -> Field:
    """A field with a pattern of its own: an oval under the ball or a strip along the middle."""
    if not _present(frame, "insert", 0.35):
        return relief
    rng = frame.own("insert")
    rng.random()
    pool = _POOLS[frame.style]
    inner = _pattern(rng, pool[int(rng.integers(len(pool)))], frame)
    height, width = frame.outline.inside.shape
    if rng.random() < 0.6:
        half_x, half_y = width * rng.uniform(0.16, 0.34), height * rng.uniform(0.08, 0.17)
        dx = frame.x - np.float32(rng.uniform(-0.14, 0.14) * width)
        dy = frame.y + np.float32(rng.uniform(0.15, 0.3) * height)
        power = rng.choice([2, 4])
        reach = (np.abs(dx) / np.float32(half_x)) ** power + (np.abs(dy) / np.float32(half_y)) ** power
        away = (reach ** np.float32(1 / power) - 1) * np.float32(half_x)
    else:
        half = np.float32(width * rng.uniform(0.07, 0.14))
        wavy = np.float32(rng.uniform(0, 0.05) * width) * np.sin(frame.y * np.float32(rng.uniform(5, 14) / height))
        away = np.abs(frame.x - np.float32(rng.uniform(-0.1, 0.1) * width) + wavy) - half
    return _bordered(rng, frame, relief, inner, np.asarray(away, np.float32))


def _bordered(rng: np.random.Generator, frame: _Frame, relief: Field, inner: Field, away: Field) -> Field:
    """Put ``inner`` where ``away`` (pixels from the border, negative inside) is negative, with a groove or a ridge."""
    wide = np.float32(rng.uniform(2, 5) * frame.scale)
    border = step(wide - np.abs(away), 1.5)
    joined = np.where(away < 0, inner, relief)
    ridge = rng.random() < 0.4
    moat = step(np.abs(away) - wide * np.float32(2), 1.5) if ridge else 1 - border
    return np.asarray(np.maximum(joined * moat, border) if ridge else joined * moat, np.float32)


def _with_pivot(frame: _Frame, relief: Field) -> Field:
    """Concentric rings under the ball of the foot, sometimes under the heel too."""
    chance = {"sport": 0.25, "boot": 0.15, "formal": 0.05, "court": 0.45}[frame.style]
    if not _present(frame, "pivot", chance):
        return relief
    rng = frame.own("pivot")
    rng.random()
    places = [rng.uniform(0.22, 0.34), rng.uniform(0.82, 0.88)][: 2 if rng.random() < 0.3 else 1]
    height, width = frame.outline.inside.shape
    for along in places:
        dx = frame.x - np.float32(rng.uniform(-0.08, 0.12) * width)
        dy = frame.y - np.float32((along - 0.5) * height)
        radius = np.float32(rng.uniform(0.12, 0.3) * width)
        distance = np.sqrt(dx * dx + dy * dy)
        moat = step(distance - radius - np.float32(3 * frame.scale), 1.5)
        inner = step(radius - distance, 1.5) * rings(dx, dy, rng.uniform(11, 26) * frame.scale, rng)
        relief = relief * moat + inner
    return relief


def _with_rim(frame: _Frame, relief: Field) -> Field:
    """An edge band: none, solid, one or two lines, or cut into blocks along the edge."""
    kinds = ("none", "none", "solid", "lines", "blocks", "blocks")
    kind = kinds[int(frame.base("rim").integers(len(kinds)))]
    if frame.changes("rim"):
        left = [other for other in kinds if other not in (kind, "none")]
        kind = left[int(frame.own("rim").integers(len(left)))]
    if kind == "none":
        return relief
    rng = frame.own("rim")
    rng.random()
    scale, edge = frame.scale, frame.outline.edge_px
    width = (rng.uniform(14, 34) if kind == "blocks" else rng.uniform(6, 15)) * scale
    band = step(np.float32(width) - edge, 1.5)
    blocks: Field = np.ones((1, 1), np.float32)
    if kind == "lines":
        turns = edge / np.float32(width / rng.integers(2, 4))
        blocks = step(np.abs(turns - np.rint(turns)) - np.float32(0.2), 0.2)
    if kind == "blocks":
        period = rng.uniform(14, 44) * scale
        lean = np.float32(rng.uniform(-30, 30) * scale)
        turns = (frame.y + lean * np.abs(frame.outline.across.clip(-1.5, 1.5))) / np.float32(period)
        gap = np.float32(rng.uniform(1.5, 4) * scale)
        blocks = step(np.abs(turns - np.rint(turns)) * np.float32(period) - gap, 1.5)
    apart = step(edge - np.float32(width + rng.uniform(2, 5) * scale), 1.5)
    return relief * apart + band * blocks


def _with_grooves(frame: _Frame, relief: Field) -> Field:
    """Up to four curved grooves across the forefoot, or one along the sole."""
    if not _present(frame, "grooves", 0.35):
        return relief
    rng = frame.own("grooves")
    rng.random()
    height, width = frame.outline.inside.shape
    half = np.float32(rng.uniform(2.0, 4.5) * frame.scale)
    if rng.random() < 0.25:
        bow = np.float32(rng.uniform(-0.12, 0.12) * width) * np.cos(frame.y * np.float32(2 * np.pi / height))
        return relief * step(np.abs(frame.x - np.float32(rng.uniform(-0.12, 0.12) * width) + bow) - half, 1.5)
    across = frame.outline.across.clip(-1.2, 1.2)
    bent = frame.outline.along + np.float32(rng.uniform(-0.06, 0.06)) * across**2
    for along in rng.uniform(0.1, 0.46, size=int(rng.integers(2, 5))):
        relief = relief * step(np.abs(bent - np.float32(along)) * np.float32(height) - half, 1.5)
    return relief


def _with_logo(frame: _Frame, relief: Field) -> Field:
    """A plate with a word or a mark, in the arch or elsewhere."""
    if not _present(frame, "logo", 0.4):
        return relief
    rng = frame.own("logo")
    rng.random()
    height, width = frame.outline.inside.shape
    along = rng.choice(
        [rng.uniform(0.54, 0.62), rng.uniform(0.54, 0.62), rng.uniform(0.2, 0.3), rng.uniform(0.8, 0.88)]
    )
    dx = frame.x - np.float32(rng.uniform(-0.06, 0.06) * width) + 0 * frame.y
    dy = frame.y - np.float32((along - 0.5) * height) + 0 * frame.x
    if rng.random() < 0.4:
        dx, dy = dy, -dx
    cell = rng.uniform(12, 26) * frame.scale
    draw = glyphs if rng.random() < 0.3 else lettering
    letters = draw(dx, dy, cell, rng)
    letters = 1 - letters if rng.random() < 0.4 else letters
    reach_x, reach_y = np.float32(rng.uniform(1.9, 3.0) * cell), np.float32(rng.uniform(0.8, 1.3) * cell)
    away = np.maximum(np.abs(dx) - reach_x, np.abs(dy) - reach_y)
    if rng.random() < 0.35:
        away = (np.sqrt((dx / reach_x) ** 2 + (dy / reach_y) ** 2) - 1) * reach_y
    return _bordered(rng, frame, relief, letters, np.asarray(away, np.float32))
