"""CriSp's three degradations of a clean print, in its place: occlusion, erasure and noise, each by its own switch.

After Shafique, Kong and Fowlkes, "CriSp: Leveraging Tread Depth Maps for Enhanced Crime-Scene Shoeprint Matching"
(ECCV 2024), section 4.1; the looks, the crops and the held-out half are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.damage import crop_window
from outsole.synthesis.looks import LOOKS, Look
from outsole.synthesis.noise import step
from outsole.synthesis.prints import CROPS
from outsole.synthesis.textures import TextureBank, cut, texture_bank
from outsole.synthesis.treads import DEFAULT_HEIGHT_PX

OUTSIDE_GRAY = 128
MAX_SHIFT = 0.5
Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
# Below this share of the sole a piece shows too little for anyone to work with.
_MIN_VISIBLE = 0.04
# Of the floor's and the noise's deviation over the contrast of the print.
_LOUDEST_FLOOR = 0.35
_CROP_CHANCES = (0.35, 0.18, 0.17, 0.18, 0.12)


@dataclass(frozen=True)
class CrispDegradation:
    """What happens to a clean print.

    Attributes:
        occlusion: Whether other prints lie across and shapes cover parts.
        erasure: Whether grains and patches are lost, contact fades, swells or is pressed to the rims.
        noise: Whether the floor shows; black on white else.
        look: One of ``LOOKS`` or ``any``.
        crop: Which part is left: one of ``CROPS`` or ``any``; ``full`` leaves everything.
        rotation_limit_deg: Rotation is drawn from -limit .. limit, degrees, 0 .. 180; 0 leaves the print upright.
        shift_limit: Shift, down and right each, is drawn from -limit .. limit of the image's side, 0 .. 0.5.
        inversion: Whether looks that can be light on dark may be.
        held_out: Whether ranges and textures are those that training never uses.
    """

    occlusion: bool = True
    erasure: bool = True
    noise: bool = True
    look: str = "any"
    crop: str = "any"
    rotation_limit_deg: float = 0.0
    shift_limit: float = 0.0
    inversion: bool = True
    held_out: bool = False

    def __post_init__(self) -> None:
        if self.look not in (*LOOKS, "any"):
            raise InvalidInput(f"the look is {self.look!r}", field="look", remedy=f"one of {', '.join(LOOKS)}, any")
        if self.crop not in (*CROPS, "any"):
            raise InvalidInput(f"the crop is {self.crop!r}", field="crop", remedy=f"one of {', '.join(CROPS)}, any")
        for name, value, high in (
            ("rotation_limit_deg", self.rotation_limit_deg, 180.0),
            ("shift_limit", self.shift_limit, MAX_SHIFT),
        ):
            if not 0 <= value <= high:
                raise InvalidInput(f"{name} is {value}", field=name, remedy=f"0 to {high:g}")


@dataclass(frozen=True)
class Degraded:
    """A degraded print.

    Attributes:
        gray: uint8 [H, W]; ``OUTSIDE_GRAY`` beyond the crop.
        mask: bool [H, W], where the sole lay and its mark, if any, can be seen.
        rotation_deg: Counter-clockwise rotation that was applied, degrees.
        shift_px: (right, down) shift that was applied after it, pixels.
        look: Which look it has; empty where neither erasure nor noise was on.
        crop: Which part is left, one of ``CROPS``.
        light_on_dark: Whether contact is lighter than the floor.
    """

    gray: NDArray[np.uint8]
    mask: Mask
    rotation_deg: float
    shift_px: tuple[float, float]
    look: str
    crop: str
    light_on_dark: bool


@dataclass(frozen=True)
class _Draw:
    """What one print is drawn with: randomness, look, textures, pixels over those at 20 px/cm."""

    rng: np.random.Generator
    look: Look
    bank: TextureBank
    held_out: bool
    scale: float

    def value(self, name: str) -> float:
        """One of the look's parameters."""
        return float(getattr(self.look, name).draw(self.rng, held_out=self.held_out))

    def texture(self, tiles: tuple[Field, ...], shape: tuple[int, ...], zoom: float = 1.0) -> Field:
        """A piece of a texture at the print's scale."""
        return cut(self.rng, tiles, (shape[0], shape[1]), zoom=zoom * self.scale)


def degrade(
    contact: NDArray[np.float32],
    inside: NDArray[np.bool_],
    seed: int,
    *,
    plan: CrispDegradation | None = None,
    others: Sequence[NDArray[np.float32]] = (),
) -> Degraded:
    """Degrade a clean print as a crime scene does.

    Args:
        contact: float32 [H, W], 0 nothing .. 1 full mark.
        inside: bool [H, W], the sole's area.
        seed: At least 0; the same arguments give the same print.
        plan: What happens; the defaults of ``CrispDegradation`` where None.
        others: Contact of other soles, float32 [h, w] each, 0 .. 1; one or two of them lie across some prints.

    Returns:
        Picture and mask of the same size as ``contact``. At least 4 % of the sole stays visible unless shift and
        rotation have moved it out of the frame.

    Raises:
        InvalidInput: A negative seed, wrong types or shapes, or no sole.
    """
    _check(contact, inside, seed)
    plan = plan or CrispDegradation()
    rng = np.random.default_rng([0xC215, seed, int(plan.held_out)])
    look = plan.look if plan.look != "any" else tuple(LOOKS)[int(rng.integers(len(LOOKS)))]
    draw = _Draw(
        rng, LOOKS[look], texture_bank(held_out=plan.held_out), plan.held_out, contact.shape[0] / DEFAULT_HEIGHT_PX
    )
    light = bool(rng.random() < draw.look.light_on_dark) and plan.inversion and plan.noise
    moved, sole, angle, shift = _moved(rng, contact, inside, plan)
    crop, visible = _cropped(rng, moved, sole, plan.crop)
    mark, seen = _erased(draw, moved, sole & visible) if plan.erasure else (moved, sole & visible)
    if plan.occlusion and others:
        mark = _crossed(draw, mark, others)
    gray = _on_floor(draw, mark, light=light) if plan.noise else np.float32(250) - np.float32(225) * mark
    if plan.occlusion:
        gray, seen = _covered(draw, gray, seen)
    shown = np.clip(gray, 0, 255).astype(np.uint8)
    shown[~visible] = OUTSIDE_GRAY
    named = look if plan.erasure or plan.noise else ""
    return Degraded(shown, seen, rotation_deg=angle, shift_px=shift, look=named, crop=crop, light_on_dark=light)


def _check(contact: NDArray[np.float32], inside: NDArray[np.bool_], seed: int) -> None:
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    if contact.ndim != 2 or contact.dtype != np.float32:
        found = f"{contact.dtype} with {contact.ndim} dimensions"
        raise InvalidInput(f"the contact is {found}", field="contact", remedy="float32 [H, W]")
    if inside.shape != contact.shape or inside.dtype != np.bool_:
        found = f"{inside.dtype} {list(inside.shape)}"
        raise InvalidInput(f"the sole's area is {found}", field="inside", remedy=f"bool {list(contact.shape)}")
    if not inside.any():
        raise InvalidInput("there is no sole in the picture", field="inside", remedy="at least one pixel")


def _moved(
    rng: np.random.Generator, contact: Field, inside: Mask, plan: CrispDegradation
) -> tuple[Field, Mask, float, tuple[float, float]]:
    """Contact and sole turned about the image's centre, then shifted; with degrees and pixels."""
    height, width = contact.shape
    angle = float(rng.uniform(-1, 1) * plan.rotation_limit_deg)
    right, down = (float(v) for v in rng.uniform(-1, 1, size=2) * plan.shift_limit * np.array([width, height]))
    if angle == 0 and right == 0 and down == 0:
        return contact, inside, 0.0, (0.0, 0.0)
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    turn = np.column_stack([turn[:, :2], turn[:, 2] + np.array([right, down])])
    moved = cv2.warpAffine(contact, turn, (width, height), flags=cv2.INTER_LINEAR)
    sole = cv2.warpAffine(inside.view(np.uint8), turn, (width, height), flags=cv2.INTER_NEAREST).view(np.bool_)
    return np.asarray(moved, np.float32), sole, angle, (right, down)


def _cropped(rng: np.random.Generator, contact: Field, sole: Mask, crop: str) -> tuple[str, Mask]:
    """The part asked for, or everything where that part is the hollow of the foot; with the name of what it is."""
    kind = crop if crop != "any" else CROPS[int(rng.choice(len(CROPS), p=_CROP_CHANCES))]
    visible = np.ones(sole.shape, np.bool_)
    if kind == "full" or not sole.any():
        return "full", visible
    rows, columns = crop_window(rng, sole, kind)
    if contact[rows, columns].sum() < _MIN_VISIBLE * sole.sum():
        return "full", visible
    visible[:] = False
    visible[rows, columns] = True
    return kind, visible


def _erased(draw: _Draw, contact: Field, visible: Mask) -> tuple[Field, Mask]:
    """Contact as it was left: swollen or thinned, faded, pressed to the rims, less lost grains and patches."""
    scale, shape = draw.scale, contact.shape
    spread = max(1.6 * scale, 0.6)
    load = draw.texture(draw.bank.patches, shape, zoom=1.6)
    fading = np.float32(draw.value("fading"))
    soft = cv2.GaussianBlur(contact, (0, 0), spread) + np.float32(draw.value("swelling") - 0.5)
    mark = step(np.asarray(soft + np.float32(0.08) * load, np.float32), 0.4)
    squeezing = np.float32(draw.value("squeezing"))
    if squeezing > 0.05:
        rim = np.clip(mark - cv2.GaussianBlur(mark, (0, 0), 3.2 * scale), 0, 1) * np.float32(2.6)
        mark = mark * (1 - squeezing) + np.minimum(rim, 1) * squeezing
    grain = draw.texture(draw.bank.grain, shape, zoom=draw.value("grain_zoom"))
    keep = step(grain + np.float32(draw.value("grain_level")), 1.2)
    parts = draw.texture(draw.bank.patches, shape, zoom=float(draw.rng.uniform(0.7, 1.5)))
    left = step(parts + np.float32(draw.value("patch_level")), 0.6)
    seen = visible & (left > 0.35)
    if seen.sum() < max(_MIN_VISIBLE * visible.size * 0.4, 0.25 * visible.sum()):
        left, seen = np.ones_like(left), visible
    loaded = 1 - fading * step(np.asarray(load - np.float32(0.1), np.float32), 2.4)
    return np.asarray(mark * keep * left * loaded, np.float32), seen


def _crossed(draw: _Draw, mark: Field, others: Sequence[Field]) -> Field:
    """One or two other prints across, turned and shifted by anything, weaker than this one and worn away in parts."""
    rng = draw.rng
    if rng.random() >= 0.5:
        return mark
    height, width = mark.shape
    for _ in range(1 + int(rng.random() < 0.25)):
        other = others[int(rng.integers(len(others)))]
        turn = cv2.getRotationMatrix2D((other.shape[1] / 2, other.shape[0] / 2), rng.uniform(0, 360), 1.0)
        away = np.array([width, height]) * rng.uniform(0.05, 0.95, size=2) - np.array(other.shape[::-1]) / 2
        turn = np.column_stack([turn[:, :2], turn[:, 2] + away])
        turned = cv2.warpAffine(other, turn, (width, height), flags=cv2.INTER_LINEAR)
        left = step(draw.texture(draw.bank.patches, mark.shape) + np.float32(rng.uniform(-0.3, 0.8)), 1.0)
        mark = np.maximum(mark, turned * left * np.float32(rng.uniform(0.3, 0.8)))
    return mark


def _on_floor(draw: _Draw, mark: Field, *, light: bool) -> Field:
    """Contact in ink on a floor with its own tone, texture, light and crumbs; float32 grey levels."""
    rng, shape = draw.rng, mark.shape
    tone, contrast = draw.value("tone"), draw.value("contrast")
    # Ink darker than the floor needs a floor that is not black itself.
    tone = tone if light else max(tone, contrast + 25)
    ink = np.float32(min(contrast, 250 - tone) if light else -contrast)
    crumbs = draw.texture(draw.bank.specks, shape, zoom=float(rng.uniform(0.7, 2.2)))
    amount = draw.value("specks") * rng.random()
    # Ink or dirt that lies in blotches between the elements too.
    blotches = step(draw.texture(draw.bank.patches, shape, zoom=0.8) - np.float32(rng.uniform(1.2, 2.6)), 1.0)
    mark = np.maximum(mark, blotches * np.float32(rng.uniform(0.2, 0.75)))
    everything = np.maximum(mark, np.clip(crumbs - np.float32(1.0), 0, 3) * np.float32(amount / 2.5))
    gray = np.float32(tone) + ink * everything
    floor, noise = draw.value("floor_gain"), draw.value("noise_gain")
    # A floor louder than the print leaves nothing that anyone would bring to a laboratory.
    quiet = min(1.0, _LOUDEST_FLOOR * abs(float(ink)) / (floor + noise))
    gray += np.float32(quiet * floor) * draw.texture(draw.bank.floor, shape)
    gray += np.float32(quiet * noise) * draw.texture(draw.bank.grain, shape)
    angle, shading = rng.uniform(0, 2 * np.pi), draw.value("shading")
    slope_x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None] * np.float32(shading * np.cos(angle))
    slope_y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None] * np.float32(shading * np.sin(angle))
    gray += slope_x + slope_y
    blur = draw.value("blur_px") * draw.scale
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), blur) if blur > 0.25 else gray, np.float32)


def _covered(draw: _Draw, gray: NDArray[np.float32], seen: Mask) -> tuple[Field, Mask]:
    """Up to three shapes over the picture (rulers, tape, joints, smears, corners without film); they leave the mask."""
    rng = draw.rng
    height, width = gray.shape
    for _ in range(int(rng.choice(4, p=(0.45, 0.3, 0.17, 0.08)))):
        cover = _shape(rng, (height, width), scale=draw.scale).view(np.bool_)
        if (seen & ~cover).sum() < 0.55 * seen.sum():
            continue
        tone = np.float32(rng.choice([rng.uniform(0, 40), rng.uniform(210, 255), rng.uniform(60, 200)]))
        gray = np.where(cover, tone + np.float32(4) * draw.texture(draw.bank.grain, gray.shape), gray)
        seen = seen & ~cover
    return np.asarray(gray, np.float32), seen


def _shape(rng: np.random.Generator, size: tuple[int, int], *, scale: float) -> NDArray[np.uint8]:
    """One random shape; uint8 [H, W], 0 or 1."""
    height, width = size
    cover = np.zeros(size, np.uint8)
    middle = np.array([width, height]) * rng.uniform(0, 1, size=2)
    kind = rng.choice(["strip", "blob", "polygon", "corner"], p=(0.4, 0.25, 0.15, 0.2))
    if kind == "strip":
        thick = float(np.exp(rng.uniform(np.log(3), np.log(34)))) * scale
        box = cv2.boxPoints((middle.tolist(), (2.0 * height, thick), rng.uniform(0, 180)))
        cv2.fillConvexPoly(cover, np.rint(box).astype(np.int32), 1)
    elif kind == "corner":
        side = np.where(rng.random(2) < 0.5, 0, 1) * np.array([width - 1, height - 1])
        reach = np.array([width, height]) * rng.uniform(0.1, [0.9, 0.35])
        inwards = np.where(side == 0, 1, -1) * reach
        corner = np.array([side, side + [inwards[0], 0], side + [0, inwards[1]]])
        cv2.fillConvexPoly(cover, np.rint(corner).astype(np.int32), 1)
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, size=12 if kind == "blob" else int(rng.integers(3, 6))))
        radii = height * rng.uniform(0.03, 0.11) * rng.uniform(0.6, 1.2, size=(len(angles), 1))
        points = middle + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(cover, [np.rint(points).astype(np.int32)], 1)
    return cover
