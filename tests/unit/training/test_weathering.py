"""Plain noise over degraded prints."""

from __future__ import annotations

import numpy as np

from outsole.synthesis.crisp_degradation import OUTSIDE_GRAY
from training.weathering import weathered


def _striped() -> np.ndarray:
    picture = np.full((96, 48), OUTSIDE_GRAY, np.uint8)
    picture[20:80, 8:40] = 220
    picture[20:80:4, 8:40] = 40
    return picture


def test_what_lies_outside_stays_and_no_pixel_becomes_an_absent_plane() -> None:
    picture = _striped()
    for seed in range(20):
        worse = weathered(picture, np.random.default_rng(seed))
        assert np.array_equal(worse[picture == OUTSIDE_GRAY], picture[picture == OUTSIDE_GRAY])
        assert worse.min() >= 1


def test_most_prints_get_worse_and_few_are_lost_altogether() -> None:
    picture = _striped()
    inside = picture != OUTSIDE_GRAY
    likeness = np.array(
        [
            np.corrcoef(weathered(picture, np.random.default_rng(seed))[inside], picture[inside])[0, 1]
            for seed in range(200)
        ]
    )
    assert 0.5 < (likeness < 0.999).mean() < 0.95
    assert (likeness > 0.3).mean() > 0.9


def test_the_same_randomness_gives_the_same_print() -> None:
    first, again = (weathered(_striped(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)


def test_a_picture_of_nothing_stays_nothing() -> None:
    empty = np.full((32, 16), OUTSIDE_GRAY, np.uint8)
    assert np.array_equal(weathered(empty, np.random.default_rng(0)), empty)
