"""Scans of made impressions."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.synthesis.shoes import plan_models
from outsole.synthesis.wear import make_series
from outsole.synthesis.wear_scans import scan
from outsole.wear.canvas import contact_of

_CONTACT = make_series(plan_models(3, seed=5)[0], 1).contact(10)


def test_the_same_seed_gives_the_same_scan() -> None:
    assert np.array_equal(scan(_CONTACT, 4), scan(_CONTACT, 4))
    assert not np.array_equal(scan(_CONTACT, 4), scan(_CONTACT, 5))


@pytest.mark.parametrize("seed", range(4))
def test_ink_is_dark_and_levels_are_found_again(seed: int) -> None:
    gray = scan(_CONTACT, seed)
    assert gray[_CONTACT == 1].mean() < gray[_CONTACT == 0].mean() - 80
    assert np.abs(contact_of(gray) - _CONTACT).mean() < 0.15


def test_more_strength_is_further_from_the_contact() -> None:
    errors = [
        np.mean([np.abs(contact_of(scan(_CONTACT, seed, strength=part)) - _CONTACT).mean() for seed in range(4)])
        for part in (0.0, 1.0, 2.0)
    ]
    assert errors[0] < errors[1] < errors[2]
    assert errors[0] < 0.05
