"""What the upper of a shoe model looks like: cut, panels, colours and the mark on its side.

A design belongs to a model: models that share a tread differ in their uppers, and every shoe of a model has the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.synthesis.shoes import ShoeModel

PARTS = ("upper", "overlay", "accent", "midsole", "outsole", "laces", "lining")
MOTIFS = ("none", "stripes", "curve", "chevron", "disc", "bars")
PANELS = ("toe_cap", "mudguard", "counter", "eyestay", "quarter", "collar")
_CUTS: Mapping[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "sport": (("low", "mid"), (0.85, 0.15)),
    "court": (("low", "mid", "high"), (0.55, 0.2, 0.25)),
    "boot": (("boot", "high"), (0.75, 0.25)),
    "formal": (("oxford", "loafer", "pump"), (0.5, 0.3, 0.2)),
}
# Heights of collar and toe box, thickness of the sole at heel and toe, as parts of the shoe's length: lowest, highest.
_RANGES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "low": ((0.25, 0.31), (0.15, 0.19), (0.09, 0.14), (0.05, 0.08)),
    "mid": ((0.34, 0.40), (0.15, 0.19), (0.09, 0.13), (0.05, 0.08)),
    "high": ((0.43, 0.52), (0.15, 0.19), (0.08, 0.12), (0.05, 0.08)),
    "boot": ((0.55, 0.70), (0.18, 0.22), (0.11, 0.15), (0.07, 0.10)),
    "oxford": ((0.24, 0.29), (0.12, 0.15), (0.08, 0.11), (0.03, 0.045)),
    "loafer": ((0.19, 0.24), (0.12, 0.15), (0.07, 0.10), (0.03, 0.045)),
    "pump": ((0.24, 0.30), (0.10, 0.13), (0.16, 0.26), (0.02, 0.03)),
}
_PANEL_CHANCES: Mapping[str, float] = {
    "toe_cap": 0.45,
    "mudguard": 0.5,
    "counter": 0.6,
    "eyestay": 0.6,
    "quarter": 0.4,
    "collar": 0.5,
}
_FORMAL = ("oxford", "loafer", "pump")


@dataclass(frozen=True)
class Motif:
    """The mark on the side of a shoe; lengths are parts of the shoe's.

    Attributes:
        kind: One of ``MOTIFS``.
        count: How many stripes or bars, 1 .. 4.
        middle: (along from the heel, height above the sole) of its middle.
        slant: Along a height, how far it leans forward.
        width: Of one stroke.
        reach: From its middle to its end.
    """

    kind: str
    count: int
    middle: tuple[float, float]
    slant: float
    width: float
    reach: float


@dataclass(frozen=True)
class UpperDesign:
    """The upper of a shoe model; lengths are parts of the shoe's length.

    Attributes:
        model_id: The model's.
        cut: ``low``, ``mid``, ``high``, ``boot``, ``oxford``, ``loafer`` or ``pump``.
        collar, toe: Height of the collar and of the toe box above the ground.
        sole: Thickness of the sole under heel and toe.
        breadth: Greatest width of the shoe.
        colours: Red, green, blue, 0 .. 1, float32 [3] by part (``PARTS``).
        panels: Those of ``PANELS`` that are set off.
        motif: The mark on the side.
        laces: Crossings, 0 .. 8; 0 for shoes without.
        split: Height in the sole at which midsole and outsole part, 0 .. 1.
        mesh: Contrast of the weave, 0 smooth leather .. 0.2.
    """

    model_id: str
    cut: str
    collar: float
    toe: float
    sole: tuple[float, float]
    breadth: float
    colours: Mapping[str, NDArray[np.float32]]
    panels: frozenset[str]
    motif: Motif
    laces: int
    split: float
    mesh: float


def design_of(model: ShoeModel) -> UpperDesign:
    """The upper of a model of `outsole.synthesis.shoes.plan_models`; the same model has the same."""
    rng = np.random.default_rng([0x0FFE, model.seed, int(model.model_id)])
    cuts, chances = _CUTS[model.style]
    cut = str(rng.choice(cuts, p=chances))
    if cut == "pump" and model.wearer != "women":
        cut = "loafer"
    collar, toe, heel_sole, toe_sole = (float(rng.uniform(*limits)) for limits in _RANGES[cut])
    formal = cut in _FORMAL
    panels = frozenset(name for name in PANELS if rng.random() < _PANEL_CHANCES[name] * (0.5 if formal else 1.0))
    return UpperDesign(
        model_id=model.model_id,
        cut=cut,
        collar=collar,
        toe=toe,
        sole=(heel_sole, toe_sole),
        breadth=float(rng.uniform(0.34, 0.40)),
        colours=_colours(rng, formal=formal),
        panels=panels,
        motif=_motif(rng, formal=formal),
        laces=0 if cut in ("loafer", "pump") else int(rng.integers(3, 8)),
        split=float(rng.uniform(0.15, 0.5)),
        mesh=0.0 if formal else float(rng.choice([0.0, 0.08, 0.18])),
    )


def _colours(rng: np.random.Generator, *, formal: bool) -> dict[str, NDArray[np.float32]]:
    base = _dark(rng) if formal else _any(rng)
    overlay = base * np.float32(rng.uniform(0.6, 0.95)) if formal or rng.random() < 0.4 else _any(rng)
    light = np.full(3, rng.uniform(0.8, 0.95), np.float32)
    return {
        "upper": base,
        "overlay": overlay,
        "accent": base * np.float32(0.8) if formal else _any(rng),
        "midsole": _dark(rng) if formal or rng.random() < 0.2 else (light if rng.random() < 0.6 else _any(rng)),
        "outsole": _dark(rng) if formal or rng.random() < 0.4 else _any(rng),
        "laces": _dark(rng) if formal else (light if rng.random() < 0.5 else _any(rng)),
        "lining": np.clip(base * np.float32(0.5), 0.03, 1).astype(np.float32),
    }


def _any(rng: np.random.Generator) -> NDArray[np.float32]:
    """Black, white, grey or anything vivid."""
    kind = rng.choice(4, p=(0.22, 0.22, 0.16, 0.40))
    colours = (
        np.full(3, rng.uniform(0.05, 0.15)),
        np.full(3, rng.uniform(0.8, 0.95)),
        np.full(3, rng.uniform(0.25, 0.65)),
        rng.uniform(0.05, 0.95, 3),
    )
    return np.asarray(colours[int(kind)], np.float32)


def _dark(rng: np.random.Generator) -> NDArray[np.float32]:
    """Black or a brown of leather."""
    shade = rng.uniform(0.05, 0.4)
    return np.asarray(shade * np.array([1.0, rng.uniform(0.5, 1.0), rng.uniform(0.3, 0.9)]), np.float32)


def _motif(rng: np.random.Generator, *, formal: bool) -> Motif:
    kind = "none" if formal else str(rng.choice(MOTIFS, p=(0.12, 0.24, 0.2, 0.14, 0.14, 0.16)))
    return Motif(
        kind=kind,
        count=int(rng.integers(1, 5)),
        middle=(float(rng.uniform(0.42, 0.56)), float(rng.uniform(0.09, 0.14))),
        slant=float(rng.uniform(-0.5, 0.9)),
        width=float(rng.uniform(0.012, 0.03)),
        reach=float(rng.uniform(0.10, 0.20)),
    )
