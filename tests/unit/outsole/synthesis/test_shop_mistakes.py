"""Shops' mistakes: drawn like shoes, deterministic, each of its own kind."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.synthesis.shoe_pictures import retail_photograph
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.shop_mistakes import MISTAKES, draw_mistake
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper

DESIGN, OTHER = (design_of(model) for model in plan_models(4, seed=5)[1:3])


@pytest.mark.parametrize("kind", MISTAKES)
def test_the_same_seed_draws_the_same_and_it_can_be_photographed(kind: str) -> None:
    drawn = [draw_mistake(DESIGN, kind, seed) for seed in range(6)]
    again = draw_mistake(DESIGN, kind, 2)
    assert np.array_equal(drawn[2].rgb, again.rgb)
    assert len({picture.rgb.tobytes() for picture in drawn}) > 1
    for picture in drawn:
        assert picture.rgb.shape == (*picture.inside.shape, 3) and picture.rgb.dtype == np.uint8
        assert picture.inside.dtype == np.float32 and picture.inside.min() >= 0 and picture.inside.max() <= 1
        assert picture.inside.mean() > 0.05
        assert not picture.rgb[picture.inside == 0].any()
    taken = retail_photograph(drawn[0], 1)
    assert taken.rgb.shape[1] > drawn[0].rgb.shape[1]


@pytest.mark.parametrize("kind", ["box", "thing"])
def test_a_box_and_a_thing_say_nothing_of_the_model(kind: str) -> None:
    assert np.array_equal(draw_mistake(DESIGN, kind, 4).rgb, draw_mistake(OTHER, kind, 4).rgb)


def test_a_pair_shows_both_shoes() -> None:
    pair, shoe = draw_mistake(DESIGN, "pair", 0), draw_upper(DESIGN, View.SIDE, length_px=184)
    height, width = shoe.inside.shape
    front, inside = pair.rgb[-height:, :width], shoe.inside == 1
    assert np.array_equal(front[inside], shoe.rgb[inside])
    assert pair.inside.sum() > 1.2 * shoe.inside.sum()


def test_another_view_is_the_front_or_the_back() -> None:
    assert {draw_mistake(DESIGN, "view", seed).view for seed in range(8)} == {View.FRONT, View.BACK}


def test_unknown_kinds_and_negative_seeds_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one of box"):
        draw_mistake(DESIGN, "sock", 0)
    with pytest.raises(InvalidInput, match="0 or more"):
        draw_mistake(DESIGN, "box", -1)
