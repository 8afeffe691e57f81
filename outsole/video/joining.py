"""Walks that turn out to be one walker's: where each foot was seen alone at first, or was lost and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from outsole.video.association import overlap
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.walkers import Walker

_RECENT_S = 0.4
_APART_LENGTHS = 2.5
_SAME_SPEED_LENGTHS_PER_S = 3.0
_SAME_PERSON, _OTHER_PERSON = 0.6, 0.3
_MOST_DOUBT = 0.1


@dataclass
class _Company:
    """How long two walks went together, in how many frames, and how many of these spoke against one walker."""

    since_s: float
    frames: int = 0
    against: int = 0


class Joiner:
    """Watches the walks that are near each other.

    Args:
        settings: Of the tracker.
    """

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._companies: dict[tuple[int, int], _Company] = {}

    def joined(
        self, walkers: Sequence[Walker], shoes: Mapping[int, int], *, time_s: float
    ) -> list[tuple[Walker, Walker]]:
        """Look at a frame after its shoes were given out.

        Args:
            walkers: Those that go on, in the order of their numbers.
            shoes: How many shoes the frame shows of each walk; only walks that it shows.
            time_s: Of the frame.

        Returns:
            Pairs of the older and the younger walk of one walker; no walk is in two pairs.
        """
        recent = [walker for walker in walkers if time_s - walker.time_s <= _RECENT_S]
        companies: dict[tuple[int, int], _Company] = {}
        pairs: list[tuple[Walker, Walker]] = []
        taken: set[int] = set()
        for older, younger in self._near(recent, time_s):
            key = (older.walk, younger.walk)
            company = companies[key] = self._companies.get(key, _Company(time_s))
            seen = shoes.get(older.walk, 0) + shoes.get(younger.walk, 0)
            company.frames += int(seen > 0)
            company.against += int(seen > 2 or self._is_apart(older, younger, time_s))
            if not taken & set(key) and self._is_one(company, older, younger, time_s):
                pairs.append((older, younger))
                taken |= set(key)
        self._companies = {key: company for key, company in companies.items() if not taken & set(key)}
        return pairs

    def _near(self, walkers: Sequence[Walker], time_s: float) -> list[tuple[Walker, Walker]]:
        """Pairs so close that they may be one walker."""
        if len(walkers) < 2:
            return []
        places = np.array([walker.ground_at(time_s)[0] for walker in walkers])
        lengths = np.array([walker.length_px for walker in walkers])
        apart = np.hypot(*np.moveaxis(places[:, None] - places[None], 2, 0))
        is_near = apart <= _APART_LENGTHS * np.maximum(lengths[:, None], lengths[None])
        return [(walkers[i], walkers[j]) for i, j in np.argwhere(np.triu(is_near, 1)).tolist()]

    def _is_apart(self, older: Walker, younger: Walker, time_s: float) -> bool:
        share = _shared_person(older, younger, time_s)
        return share is not None and share < _OTHER_PERSON

    def _is_one(self, company: _Company, older: Walker, younger: Walker, time_s: float) -> bool:
        if time_s - company.since_s < self._settings.joined_after_s or company.against > _MOST_DOUBT * company.frames:
            return False
        share = _shared_person(older, younger, time_s)
        is_worn_by_one = share is not None and share >= _SAME_PERSON
        # Two things that never move are at the same speed, too; and a person may stand beside a chair.
        if not is_worn_by_one and (older.is_parked or younger.is_parked):
            return False
        apart = older.motion.velocity_px_per_s - younger.motion.velocity_px_per_s
        if float(np.hypot(*apart)) > _SAME_SPEED_LENGTHS_PER_S * max(older.length_px, younger.length_px):
            return False
        looks = older.look, younger.look
        if looks[0] is None or looks[1] is None:
            return True
        return float(looks[0] @ looks[1]) >= self._settings.reentry_likeness


def _shared_person(older: Walker, younger: Walker, time_s: float) -> float | None:
    """Overlap of the persons' boxes; None where either has none that is recent."""
    if min(older.person_time_s, younger.person_time_s) < time_s - _RECENT_S:
        return None
    persons = older.person_at(time_s), younger.person_at(time_s)
    return None if persons[0] is None or persons[1] is None else overlap(persons[0], persons[1])
