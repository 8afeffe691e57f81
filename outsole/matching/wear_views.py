"""Several views of an item, as it is and as a model predicts it to be worn: how their scores become one.

A probe is compared with every view alike, and nobody knows how long the shoe that left it was worn: views on both sides
of the true weeks support each other, as placements do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.matching.rerank import ItemScores

# Of the soft maximum over views; so soft that it stands between their mean and their maximum. Of what 26 to 52 weeks of
# wear cost, it and the mean won back 0.11 on 120 made prints, a maximum and a sharpness of 60 0.02; on 70 others a
# maximum won back least, and 10 to 60 the same.
VIEW_SHARPNESS = 20.0
WEAR_FUSION = f"soft maximum of views, sharpness {VIEW_SHARPNESS:g}"


def fused_views(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """One score of the scores that an item has in its views: ``log mean exp(S s) / S`` over those that it has.

    As with placements, the mean in place of the sum: the number of views lifts no score, and an item that lacks one is
    neither lifted nor lowered by the lack.

    Args:
        scores: [V, n], the item as it is first; -inf where it lacks a view, which it does not in all.

    Returns:
        float32 [n], between the mean and the greatest of an item's scores.
    """
    top = scores.max(0)
    there = np.isfinite(scores)
    soft = np.where(there, np.exp(VIEW_SHARPNESS * (scores - top)), 0).sum(0) / there.sum(0)
    return np.asarray(top + np.log(soft) / VIEW_SHARPNESS, np.float32)


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
