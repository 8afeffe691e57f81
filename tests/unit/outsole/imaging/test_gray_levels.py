"""Quantiles of counted grey levels."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.imaging.gray_levels import level_counts, percentile

_RNG = np.random.default_rng(0)
_GRAY = _RNG.integers(0, 256, (37, 23), np.uint8)
_MASK = _RNG.random((37, 23)) < 0.4


def test_only_pixels_under_the_mask_are_counted() -> None:
    counts = level_counts(_GRAY, _MASK)
    assert counts.tolist() == np.bincount(_GRAY[_MASK], minlength=256).tolist()


@pytest.mark.parametrize("percent", [0, 1, 30, 50, 95, 99, 100])
def test_a_percentile_is_that_of_numpy(percent: float) -> None:
    counts = level_counts(_GRAY, _MASK)
    assert percentile(counts, percent) == pytest.approx(float(np.percentile(_GRAY[_MASK], percent)), abs=1e-9)


def test_all_percentiles_of_one_level_are_that_level() -> None:
    counts = level_counts(np.full((4, 5), 77, np.uint8), np.ones((4, 5), np.bool_))
    assert [percentile(counts, percent) for percent in (0, 50, 100)] == [77.0, 77.0, 77.0]
