"""Tracks: one record a walk-past, with its best frames and the one vector that stands for it.

A tracker sees a source once and forgets: of a track it keeps running facts and a few best frames. Everything else is
in the *table of sightings* of the source, which the archive keeps on disk: one row for every sighting that the tracker
was given, in that order, with the number of the walk that took it (`SightingTable`). A track does not list its rows,
it says which walks, and which times of them, are its own (`TrackPart`); so it stays small however long it is, and a
person can still cut it in two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.video.records import Sighting

NO_WALK = -1
MOST_KEPT = 16
KEPT_SPACING_S = 0.1


@dataclass(frozen=True)
class KeptSighting:
    """A sighting that a track keeps.

    Attributes:
        row: Its number among all sightings of the source, from 0, in the order in which the tracker was given them.
        sighting: What was seen.
        vector: float32 [D] of unit length; None where there is none. Two are equal where row and sighting are.
    """

    row: int
    sighting: Sighting
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    @property
    def is_searchable(self) -> bool:
        """Whether it counts in the track's vector."""
        return self.vector is not None and self.sighting.grade.is_large_enough


@dataclass(frozen=True)
class TrackPart:
    """A walk that the tracker followed, or a stretch of it.

    Attributes:
        walk: Number that the tracker gave it.
        from_s, until_s: Times of the sightings that belong to it, the end not among them.
    """

    walk: int
    from_s: float = -math.inf
    until_s: float = math.inf


@dataclass(frozen=True)
class TrackFacts:
    """What is counted while a track goes on.

    Attributes:
        first_frame, last_frame: Numbers of the first and last frame in which it was seen.
        first_time_s, last_time_s: Their times, seconds after the source's first frame.
        sightings: Shoes seen; two in a frame where both feet are.
        side, front, back: How many of them from each view.
        too_small: How many were not large enough to be searched.
        with_person: How many came with the box of a person.
    """

    first_frame: int
    last_frame: int
    first_time_s: float
    last_time_s: float
    sightings: int
    side: int
    front: int
    back: int
    too_small: int
    with_person: int

    @classmethod
    def of(cls, sighting: Sighting) -> TrackFacts:
        """Those of a single sighting."""
        frame, time_s, view = sighting.frame, sighting.time_s, sighting.view
        seen_from = (int(view is View.SIDE), int(view is View.FRONT), int(view is View.BACK))
        small, worn = int(not sighting.grade.is_large_enough), int(sighting.person is not None)
        return cls(frame, frame, time_s, time_s, 1, *seen_from, small, worn)

    def __add__(self, other: TrackFacts) -> TrackFacts:
        """Those of both together."""
        return TrackFacts(
            first_frame=min(self.first_frame, other.first_frame),
            last_frame=max(self.last_frame, other.last_frame),
            first_time_s=min(self.first_time_s, other.first_time_s),
            last_time_s=max(self.last_time_s, other.last_time_s),
            sightings=self.sightings + other.sightings,
            side=self.side + other.side,
            front=self.front + other.front,
            back=self.back + other.back,
            too_small=self.too_small + other.too_small,
            with_person=self.with_person + other.with_person,
        )


@dataclass(frozen=True)
class Track:
    """One walk-past of one walker, both feet.

    Attributes:
        track_id: ``<source>-<first frame>-<order>``; after a split by hand the second half has another ending.
        parts: Which rows of the table of sightings are its own; walks that turned out to be one come together here.
        facts: What was counted.
        best: At most ``MOST_KEPT`` sightings, spread in time, best first.
        chosen: The sighting that a person chose to stand for it; None where the grade decides.
        merged_ids: Tracks that a person merged into this one.
        edits: Edits that made it what it is, oldest first.
    """

    track_id: str
    parts: tuple[TrackPart, ...]
    facts: TrackFacts
    best: tuple[KeptSighting, ...]
    chosen: KeptSighting | None = None
    merged_ids: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()

    @property
    def best_frame(self) -> KeptSighting:
        """The one to show: a person's choice, or the best by grade."""
        return self.best[0] if self.chosen is None else self.chosen

    def told(self) -> dict[str, Any]:
        """What a row of an archive and an answer both tell of it, by the names that they share."""
        facts, best = self.facts, self.best_frame.sighting
        return {
            "first_frame": facts.first_frame,
            "last_frame": facts.last_frame,
            "best_frame": best.frame,
            "first_time_s": facts.first_time_s,
            "last_time_s": facts.last_time_s,
            "best_time_s": best.time_s,
            "box": best.box,
            "toe": best.toe,
            "heel": best.heel,
            "view": best.view,
            "weight": best.grade.weight,
            "length_px": best.grade.length_px,
            "sightings": facts.sightings,
            "side_views": facts.side,
            "front_views": facts.front,
            "back_views": facts.back,
            "too_small": facts.too_small,
        }

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """float32 [D] of unit length, see `track_embedding`; None where no sighting was large enough."""
        others = tuple(kept for kept in self.best if kept != self.chosen)
        return track_embedding(others if self.chosen is None else (self.chosen, *others))


def track_embedding(best: Iterable[KeptSighting]) -> NDArray[np.float32] | None:
    """The mean of the vectors of sightings, each as heavy as its grade.

    Args:
        best: Sightings of one track; those that are too small, or have no vector, do not count.

    Returns:
        float32 [D] of unit length; None where none counts, or where the vectors cancel each other.
    """
    counted = [(kept.vector, kept.sighting.grade.weight) for kept in best if kept.is_searchable]
    if not counted:
        return None
    vectors = np.array([vector for vector, _ in counted], np.float64)
    weights = np.array([weight for _, weight in counted], np.float64)
    mean = (weights if weights.sum() > 0 else np.ones_like(weights)) @ vectors
    length = float(np.linalg.norm(mean))
    return (mean / length).astype(np.float32) if length > 0 else None


def with_candidate(best: tuple[KeptSighting, ...], candidate: KeptSighting) -> tuple[KeptSighting, ...]:
    """The best sightings after one more was seen.

    Of sightings closer in time than ``KEPT_SPACING_S`` only the best stays, so that the kept ones are not all
    neighbours and both feet of a frame do not count twice. What can be searched goes before what cannot; of equals
    the earlier.

    Returns:
        At most ``MOST_KEPT``, best first.
    """
    near = [kept for kept in best if abs(kept.sighting.time_s - candidate.sighting.time_s) < KEPT_SPACING_S]
    if any(_order(kept) < _order(candidate) for kept in near):
        return best
    return tuple(sorted([*(kept for kept in best if kept not in near), candidate], key=_order)[:MOST_KEPT])


def best_of(candidates: Iterable[KeptSighting]) -> tuple[KeptSighting, ...]:
    """The best sightings among many, in the order of their rows, by `with_candidate`."""
    best: tuple[KeptSighting, ...] = ()
    for candidate in sorted(candidates, key=lambda kept: kept.row):
        best = with_candidate(best, candidate)
    return best


def _order(kept: KeptSighting) -> tuple[bool, float, int]:
    return (not kept.is_searchable, -kept.sighting.grade.weight, kept.row)


class SightingTable:
    """All sightings of a source, as the archive keeps them.

    Args:
        sightings: In the order in which the tracker was given them; read row by row, so it may be a view of a file.
        walks: The walk that took each, int64 [N]; `NO_WALK` where none did.
        vectors: float32 [N, D], rows of NaN where there is none; may be a memory map. None where nothing was encoded.

    Raises:
        InvalidInput: They do not have the same length.
    """

    def __init__(
        self,
        sightings: Sequence[Sighting],
        walks: NDArray[np.int64],
        *,
        vectors: NDArray[np.float32] | None = None,
    ) -> None:
        if walks.shape != (len(sightings),) or (vectors is not None and len(vectors) != len(sightings)):
            raise InvalidInput(f"{len(sightings)} sightings, walks {walks.shape}", field="walks", remedy="one a row")
        self._sightings, self._walks, self._vectors = sightings, walks, vectors

    def of(self, track: Track) -> tuple[KeptSighting, ...]:
        """The sightings of a track, in the order of their rows."""
        rows = np.flatnonzero(np.isin(self._walks, [part.walk for part in track.parts]))
        kept = (self._kept(int(row)) for row in rows)
        return tuple(one for one in kept if self._belongs(one, track.parts))

    def _kept(self, row: int) -> KeptSighting:
        vector = None if self._vectors is None else np.asarray(self._vectors[row], np.float32)
        return KeptSighting(row, self._sightings[row], vector if vector is not None and is_vector(vector) else None)

    def _belongs(self, kept: KeptSighting, parts: tuple[TrackPart, ...]) -> bool:
        walk, time_s = int(self._walks[kept.row]), kept.sighting.time_s
        return any(part.walk == walk and part.from_s <= time_s < part.until_s for part in parts)


def is_vector(row: NDArray[np.float32]) -> bool:
    """Whether a row of vectors holds one; rows of NaN stand for none."""
    return bool(np.isfinite(row).all())
