"""A made shoe over a year: what grows, what goes, what comes."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.wear import WearSeries, make_series

_MODELS = plan_models(24, seed=5)


def _series(number: int = 0, seed: int = 1) -> WearSeries:
    return make_series(_MODELS[number], seed, height_px=200)


def test_the_same_model_and_seed_give_the_same_series() -> None:
    assert np.array_equal(_series().contact(30), _series().contact(30))
    assert not np.array_equal(_series(seed=1).contact(30), _series(seed=2).contact(30))


def test_two_shoes_of_a_model_are_alike_when_new() -> None:
    assert np.array_equal(_series(seed=1).contact(0), _series(seed=2).contact(0))


@pytest.mark.parametrize("number", [0, 5, 11])
def test_contact_grows_with_every_week_but_where_something_chips_off_or_comes_to_light(number: int) -> None:
    series = _series(number)
    shares = [float(series.contact(week)[series.inside].mean()) for week in (0, 12, 26, 52)]
    assert shares == sorted(shares)
    assert shares[-1] > 1.1 * shares[0]
    lost = (series.contact(0) > 0.9) & (series.contact(52) < 0.1)
    # Chips are at most 6 px of 586 wide, and marks are letters.
    assert lost.mean() < 0.03


def test_heel_and_ball_wear_before_the_arch() -> None:
    series = _series()
    height = len(series.rate)
    heel, arch = (series.rate[round(at * height)][series.inside[round(at * height)]].max() for at in (0.92, 0.58))
    assert heel > 2 * arch


def test_a_mark_below_the_surface_comes_to_light() -> None:
    found = [series for series in (_series(number) for number in range(24)) if np.isfinite(series.buried).any()]
    assert 3 <= len(found) <= 16
    shown = 0
    for series in found:
        worn_through = series.rate.astype(np.float32) > series.buried.astype(np.float32) + 0.1
        shown += int(worn_through.sum())
        assert not series.contact(52)[worn_through].any()
    assert shown > 0


def test_nothing_touches_outside_of_the_sole_and_values_lie_between_0_and_1() -> None:
    series = _series()
    for week in (0, 52):
        contact = series.contact(week)
        assert not contact[~series.inside].any()
        assert contact.min() == 0 and contact.max() == 1


def test_a_worn_sole_prints_as_its_contact() -> None:
    series = _series()
    dark = clean_impression(series.tread(40), 3) < 128
    assert (dark == (series.contact(40) > 0.5))[series.inside].mean() > 0.93


@pytest.mark.parametrize("weeks", [-1, 53, float("nan")])
def test_weeks_that_are_not_of_the_year_are_refused(weeks: float) -> None:
    with pytest.raises(InvalidInput, match="0 to 52"):
        _series().contact(weeks)
