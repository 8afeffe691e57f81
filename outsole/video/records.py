"""What travels between the parts that look at video: frames, and shoes seen in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, Point, View


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        number: From 0, in the order in which the source shows them.
        time_s: When it is shown, seconds after the source's first frame, from its own timestamps; never falls.
        rgb: uint8 [H, W, 3], red first.
    """

    number: int
    time_s: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class Grade:
    """How much of a shoe a picture can tell.

    Attributes:
        length_px: From toe to heel in a side view, the box's height otherwise; pixels of the frame.
        sharpness: 0 blurred .. 1 as sharp as so small a picture can be.
        visible: How much of the shoe is in the frame and not behind another, 0 .. 1.
        weight: What the three make together, 0 .. 1; the best frame of a track has the highest.
        is_large_enough: Whether it is worth a search; what is not is counted, and never searched.
    """

    length_px: float
    sharpness: float
    visible: float
    weight: float
    is_large_enough: bool


@dataclass(frozen=True)
class Sighting:
    """A shoe in a frame.

    Attributes:
        frame: Number of the frame.
        time_s: Of the frame, see ``Frame``.
        box: Around the shoe.
        toe, heel: (x, y) of both ends of the sole, pixels of the frame.
        view: From where it is seen; only side views are turned level by toe and heel.
        score: How sure the detector is, 0 .. 1.
        person: Box of the person who wears it; None where nobody was found.
        grade: How much it can tell.
        doubts: Names of cross-checks that it fell through, for example ``toe_heel``; usually empty.
    """

    frame: int
    time_s: float
    box: Box
    toe: Point
    heel: Point
    view: View
    score: float
    person: Box | None
    grade: Grade
    doubts: tuple[str, ...] = ()
