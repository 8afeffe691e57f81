"""Where a shoe lies in a shop's photograph."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_photographs import cut_out, find_shoe
from outsole.synthesis.shoe_pictures import CameraPlan, ShoePicture, retail_photograph, surveillance_crop
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


def _levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return values.astype(np.uint8)


def _true_area(view: View, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A photograph and where its shoe is: the same shot of a white and of a black shoe differs there alone."""
    upper = draw_upper(design_of(plan_models(seed + 1, seed=42)[seed]), view)
    white, black = (
        retail_photograph(dataclasses.replace(upper, rgb=_levels(level * upper.inside[..., None]).repeat(3, 2)), seed)
        for level in (255, 0)
    )
    differs = white.rgb.astype(np.float32).mean(2) - black.rgb.astype(np.float32).mean(2)
    return retail_photograph(upper, seed).rgb, differs > 0.5 * differs.max()


@pytest.mark.parametrize("view", [View.SIDE, View.FRONT, View.BACK])
def test_a_shoe_is_cut_out_where_it_is(view: View) -> None:
    shares = []
    for seed in range(8):
        rgb, truth = _true_area(view, seed)
        cut = cut_out(rgb, view)
        found = cut.covered > 127
        shares.append((found & truth).sum() / (found | truth).sum())
        assert cut.place == find_shoe(rgb)
    assert np.median(shares) > 0.94
    assert min(shares) > 0.88


def test_no_line_of_the_ground_is_left_around_a_dark_shoe() -> None:
    upper = draw_upper(design_of(plan_models(1, seed=3)[0]), View.SIDE)
    dark = retail_photograph(dataclasses.replace(upper, rgb=_levels(0.2 * upper.rgb)), 5)
    covered = cut_out(dark.rgb, View.SIDE).covered.astype(np.float32) / 255
    # What is laid on another floor is the picture times the cover: none of it may be as bright as the ground.
    assert (dark.rgb.max(2) * covered).max() < 150


@pytest.mark.parametrize(
    ("rgb", "view", "said"),
    [
        (PICTURES[0].rgb[:, : PICTURES[0].rgb.shape[1] // 2], View.SIDE, "reaches the picture's edge"),
        (PICTURES[0].rgb[::6, ::6], View.SIDE, "pixels wide, too few"),
        (PICTURES[0].rgb, View.FRONT, "not shaped like a shoe seen from its front"),
        (np.full((80, 120, 3), 240, np.uint8), View.SIDE, "nothing stands out"),
    ],
)
def test_what_is_not_one_whole_shoe_is_not_cut_out(rgb: NDArray[np.uint8], view: View, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        cut_out(rgb, view)


def test_a_shoe_on_a_floor_is_mostly_not_believed() -> None:
    refused = 0
    for seed, model in enumerate(plan_models(12, seed=42)):
        upper = draw_upper(design_of(model), View.SIDE)
        try:
            cut_out(surveillance_crop(upper, seed, CameraPlan(length_px=128)).rgb, View.SIDE)
        except InvalidInput:
            refused += 1
    assert refused >= 10
