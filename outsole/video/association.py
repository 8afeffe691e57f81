"""Which walker wears which of the shoes that a frame shows, and which two walks are one walker's.

A shoe may be explained in two ways: it lies near the place where a walker should be by now, or near one of the shoes
in which that walker was just seen. The first holds when feet hide each other, the second while a foot stands. Looks and
the persons' boxes decide between walkers who come close. Every walker has two places for a frame, one a foot; all
shoes are given out at once, at the lowest total cost (Kuhn, 1955).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from outsole.answers import Box
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.walkers import Shoe, Walker

Costs = NDArray[np.float64]
"""float64 [shoes, walkers]."""

_NEVER = 1e6
_DEVIATIONS = 3.0
_FOOT_KNOWN_S = 0.5
_PARKED_KNOWN_S = 0.1
_MOTION, _LOOK, _PERSON = 0.4, 0.35, 0.25
_UNKNOWN = 0.5
_NOBODY = 0.5
_REACH = 4.5
_LEAST_OVERLAP = 0.05
_SAME_PERSON = 0.4
_MOST_RATIO = 2.5
_DUPLICATE = 0.6


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes, float64 [A, B] of [A, 4] and [B, 4]; NaN where a box is NaN."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    end = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(end - corner, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    shares: NDArray[np.float64] = shared / np.where(union == 0, 1.0, union)
    return shares


def without_duplicates(shoes: Sequence[Shoe]) -> list[Shoe]:
    """One shoe for each of those that cover the same place: the one that the detector is surest of."""
    if len(shoes) < 2:
        return list(shoes)
    shares = overlaps(*2 * (np.array([shoe.kept.sighting.box for shoe in shoes], np.float64),))
    kept: list[int] = []
    for index in sorted(range(len(shoes)), key=lambda index: (-shoes[index].kept.sighting.score, index)):
        if not (shares[index, kept] >= _DUPLICATE).any():
            kept.append(index)
    return [shoes[index] for index in sorted(kept)]


def assigned(
    shoes: Sequence[Shoe], walkers: Sequence[Walker], *, time_s: float, settings: TrackingSettings
) -> list[int]:
    """The place in ``walkers`` of each shoe's walker, -1 where it begins a new walk; at most two shoes a walker."""
    if not shoes or not walkers:
        return [-1] * len(shoes)
    costs = _costs(shoes, walkers, time_s, settings)
    anew = np.where(np.eye(len(shoes), dtype=np.bool_), _NOBODY, _NEVER)
    rows, columns = linear_sum_assignment(np.hstack([costs, costs, anew]))
    wearers = [-1] * len(shoes)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if column < 2 * len(walkers) and costs[row, column % len(walkers)] < _NEVER:
            wearers[row] = column % len(walkers)
    return _without_strangers(shoes, wearers, costs, settings)


def can_be_pair(first: Shoe, second: Shoe, settings: TrackingSettings) -> bool:
    """Whether two shoes of a frame may be the two feet of one walker."""
    persons = first.kept.sighting.person, second.kept.sighting.person
    if persons[0] is not None and persons[1] is not None:
        return overlap(persons[0], persons[1]) >= _SAME_PERSON
    lengths = sorted((first.length_px, second.length_px))
    apart = float(np.hypot(*(first.middle - second.middle)))
    if lengths[1] > _MOST_RATIO * lengths[0] or apart > settings.reach_lengths * lengths[1]:
        return False
    looks = first.kept.vector, second.kept.vector
    return looks[0] is None or looks[1] is None or float(looks[0] @ looks[1]) >= settings.lowest_likeness


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0 .. 1."""
    return float(overlaps(np.array([first], np.float64), np.array([second], np.float64))[0, 0])


def _without_strangers(
    shoes: Sequence[Shoe], wearers: list[int], costs: Costs, settings: TrackingSettings
) -> list[int]:
    """Where two shoes of one walker cannot be a pair, only the likelier stays."""
    for walker in {wearer for wearer in wearers if wearer >= 0}:
        worn = [index for index, wearer in enumerate(wearers) if wearer == walker]
        if len(worn) == 2 and not can_be_pair(shoes[worn[0]], shoes[worn[1]], settings):
            wearers[max(worn, key=lambda index: (float(costs[index, walker]), index))] = -1
    return wearers


def _costs(shoes: Sequence[Shoe], walkers: Sequence[Walker], time_s: float, settings: TrackingSettings) -> Costs:
    """What it costs to give a shoe to a walker, 0 .. 1; ``_NEVER`` where it cannot be."""
    gaps = time_s - np.array([walker.time_s for walker in walkers])
    motion, is_near = _motion(shoes, walkers, time_s, settings)
    looks, persons = _looks(shoes, walkers), _persons(shoes, walkers, time_s)
    lengths = np.array([shoe.length_px for shoe in shoes])[:, None] / [walker.length_px for walker in walkers]
    least = np.where(gaps > settings.reentry_gap_s, settings.reentry_likeness, settings.lowest_likeness)
    is_far = (motion > 1) | ~is_near | (looks < least) | (np.maximum(lengths, 1 / lengths) > _MOST_RATIO)
    is_far |= (persons < _LEAST_OVERLAP) & (gaps < settings.reentry_gap_s)
    unlike = np.clip((1 - looks) / (1 - min(settings.lowest_likeness, 0.99)), 0, 1)
    total = _MOTION * motion + _LOOK * np.nan_to_num(unlike, nan=_UNKNOWN)
    strange = np.nan_to_num(1 - persons, nan=_UNKNOWN)
    # After a gap nobody is where a constant velocity puts him to the pixel.
    total += _PERSON * np.where(gaps > settings.reentry_gap_s, np.minimum(strange, _UNKNOWN), strange)
    return np.where(is_far, _NEVER, total)


def _motion(
    shoes: Sequence[Shoe], walkers: Sequence[Walker], time_s: float, settings: TrackingSettings
) -> tuple[Costs, NDArray[np.bool_]]:
    """How far shoes lie from where walkers and their feet should be, 1 the farthest; and which lie within reach."""
    predicted = [walker.ground_at(time_s) for walker in walkers]
    places, variances = (np.array(side) for side in zip(*predicted, strict=True))
    lengths, gaps = np.array([walker.length_px for walker in walkers]), time_s - np.array([w.time_s for w in walkers])
    noise = np.array([shoe.noise for shoe in shoes])[:, None] * lengths[None, :, None]
    away = np.array([shoe.ground for shoe in shoes])[:, None] - places[None]
    by_course = np.hypot(*np.moveaxis(away / (_DEVIATIONS * np.sqrt(variances[None] + noise**2)), 2, 0))
    by_course[:, [walker.is_parked for walker in walkers]] = np.inf
    reach = lengths * (settings.reach_lengths + _REACH * gaps)
    own = np.array([(shoe.middle[0], shoe.ground[1]) for shoe in shoes])
    is_near = np.hypot(*np.moveaxis(own[:, None] - places[None], 2, 0)) <= reach
    return np.minimum(by_course, _by_feet(shoes, walkers, time_s, settings)), is_near


def _by_feet(shoes: Sequence[Shoe], walkers: Sequence[Walker], time_s: float, settings: TrackingSettings) -> Costs:
    """How far shoes lie from those in which walkers were just seen, 1 the farthest that a foot swings meanwhile."""
    middles = np.array([shoe.middle for shoe in shoes])
    costs = np.full((len(shoes), len(walkers)), np.inf)
    for column, walker in enumerate(walkers):
        for place, seen_s in walker.feet:
            gap = time_s - seen_s
            if gap > _FOOT_KNOWN_S and not walker.is_parked:
                continue
            swing = settings.stride_lengths_per_s * (min(gap, _PARKED_KNOWN_S) if walker.is_parked else gap)
            apart = np.hypot(*(middles - place).T) / (walker.length_px * (1 + swing))
            costs[:, column] = np.minimum(costs[:, column], apart)
    return costs


def _looks(shoes: Sequence[Shoe], walkers: Sequence[Walker]) -> Costs:
    """Cosines of the looks; NaN where either has none."""
    cosines = np.full((len(shoes), len(walkers)), np.nan)
    rows = [index for index, shoe in enumerate(shoes) if shoe.kept.vector is not None]
    looks = [(index, look) for index, walker in enumerate(walkers) if (look := walker.look) is not None]
    if rows and looks:
        vectors = np.array([shoes[index].kept.vector for index in rows], np.float64)
        columns = [index for index, _ in looks]
        cosines[np.ix_(rows, columns)] = vectors @ np.array([look for _, look in looks]).T
    return cosines


def _persons(shoes: Sequence[Shoe], walkers: Sequence[Walker], time_s: float) -> Costs:
    """Overlaps of the persons' boxes; NaN where either has none."""
    nobody = (np.nan,) * 4
    seen = [shoe.kept.sighting.person or nobody for shoe in shoes]
    expected = [walker.person_at(time_s) or nobody for walker in walkers]
    return overlaps(np.array(seen, np.float64), np.array(expected, np.float64))
