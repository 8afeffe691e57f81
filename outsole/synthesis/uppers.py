"""Made uppers: a shoe of a model seen from its side, its front and its back, with the area that it covers.

Views are painted part over part on a plane whose unit is the shoe's length: x from the heel (0) to the toe (1) in side
views, from left to right in the others, y upwards from the ground.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise
from outsole.synthesis.upper_designs import PARTS, Motif, UpperDesign

MIN_LENGTH_PX = 32
_FINER = 2
_SEAM = 0.75
_ANKLE = 0.30
_Field = NDArray[np.float32]
_Area = NDArray[np.bool_]


@dataclass(frozen=True)
class Upper:
    """A drawn shoe, tight in its frame.

    Attributes:
        rgb: uint8 [H, W, 3], red first; what lies outside the shoe is black.
        inside: float32 [H, W], how much of each pixel the shoe covers, 0 .. 1.
        toe, heel: (x, y) of the tip and of the back end on the ground, pixels. Seen from the front or the back both
            lie in the middle of the ground line.
        view: From where.
        length_px: Length of the shoe, pixels; that of a side view's frame.
    """

    rgb: NDArray[np.uint8]
    inside: _Field
    toe: tuple[float, float]
    heel: tuple[float, float]
    view: View
    length_px: int


def draw_upper(design: UpperDesign, view: View, *, length_px: int = 256) -> Upper:
    """Draw a shoe; side views have the heel on the left.

    Args:
        design: From `outsole.synthesis.upper_designs.design_of`.
        view: From where.
        length_px: Length of the shoe in pixels, at least 32; fronts and backs are as much narrower as shoes are.

    Raises:
        InvalidInput: Too short.
    """
    if length_px < MIN_LENGTH_PX:
        raise InvalidInput(f"length_px is {length_px}", field="length_px", remedy=f"at least {MIN_LENGTH_PX}")
    fine = length_px * _FINER
    width = 1.0 if view is View.SIDE else design.breadth
    height = _top_of(design) + 0.01
    rows, columns = round(height * fine), round(width * fine)
    y = np.asarray((rows - 0.5 - np.arange(rows)) / fine, np.float32)[:, None]
    x = np.asarray((np.arange(columns) + 0.5) / fine, np.float32)[None]
    labels = _side(design, x, y) if view is View.SIDE else _end(design, x, y, is_front=view is View.FRONT)
    colour, inside = _painted(design, labels, x, y)
    size = (columns // _FINER, rows // _FINER)
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    covered = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.float32)
    ground = size[1] - 1.0
    ends = (size[0] - 1.0, 0.0) if view is View.SIDE else ((size[0] - 1) / 2,) * 2
    rgb = np.clip(np.rint(small * 255), 0, 255).astype(np.uint8)
    return Upper(rgb, covered, (ends[0], ground), (ends[1], ground), view, length_px)


def _top_of(design: UpperDesign) -> float:
    return max(design.collar * 1.08, design.sole[0] + design.toe)


class _Labels:
    """Which part covers each point; later ones lie over earlier ones."""

    def __init__(self, x: _Field, y: _Field) -> None:
        self.parts: NDArray[np.uint8] = np.zeros((y.shape[0], x.shape[1]), np.uint8)

    def paint(self, part: str, area: _Area) -> None:
        """Cover an area, which may be given as one row or one column."""
        self.parts[np.broadcast_to(area, self.parts.shape)] = PARTS.index(part) + 1

    def cover(self, part: str, area: _Area) -> None:
        """Cover what of an area is upper already."""
        self.paint(part, np.asarray(area & np.isin(self.parts, _UPPER_CODES)))


_UPPER_CODES = [PARTS.index(name) + 1 for name in ("upper", "overlay", "accent")]


def _side(design: UpperDesign, x: _Field, y: _Field) -> _Labels:
    labels = _Labels(x, y)
    sole_top = _sole_top(design)(x)
    ground = _ground(design)(x)
    top = _top_line(design)(x)
    labels.paint("upper", (y <= top) & (y >= ground))
    _side_panels(labels, design, x=x, y=y, sole_top=sole_top, top=top)
    above = y - sole_top
    labels.cover("accent", _motif_area(design.motif, x, np.asarray(above)) & (above > 0.01) & (y < top - 0.02))
    _lacing(labels, design, x, np.asarray(top - y))
    labels.paint("midsole", (y < sole_top) & (y >= ground))
    labels.paint("outsole", (y < ground + np.float32(design.split) * (sole_top - ground)) & (y >= ground))
    return labels


def _side_panels(labels: _Labels, design: UpperDesign, *, x: _Field, y: _Field, sole_top: _Field, top: _Field) -> None:
    part = (y - sole_top) / np.maximum(top - sole_top, 0.02)
    # In the order in which they are sewn on.
    areas: dict[str, tuple[str, _Area]] = {
        "quarter": ("overlay", (x > 0.24 + 0.16 * part) & (x < 0.62 - 0.14 * part)),
        "mudguard": ("overlay", part < 0.16 + 0.30 * np.clip((x - 0.62) / 0.38, 0, 1)),
        "toe_cap": ("accent", x > 0.80 + 0.07 * part),
        "counter": ("overlay", x < 0.20 - 0.08 * part),
        "eyestay": ("overlay", (top - y < 0.075) & (x > 0.36) & (x < 0.70)),
        "collar": ("lining", (top - y < 0.035) & (x < 0.36)),
    }
    for name, (part_name, area) in areas.items():
        if name in design.panels:
            labels.cover(part_name, area)


def _motif_area(motif: Motif, x: _Field, above: _Field) -> _Area:
    """Where the mark on the side lies; ``above`` is the height over the sole."""
    along, up = x - np.float32(motif.middle[0]), above - np.float32(motif.middle[1])
    leaned = along - np.float32(motif.slant) * up
    gap = 2.4 * motif.width

    def strokes(across: _Field) -> _Area:
        """``count`` strokes side by side, their middle at 0."""
        first = -(motif.count - 1) / 2
        number = np.clip(np.rint(across / gap - first), 0, motif.count - 1)
        return np.asarray(np.abs(across - gap * (first + number)) < motif.width / 2)

    shapes: dict[str, Callable[[], NDArray[np.bool_]]] = {
        "none": lambda: np.zeros(above.shape, np.bool_),
        "stripes": lambda: strokes(leaned),
        "curve": lambda: np.asarray(
            np.abs(up - 2.2 * along * np.abs(along) - 0.25 * along)
            < motif.width * np.clip(1 - np.abs(along) / (1.6 * motif.reach), 0, 1) * 1.6
        ),
        "chevron": lambda: np.asarray(np.abs(leaned - 0.8 * np.abs(up)) < motif.width),
        "disc": lambda: np.asarray(np.abs(np.hypot(along, up) - 0.45 * motif.reach) < motif.width),
        "bars": lambda: np.asarray(strokes(up) & (np.abs(leaned) < motif.reach)),
    }
    return np.asarray(shapes[motif.kind]())


def _lacing(labels: _Labels, design: UpperDesign, x: _Field, below: _Field) -> None:
    if not design.laces:
        return
    gap = 0.30 / design.laces
    number = np.clip(np.rint((x - 0.40) / gap), 0, design.laces - 1)
    bent = x - 0.40 - gap * number - 0.12 * below
    labels.cover("laces", (np.abs(bent) < 0.22 * gap) & (below < 0.06))


def _end(design: UpperDesign, x: _Field, y: _Field, *, is_front: bool) -> _Labels:
    """Front or back: both are their own mirror images."""
    labels = _Labels(x, y)
    across = np.abs(x / np.float32(design.breadth) - np.float32(0.5)) * 2
    sole = design.sole[1] if is_front else design.sole[0]
    half = _half_width(design, is_front=is_front)(np.minimum(y, np.float32(design.collar * 1.05)))
    labels.paint("upper", (across <= half) & (y <= design.collar * 1.05))
    opening = (across < half - 0.22) & (y > design.collar * (0.93 if is_front else 0.97))
    labels.paint("lining", opening & (y <= design.collar * 1.05))
    if is_front:
        labels.cover("accent" if "toe_cap" in design.panels else "upper", y < sole + 0.7 * design.toe)
        labels.cover("overlay" if "eyestay" in design.panels else "upper", (across < 0.55) & (y > design.toe + 0.02))
        gap = (design.collar - design.toe) / max(design.laces, 1)
        level = np.abs((y - design.toe) / gap - np.rint((y - design.toe) / gap)) < 0.25
        if design.laces:
            labels.cover("laces", level & (across < 0.38) & (y > design.toe + 0.02) & (y < 0.94 * design.collar))
    else:
        labels.cover("overlay" if "counter" in design.panels else "upper", y < 0.65 * design.collar)
        labels.cover("accent", (across < 0.18) & (y > 0.6 * design.collar) & (y < 0.85 * design.collar))
    labels.paint("midsole", (y < sole) & (across <= half))
    labels.paint("outsole", (y < sole * design.split) & (across <= half))
    return labels


def _half_width(design: UpperDesign, *, is_front: bool) -> Callable[[_Field], _Field]:
    """Half the width by height, as a part of half the breadth."""
    collar = design.collar
    if is_front:
        toe = min(design.sole[1] + design.toe, 0.8 * collar)
        return _line(
            (0, 0.86), (0.3 * toe, 1.0), (0.75 * toe, 0.93), (1.08 * toe, 0.72), (collar, 0.6), (1.05 * collar, 0.4)
        )
    return _line((0, 0.78), (0.15 * collar, 0.84), (0.5 * collar, 0.76), (0.95 * collar, 0.62), (1.05 * collar, 0.45))


def _painted(design: UpperDesign, labels: _Labels, x: _Field, y: _Field) -> tuple[_Field, _Field]:
    """Colours float32 [H, W, 3], 0 .. 1, with seams, weave and soft light from above; and the shoe's area."""
    parts = labels.parts
    palette = np.stack([np.zeros(3, np.float32), *(design.colours[name] for name in PARTS)])
    colour = palette[parts]
    inside = (parts > 0).astype(np.float32)
    seams = cv2.morphologyEx(parts, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    colour[seams] *= np.float32(_SEAM)
    if design.mesh:
        weave = 1 + np.float32(design.mesh) * np.sin(x * 260) * np.sin(y * 260)
        woven = parts == PARTS.index("upper") + 1
        colour[woven] *= weave[woven, None]
    # Rounded towards its edges, brighter where it faces the sky.
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / np.float32(0.10 * parts.shape[1])
    shade = 0.62 + 0.38 * np.sqrt(np.clip(depth, 0, 1)) + 0.10 * (y / np.float32(_top_of(design)) - 0.5)
    uneven = smooth_noise(
        np.random.default_rng([0x5EA, int(design.model_id)]), (parts.shape[0], parts.shape[1]), scale_px=12
    )
    shade = shade * (1 + 0.03 * uneven)
    return np.asarray(np.clip(colour * shade[..., None], 0, 1) * inside[..., None], np.float32), inside


def _line(*points: tuple[float, float]) -> Callable[[_Field], _Field]:
    along, heights = zip(*points, strict=True)
    curve = PchipInterpolator(along, heights)
    return lambda x: np.asarray(curve(x), np.float32)


def _ground(design: UpperDesign) -> Callable[[_Field], _Field]:
    """The under side: the toe springs up a little; a pump stands on its heel and its ball."""
    if design.cut == "pump":
        lift = design.sole[0]
        return _line((0, 0), (0.11, 0), (0.13, 0.75 * lift), (0.35, 0.6 * lift), (0.62, 0), (0.9, 0), (1, 0.02))
    return _line((0, 0.012), (0.06, 0), (0.75, 0), (0.9, 0.01), (1, 0.045))


def _sole_top(design: UpperDesign) -> Callable[[_Field], _Field]:
    heel, toe = design.sole
    if design.cut == "pump":
        return _line((0, heel), (0.15, heel), (0.4, 0.62 * heel), (0.64, toe), (0.9, toe), (1, toe + 0.025))
    return _line((0, heel), (0.3, 0.9 * heel + 0.1 * toe), (0.65, 0.2 * heel + 0.8 * toe), (0.9, toe), (1, toe + 0.05))


def _top_line(design: UpperDesign) -> Callable[[_Field], _Field]:
    """The silhouette from the heel over collar, tongue and instep to the toe."""
    collar, toe, heel_sole = design.collar, design.sole[1] + design.toe * 0.85, design.sole[0]
    is_low = design.cut in ("low", "oxford", "loafer", "pump")
    dip = collar - (0.05 if is_low else 0.015)
    tongue = collar * (1.02 if is_low else 1.06)
    if design.cut in ("loafer", "pump"):
        dip, tongue = heel_sole + 0.6 * (collar - heel_sole), collar * (0.80 if design.cut == "pump" else 0.95)
    bend = max(toe + 0.05, 0.55 * min(collar, 0.36) + 0.07)
    return _line(
        (0, heel_sole + 0.05),
        (0.03, 0.94 * collar),
        (0.09, collar),
        (0.20, dip),
        (_ANKLE, dip + 0.2 * (tongue - dip)),
        (0.39, tongue),
        (0.52, min(bend, tongue)),
        (0.68, toe + 0.035),
        (0.84, toe),
        (0.95, 0.78 * toe),
        (1.0, design.sole[1] + 0.05),
    )
