"""Which rotations, scales, mirrorings and polarities of a probe are tried; translations are always all tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from outsole.answers import Placement
from outsole.errors import InvalidInput

MAX_PLACEMENTS = 128
MAX_ROTATION_DEG = 180.0
SCALE_RANGE = (0.5, 2.0)


def placements(
    *,
    min_deg: float = -16.0,
    max_deg: float = 16.0,
    step_deg: float = 4.0,
    mirrored: bool = False,
    inverted: bool = False,
    scales: Sequence[float] = (1.0,),
    pinned: Placement | None = None,
) -> tuple[Placement, ...]:
    """The placements to try, in a fixed order.

    Args:
        min_deg, max_deg, step_deg: Rotations, degrees counter-clockwise, both ends included.
        mirrored: Also try the probe flipped left to right.
        inverted: Also try the probe with its polarity turned.
        scales: Factors by which the probe is enlarged.
        pinned: Try this one alone; its shifts are ignored, since all translations are searched.

    Raises:
        InvalidInput: A value that is not finite or out of range, or more than 128 placements.
    """
    if pinned is not None:
        _check_range("placement.rotation_deg", pinned.rotation_deg, -MAX_ROTATION_DEG, MAX_ROTATION_DEG)
        _check_range("placement.scale", pinned.scale, *SCALE_RANGE)
        return (pinned,)
    rotations = _rotations(min_deg, max_deg, step_deg)
    if not scales:
        raise InvalidInput("no scale is given", field="placements.scales", remedy="leave it out for 1.0")
    for scale in scales:
        _check_range("placements.scales", scale, *SCALE_RANGE)
    mirrors = (False, True) if mirrored else (False,)
    polarities = (False, True) if inverted else (False,)
    count = len(rotations) * len(scales) * len(mirrors) * len(polarities)
    if count > MAX_PLACEMENTS:
        raise InvalidInput(
            f"{count} placements are asked for", field="placements", remedy=f"at most {MAX_PLACEMENTS}; widen the step"
        )
    return tuple(
        Placement(rotation_deg=rotation, scale=scale, mirrored=mirror, inverted=polarity)
        for polarity, mirror, scale, rotation in itertools.product(polarities, mirrors, scales, rotations)
    )


def _rotations(min_deg: float, max_deg: float, step_deg: float) -> list[float]:
    _check_range("placements.min_rotation_deg", min_deg, -MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    _check_range("placements.max_rotation_deg", max_deg, -MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    _check_range("placements.rotation_step_deg", step_deg, 0.25, 360.0)
    if max_deg < min_deg:
        raise InvalidInput(
            f"the largest rotation {max_deg:g} is below the smallest {min_deg:g}", field="placements.max_rotation_deg"
        )
    steps = math.floor((max_deg - min_deg) / step_deg + 1e-6)
    return [min_deg + step_deg * i for i in range(steps + 1)]


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InvalidInput(f"the value is {value:g}", field=field, remedy=f"{low:g} .. {high:g}")
