"""How prints look by what they were left in and how they were lifted.

The ranges were set by looking at made prints beside real ones:
``python -m outsole.synthesis.contact_sheet OUT.png --real DIR``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Training draws from the middle of a range, evaluation on held-out degradations from its ends; between lies a gap.
_MIDDLE = (0.15, 0.85)
_END = 0.1


class Spread(NamedTuple):
    """A range that a parameter is drawn from."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator, *, held_out: bool) -> float:
        """A value from the middle of the range, or, held out, from its ends."""
        share = rng.random()
        if held_out:
            share = share * 2 * _END if share < 0.5 else 1 - (share - 0.5) * 2 * _END
        else:
            share = _MIDDLE[0] + share * (_MIDDLE[1] - _MIDDLE[0])
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class Look:
    """The ranges of one look. Greys are 0 .. 255; sizes are pixels at 20 px/cm; the rest are factors.

    Attributes:
        tone: Grey of the floor.
        contrast: Grey levels between floor and full contact.
        light_on_dark: Chance that contact is lighter than the floor.
        swelling: How far contact grows into the grooves (above 0) or shrinks (below): shift of the threshold on blur.
        squeezing: How much of the mark is pressed out to the rims of the elements.
        grain_level: Threshold of lost grains, in deviations: lower loses more.
        grain_zoom: Magnification of the grain.
        patch_level: Threshold of lost parts, in deviations: lower loses more.
        fading: How much less the least loaded parts of the foot mark.
        floor_gain: Grey levels of the floor's texture.
        noise_gain: Grey levels of fine noise.
        specks: Share of the contrast that crumbs and drops have.
        shading: Grey levels of a slow gradient, as of a lamp from one side.
        blur_px: Deviation of the final blur.
    """

    tone: Spread
    contrast: Spread
    light_on_dark: float
    swelling: Spread
    squeezing: Spread
    grain_level: Spread
    grain_zoom: Spread
    patch_level: Spread
    fading: Spread
    floor_gain: Spread
    noise_gain: Spread
    specks: Spread
    shading: Spread
    blur_px: Spread


LOOKS: dict[str, Look] = {
    # Wet and thick: it fills grooves, is pressed to the rims of elements, and runs out in patches from step to step.
    "blood": Look(
        tone=Spread(165, 245),
        contrast=Spread(90, 190),
        light_on_dark=0.0,
        swelling=Spread(-0.05, 0.22),
        squeezing=Spread(0.0, 0.8),
        grain_level=Spread(1.0, 2.2),
        grain_zoom=Spread(0.8, 2.2),
        patch_level=Spread(0.3, 1.5),
        fading=Spread(0.1, 0.7),
        floor_gain=Spread(2, 12),
        noise_gain=Spread(2, 10),
        specks=Spread(0.0, 0.9),
        shading=Spread(0, 18),
        blur_px=Spread(0.2, 0.9),
    ),
    # Dry: every grain of the floor shows through; lifted on black film it is light on dark.
    "dust": Look(
        tone=Spread(60, 135),
        contrast=Spread(60, 130),
        light_on_dark=0.75,
        swelling=Spread(-0.12, 0.1),
        squeezing=Spread(0.0, 0.3),
        grain_level=Spread(0.2, 1.3),
        grain_zoom=Spread(0.6, 1.4),
        patch_level=Spread(0.7, 2.0),
        fading=Spread(0.1, 0.6),
        floor_gain=Spread(5, 20),
        noise_gain=Spread(10, 26),
        specks=Spread(0.2, 0.8),
        shading=Spread(5, 30),
        blur_px=Spread(0.2, 0.8),
    ),
    # A sheet of gelatine, photographed at a low angle: smooth, unevenly lit, with bubbles and dents.
    "gel": Look(
        tone=Spread(70, 200),
        contrast=Spread(55, 140),
        light_on_dark=0.4,
        swelling=Spread(-0.08, 0.14),
        squeezing=Spread(0.0, 0.6),
        grain_level=Spread(0.6, 1.8),
        grain_zoom=Spread(0.8, 2.0),
        patch_level=Spread(0.6, 1.8),
        fading=Spread(0.2, 0.7),
        floor_gain=Spread(4, 18),
        noise_gain=Spread(3, 14),
        specks=Spread(0.2, 1.0),
        shading=Spread(15, 55),
        blur_px=Spread(0.4, 1.4),
    ),
    # Powder brushed on: dark, high in contrast, blotchy; what most of the casework in the public sets looks like.
    "powder": Look(
        tone=Spread(135, 220),
        contrast=Spread(110, 210),
        light_on_dark=0.0,
        swelling=Spread(-0.1, 0.18),
        squeezing=Spread(0.0, 0.5),
        grain_level=Spread(0.3, 1.6),
        grain_zoom=Spread(0.8, 2.4),
        patch_level=Spread(0.4, 1.6),
        fading=Spread(0.2, 0.75),
        floor_gain=Spread(8, 34),
        noise_gain=Spread(5, 20),
        specks=Spread(0.2, 1.0),
        shading=Spread(4, 30),
        blur_px=Spread(0.2, 1.0),
    ),
    # Damp soles on a smooth floor: thin, mostly the rims of the elements, on a bright ground.
    "damp": Look(
        tone=Spread(160, 240),
        contrast=Spread(70, 170),
        light_on_dark=0.0,
        swelling=Spread(-0.15, 0.08),
        squeezing=Spread(0.3, 0.95),
        grain_level=Spread(0.4, 1.6),
        grain_zoom=Spread(0.7, 1.6),
        patch_level=Spread(0.5, 1.7),
        fading=Spread(0.2, 0.7),
        floor_gain=Spread(3, 16),
        noise_gain=Spread(4, 16),
        specks=Spread(0.1, 0.9),
        shading=Spread(3, 25),
        blur_px=Spread(0.3, 1.2),
    ),
}
