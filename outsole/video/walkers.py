"""Walkers whom a tracker follows at the moment: where they are, how they look, what was counted of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Box, View
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.tracks import KeptSighting, TrackFacts, TrackPart, with_candidate

Place = NDArray[np.float64]
"""(x, y), float64 [2], pixels of the frame."""

# A walker is at 1.4 m/s; a shoe is 0.3 m long. Nothing is known of the direction at first.
_FIRST_SPEED_LENGTHS_PER_S = 6.0
# Where a foot is says little new within this time: it stands, or swings, for longer.
_FOOT_MEMORY_S = 0.3
_WITH_PERSON, _ACROSS, _BOTH_FEET = 0.4, 0.5, 0.35
_LENGTH_MEMORY = 0.15
_MOST_PLACES = 4
_PERSON_REST_LENGTHS = 2.0
_MOVED_SHARE = 0.05
_MOVED_EXTENT_LENGTHS = 4.0
_WORN_SHARE = 0.25
# When a person is so far from where it was most, its shoes are so far from where they were most.
_PERSON_AWAY_LENGTHS, _SHOE_AWAY_LENGTHS, _TAKEN_SHARE = 2.0, 1.0, 0.5
_CELL_PX = 8
# A shoe seen from the front or back is about half as wide and high as it is long.
_FORESHORTENED = 2.0
_UNKNOWN_GAP = 0.75
_PARKED_SIGHTINGS, _PARKED_S = 6, 1.0


@dataclass(frozen=True)
class Shoe:
    """A sighting with what association asks of it.

    Attributes:
        kept: The sighting, its row and its vector.
        middle: Of its box.
        ground: Where it says that its walker is: below the person where there is one, else below the box.
        length_px: Of the shoe as it would be from the side; what a box from another view says of it.
        noise: How far the walker may be from ``ground`` (standard deviation), lengths in x and y.
    """

    kept: KeptSighting
    middle: Place
    ground: Place
    length_px: float
    noise: Place

    @classmethod
    def of(cls, kept: KeptSighting, settings: TrackingSettings) -> Shoe:
        left, top, right, bottom = kept.sighting.box
        person = kept.sighting.person
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        below = middle[0] if person is None else (person[0] + person[2]) / 2
        across = 1.0 if person is None else _WITH_PERSON
        return cls(
            kept=kept,
            middle=middle,
            ground=np.array([below, bottom]),
            length_px=max(right - left, bottom - top, 1.0)
            * (1.0 if kept.sighting.view is View.SIDE else _FORESHORTENED),
            noise=settings.noise_lengths * np.array([across, _ACROSS]),
        )


class Motion:
    """A place that moves at an almost constant velocity: a Kalman filter whose axes are independent.

    The way between two sightings enters as white acceleration, so that any rate of frames gives the same course.
    """

    def __init__(self, place: Place, *, deviation_px: Place, speed_px_per_s: float, time_s: float) -> None:
        self._place, self._velocity, self._time_s = place.copy(), np.zeros(2), time_s
        self._place_var, self._both, self._velocity_var = deviation_px**2, np.zeros(2), np.full(2, speed_px_per_s**2)

    @property
    def velocity_px_per_s(self) -> Place:
        """float64 [2]."""
        return self._velocity

    def at(self, time_s: float, *, turn_px: float) -> tuple[Place, Place]:
        """Place and variance of each axis at a time that is not before the last sighting."""
        gap = time_s - self._time_s
        variance = self._place_var + 2 * gap * self._both + gap**2 * self._velocity_var + turn_px**2 * gap**3 / 3
        return self._place + gap * self._velocity, variance

    def see(self, place: Place, *, deviation_px: Place, turn_px: float, time_s: float) -> None:
        """Take in where it was seen."""
        gap = time_s - self._time_s
        predicted, variance = self.at(time_s, turn_px=turn_px)
        both = self._both + gap * self._velocity_var + turn_px**2 * gap**2 / 2
        velocity_var = self._velocity_var + turn_px**2 * gap
        # A foot that stands still is seen again and again: more frames a second are not more knowledge.
        noise = deviation_px**2 * max(1.0, _FOOT_MEMORY_S / max(gap, 1e-3))
        total = variance + noise
        away = place - predicted
        self._place = predicted + variance / total * away
        self._velocity = self._velocity + both / total * away
        self._place_var = variance - variance**2 / total
        self._velocity_var = velocity_var - both**2 / total
        self._both = both - variance * both / total
        self._time_s = time_s


class Places:
    """Whether something ever moves: the few places at which it was first, and how often it was at none of them."""

    def __init__(self, rest_lengths: float) -> None:
        self._rest, self._places = rest_lengths, np.empty((0, 2))
        self._seen, self._elsewhere = 0, 0

    def add(self, place: Place, length_px: float) -> None:
        """Take in where it was seen."""
        self._seen += 1
        if bool((np.hypot(*(self._places - place).T) <= self._rest * length_px).any()):
            return
        if len(self._places) < _MOST_PLACES:
            self._places = np.vstack([self._places, place])
        else:
            self._elsewhere += 1

    def join(self, other: Places) -> None:
        """Take in what another has seen; of its first places, those that are left."""
        self._places = np.vstack([self._places, other._places])[:_MOST_PLACES]
        self._seen += other._seen
        self._elsewhere += other._elsewhere

    def has_moved(self, length_px: float) -> bool:
        """Whether it was often elsewhere, or the places lie farther apart than the legs of a chair."""
        if self._elsewhere > _MOVED_SHARE * self._seen:
            return True
        return len(self._places) > 1 and float(np.hypot(*np.ptp(self._places, axis=0))) > (
            _MOVED_EXTENT_LENGTHS * length_px
        )


class Wearing:
    """Whether a shoe goes where its person goes: one who stands for long and leaves is no chair that people pass."""

    def __init__(self) -> None:
        # Cells of the picture, of shoe and person together: a thing is in few, and who walks has soon gone.
        self._cells: Counter[tuple[int, int, int, int]] = Counter()

    def add(self, shoe: Place, person: Place) -> None:
        """Take in where both were seen."""
        places = np.concatenate([shoe, person]) // _CELL_PX
        self._cells[int(places[0]), int(places[1]), int(places[2]), int(places[3])] += 1

    def join(self, other: Wearing) -> None:
        """Take in what another has seen."""
        self._cells.update(other._cells)

    def is_taken_along(self, length_px: float) -> bool:
        """Whether it was elsewhere as a rule when its person was; False where the person never was."""
        if not self._cells:
            return False
        cells, counts = np.array(list(self._cells)) * float(_CELL_PX), np.array(list(self._cells.values()))
        apart = np.abs(cells - cells[counts.argmax()])
        away = np.hypot(apart[:, 2], apart[:, 3]) > _PERSON_AWAY_LENGTHS * length_px
        along = away & (np.hypot(apart[:, 0], apart[:, 1]) > _SHOE_AWAY_LENGTHS * length_px)
        return bool(away.any()) and float(counts[along].sum()) > _TAKEN_SHARE * float(counts[away].sum())


class Walker:
    """One whom the tracker follows; grows by `see` and by `join`, and keeps the same size for hours.

    Args:
        walk: Its number, in the order in which walks began.
        order: Its number among the walks that began in the same frame.
        shoes: The one or two shoes with which it begins.
        settings: Of the tracker.
    """

    def __init__(self, walk: int, order: int, shoes: Sequence[Shoe], settings: TrackingSettings) -> None:
        first = shoes[0]
        self.walk, self.order, self._settings = walk, order, settings
        self.first_frame = first.kept.sighting.frame
        self.walks = [walk]
        self.length_px = max(shoe.length_px for shoe in shoes)
        self.time_s = first.kept.sighting.time_s
        self.motion = Motion(
            np.mean([shoe.ground for shoe in shoes], axis=0),
            deviation_px=self.length_px * first.noise,
            speed_px_per_s=self.length_px * _FIRST_SPEED_LENGTHS_PER_S,
            time_s=self.time_s,
        )
        self.person: Box | None = None
        self.person_time_s, self._person_ground = -math.inf, np.zeros(2)
        self.feet: list[tuple[Place, float]] = []
        self.facts = TrackFacts.of(first.kept.sighting)
        self.best: tuple[KeptSighting, ...] = ()
        self._look: NDArray[np.float64] | None = None
        self._places, self._person_places = Places(settings.rest_lengths), Places(_PERSON_REST_LENGTHS)
        self._wearing = Wearing()
        self._count(first, is_first=True)
        for shoe in shoes[1:]:
            self._count(shoe)
        self._step(shoes)

    @property
    def turn_px(self) -> float:
        """Change of speed within a second, pixels/s."""
        return self._settings.turn_lengths * self.length_px

    @property
    def look(self) -> NDArray[np.float64] | None:
        """float64 [D] of unit length: the mean of its vectors so far; None where it has none."""
        if self._look is None:
            return None
        return self._look / max(float(np.linalg.norm(self._look)), 1e-12)

    @property
    def parts(self) -> tuple[TrackPart, ...]:
        """The walks that it turned out to be."""
        return tuple(TrackPart(walk) for walk in sorted(self.walks))

    @property
    def is_parked(self) -> bool:
        """Whether it may be a thing that only looks like a shoe: seen for a while, never moved, worn by nobody."""
        facts = self.facts
        is_known = facts.sightings >= _PARKED_SIGHTINGS and facts.last_time_s - facts.first_time_s >= _PARKED_S
        return is_known and facts.with_person == 0 and not self._places.has_moved(self.length_px)

    @property
    def is_static(self) -> bool:
        """Whether it never moved in its life and no person stayed with it: a chair's leg is no walk-past."""
        if self._places.has_moved(self.length_px):
            return False
        is_worn = self.facts.with_person >= _WORN_SHARE * self.facts.sightings
        if is_worn and self._wearing.is_taken_along(self.length_px):
            return False
        return not is_worn or self._person_places.has_moved(self.length_px)

    def is_gone(self, time_s: float) -> bool:
        """Whether it was not seen for too long; one that was hardly seen at all must be seen again sooner."""
        is_known = self.facts.sightings >= self._settings.fewest_sightings
        return time_s - self.time_s > self._settings.longest_gap_s * (1.0 if is_known else _UNKNOWN_GAP)

    def ground_at(self, time_s: float) -> tuple[Place, Place]:
        """Where it should be, and the variance of that, pixels."""
        return self.motion.at(time_s, turn_px=self.turn_px)

    def person_at(self, time_s: float) -> Box | None:
        """Where its person's box should be; None where none was seen within the longest gap."""
        if self.person is None or time_s - self.person_time_s > self._settings.longest_gap_s:
            return None
        x, y = self.ground_at(time_s)[0] - self._person_ground
        left, top, right, bottom = self.person
        return (left + x, top + y, right + x, bottom + y)

    def see(self, shoes: Sequence[Shoe]) -> None:
        """Take in the one or two shoes that a frame shows of it."""
        for shoe in shoes:
            self._count(shoe)
        deviation = np.min([shoe.noise for shoe in shoes], axis=0)
        self.motion.see(
            np.mean([shoe.ground for shoe in shoes], axis=0),
            deviation_px=self.length_px * deviation * (_BOTH_FEET if len(shoes) > 1 else 1.0),
            turn_px=self.turn_px,
            time_s=shoes[0].kept.sighting.time_s,
        )
        self._step(shoes)

    def join(self, other: Walker) -> None:
        """Take in another walk that turned out to be the same walker's."""
        self.walks += other.walks
        self.facts = self.facts + other.facts
        for kept in sorted(other.best, key=lambda kept: kept.row):
            self.best = with_candidate(self.best, kept)
        if other._look is not None:
            self._look = other._look if self._look is None else self._look + other._look
        self._places.join(other._places)
        self._person_places.join(other._person_places)
        self._wearing.join(other._wearing)
        self.time_s = max(self.time_s, other.time_s)
        self.feet = sorted(self.feet + other.feet, key=lambda foot: -foot[1])[:2]
        if other.person_time_s > self.person_time_s:
            self.person, self.person_time_s = other.person, other.person_time_s
            self._person_ground = other._person_ground

    def _count(self, shoe: Shoe, *, is_first: bool = False) -> None:
        sighting = shoe.kept.sighting
        if not is_first:
            self.facts = self.facts + TrackFacts.of(sighting)
        self.best = with_candidate(self.best, shoe.kept)
        self.length_px += _LENGTH_MEMORY * (shoe.length_px - self.length_px)
        self._places.add(shoe.middle, self.length_px)
        if sighting.person is not None:
            self._person_places.add(shoe.ground, self.length_px)
            self._wearing.add(shoe.middle, shoe.ground)
        if shoe.kept.vector is not None:
            seen = max(sighting.grade.weight, 1e-3) * shoe.kept.vector.astype(np.float64)
            self._look = seen if self._look is None else self._look + seen

    def _step(self, shoes: Sequence[Shoe]) -> None:
        """Note where its feet and its person are now."""
        self.time_s = shoes[0].kept.sighting.time_s
        for shoe in shoes:
            self._place_foot(shoe.middle)
            if shoe.kept.sighting.person is not None:
                self.person, self.person_time_s = shoe.kept.sighting.person, self.time_s
                self._person_ground = self.ground_at(self.time_s)[0]

    def _place_foot(self, middle: Place) -> None:
        """Replace the foot that was nearest, and was not placed in this frame."""
        if len(self.feet) == 2:
            old = [index for index, (_, time_s) in enumerate(self.feet) if time_s < self.time_s]
            self.feet.pop(min(old, key=lambda index: float(np.hypot(*(self.feet[index][0] - middle)))) if old else 0)
        self.feet.append((middle, self.time_s))
