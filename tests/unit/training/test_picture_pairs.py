"""Pieces of impressions as a search lays them on CriSp's pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread
from training.picture_pairs import PicturePairs
from training.print_views import KeptImpressions

CELL_PX = 32


def _pairs(count: int, *, items: int, in_order: bool = False) -> PicturePairs:
    impressions = KeptImpressions([clean_impression(make_tread(seed), seed) for seed in range(count)])
    return PicturePairs(impressions, cell_px=CELL_PX, steps=2, batch_items=items, seed=3, in_order=in_order)


def _likeness(query: NDArray[np.uint8], database: NDArray[np.uint8], cells: NDArray[np.float32]) -> float:
    """Correlation of contact over the cells that a piece shows."""
    shown = cells.repeat(CELL_PX, 0).repeat(CELL_PX, 1) > 0
    return float(np.corrcoef(255 - query[0][shown].astype(float), database[1][shown].astype(float))[0, 1])


def test_a_piece_lies_on_its_impression_but_for_what_is_left_between_placements() -> None:
    batch = _pairs(12, items=12, in_order=True)[0]
    query, database, shown = (batch[name].numpy() for name in ("query", "database", "shown"))
    reach = range(-48, 49, 4)
    shifts = [(down, right) for down in reach for right in reach]
    near = 0
    for probe, item, cells in zip(query, database, shown, strict=True):
        found = [_likeness(probe, np.roll(item, shift, axis=(1, 2)), cells) for shift in shifts]
        near += max(map(abs, shifts[int(np.argmax(found))])) <= CELL_PX // 4 + 4
    # By chance it would be one of 16.
    assert near >= 8


def test_planes_hold_what_the_network_takes() -> None:
    batch = _pairs(3, items=4)[1]
    assert batch["query"].shape == batch["database"].shape == (4, 2, 384, 192)
    assert batch["query"].dtype == torch.uint8
    assert int(batch["query"][:, 0].min()) >= 1
    assert not batch["query"][:, 1].any()
    assert not batch["database"][:, 0].any()
    assert batch["shown"].shape == (4, 12, 6)
    assert bool((batch["shown"].sum((1, 2)) >= 1).all())


def test_a_step_s_batch_is_the_same_whenever_it_is_asked_for() -> None:
    pairs = _pairs(3, items=4)
    first, again, other = pairs[1], pairs[1], pairs[0]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["query"], other["query"])
