"""Several views of an item, as it is and as a model predicts it to be worn: how their scores become one.

A probe is compared with every view alike. What an item gains by a view that resembles the probe it keeps, and what it
would lose by one that does not it does not lose: nobody knows how long the shoe that left the print was worn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.matching.rerank import ItemScores

# Of the soft maximum over views. Nobody knows the true weeks, so that views on both sides of them support each other;
# what views that score alike add to each other, log(V) / sharpness, is 0.018 for three. Chosen on 70 made prints worn
# by 26 to 52 weeks among 10 .. 200, a maximum and a mean, of which a maximum won back least.
VIEW_SHARPNESS = 60.0
WEAR_FUSION = f"soft maximum of views, sharpness {VIEW_SHARPNESS:g}"


def fused_views(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """One score of the scores that an item has in its views: ``log sum exp(S s) / S``.

    The sum in place of the mean: a view never lowers a score, and an item that lacks one is not lifted by the lack.

    Args:
        scores: [V, n], the item as it is first; -inf where it lacks a view, which it does not in all.

    Returns:
        float32 [n], at least the greatest score, above it by at most log(V) / S.
    """
    top = scores.max(0)
    soft = top + np.log(np.exp(VIEW_SHARPNESS * (scores - top)).sum(0)) / VIEW_SHARPNESS
    return np.asarray(soft, np.float32)


def joined_views(
    views: Sequence[ItemScores], places: Sequence[NDArray[np.int64]], rows: NDArray[np.int64]
) -> tuple[ItemScores, NDArray[np.int64]]:
    """The scores of n items over V views.

    Args:
        views: Scores of the items that each view has, in order of ``places``; every item is in one at least.
        places: int64 [m] for each view: which of the n items they are.
        rows: int64 [n], row numbers of the items in the edition as it is.

    Returns:
        The fused scores, with placement, shift and parts of the view that won; and which one that is, int64 [n].
    """
    scores = _stacked([view.scores for view in views], places, len(rows), fill=-np.inf)
    won = scores.argmax(0)

    def of_winner(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        found: NDArray[Any] = np.take_along_axis(_stacked(values, places, len(rows), fill=0), won[None], 0)[0]
        return found

    names = sorted({name for view in views for name in view.parts})
    joined = ItemScores(
        rows=rows,
        scores=fused_views(scores),
        placement=of_winner([view.placement for view in views]),
        shift_y_px=of_winner([view.shift_y_px for view in views]),
        shift_x_px=of_winner([view.shift_x_px for view in views]),
        parts={name: of_winner([_part(view, name) for view in views]) for name in names},
    )
    return joined, won


def _part(view: ItemScores, name: str) -> NDArray[np.float32]:
    return view.parts.get(name, np.zeros_like(view.scores))


def _stacked(
    values: Sequence[NDArray[Any]], places: Sequence[NDArray[np.int64]], count: int, *, fill: float
) -> NDArray[Any]:
    """[V, count]: each view's values at its places, ``fill`` elsewhere."""
    stacked: NDArray[Any] = np.full((len(values), count), fill, np.result_type(*values))
    for line, found, at in zip(stacked, values, places, strict=True):
        line[at] = found
    return stacked
