"""Shoe models: which of them share a tread, which differ in one element, and a worn shoe of each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.synthesis.noise import smooth_noise
from outsole.synthesis.outlines import STYLES, WEARERS, Outline
from outsole.synthesis.shoe_relief import tread_relief
from outsole.synthesis.treads import DEFAULT_HEIGHT_PX, Tread, check_sole

MAX_MODELS = 1_000_000
# Seeds of plans have no tread in common: what is measured is never what was learned.
LEARNED_SEED, UNSEEN_SEED = 31, 32
SHARED_PART = 0.5
NEAR_DUPLICATE_PART = 0.2
_LARGEST_FAMILY = 5
# Elements in which a near-duplicate may differ: the forefoot and the outline would make it an easy one.
_CHANGEABLE = ("arch", "heel", "pivot", "rim", "grooves", "insert", "logo")
_CHANGE_CHANCES = (0.1, 0.2, 0.2, 0.15, 0.1, 0.15, 0.1)
_GROOVE_FLOOR = 0.25


@dataclass(frozen=True)
class ShoeModel:
    """One shoe model of a plan.

    Attributes:
        model_id: Six digits, unique within a plan.
        family: Number of the tread family, 0 or more; all its variants descend from one tread.
        variant: 0 for the family's own tread; above 0 for a near-duplicate that differs from it in one element.
            Models of the same family *and* variant share their tread.
        wearer: ``men``, ``women`` or ``children``.
        style: ``sport``, ``boot``, ``formal`` or ``court``.
        changed: The element in which a near-duplicate differs; empty for variant 0.
        seed: The plan's seed.
    """

    model_id: str
    family: int
    variant: int
    wearer: str
    style: str
    changed: str
    seed: int


def plan_models(count: int, *, seed: int) -> tuple[ShoeModel, ...]:
    """Decide which models there are and how their treads are related.

    About half of the models share their tread with one to four others, about a fifth are near-duplicates of another
    family's tread, and the rest stand alone. Plans of different seeds have no tread in common.

    Args:
        count: Number of models, 1 .. 1,000,000.
        seed: At least 0; the same numbers give the same plan.

    Returns:
        The models in the order of their ids; relatives are scattered over it.

    Raises:
        InvalidInput: A number out of range.
    """
    if not 1 <= count <= MAX_MODELS:
        raise InvalidInput(f"the count is {count}", field="count", remedy=f"1 to {MAX_MODELS}")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}", field="seed", remedy="0 or more")
    rng = np.random.default_rng([0x91A4, seed])
    duplicates = round(NEAR_DUPLICATE_PART * count) if count > 1 else 0
    sizes = _family_sizes(rng, count - duplicates, round(SHARED_PART * count))
    families = [(family, 0) for family, size in enumerate(sizes) for _ in range(size)]
    variants = dict.fromkeys(range(len(sizes)), 0)
    for family in rng.integers(len(sizes), size=duplicates).tolist():
        variants[family] += 1
        families.append((family, variants[family]))
    order = rng.permutation(count).tolist()
    return tuple(_model(number, families[place], seed) for number, place in enumerate(order))


def make_instance(model: ShoeModel, seed: int, *, height_px: int = DEFAULT_HEIGHT_PX) -> Tread:
    """Make the sole of one shoe of a model: its size, side, stretch and wear are its own.

    Args:
        model: From ``plan_models``.
        seed: At least 0; the same model, seed and height give the same sole.
        height_px: Height of the image in pixels, at least 64; elements scale with it.

    Returns:
        A tread on a frame of [height_px, height_px // 2], centred; the sole is 0.9 to 1.0 of the frame long,
        whatever its shoe size. Left soles are mirror images of right ones. Families name forefoot, arch and heel.

    Raises:
        InvalidInput: A negative seed or too small a height.
    """
    check_sole(seed, height_px)
    rng = np.random.default_rng([0x1257, model.seed, int(model.model_id), seed])
    made = tread_relief(model.seed, model.family, variant=model.variant, kind=_kind(model), height_px=height_px)
    depth = _worn_depth(rng, made.relief, made.outline)
    place = _placement(rng, depth.shape, height_px)
    size = (height_px // 2, height_px)
    inside = cv2.warpAffine(made.outline.inside.view(np.uint8), place, size, flags=cv2.INTER_NEAREST).view(np.bool_)
    moved = np.asarray(cv2.warpAffine(depth, place, size, flags=cv2.INTER_LINEAR), np.float32)
    shown = np.where(inside, np.clip(moved, 0.02, 1.0), np.float32(0))
    return Tread(depth=shown, inside=inside, shape=f"{model.wearer} {model.style}", families=made.families)


def _kind(model: ShoeModel) -> tuple[str, str, str]:
    return model.wearer, model.style, model.changed


def _family_sizes(rng: np.random.Generator, models: int, shared: int) -> list[int]:
    """Sizes of the families: groups of 2 to 5 until ``shared`` models are in one, then single ones."""
    sizes: list[int] = []
    left = min(shared, models)
    while left >= 2:
        size = min(int(rng.integers(2, _LARGEST_FAMILY + 1)), left)
        # A last one left over would be alone; it joins where there is room, else the group gives one up.
        size = size if left - size != 1 else (size + 1 if size < _LARGEST_FAMILY else size - 1)
        sizes.append(size)
        left -= size
    return sizes + [1] * (models - sum(sizes))


def _model(number: int, place: tuple[int, int], seed: int) -> ShoeModel:
    family, variant = place
    rng = np.random.default_rng([0x4D0D, seed, family])
    wearer = str(rng.choice(WEARERS, p=(0.45, 0.4, 0.15)))
    style = str(rng.choice(STYLES, p=(0.45, 0.2, 0.15, 0.2)))
    changed = ""
    if variant:
        # Variants of one family change different elements while there are any, so they differ from each other too.
        turns = rng.choice(_CHANGEABLE, size=len(_CHANGEABLE), replace=False, p=_CHANGE_CHANCES)
        changed = str(turns[(variant - 1) % len(turns)])
    return ShoeModel(f"{number:06d}", family, variant, wearer=wearer, style=style, changed=changed, seed=seed)


def _worn_depth(rng: np.random.Generator, relief: NDArray[np.float32], outline: Outline) -> NDArray[np.float32]:
    """Relief 0 .. 1 to depth after some months: wear lifts the floor of the grooves towards the worn top.

    Feet wear the outer heel, the ball and the toe first; there grooves run shallow until they touch the ground.
    """
    height, width = relief.shape
    across = outline.across.clip(-1.5, 1.5)
    total = np.float32(rng.choice([0.0, 0.35, 0.9], p=[0.3, 0.5, 0.2])) * np.float32(rng.uniform(0.5, 1.0))
    wear: NDArray[np.float32] = np.full(relief.shape, 0.1, np.float32)
    for along, side, reach in ((0.93, -0.5, 0.07), (0.26, 0.1, 0.1), (0.05, 0.0, 0.05)):
        moved_along, moved_side = along + rng.uniform(-0.02, 0.02), side + rng.uniform(-0.3, 0.3)
        rows = np.exp(-(((outline.along - np.float32(moved_along)) / np.float32(reach)) ** 2))
        wear += np.float32(rng.uniform(0.2, 0.9)) * rows * np.exp(-((across - np.float32(moved_side)) ** 2))
    floor = np.float32(_GROOVE_FLOOR) + np.float32(0.62) * np.clip(total * wear, 0, 0.85)
    hollow = np.float32(rng.uniform(0.0, 0.25)) * np.exp(-(((outline.along - np.float32(0.58)) / np.float32(0.1)) ** 2))
    rounded = np.float32(0.6) + np.float32(0.4) * np.clip(outline.edge_px / np.float32(0.009 * height), 0, 1)
    uneven = smooth_noise(rng, (height, width), scale_px=0.07 * height) * np.float32(0.03)
    return np.asarray((floor + (1 - floor) * relief - hollow + uneven - np.float32(0.03)) * rounded, np.float32)


def _placement(rng: np.random.Generator, shape: tuple[int, ...], height_px: int) -> NDArray[np.float64]:
    """Affine matrix [2, 3] from the tight image to the frame: side, size, stretch, a little shear."""
    height, width = shape
    length = rng.uniform(0.93, 1.005)
    breadth = min(length * rng.uniform(0.975, 1.025), 0.49 * height_px / width)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    shear = rng.uniform(-0.01, 0.01)
    linear = np.array([[mirror * breadth, shear], [0.0, length]])
    centre = np.array([height_px // 2, height_px]) / 2 - linear @ (np.array([width, height]) / 2)
    return np.column_stack([linear, centre])
