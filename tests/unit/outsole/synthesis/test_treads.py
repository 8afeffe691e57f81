"""Made treads: deterministic, various, within their ranges, fast."""

from __future__ import annotations

import time

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.treads import make_tread


def test_the_same_seed_gives_the_same_tread_and_another_seed_another() -> None:
    first, again, other = make_tread(7), make_tread(7), make_tread(8)
    assert np.array_equal(first.depth, again.depth)
    assert first.depth.shape != other.depth.shape or not np.array_equal(first.depth, other.depth)


def test_making_treads_leaves_numpy_s_global_state_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    make_tread(1)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("seed", range(12))
def test_depth_is_float32_between_0_and_1_and_zero_outside_the_sole(seed: int) -> None:
    tread = make_tread(seed)
    assert tread.depth.dtype == np.float32
    assert tread.depth.shape[0] == 586
    assert 150 <= tread.depth.shape[1] <= 280
    assert tread.depth.min() == 0
    assert 0.8 < tread.depth.max() <= 1
    assert not tread.depth[~tread.inside].any()
    assert 0.35 < tread.inside.mean() < 0.9
    assert 0.08 < (tread.depth > 0.6)[tread.inside].mean() < 0.92


def test_different_seeds_bring_different_families_and_shapes() -> None:
    treads = [make_tread(seed, height_px=128) for seed in range(60)]
    assert len({tread.families[0] for tread in treads}) >= 9
    assert len({tread.shape for tread in treads}) == 4


@pytest.mark.parametrize(("seed", "height_px"), [(-1, 586), (0, 10)])
def test_numbers_out_of_range_are_refused(seed: int, height_px: int) -> None:
    with pytest.raises(InvalidInput):
        make_tread(seed, height_px=height_px)


def test_at_least_forty_depth_maps_come_in_a_second_of_processor_time() -> None:
    make_tread(0)
    start = time.process_time()
    for seed in range(20):
        make_tread(seed)
    assert 20 / (time.process_time() - start) >= 40
