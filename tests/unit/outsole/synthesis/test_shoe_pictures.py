"""Pictures of made shoes: deterministic, of the asked size, toe and heel marked, every degradation switchable."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.synthesis.shoe_pictures import CameraPlan, ShoePicture, retail_photograph, surveillance_crop
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper

DESIGN = design_of(plan_models(4, seed=5)[1])
SIDE = draw_upper(DESIGN, View.SIDE)
CALM = CameraPlan(motion=False, compression=False, light=False, trousers=False, turn_limit_deg=0)


def _length(picture: ShoePicture) -> float:
    return float(np.hypot(*np.subtract(picture.toe, picture.heel)))


def test_the_same_seed_gives_the_same_picture() -> None:
    shown = [retail_photograph(SIDE, seed).rgb for seed in (3, 3, 4)]
    seen = [surveillance_crop(SIDE, seed, CameraPlan()).rgb for seed in (3, 3, 4)]
    for first, again, other in (shown, seen):
        assert np.array_equal(first, again)
        assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("length_px", [24, 48, 120])
def test_a_shoe_in_a_frame_is_as_long_as_asked(length_px: int) -> None:
    for seed in range(6):
        seen = surveillance_crop(SIDE, seed, CameraPlan(length_px=length_px))
        assert _length(seen) == pytest.approx(length_px, rel=0.05)
        height, width = seen.rgb.shape[:2]
        assert all(0 <= x < width and 0 <= y < height for x, y in (seen.toe, seen.heel))


def test_toe_and_heel_follow_the_side_and_the_turn() -> None:
    pictures = [surveillance_crop(SIDE, seed, CameraPlan()) for seed in range(20)]
    assert {picture.toe[0] > picture.heel[0] for picture in pictures} == {True, False}
    for picture in pictures:
        rise = picture.toe[1] - picture.heel[1]
        assert abs(np.degrees(np.arcsin(rise / _length(picture)))) <= 26


def test_a_level_plan_keeps_the_sole_level() -> None:
    for seed in range(5):
        seen = surveillance_crop(SIDE, seed, CALM)
        assert seen.toe[1] == pytest.approx(seen.heel[1], abs=0.1)


@pytest.mark.parametrize("part", ["motion", "compression", "light", "trousers"])
def test_each_degradation_changes_the_picture(part: str) -> None:
    plain = surveillance_crop(SIDE, 7, CALM)
    changed = surveillance_crop(SIDE, 7, CameraPlan(**{**vars(CALM), part: True}))
    assert changed.rgb.shape == plain.rgb.shape
    assert np.abs(changed.rgb.astype(int) - plain.rgb).mean() > 0.5


def test_fronts_and_backs_are_as_much_narrower_as_shoes_are() -> None:
    front = draw_upper(DESIGN, View.FRONT)
    for seed in range(4):
        seen = surveillance_crop(front, seed, CameraPlan(length_px=100))
        assert seen.view is View.FRONT
        assert seen.rgb.shape[1] < 100


def test_a_shop_shows_the_shoe_on_a_light_ground() -> None:
    for seed in range(5):
        shown = retail_photograph(SIDE, seed)
        assert shown.rgb[:4].mean() > 150
        assert _length(shown) == pytest.approx(255, abs=1)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="length_px is 15"):
        CameraPlan(length_px=15)
    with pytest.raises(InvalidInput, match="turn_limit_deg is 91"):
        CameraPlan(turn_limit_deg=91)
    with pytest.raises(InvalidInput, match="the seed is -1"):
        retail_photograph(SIDE, -1)
