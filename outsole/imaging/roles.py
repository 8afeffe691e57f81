"""What can be told of a picture's role without a trained network: how long its foreground is, and in how many parts.

It is a doubt that is looked for, not a role: pictures of shoes from the side, the top and below have foregrounds of
much the same shape, and nothing here tells them apart. Where the background is not plain, nothing is said at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.answers import Role

_WORK_PX = 256
# A background is plain where nine in ten of the pixels at the frame are this near to their median, grey levels.
_PLAIN_LEVELS = 12
_PLAIN_PART = 0.9
_DIFFERENT_LEVELS = 28
# Elements of a tread lie apart; gaps up to this part of the foreground's length belong to the sole.
_CLOSING_PART = 0.06
_LARGE_PART = 0.2
_MIN_FOREGROUND = 0.02
_SPECK_PX = 5
# A heel that hardly touches is still the other end of the sole.
_SPECK_PART = 0.01
_BLANK_LEVELS = 4
# Made soles and those of FID-300 are 1.5 to 4.5 times as long as wide, half of them more than 2.7 times.
_SHORTEST_SOLE = 1.3
_LONGEST_PAIR = 2.6
_PAIR_LONG = 1.7
_PAIR_EQUAL = 0.7
_PAIR_BESIDE = 0.75


@dataclass(frozen=True)
class Foreground:
    """What stands out from a plain background.

    Attributes:
        elongation: Length over width of the smallest rectangle about all of it, at least 1.
        large_parts: Parts that have at least a fifth of its area.
        fill: Part of that rectangle that it covers, 0 .. 1.
        is_two_beside: Whether it is two equally long, elongated parts side by side.
    """

    elongation: float
    large_parts: int
    fill: float
    is_two_beside: bool


def find_foreground(gray: NDArray[np.uint8]) -> Foreground | None:
    """Describe what stands out from the background of a picture.

    Args:
        gray: uint8 [H, W].

    Returns:
        None where it cannot be told: the background is not plain, nothing stands out, or it runs out of the picture at
        two opposite sides.
    """
    height, width = gray.shape
    shrink = _WORK_PX / max(height, width)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = _standing_out(small)
    if mask is None or mask.mean() < _MIN_FOREGROUND or _runs_through(mask):
        return None
    outlines, areas = _parts(_closed(mask))
    if not outlines:
        return None
    (long, wide), area = _sides(np.concatenate(outlines)), float(areas.sum())
    large = [outline for outline, part in zip(outlines, areas, strict=True) if part >= _LARGE_PART * area]
    return Foreground(long / wide, len(large), min(area / (long * wide), 1.0), _is_two_beside(large))


def role_doubt(gray: NDArray[np.uint8], declared: Role) -> str:
    """Say why a picture is hardly what it is declared to be.

    Measured doubts about a declared SOLE: 0 of 800 made sole photographs (598 of which have a background plain enough
    to tell), 0 of 2,000 made impressions of three sizes, with and without more paper about them, and 0 of 196
    references of FID-300 (65 could be told as they are, all with a white margin). Doubts that ought to be: 145 of 200
    made photographs of pairs (147 could be told), 179 of 200 and 138 of 200 impressions of pairs, and all of 200 boxes
    declared SOLE; 104 of 200 photographs of single soles declared PAIR, while no pair declared PAIR of 600 was doubted.

    What it cannot tell: a shoe from the side or from the top passes for a sole; so do pictures without a plain
    background, pairs whose shoes touch, and what reaches two opposite sides of the picture. Of the other roles
    nothing is known here but whether the picture is blank. The figures are of made pictures: real feeds are untried.

    Args:
        gray: uint8 [H, W].
        declared: What the feed says it shows.

    Returns:
        A sentence, or nothing: either all is well or it cannot be told.
    """
    if int(gray.max()) - int(gray.min()) <= _BLANK_LEVELS:
        return "the picture is blank"
    found = find_foreground(gray) if declared in (Role.SOLE, Role.PAIR) else None
    if found is None:
        return ""
    if declared is Role.SOLE and found.is_two_beside:
        return "it shows two long parts side by side, as a picture of a PAIR does"
    if declared is Role.SOLE and found.elongation < _SHORTEST_SOLE and found.large_parts == 1:
        return f"what it shows is {found.elongation:.1f} times as long as wide, a sole is more than twice"
    if declared is Role.PAIR and found.large_parts == 1 and found.elongation > _LONGEST_PAIR:
        return f"it shows one part, {found.elongation:.1f} times as long as wide, and no PAIR"
    return ""


def _standing_out(small: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """What differs from the plain background, bool [H, W]; None where there is no plain background."""
    frame = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]).astype(np.int16)
    level = np.median(frame)
    if (np.abs(frame - level) <= _PLAIN_LEVELS).mean() < _PLAIN_PART:
        return None
    different: NDArray[np.bool_] = np.abs(small.astype(np.int16) - level) > _DIFFERENT_LEVELS
    return different


def _runs_through(mask: NDArray[np.bool_]) -> bool:
    return bool((mask[0].any() and mask[-1].any()) or (mask[:, 0].any() and mask[:, -1].any()))


def _closed(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The mask without specks, its parts joined over gaps that are small for its length; uint8 [H + 2p, W + 2p]."""
    cleaned = cv2.medianBlur(mask.view(np.uint8), _SPECK_PX)
    rows, columns = np.flatnonzero(cleaned.any(axis=1)), np.flatnonzero(cleaned.any(axis=0))
    if not len(rows):
        return np.asarray(cleaned, np.uint8)
    length = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    gap = 2 * round(_CLOSING_PART * length / 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    padded = cv2.copyMakeBorder(cleaned, gap, gap, gap, gap, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel), np.uint8)


def _parts(closed: NDArray[np.uint8]) -> tuple[list[NDArray[np.int32]], NDArray[np.float64]]:
    """Outlines [P, 1, 2] and areas [K] of the parts that are no mere specks; holes count as filled."""
    found, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = np.array([cv2.contourArea(outline) for outline in found], np.float64)
    kept = np.flatnonzero(areas >= max(_SPECK_PART * areas.sum(), 1.0))
    return [np.asarray(found[index], np.int32) for index in kept.tolist()], areas[kept]


def _sides(outline: NDArray[np.int32]) -> tuple[float, float]:
    """Long and short side of the smallest rectangle about an outline, pixels, at least 1."""
    _, (first, second), _ = cv2.minAreaRect(outline)
    return max(first, second, 1.0), max(min(first, second), 1.0)


def _is_two_beside(parts: list[NDArray[np.int32]]) -> bool:
    """Whether two long parts of equal length lie beside each other, and not one behind the other as toe and heel do."""
    if len(parts) != 2:
        return False
    (a_long, a_wide), (b_long, b_wide) = (_sides(part) for part in parts)
    if min(a_long / a_wide, b_long / b_wide) < _PAIR_LONG or min(a_long, b_long) < _PAIR_EQUAL * max(a_long, b_long):
        return False
    centres = np.array([part.reshape(-1, 2).mean(axis=0) for part in parts])
    _, _, (axis, *_) = np.linalg.svd(parts[0].reshape(-1, 2) - centres[0], full_matrices=False)
    reach = [part.reshape(-1, 2) @ axis for part in parts]
    shared = min(r.max() for r in reach) - max(r.min() for r in reach)
    return bool(shared >= _PAIR_BESIDE * min(np.ptp(r) for r in reach))
