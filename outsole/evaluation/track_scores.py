"""How good tracks are against a known truth: who was found, in how many pieces, and whether a track finds its shoe.

The rules, in the order in which they apply:

- A found box lies on the true box of its frame that it overlaps most, from an intersection over union of 0.3.
- A track belongs to the walk-past on which most of its boxes lie, if these are at least half of all its boxes;
  else it is false.
- A walk-past is to be found if it shows a large enough shoe in a frame. It is found where one track that belongs to it
  spans at least half of those frames, from its first box on the walk-past to its last.
- An identity switch is where the next box of a track, in the order of frames, lies on another walk-past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.evaluation.retrieval import hit_at, ranked_models

LEAST_OVERLAP = 0.3
LEAST_SHARE = 0.5
_NOWHERE = -1
_PROBES_AT_ONCE = 2048


@dataclass(frozen=True)
class Boxes:
    """Boxes of shoes in the frames of one source or of several.

    Attributes:
        owners: Walk-past or track of each box, int64 [N] from 0.
        frames: Number of its frame, int64 [N]; where there are several sources, no number in two of them.
        boxes: (left, top, right, bottom), float64 [N, 4], pixels.
        is_large_enough: bool [N]; only asked of the truth. None where all are.

    Raises:
        InvalidInput: Arrays that do not fit each other.
    """

    owners: NDArray[np.int64]
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    is_large_enough: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        count = len(self.owners)
        if self.frames.shape != (count,) or self.boxes.shape != (count, 4):
            raise InvalidInput(
                f"{count} owners, frames {self.frames.shape}, boxes {self.boxes.shape}",
                field="boxes",
                remedy="one each",
            )
        if self.is_large_enough is not None and self.is_large_enough.shape != (count,):
            raise InvalidInput(f"{self.is_large_enough.shape}", field="is_large_enough", remedy="one a box")
        if count and int(self.owners.min()) < 0:
            raise InvalidInput(f"{int(self.owners.min())}", field="owners", remedy="number them from 0")


@dataclass(frozen=True)
class TrackScores:
    """What a comparison of tracks with the truth came to.

    Attributes:
        walks: Walk-pasts to be found.
        found: How many of them were.
        tracks: Tracks compared.
        false_tracks: Those that belong to no walk-past.
        identity_switches: See the module.
        seen_share: Share of the large enough true boxes on which a box of a track lies, 0 .. 1: what detector and
            tracker leave together.
        walk_of: Walk-past to which each track belongs, int64 [T]; -1 of false ones.
    """

    walks: int
    found: int
    tracks: int
    false_tracks: int
    identity_switches: int
    seen_share: float
    walk_of: NDArray[np.int64]

    @property
    def track_recall(self) -> float:
        """Share of the walk-pasts that were found, 0 .. 1; 1 where there was none to find."""
        return self.found / self.walks if self.walks else 1.0

    @property
    def tracks_per_walk(self) -> float:
        """Tracks that belong to a walk-past for each one found; 0 where none was."""
        return (self.tracks - self.false_tracks) / self.found if self.found else 0.0


def track_scores(truth: Boxes, found: Boxes, *, tracks: int | None = None) -> TrackScores:
    """Compare tracks with the walk-pasts that there were.

    Args:
        truth: Every shoe that can be seen, large enough or not, seen by the detector or not.
        found: The sightings of the tracks.
        tracks: How many tracks there are; as many as the highest number says where None.

    Returns:
        The scores, by the rules of this module.
    """
    count = (int(found.owners.max()) + 1 if len(found.owners) else 0) if tracks is None else tracks
    walks = int(truth.owners.max()) + 1 if len(truth.owners) else 0
    lies_on = boxes_on(truth, found)
    on_walk = np.where(lies_on == _NOWHERE, _NOWHERE, truth.owners[lies_on] if walks else _NOWHERE)
    walk_of = _walks_of_tracks(found.owners, on_walk, count, walks)
    large = np.ones(len(truth.owners), np.bool_) if truth.is_large_enough is None else truth.is_large_enough
    is_found = _found_walks(truth, found, on_walk=on_walk, walk_of=walk_of, large=large)
    wanted = np.unique(truth.owners[large])
    seen = np.isin(np.flatnonzero(large), lies_on)
    return TrackScores(
        walks=len(wanted),
        found=int(is_found[wanted].sum()),
        tracks=count,
        false_tracks=int((walk_of == _NOWHERE).sum()),
        identity_switches=_switches(found, on_walk),
        seen_share=float(seen.mean()) if len(seen) else 1.0,
        walk_of=walk_of,
    )


def boxes_on(truth: Boxes, found: Boxes) -> NDArray[np.int64]:
    """The true box on which each found box lies, int64 [N]: its place in ``truth``, -1 where it lies on none."""
    lies_on = np.full(len(found.owners), _NOWHERE, np.int64)
    ours, theirs = _same_frame(truth.frames, found.frames)
    if not len(ours):
        return lies_on
    shares = _overlaps(truth.boxes[ours], found.boxes[theirs])
    # The last of each found box's rows is the one that it overlaps most, of equals the first true box.
    order = np.lexsort((-ours, shares, theirs))
    is_last = np.append(theirs[order][1:] != theirs[order][:-1], True)
    best = order[is_last]
    best = best[shares[best] >= LEAST_OVERLAP]
    lies_on[theirs[best]] = ours[best]
    return lies_on


def rank_one(
    vectors: NDArray[np.float32],
    models: NDArray[np.int64],
    *,
    gallery: NDArray[np.float32],
    gallery_models: NDArray[np.int64],
) -> float:
    """Share of probes whose nearest item of a gallery shows their model: of tracks, or of single frames.

    Args:
        vectors: float32 [Q, D] of unit length.
        models: Model of each probe, int64 [Q] from 0; one that the gallery has.
        gallery: float32 [N, D] of unit length.
        gallery_models: Model of each item, int64 [N] from 0.

    Returns:
        0 .. 1.

    Raises:
        InvalidInput: Shapes that do not fit, no probe, or a probe whose model the gallery does not have.
    """
    if len(vectors) != len(models) or not len(models):
        raise InvalidInput(f"{len(vectors)} vectors, {len(models)} models", field="models", remedy="one a vector")
    if not bool(np.isin(models, gallery_models).all()):
        raise InvalidInput("the gallery does not have the model of a probe", field="gallery_models")
    known = np.arange(int(gallery_models.max()) + 1)
    hits = 0.0
    for start in range(0, len(models), _PROBES_AT_ONCE):
        rows = slice(start, start + _PROBES_AT_ONCE)
        ranked = ranked_models(vectors[rows] @ gallery.T, gallery_models)
        hits += hit_at(ranked, models[rows, None] == known, 1) * len(ranked)
    return hits / len(models)


def _same_frame(truth: NDArray[np.int64], found: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of a true and a found box of one frame: places in each."""
    order = np.argsort(truth, kind="stable")
    first, end = (np.searchsorted(truth[order], found, side=side) for side in ("left", "right"))
    counts = end - first
    theirs = np.repeat(np.arange(len(found)), counts)
    within = np.arange(len(theirs)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.repeat(first, counts) + within], theirs


def _overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of pairs of boxes, float64 [P] of [P, 4] each."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    union = sum(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (first, second)) - shared
    return np.asarray(shared / np.where(union > 0, union, 1.0))


def _walks_of_tracks(
    tracks: NDArray[np.int64], on_walk: NDArray[np.int64], count: int, walks: int
) -> NDArray[np.int64]:
    """The walk-past to which each track belongs, int64 [count]."""
    walk_of = np.full(count, _NOWHERE, np.int64)
    hit = on_walk != _NOWHERE
    if not hit.any():
        return walk_of
    pairs, boxes = np.unique(tracks[hit] * walks + on_walk[hit], return_counts=True)
    owner, walk = pairs // walks, pairs % walks
    order = np.lexsort((-walk, boxes, owner))
    best = order[np.append(owner[order][1:] != owner[order][:-1], True)]
    totals = np.bincount(tracks, minlength=count)
    best = best[boxes[best] >= LEAST_SHARE * totals[owner[best]]]
    walk_of[owner[best]] = walk[best]
    return walk_of


def _found_walks(
    truth: Boxes,
    found: Boxes,
    *,
    on_walk: NDArray[np.int64],
    walk_of: NDArray[np.int64],
    large: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether one track spans enough of each walk-past, bool [W]."""
    walks = int(truth.owners.max()) + 1 if len(truth.owners) else 0
    is_found = np.zeros(walks, np.bool_)
    own = (on_walk != _NOWHERE) & (on_walk == walk_of[found.owners])
    wanted = np.unique(np.stack([truth.owners[large], truth.frames[large]]), axis=1)
    # Walk-pasts and frames make one sorted list of numbers, in which a span is a difference of places.
    stride = int(max(truth.frames.max(initial=0), found.frames.max(initial=0))) + 1
    keys = wanted[0] * stride + wanted[1]
    tracks = np.flatnonzero(np.bincount(found.owners[own], minlength=len(walk_of)))
    first, last = np.full(len(walk_of), stride), np.full(len(walk_of), -1)
    np.minimum.at(first, found.owners[own], found.frames[own])
    np.maximum.at(last, found.owners[own], found.frames[own])
    base = walk_of[tracks] * stride
    spans = np.searchsorted(keys, base + last[tracks], side="right") - np.searchsorted(keys, base + first[tracks])
    totals = np.bincount(wanted[0], minlength=walks)[walk_of[tracks]]
    is_found[walk_of[tracks][(spans >= LEAST_SHARE * totals) & (totals > 0)]] = True
    return is_found


def _switches(found: Boxes, on_walk: NDArray[np.int64]) -> int:
    """How often the next box of a track lies on another walk-past."""
    hit = on_walk != _NOWHERE
    order = np.lexsort((found.frames[hit], found.owners[hit]))
    tracks, walks = found.owners[hit][order], on_walk[hit][order]
    return int(((tracks[1:] == tracks[:-1]) & (walks[1:] != walks[:-1])).sum())
