"""Whose foot a shoe is on: what is on nobody's foot is the leg of a chair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from outsole.video.boxes import Boxes

# A foot is about this part of a standing body's height.
_FOOT_OF_BODY = 0.15
# Where a person's shoes are when the pose does not say: this far above and below the lower edge of its box.
_ABOVE, _BELOW = 0.14, 0.06


@dataclass(frozen=True)
class WearingSettings:
    """When a shoe belongs to a foot.

    Attributes:
        reach: Farthest that a shoe's middle may lie from a foot, in lengths of a foot.
        least_drop, largest_drop: How far below the lower of heel and toe a shoe's lower edge may lie, in lengths of a
            foot. Soles are below both; legs of chairs behind a person end above them.
        min_sure: How sure the pose must be of a foot to be asked.
        least_size, largest_size: Of a shoe's longer side, in lengths of a foot.
        unposed_score: Least score of a shoe that is taken where the pose is not sure of a foot.
        unposed_gain: How near such a shoe counts as, 0 .. 1.
    """

    reach: float = 0.6
    least_drop: float = -0.15
    largest_drop: float = 0.8
    min_sure: float = 0.3
    least_size: float = 0.45
    largest_size: float = 2.0
    unposed_score: float = 0.45
    unposed_gain: float = 0.2


@dataclass(frozen=True)
class Persons:
    """People in frames.

    Attributes:
        frames: [P] places in the list of frames.
        boxes: [P, 4].
        feet: [P, 2 (left, right), 2 (heel, toe), 2 (x, y)], pixels.
        sure: [P, 2] how sure the pose is of each foot, 0 .. 1; 0 where it saw no body.
        looks: [P, 2] to the right and away from the camera, each -1 .. 1; 0 where there is no pose.
    """

    frames: NDArray[np.intp]
    boxes: Boxes
    feet: NDArray[np.float64]
    sure: NDArray[np.float64]
    looks: NDArray[np.float64]


@dataclass(frozen=True)
class Footwear:
    """What looks like a shoe.

    Attributes:
        frames: [S] places in the list of frames.
        boxes: [S, 4].
        scores: [S], 0 .. 1.
    """

    frames: NDArray[np.intp]
    boxes: Boxes
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Worn:
    """Shoes on feet, one a row.

    Attributes:
        shoes: [W] rows of the footwear.
        persons: [W] rows of the persons.
        sides: [W] 0 the left foot, 1 the right.
        posed: [W] whether the pose says where that foot is.
    """

    shoes: NDArray[np.intp]
    persons: NDArray[np.intp]
    sides: NDArray[np.intp]
    posed: NDArray[np.bool_]


def worn(footwear: Footwear, persons: Persons, settings: WearingSettings) -> Worn:
    """Give every foot at most one shoe and every shoe one foot; of all ways the one with the best sum of gains."""
    gains = _gains(footwear, persons, settings)
    shoes, feet = linear_sum_assignment(gains, maximize=True)
    taken = gains[shoes, feet] > 0
    shoes, feet = shoes[taken], feet[taken]
    owners, sides = np.divmod(feet, 2)
    return Worn(shoes, owners, sides, persons.sure[owners, sides] >= settings.min_sure)


def foot_lengths(persons: Persons) -> NDArray[np.float64]:
    """How long each person's feet are about, pixels: [P]."""
    return _FOOT_OF_BODY * (persons.boxes[:, 3] - persons.boxes[:, 1])


def _gains(footwear: Footwear, persons: Persons, settings: WearingSettings) -> NDArray[np.float64]:
    """[S, 2 P]: score times nearness, 0 where a shoe cannot be on that foot."""
    middles = (footwear.boxes[:, :2] + footwear.boxes[:, 2:]) / 2
    lengths = foot_lengths(persons)[None, :, None]
    nearness = np.clip(1 - _distances(middles, persons.feet) / (settings.reach * lengths), 0, 1)
    drops = (footwear.boxes[:, 3, None, None] - persons.feet[None, :, :, :, 1].max(-1)) / lengths
    nearness *= (drops >= settings.least_drop) & (drops <= settings.largest_drop)
    guessed = settings.unposed_gain * (
        _in_place(middles, persons) & (footwear.scores >= settings.unposed_score)[:, None]
    )
    posed = persons.sure[None] >= settings.min_sure
    nearness = np.where(posed, nearness, guessed[:, :, None])
    sizes = (footwear.boxes[:, 2:] - footwear.boxes[:, :2]).max(-1)[:, None] / foot_lengths(persons)[None]
    possible = (sizes >= settings.least_size) & (sizes <= settings.largest_size)
    possible &= footwear.frames[:, None] == persons.frames[None]
    gains = footwear.scores[:, None, None] * nearness * possible[:, :, None]
    return np.asarray(gains.reshape(len(middles), 2 * len(persons.frames)), np.float64)


def _distances(middles: NDArray[np.float64], feet: NDArray[np.float64]) -> NDArray[np.float64]:
    """From every middle [S, 2] to every foot's line from heel to toe: [S, P, 2]."""
    heels, along = feet[:, :, 0], feet[:, :, 1] - feet[:, :, 0]
    out = middles[:, None, None] - heels
    part = (out * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
    nearest = out - np.clip(part, 0, 1)[..., None] * along
    return np.asarray(np.hypot(nearest[..., 0], nearest[..., 1]))


def _in_place(middles: NDArray[np.float64], persons: Persons) -> NDArray[np.bool_]:
    """Whether each middle lies at the lower end of each person: [S, P]."""
    left, top, right, bottom = persons.boxes.T
    height = bottom - top
    x, y = middles[:, :1], middles[:, 1:]
    low = (y >= bottom - _ABOVE * height) & (y <= bottom + _BELOW * height)
    return np.asarray(low & (x >= left) & (x <= right))
