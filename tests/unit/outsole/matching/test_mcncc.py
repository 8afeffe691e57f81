"""MCNCC in the frequency domain against its definition, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.matching.features import standardised
from outsole.matching.mcncc import FLAT_VARIANCE, ROTATIONS_DEG, MCNCCScores, eroded, mcncc_scores

HEIGHT, WIDTH, CHANNELS = 12, 8, 3


@pytest.fixture(scope="module")
def items() -> NDArray[np.float32]:
    """Five items of unlike texture, the edges of one of them not valid."""
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(5, CHANNELS, HEIGHT, WIDTH)) * rng.uniform(0.2, 3, (5, CHANNELS, 1, 1))
    raw[3, 0, 2:9] = 0.25
    valid = np.ones((5, HEIGHT, WIDTH), bool)
    valid[2, :2] = False
    return standardised(raw, valid)


def slow_score(item: NDArray[Any], maps: NDArray[Any], mask: NDArray[np.bool_], down: int, right: int) -> float:
    """By the definition, at one placement; beyond the item stands its mean, 0."""
    inside = np.argwhere(mask)
    window = np.zeros((len(inside), item.shape[-1]))
    for number, (y, x) in enumerate(inside):
        if 0 <= y + down < item.shape[0] and 0 <= x + right < item.shape[1]:
            window[number] = item[y + down, x + right]
    probe = np.array([maps[:, y, x] for y, x in inside], dtype=np.float64)
    total = 0.0
    for channel in range(item.shape[-1]):
        p, r = probe[:, channel] - probe[:, channel].mean(), window[:, channel] - window[:, channel].mean()
        if r.var() > FLAT_VARIANCE and p.std() > 1e-5:
            total += float(p @ r / (len(inside) * p.std() * r.std()))
    return total / int(item.shape[-1])


def slow_best(item: NDArray[Any], maps: NDArray[Any], cells: NDArray[np.bool_]) -> float:
    """The maximum over placements and over shifts that overhang by at most a quarter."""
    inside = np.argwhere(cells.any(0))
    (top, left), (bottom, end) = inside.min(0), inside.max(0)
    best = -2.0
    for placement, mask in zip(maps, cells, strict=True):
        for down in range(-(HEIGHT // 4) - top, HEIGHT + HEIGHT // 4 - bottom):
            for right in range(-(WIDTH // 4) - left, WIDTH + WIDTH // 4 - end):
                best = max(best, slow_score(item, placement, mask, down, right))
    return best


def cut_out(items: NDArray[Any], row: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A probe of two placements: noise, and rows 4 .. 9 of an item in other contrast, at (2, 1) of its canvas."""
    rng = np.random.default_rng(2)
    maps = rng.normal(size=(2, CHANNELS, 10, 8))
    maps[1, :, 2:8, 1:6] = 3 * np.moveaxis(items[row, 4:10, 2:7], -1, 0) + 7
    cells = np.zeros((2, 10, 8), bool)
    cells[:, 2:8, 1:6] = True
    cells[:, 2, 1] = False
    return maps, cells


def test_scores_are_the_definition_s_over_all_shifts_and_placements(items: NDArray[np.float32]) -> None:
    maps, cells = cut_out(items, 1)
    found = mcncc_scores(items, maps, cells=cells, erosion_cells=0)
    np.testing.assert_allclose(found.scores, [slow_best(item, maps, cells) for item in items], atol=2e-4)


def test_the_score_is_the_definition_s_at_the_placement_that_is_told(items: NDArray[np.float32]) -> None:
    maps, cells = cut_out(items, 3)
    found: MCNCCScores = mcncc_scores(items, maps, cells=cells, erosion_cells=1)
    small = eroded(cells, 1)
    told = [
        slow_score(items[row], maps[found.placement[row]], small[found.placement[row]], down, right)
        for row, (down, right) in enumerate(zip(found.down.tolist(), found.right.tolist(), strict=True))
    ]
    np.testing.assert_allclose(found.scores, told, atol=2e-4)


def test_a_cut_out_part_in_another_contrast_is_found_with_a_score_of_one(items: NDArray[np.float32]) -> None:
    found = mcncc_scores(items, *cut_out(items, 4)[:1], cells=cut_out(items, 4)[1])
    assert found.scores.argmax() == 4
    assert found.scores[4] == pytest.approx(1.0, abs=1e-3)
    assert (found.placement[4], found.down[4], found.right[4]) == (1, 4 - 2, 2 - 1)


def test_a_probe_larger_than_an_item_is_cut_and_compared(items: NDArray[np.float32]) -> None:
    maps = np.random.default_rng(3).normal(size=(1, CHANNELS, 40, 30))
    found = mcncc_scores(items, maps, cells=np.ones((1, 40, 30), bool))
    assert np.isfinite(found.scores).all()
    assert found.scores.max() < 0.6


def test_an_eroded_mask_loses_its_edge_and_never_vanishes() -> None:
    cells = np.zeros((2, 7, 7), bool)
    cells[0, 1:6, 1:6] = True
    cells[1, 3, 2:5] = True
    small = eroded(cells, 1)
    assert small[0].sum() == 9
    assert small[0, 2:5, 2:5].all()
    np.testing.assert_array_equal(small[1], cells[1])
    assert eroded(cells[:1], 1).shape == (1, 7, 7)


def test_eleven_rotations_are_the_paper_s() -> None:
    assert len(ROTATIONS_DEG) == 11
    assert (ROTATIONS_DEG[0], ROTATIONS_DEG[-1]) == (-20.0, 20.0)


def test_shapes_that_do_not_fit_are_errors(items: NDArray[np.float32]) -> None:
    maps, cells = cut_out(items, 0)
    with pytest.raises(InvalidInput, match="maps"):
        mcncc_scores(items, maps[:, :2], cells=cells)
    with pytest.raises(InvalidInput, match="cells"):
        mcncc_scores(items, maps, cells=np.zeros_like(cells))
    with pytest.raises(InvalidInput, match="cells"):
        mcncc_scores(items, maps, cells=cells[:, :5])
