"""Made photographs: deterministic, aligned with depth, print and area."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.photographs import photograph
from outsole.synthesis.shoes import make_instance, plan_models

SOLE = make_instance(plan_models(1, seed=1)[0], 1, height_px=192)


def test_the_same_seed_gives_the_same_photograph_and_another_seed_other_colours() -> None:
    first, again, other = (photograph(SOLE, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.rgb, again.rgb)
    assert not np.array_equal(first.rgb, other.rgb)
    assert first.rgb.shape == (192, 96, 3)
    assert first.rgb.dtype == first.print.dtype == np.uint8


def test_depth_and_print_are_those_of_the_sole() -> None:
    made = photograph(SOLE, 3)
    assert np.array_equal(made.depth, SOLE.depth)
    assert (made.print[~made.inside] == 250).all()
    assert made.print[SOLE.depth > 0.75].max() == 25


def test_flanks_that_face_the_lamp_are_the_brighter_ones() -> None:
    down, right = np.gradient(cv2.GaussianBlur(SOLE.depth, (0, 0), 1.0))
    for seed in range(12):
        made = photograph(SOLE, seed)
        # Relief that rises away from the lamp faces it.
        facing = -(made.lamp[0] * right + made.lamp[1] * down)
        assert 0 < np.linalg.norm(made.lamp) < 1
        assert np.corrcoef(facing[made.inside], made.rgb.mean(axis=2)[made.inside])[0, 1] > 0.05


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InvalidInput):
        photograph(SOLE, -1)
