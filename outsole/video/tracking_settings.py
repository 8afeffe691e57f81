"""How shoes are joined to walk-pasts: every limit with its unit.

``lengths`` are lengths of the shoe as the picture shows it, so that the same limits hold near and far.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from outsole.errors import InvalidInput


@dataclass(frozen=True)
class TrackingSettings:
    """Settings of a tracker.

    Attributes:
        longest_gap_s: A walker who is not seen for longer has gone; who comes later is another walk-past.
        reentry_gap_s: After so long a gap looks must agree by ``reentry_likeness``.
        lowest_likeness: Cosine below which two looks cannot be of one walker.
        reentry_likeness: The same after a gap, and for two walks that are joined.
        reach_lengths: How far a foot lies at most from the middle of its walker.
        noise_lengths: How far it lies from there as a rule (standard deviation).
        turn_lengths: Change of speed within a second, lengths/s (standard deviation).
        stride_lengths_per_s: How fast a foot swings.
        joined_after_s: Two walks that went together for so long, never with more than two shoes, are one walker's.
        fewest_sightings: A track with fewer is dropped and counted.
        rest_lengths: A shoe that comes back within this distance has not moved.
    """

    longest_gap_s: float = 2.0
    reentry_gap_s: float = 0.6
    lowest_likeness: float = -0.3
    reentry_likeness: float = 0.0
    reach_lengths: float = 3.5
    noise_lengths: float = 1.0
    turn_lengths: float = 1.5
    stride_lengths_per_s: float = 8.0
    joined_after_s: float = 0.5
    fewest_sightings: int = 5
    rest_lengths: float = 0.6

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value, least = getattr(self, entry.name), _LEAST.get(entry.name, 0.0)
            if not (math.isfinite(value) and value >= least):
                raise InvalidInput(f"{value}", field=entry.name, remedy=f"a number from {least:g}")


_LEAST = {"fewest_sightings": 1, "lowest_likeness": -1.0, "reentry_likeness": -1.0}
