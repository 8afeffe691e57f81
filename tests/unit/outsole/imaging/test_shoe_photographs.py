"""Where a shoe lies in a shop's photograph."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_photographs import find_shoe
from outsole.synthesis.shoe_pictures import ShoePicture, retail_photograph
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper

PICTURES = [
    retail_photograph(draw_upper(design_of(model), View.SIDE), seed)
    for seed, model in enumerate(plan_models(24, seed=42))
]


def _length(picture: ShoePicture) -> float:
    return float(np.hypot(*np.subtract(picture.toe, picture.heel)))


def test_toe_and_heel_are_told_apart_on_either_side() -> None:
    looks_right = [picture.toe[0] > picture.heel[0] for picture in PICTURES]
    found = [find_shoe(picture.rgb) for picture in PICTURES]
    assert {True, False} == set(looks_right)
    assert [place.toe[0] > place.heel[0] for place in found] == looks_right


def test_both_ends_lie_where_the_sole_ends() -> None:
    errors = []
    for picture in PICTURES:
        place = find_shoe(picture.rgb)
        ends = np.subtract([place.toe, place.heel], [picture.toe, picture.heel])
        errors.append(np.hypot(*ends.T).max() / _length(picture))
    assert np.median(errors) < 0.03
    assert max(errors) < 0.12


def test_a_shoe_is_found_in_a_large_picture_at_the_same_place() -> None:
    large = np.kron(PICTURES[0].rgb, np.ones((4, 4, 1), np.uint8))
    small, found = find_shoe(PICTURES[0].rgb), find_shoe(large)
    assert np.allclose(np.array(found.toe) / 4, small.toe, atol=0.03 * _length(PICTURES[0]))


def test_the_box_holds_fronts_too() -> None:
    picture = retail_photograph(draw_upper(design_of(plan_models(1, seed=3)[0]), View.FRONT), 5)
    width = picture.box[2] - picture.box[0]
    assert np.abs(np.subtract(find_shoe(picture.rgb).box, picture.box)).max() < 0.12 * width


def test_an_empty_picture_holds_no_shoe() -> None:
    with pytest.raises(InvalidInput, match="nothing stands out"):
        find_shoe(np.full((60, 90, 3), 240, np.uint8))
