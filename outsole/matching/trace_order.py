"""In which order the tracks of a trace come: a print ranks models, a model's uppers rank tracks.

The two scores measure different things (how a sole resembles a print, how an upper resembles a shoe in a frame), and no
product of them would be a probability. So they stay apart, and only ranks are joined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.video_answers import TraceOrder

LOOK_WEIGHT = 4
"""Places in the print search that one place of look rank is worth. In made traces (vectors at random, 200 models, a
print that ranks the right one first in 35 or 70 %, an upper that does in 87 to 99 %) 2, 4 and 8 came within five points
of each other; reciprocal rank fusion lost up to ten to them where the print search was the weaker part."""
_PICTURES_AT_ONCE, _TRACKS_AT_ONCE = 8_192, 512


@dataclass(frozen=True)
class TracePairs:
    """P pairs of a candidate model and a track that resembles it.

    Attributes:
        tracks: int64 [P], a number a track.
        models: int64 [P], a number a model of the shoe gallery.
        print_ranks: int64 [P], of the model in the print search, from 1.
        shoe_scores: float32 [P], best of the model's pictures against the track.
        look_ranks: int64 [P], of the model among all models by their resemblance to the track, from 1.
    """

    tracks: NDArray[np.int64]
    models: NDArray[np.int64]
    print_ranks: NDArray[np.int64]
    shoe_scores: NDArray[np.float32]
    look_ranks: NDArray[np.int64]


def order_rows(pairs: TracePairs, *, order: TraceOrder = TraceOrder.JOINT_RANKS, limit: int) -> NDArray[np.int64]:
    """The pairs that become rows: each track once, with the model that comes first for it.

    - ``JOINT_RANKS``: by ``print rank + 4 * look rank``, a weighted Borda count, then by shoe score. A track comes
      first where the print ranks its model high *and* hardly any other shoe of the catalogue resembles the track more.
      Raw scores of different models are not compared: some uppers resemble everything.
    - ``SHOE_SCORE``: by shoe score, then by print rank.
    - ``PRINT_RANK``: by print rank, then by shoe score.

    Last ties go by print rank, model and track, so that equal pairs always come in one order.

    Args:
        pairs: P of them; a track may be in many.
        order: Which order.
        limit: Rows wanted.

    Returns:
        int64 [<= limit], positions in the pairs.
    """
    scores = -pairs.shoe_scores.astype(np.float64)
    joint = pairs.print_ranks + LOOK_WEIGHT * pairs.look_ranks
    keys = {
        TraceOrder.JOINT_RANKS: (joint, scores, pairs.print_ranks),
        TraceOrder.SHOE_SCORE: (scores, pairs.print_ranks),
        TraceOrder.PRINT_RANK: (pairs.print_ranks, scores),
    }[order]
    # The last key of lexsort is the first to be compared.
    placed = np.lexsort((pairs.tracks, pairs.models, *reversed(keys)))
    _, first = np.unique(pairs.tracks[placed], return_index=True)
    return np.asarray(placed[np.sort(first)[:limit]], np.int64)


def look_ranks(
    tracks: NDArray[np.floating],
    pictures: NDArray[np.floating],
    models: NDArray[np.int64],
    *,
    of_tracks: NDArray[np.int64],
    of_models: NDArray[np.int64],
) -> NDArray[np.int64]:
    """How many models resemble a track more than the one it is paired with, plus one.

    Args:
        tracks: [T, D], vectors of tracks.
        pictures: [N, D], vectors of all pictures of a gallery of shoes, perhaps mapped from disk.
        models: int64 [N], a number a model, from 0.
        of_tracks, of_models: int64 [P], the pairs: row of ``tracks``, number of a model that has a picture.

    Returns:
        int64 [P], from 1.
    """
    order = np.argsort(models, kind="stable")
    known, counts = np.unique(models, return_counts=True)
    column = np.repeat(np.arange(len(known)), counts)
    own = np.searchsorted(known, of_models)
    ranks = np.empty(len(of_tracks), np.int64)
    for start in range(0, len(tracks), _TRACKS_AT_ONCE):
        best = _best_of_models(tracks[start : start + _TRACKS_AT_ONCE], pictures, order, column)
        pairs = np.flatnonzero((of_tracks >= start) & (of_tracks < start + _TRACKS_AT_ONCE))
        lines = of_tracks[pairs] - start
        ranks[pairs] = 1 + (best[lines] > best[lines, own[pairs]][:, None]).sum(axis=1)
    return ranks


def _best_of_models(
    tracks: NDArray[np.floating],
    pictures: NDArray[np.floating],
    order: NDArray[np.int64],
    column: NDArray[np.int64],
) -> NDArray[np.float32]:
    """float32 [T, M], the best score of a model's pictures; ``column`` [N] is the model of picture ``order[i]``."""
    looked = np.asarray(tracks, np.float32)
    best = np.full((len(looked), int(column[-1]) + 1 if len(column) else 0), -np.inf, np.float32)
    for start in range(0, len(order), _PICTURES_AT_ONCE):
        end = start + _PICTURES_AT_ONCE
        scores = looked @ np.asarray(pictures[order[start:end]], np.float32).T
        # Pictures of a model lie side by side, but a model may begin in the block before.
        begins = np.flatnonzero(np.diff(column[start:end], prepend=-1))
        columns = column[start:end][begins]
        best[:, columns] = np.maximum(best[:, columns], np.maximum.reduceat(scores, begins, axis=1))
    return best
