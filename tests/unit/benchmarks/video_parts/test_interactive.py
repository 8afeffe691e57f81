"""How much longer searches take beside work in bulk."""

from __future__ import annotations

import pytest

from benchmarks.video_parts.interactive import ratios
from outsole.errors import InvalidInput


def test_ratios_are_those_of_the_percentiles() -> None:
    idle = [float(number) for number in range(101)]
    found = ratios(idle, [1.2 * each for each in reversed(idle)])
    assert found["interactive_p95_ratio"] == pytest.approx(1.2)
    assert found["interactive_p50_ratio"] == pytest.approx(1.2)
    assert (found["interactive_idle_p50_ms"], found["interactive_idle_p95_ms"]) == (50.0, 95.0)
    assert found["interactive_busy_p95_ms"] == pytest.approx(114.0)


def test_a_few_slow_searches_show_in_the_95th_percentile_alone() -> None:
    found = ratios([100.0] * 20, [100.0] * 18 + [400.0] * 2)
    assert found["interactive_p50_ratio"] == 1.0
    assert found["interactive_p95_ratio"] > 3.5


def test_nothing_measured_is_no_ratio() -> None:
    with pytest.raises(InvalidInput):
        ratios([100.0], [])
