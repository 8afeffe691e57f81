"""Prints from treads: the clean impression of an inked sole, and what a crime scene leaves of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.damage import (
    MIN_VISIBLE_PX,
    Scene,
    add_background,
    add_shapes,
    cover_corners,
    crop_window,
    erase_grains,
    fade_by_pressure,
    lay_second_print,
    with_jpeg,
)
from outsole.synthesis.noise import fractal_noise, smooth_noise, step
from outsole.synthesis.treads import Tread

CROPS = ("full", "toe", "middle", "heel", "small")


@dataclass(frozen=True)
class Degradation:
    """What happens to a print between the shoe and the laboratory; every part can be switched off.

    Attributes:
        crop: Which part is left: ``full``, ``toe``, ``middle``, ``heel``, ``small`` or ``any`` (drawn at random).
        rotation_limit_deg: Rotation is drawn from -limit .. limit, degrees, 0 .. 45; 0 leaves the print upright.
        pressure: Whether contact fades over the foot.
        erasure: Whether grains and patches of the print are lost.
        second_print: Whether another sole may lie across (needs one to be given).
        shapes: Whether tape, rulers or smears may cover a part.
        background: Whether the floor shows: mottling, streaks, grain and its own tone.
        corners: Whether corners of the picture may be black or white fills, as in turned scans.
        jpeg_quality: Quality of the JPEG that it passes through, 1 .. 100; 0 leaves it out.
        strength: Factor on erasure, fading and background, 0 .. 2; 1 is meant to look like real casework.
    """

    crop: str = "any"
    rotation_limit_deg: float = 16.0
    pressure: bool = True
    erasure: bool = True
    second_print: bool = True
    shapes: bool = True
    background: bool = True
    corners: bool = True
    jpeg_quality: int = 85
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.crop not in (*CROPS, "any"):
            raise InvalidInput(f"the crop is {self.crop!r}", field="crop", remedy=f"one of {', '.join(CROPS)}, any")
        for name, low, high in (("rotation_limit_deg", 0, 45), ("jpeg_quality", 0, 100), ("strength", 0, 2)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidInput(f"{name} is {value}", field=name, remedy=f"{low} to {high}")

    @classmethod
    def none(cls) -> Degradation:
        """Every part switched off: the upright, whole, clean print."""
        return cls(
            crop="full",
            rotation_limit_deg=0.0,
            pressure=False,
            erasure=False,
            second_print=False,
            shapes=False,
            background=False,
            corners=False,
            jpeg_quality=0,
        )


@dataclass(frozen=True)
class ScenePrint:
    """A made crime-scene print.

    Attributes:
        gray: uint8 [H, W], contact dark on light unless the floor says otherwise; 20 px/cm.
        mask: bool [H, W], where the sole lay, was in the picture and is not covered.
        rotation_deg: Counter-clockwise rotation of the print, degrees.
        visible_fraction: Part of the sole's area under the mask, 0 .. 1.
        crop: Which part is left, one of ``CROPS``.
        to_tread: Affine map float64 [2, 3] from a pixel (x, y, 1) of the picture to (x, y) of the tread.
    """

    gray: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    rotation_deg: float
    visible_fraction: float
    crop: str
    to_tread: NDArray[np.float64]


def clean_impression(tread: Tread, seed: int) -> NDArray[np.uint8]:
    """The inked impression of a tread, as a reference collection keeps it.

    Args:
        tread: The sole, depth float32 [H, W].
        seed: At least 0; the same tread and seed give the same impression.

    Returns:
        uint8 [H, W], contact dark on light, mottled like rolled ink.
    """
    rng = np.random.default_rng([0xC1EA, seed])
    contact = _contact(rng, tread, unevenness=0.05)
    ink = contact * (np.float32(0.86) + np.float32(0.07) * fractal_noise(rng, contact.shape, largest_px=30, octaves=4))
    grain = smooth_noise(rng, contact.shape, scale_px=1) * np.float32(rng.uniform(0.03, 0.12))
    paper = np.float32(252) - np.float32(rng.uniform(0, 4)) * np.abs(smooth_noise(rng, contact.shape, scale_px=2))
    ink = np.clip(ink + grain * contact, 0, 1)
    return np.asarray(np.clip(paper - ink * np.float32(rng.uniform(205, 235)), 0, 255), np.uint8)


def scene_print(
    tread: Tread, seed: int, *, degradation: Degradation | None = None, other: Tread | None = None
) -> ScenePrint:
    """What a crime scene leaves of a tread's print.

    Args:
        tread: The sole that left the print.
        seed: At least 0; the same arguments give the same print.
        degradation: What happens to it; everything at its defaults where None.
        other: A sole whose print may lie across; none does where None.

    Returns:
        The picture with its mask; at least 1,500 pixels of the sole stay visible. A part without contact, such as a
        hollow arch, is replaced by the whole sole; ``crop`` says what was taken.
    """
    plan = degradation or Degradation()
    rng = np.random.default_rng([0x5CE0, seed])
    if plan.crop == "any":
        plan = replace(plan, crop=str(rng.choice(CROPS, p=[0.35, 0.18, 0.17, 0.18, 0.12])))
    angle = float(rng.uniform(-1, 1) * plan.rotation_limit_deg)
    contact = _contact(rng, tread, unevenness=0.1 * plan.strength if plan.pressure else 0.0)
    if plan.pressure:
        contact = fade_by_pressure(rng, contact, tread.inside, plan.strength)
    scene, to_tread = _turned(contact, tread.inside, angle)
    crop, corner, scene = _cropped(rng, scene, plan.crop)
    to_tread[:, 2] += to_tread[:, :2] @ corner
    scene = _damaged(rng, scene, plan, other)
    gray = add_background(rng, scene, plan.strength if plan.background else 0.0)
    if plan.shapes:
        gray, scene = add_shapes(rng, gray, scene)
    if plan.corners:
        gray, scene = cover_corners(rng, gray, scene)
    if plan.jpeg_quality:
        gray = with_jpeg(gray, plan.jpeg_quality)
    visible = float(scene.mask.sum() / max(int(tread.inside.sum()), 1))
    return ScenePrint(gray, scene.mask, angle, min(visible, 1.0), crop, to_tread)


def _contact(rng: np.random.Generator, tread: Tread, *, unevenness: float) -> NDArray[np.float32]:
    """How firmly each pixel touched, 0 .. 1: depth against a threshold that varies smoothly over the foot."""
    threshold = np.float32(0.62) + np.float32(unevenness) * smooth_noise(rng, tread.depth.shape, scale_px=70)
    return step(tread.depth - threshold, 0.35)


def _turned(
    contact: NDArray[np.float32], inside: NDArray[np.bool_], angle_deg: float
) -> tuple[Scene, NDArray[np.float64]]:
    """Rotate counter-clockwise about the centre on a picture grown to hold all of it; with the way back."""
    height, width = contact.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = (int(np.ceil(width * cosine + height * sine)), int(np.ceil(height * cosine + width * sine)))
    shift = np.array(size) / 2 - np.array([width, height]) / 2
    turn = np.column_stack([turn[:, :2], turn[:, 2] + shift])
    turned = cv2.warpAffine(contact, turn, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(inside.view(np.uint8), turn, size, flags=cv2.INTER_NEAREST)
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    return Scene(contact=np.asarray(turned, np.float32), mask=mask.astype(np.bool_)), back


def _cropped(rng: np.random.Generator, scene: Scene, crop: str) -> tuple[str, tuple[int, int], Scene]:
    """The part asked for, or the whole sole where that is the foot's hollow: its name, its corner (x, y), itself."""
    for kind in (crop, "full"):
        rows, columns = crop_window(rng, scene.mask, kind)
        part, inside = scene.contact[rows, columns], scene.mask[rows, columns]
        if kind == "full" or min(part.sum(), inside.sum()) >= MIN_VISIBLE_PX:
            break
    cut = Scene(np.ascontiguousarray(part), np.ascontiguousarray(inside))
    return kind, (int(columns.start), int(rows.start)), cut


def _damaged(rng: np.random.Generator, scene: Scene, plan: Degradation, other: Tread | None) -> Scene:
    if plan.erasure:
        scene = erase_grains(rng, scene, plan.strength)
    if plan.second_print and other is not None and rng.random() < 0.25:
        scene = lay_second_print(rng, scene, _contact(rng, other, unevenness=0.1))
    return scene
