"""From sightings to walk-pasts: a tracker that sees a source once, frame by frame, and keeps little of it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, PreconditionFailed
from outsole.gallery.layout import checked_name
from outsole.video.association import assigned, can_be_pair, without_duplicates
from outsole.video.joining import Joiner
from outsole.video.records import Sighting
from outsole.video.tracking_settings import TrackingSettings
from outsole.video.tracks import NO_WALK, KeptSighting, Track, is_vector
from outsole.video.walkers import Shoe, Walker

_SOURCE_CHARACTERS = 16


@dataclass(frozen=True)
class TrackingCounts:
    """What became of the sightings so far.

    Attributes:
        sightings: Given to the tracker.
        duplicates: Left out, since another covers the same place in the frame.
        tracks: Walk-pasts.
        static: What never moved while nobody was near: chairs' legs and the like.
        short: What was seen too seldom.
        joined: Walks that turned out to be another's second foot.
    """

    sightings: int = 0
    duplicates: int = 0
    tracks: int = 0
    static: int = 0
    short: int = 0
    joined: int = 0


@dataclass(frozen=True)
class TrackingStep:
    """What a call to the tracker settled.

    Attributes:
        finished: Tracks of walkers who have gone, in the order in which they began.
        walks: int64 [N, 2], a row and the walk that took it (`outsole.video.tracks.NO_WALK` where none did), in the
            order of the rows; every row comes once, some calls late. Walks that no track names were dropped.
    """

    finished: tuple[Track, ...]
    walks: NDArray[np.int64]


class Tracker:
    """Joins the sightings of one source to tracks.

    The same sightings give the same tracks, however they are cut into calls.

    Args:
        source: The source's sha256, of which the ids begin with 16 characters; or another name.
        settings: Limits; the defaults where None.

    Raises:
        InvalidInput: The source cannot be a part of names.
    """

    def __init__(self, source: str, *, settings: TrackingSettings | None = None) -> None:
        self._source = checked_name(source, field="source")[:_SOURCE_CHARACTERS]
        self._settings = settings or TrackingSettings()
        self._joiner = Joiner(self._settings)
        self._walkers: list[Walker] = []
        self._waiting: list[KeptSighting] = []
        self._rows, self._next_walk, self._is_closed = 0, 0, False
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> TrackingCounts:
        """What became of the sightings so far."""
        return TrackingCounts(sightings=self._rows, **self._counts)

    def update(self, sightings: Sequence[Sighting], vectors: NDArray[np.float32] | None = None) -> TrackingStep:
        """Take the next sightings, of one frame or of several.

        Args:
            sightings: In the order of time; a frame may be spread over calls.
            vectors: float32 [N, D] of unit length, one a sighting, a row of NaN where there is none; None for none.

        Returns:
            What is settled now; the last frame waits until the next one begins.

        Raises:
            InvalidInput: Vectors that do not fit, or sightings that go back in time.
            PreconditionFailed: The tracker was closed.
        """
        self._check_open()
        _check(sightings, vectors, self._waiting[-1].sighting if self._waiting else None)
        finished: list[Track] = []
        walks: list[tuple[int, int]] = []
        for index, sighting in enumerate(sightings):
            vector = None if vectors is None or not is_vector(vectors[index]) else vectors[index].copy()
            if self._waiting and sighting.frame != self._waiting[-1].sighting.frame:
                self._settle(finished, walks)
            self._waiting.append(KeptSighting(self._rows, sighting, vector))
            self._rows += 1
        return _step(finished, walks)

    def reach(self, time_s: float) -> TrackingStep:
        """Say that the source has come to a frame at this time; who is gone by then is told without another sighting.

        Raises:
            PreconditionFailed: The tracker was closed.
        """
        self._check_open()
        finished: list[Track] = []
        walks: list[tuple[int, int]] = []
        if self._waiting and self._waiting[0].sighting.time_s < time_s:
            self._settle(finished, walks)
        finished += self._finish_gone(time_s)
        return _step(finished, walks)

    def close(self) -> TrackingStep:
        """Say that the source has ended; what is left of it comes back."""
        self._is_closed = True
        finished: list[Track] = []
        walks: list[tuple[int, int]] = []
        if self._waiting:
            self._settle(finished, walks)
        finished += self._finish(self._walkers)
        self._walkers = []
        return _step(finished, walks)

    def _settle(self, finished: list[Track], walks: list[tuple[int, int]]) -> None:
        """Give out the shoes of the frame that waits."""
        time_s = self._waiting[0].sighting.time_s
        finished += self._finish_gone(time_s)
        shoes = without_duplicates([Shoe.of(kept, self._settings) for kept in self._waiting])
        self._counts["duplicates"] += len(self._waiting) - len(shoes)
        taken = dict.fromkeys((kept.row for kept in self._waiting), NO_WALK)
        for walker, worn in self._given_out(shoes, time_s):
            taken.update((shoe.kept.row, walker.walk) for shoe in worn)
        walks += taken.items()
        self._join(Counter(walk for walk in taken.values() if walk != NO_WALK), time_s)
        self._waiting = []

    def _given_out(self, shoes: list[Shoe], time_s: float) -> list[tuple[Walker, list[Shoe]]]:
        """Let walkers see their shoes, and begin walks with those that are nobody's."""
        wearers = assigned(shoes, self._walkers, time_s=time_s, settings=self._settings)
        worn = [
            (walker, [shoe for shoe, wearer in zip(shoes, wearers, strict=True) if wearer == index])
            for index, walker in enumerate(self._walkers)
            if index in wearers
        ]
        for walker, pair in worn:
            walker.see(pair)
        begun = []
        for order, pair in enumerate(_pairs([s for s, w in zip(shoes, wearers, strict=True) if w < 0], self._settings)):
            begun.append((Walker(self._next_walk, order, pair, self._settings), pair))
            self._next_walk += 1
        self._walkers += [walker for walker, _ in begun]
        return worn + begun

    def _join(self, shoes: Counter[int], time_s: float) -> None:
        for older, younger in self._joiner.joined(self._walkers, shoes, time_s=time_s):
            older.join(younger)
            self._walkers.remove(younger)
            self._counts["joined"] += 1

    def _check_open(self) -> None:
        if self._is_closed:
            raise PreconditionFailed("the tracker is closed", remedy="make another for another source")

    def _finish_gone(self, time_s: float) -> list[Track]:
        """The tracks of walkers who are gone at a time; they are followed no longer."""
        gone = [walker for walker in self._walkers if walker.is_gone(time_s)]
        self._walkers = [walker for walker in self._walkers if walker not in gone]
        return self._finish(gone)

    def _finish(self, walkers: Sequence[Walker]) -> list[Track]:
        """The tracks of walkers who have gone; the others are only counted."""
        tracks = []
        for walker in walkers:
            if walker.facts.sightings < self._settings.fewest_sightings:
                self._counts["short"] += 1
            elif walker.is_static:
                self._counts["static"] += 1
            else:
                self._counts["tracks"] += 1
                tracks.append(self._track(walker))
        return tracks

    def _track(self, walker: Walker) -> Track:
        track_id = f"{self._source}-{walker.first_frame:08d}-{walker.order}"
        return Track(track_id=track_id, parts=walker.parts, facts=walker.facts, best=walker.best)


def _pairs(shoes: Sequence[Shoe], settings: TrackingSettings) -> list[list[Shoe]]:
    """Shoes that are nobody's, each with the nearest that may be its walker's other foot."""
    left, pairs = list(shoes), []
    while left:
        first = left.pop(0)
        others = [index for index, other in enumerate(left) if can_be_pair(first, other, settings)]
        apart = [float(np.hypot(*(left[index].middle - first.middle))) for index in others]
        pairs.append([first, left.pop(others[int(np.argmin(apart))])] if others else [first])
    return pairs


def _step(finished: list[Track], walks: list[tuple[int, int]]) -> TrackingStep:
    return TrackingStep(tuple(finished), np.array(walks, np.int64).reshape(-1, 2))


def _check(sightings: Sequence[Sighting], vectors: NDArray[np.float32] | None, before: Sighting | None) -> None:
    if vectors is not None and (vectors.ndim != 2 or len(vectors) != len(sightings)):
        raise InvalidInput(f"{vectors.shape} for {len(sightings)} sightings", field="vectors", remedy="one row each")
    known = ([before] if before is not None else []) + list(sightings)
    for first, second in itertools.pairwise(known):
        if second.frame < first.frame or second.time_s < first.time_s:
            raise InvalidInput(
                f"frame {second.frame} at {second.time_s:g} s comes after frame {first.frame} at {first.time_s:g} s",
                field="sightings",
                remedy="in the order of time",
            )
