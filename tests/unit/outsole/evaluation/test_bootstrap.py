"""Intervals are seeded, follow the references, and cover what they say."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.evaluation.bootstrap import grouped_bootstrap


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(1).random((60, 3))
    groups = np.arange(60) // 2
    first, again, other = (grouped_bootstrap(values, groups, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.low, again.low)
    assert not np.array_equal(first.low, other.low)
    assert np.array_equal(first.mean, values.mean(axis=0))


def test_dependent_probes_give_a_wider_interval_than_independent_ones() -> None:
    values = np.repeat(np.random.default_rng(2).random(20) > 0.5, 10)
    grouped = grouped_bootstrap(values, np.repeat(np.arange(20), 10))
    single = grouped_bootstrap(values, np.arange(200))
    assert grouped.high[0] - grouped.low[0] > 2 * (single.high[0] - single.low[0])


def test_a_95_percent_interval_covers_the_truth_about_that_often() -> None:
    generator = np.random.default_rng(3)
    samples = generator.normal(0.7, 1.0, (150, 200))
    interval = grouped_bootstrap(samples, np.arange(150), resamples=500)
    assert 0.90 <= float(np.mean((interval.low <= 0.7) & (interval.high >= 0.7))) <= 0.99


def test_one_reference_alone_has_an_interval_without_width() -> None:
    interval = grouped_bootstrap([1.0, 0.0, 1.0], ["a", "a", "a"])
    assert interval.low[0] == interval.high[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("settings", "field"), [({"level": 1.0}, "level"), ({"resamples": 0}, "resamples"), ({"groups": ["a"]}, "groups")]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], field: str) -> None:
    arguments: dict[str, object] = {"values": [1.0, 0.0], "groups": ["a", "b"]} | settings
    with pytest.raises(InvalidInput, match=field):
        grouped_bootstrap(**arguments)  # type: ignore[arg-type]
