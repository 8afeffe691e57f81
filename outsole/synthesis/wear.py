"""Series of one shoe over a year: how a made sole wears from week to week, and which print it leaves.

A sole is a height field: ``grooves`` says how far below the top of the tread a place lies, in units of a deep groove.
Walking takes rubber off the top, at a rate of its own everywhere (Archard's law: wear grows with load and way, so with
time), until the ground reaches what lay below: elements grow because their walls lean, fine texture goes first, narrow
grooves close, neighbours merge, grooves vanish. Where there was no contact (the hollow of the arch, the tip of the toe)
contact comes as the rest sinks. A mark moulded below the surface comes to light where the rubber above it is gone, and
edges chip. So both directions lose something: what will chip, and what lies buried, no print tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise, step
from outsole.synthesis.outlines import Outline
from outsole.synthesis.patterns import lettering
from outsole.synthesis.shoe_relief import TreadRelief, tread_relief
from outsole.synthesis.shoes import ShoeModel
from outsole.synthesis.treads import DEFAULT_HEIGHT_PX, Tread, check_sole

LONGEST_WEEKS = 52.0
# ``outsole.synthesis.prints`` takes what lies above this for contact, over this softness.
_TOUCHING, _SOFTNESS = 0.62, 0.35
# How far rubber gives under load, and over which height contact goes from none to full.
_GIVE, _RAMP = 0.08, 0.12
_SINKING = 0.35
_CHIPS_A_YEAR = 5.0
# Places that wear first: along the sole (0 toe .. 1 heel), across it (-1 outer .. 1 inner side), reach of both.
_HEEL, _BALL, _TOE = (0.93, -0.5, 0.09, 0.9), (0.27, 0.15, 0.11, 0.9), (0.06, 0.1, 0.06, 0.8)


@dataclass(frozen=True)
class Wearer:
    """Who wears a shoe, and what it is made of; what a print does not say of its future.

    Attributes:
        pronation: Where the foot rolls to, -1 outwards .. 1 inwards.
        heel, ball, toe: Wear of these places beyond that of the whole sole, in deep grooves a year, 0 or more.
        overall: Wear of the whole sole, in deep grooves a year: weight, ground, hours and the rubber's hardness.
        exponent: Of time, about 1; below it a shoe wears fast at first.
    """

    pronation: float
    heel: float
    ball: float
    toe: float
    overall: float
    exponent: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Wearer:
        """Somebody."""
        weight, hardness = rng.uniform(0.7, 1.3), rng.uniform(0.8, 1.3)
        pace = float(weight / hardness)
        return cls(
            pronation=float(np.clip(rng.normal(0, 0.45), -1, 1)),
            heel=pace * float(rng.uniform(0.5, 1.1)),
            ball=pace * float(rng.uniform(0.3, 0.9)),
            toe=pace * float(rng.uniform(0.1, 0.7)),
            overall=pace * float(rng.uniform(0.15, 0.3)),
            exponent=float(rng.uniform(0.85, 1.05)),
        )


@dataclass(frozen=True)
class WearSeries:
    """One shoe over a year.

    Attributes:
        grooves: float16 [H, W], depth below the top of the new tread, in deep grooves; 0 on top.
        rate: float16 [H, W], rubber that a year takes, in deep grooves.
        clearance: float16 [H, W], height over the ground of the new sole's top, in deep grooves; 0 where it stands.
        buried: float16 [H, W], depth at which a mark lies below the top of the new tread; infinite where none does.
        chips: float32 [K, 4]: x, y and radius of a chip, pixels, and the week in which it came off.
        inside: bool [H, W], the sole's area.
        exponent: Of time, see ``Wearer``.
        shape, families: As of ``Tread``.
    """

    grooves: NDArray[np.float16]
    rate: NDArray[np.float16]
    clearance: NDArray[np.float16]
    buried: NDArray[np.float16]
    chips: NDArray[np.float32]
    inside: NDArray[np.bool_]
    exponent: float
    shape: str
    families: tuple[str, str, str]

    def contact(self, weeks: float) -> NDArray[np.float32]:
        """Where the sole touches plain ground after some weeks of wear.

        Args:
            weeks: 0 .. 52, from new.

        Returns:
            float32 [H, W], 0 no contact .. 1 full contact.

        Raises:
            InvalidInput: The weeks are out of range.
        """
        if not 0 <= weeks <= LONGEST_WEEKS:
            raise InvalidInput(f"{weeks:g} weeks", field="weeks", remedy=f"0 to {LONGEST_WEEKS:g}")
        year = np.float32((weeks / LONGEST_WEEKS) ** self.exponent)
        worn = year * self.rate.astype(np.float32)
        sunk = np.float32(_SINKING) * worn[self.inside].mean()
        below = np.maximum(self.grooves.astype(np.float32) - worn, 0)
        below += np.maximum(self.clearance.astype(np.float32) - sunk, 0)
        contact = step(np.float32(_GIVE) - below, _RAMP)
        contact *= 1 - step(worn - self.buried.astype(np.float32), _RAMP)
        for x, y, radius, week in self.chips[self.chips[:, 3] <= weeks].tolist():
            grown = radius * min(1.0, 0.5 + (weeks - week) / 16)
            cv2.circle(contact, (round(x), round(y)), max(1, round(grown)), 0.0, -1, cv2.LINE_AA)
        return np.where(self.inside, contact, np.float32(0))

    def tread(self, weeks: float) -> Tread:
        """The sole after some weeks, for ``outsole.synthesis.prints``; errors as of ``contact``."""
        depth = np.float32(_TOUCHING) + np.float32(_SOFTNESS) * (self.contact(weeks) - np.float32(0.5))
        return Tread(np.where(self.inside, depth, np.float32(0)), self.inside, self.shape, self.families)


def make_series(model: ShoeModel, seed: int, *, height_px: int = DEFAULT_HEIGHT_PX) -> WearSeries:
    """Make one shoe of a model with its wearer.

    Args:
        model: From ``outsole.synthesis.shoes.plan_models``.
        seed: At least 0; the same model, seed and height give the same series.
        height_px: Height of the image in pixels, at least 64; elements scale with it.

    Returns:
        A right shoe's print, toe up, tight about the sole.

    Raises:
        InvalidInput: A negative seed or too small a height.
    """
    check_sole(seed, height_px)
    rng = np.random.default_rng([0x3EA5, model.seed, int(model.model_id), seed])
    kind = (model.wearer, model.style, model.changed)
    made = tread_relief(model.seed, model.family, variant=model.variant, kind=kind, height_px=height_px)
    # What is moulded belongs to the tread; who wears it, to the shoe.
    moulded = np.random.default_rng([0x3EA6, model.seed, model.family, model.variant])
    clearance = _clearance(moulded, made.outline)
    wearer = Wearer.drawn(rng)
    rate = _rate(rng, wearer, made.outline) * np.exp(-8 * clearance)
    return WearSeries(
        grooves=_grooves(moulded, made, height_px).astype(np.float16),
        rate=rate.astype(np.float16),
        clearance=clearance.astype(np.float16),
        buried=_buried(moulded, made.outline).astype(np.float16),
        chips=_chips(rng, made, height_px),
        inside=made.outline.inside,
        exponent=wearer.exponent,
        shape=f"{model.wearer} {model.style}",
        families=made.families,
    )


def _grooves(rng: np.random.Generator, made: TreadRelief, height_px: int) -> NDArray[np.float32]:
    """Depth below the top: floors as deep as the relief is low, walls that lean, and on most soles a fine texture."""
    scale = height_px / DEFAULT_HEIGHT_PX
    tops = made.relief > 0.5
    away = cv2.distanceTransform(np.logical_not(tops).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    uneven = 1 + np.float32(0.12) * smooth_noise(rng, tops.shape, scale_px=0.2 * height_px)
    floor = np.float32(rng.uniform(0.6, 1.1)) * uneven * (1 - made.relief)
    run_px = np.float32(np.exp(rng.uniform(np.log(2.0), np.log(9.0))) * scale)
    walls = np.where(tops, np.float32(0), np.minimum(floor, away / run_px))
    if rng.random() < 0.6:
        walls = np.maximum(walls, _texture(rng, tops.shape, scale))
    return np.asarray(walls, np.float32)


def _texture(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> NDArray[np.float32]:
    """Fine lines or dots that a new sole has on its tops; float32 [H, W], their depth."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    period, angle = rng.uniform(5.0, 9.0) * scale, rng.uniform(0, np.pi)
    turns = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * np.float32(2 * np.pi / period)
    wave = np.cos(turns)
    if rng.random() < 0.5:
        wave = wave + np.cos((y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))) * np.float32(6.3 / period))
    return np.float32(rng.uniform(0.1, 0.25)) * step(wave - np.float32(rng.uniform(0.3, 0.7)), 0.5)


def _clearance(rng: np.random.Generator, outline: Outline) -> NDArray[np.float32]:
    """Height of the new sole's top over the ground: the arch, the tip of the toe, the rounded edge."""
    arch = np.float32(rng.uniform(0.0, 0.45)) * np.exp(-(((outline.along - np.float32(0.58)) / np.float32(0.09)) ** 2))
    toe = np.float32(rng.uniform(0.0, 0.3)) * step(np.float32(0.05) - outline.along, 0.05)
    edge = np.float32(0.3) * step(np.float32(1.5) - outline.edge_px, 3.0)
    return np.asarray(np.maximum(arch, toe) + edge, np.float32)


def _rate(rng: np.random.Generator, wearer: Wearer, outline: Outline) -> NDArray[np.float32]:
    """Rubber that a year takes from every place, float32 [H, W]."""
    across = outline.across.clip(-1.5, 1.5)
    rate: NDArray[np.float32] = np.full(across.shape, wearer.overall, np.float32)
    for (along, side, reach, width), amount in (
        (_HEEL, wearer.heel),
        (_BALL, wearer.ball),
        (_TOE, wearer.toe),
    ):
        middle = along + rng.uniform(-0.015, 0.015)
        rolled = side + 0.45 * wearer.pronation + rng.uniform(-0.15, 0.15)
        rows = np.exp(-(((outline.along - np.float32(middle)) / np.float32(reach)) ** 2))
        rate += np.float32(amount) * rows * np.exp(-(((across - np.float32(rolled)) / np.float32(width)) ** 2))
    uneven = 1 + np.float32(0.12) * smooth_noise(rng, across.shape, scale_px=0.08 * len(across))
    return np.asarray(rate * np.maximum(uneven, np.float32(0.2)), np.float32)


def _buried(rng: np.random.Generator, outline: Outline) -> NDArray[np.float32]:
    """Depth of a word moulded below the surface, on a third of the soles; infinite elsewhere."""
    shape = outline.inside.shape
    if rng.random() >= 0.33:
        return np.full(shape, np.inf, np.float32)
    scale = shape[0] / DEFAULT_HEIGHT_PX
    along = rng.choice([rng.uniform(0.24, 0.32), rng.uniform(0.85, 0.92)])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(along * shape[0])
    x = np.arange(shape[1], dtype=np.float32)[None] - np.float32(0.5 * shape[1])
    letters = lettering(x, y, rng.uniform(16, 30) * scale, rng)
    return np.where(letters > 0.5, np.float32(rng.uniform(0.2, 0.6)), np.float32(np.inf))


def _chips(rng: np.random.Generator, made: TreadRelief, height_px: int) -> NDArray[np.float32]:
    """What breaks off in a year, at the edges of elements; float32 [K, 4]."""
    count = int(rng.poisson(_CHIPS_A_YEAR))
    edges = np.argwhere((np.abs(made.relief - np.float32(0.5)) < 0.4) & made.outline.inside)
    if not count or not len(edges):
        return np.empty((0, 4), np.float32)
    places = edges[rng.integers(len(edges), size=count)]
    radii = rng.uniform(2.0, 6.0, size=count) * height_px / DEFAULT_HEIGHT_PX
    weeks = rng.uniform(0, LONGEST_WEEKS, size=count)
    return np.column_stack([places[:, 1], places[:, 0], radii, weeks]).astype(np.float32)
