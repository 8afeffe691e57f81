"""Clean impressions and crime-scene prints: every harm can be switched, the mask tells the truth."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.prints import CROPS, Degradation, clean_impression, scene_print
from outsole.synthesis.treads import make_tread

TREAD, OTHER = make_tread(3), make_tread(4)


def test_a_clean_impression_is_dark_where_the_tread_touches_and_white_outside() -> None:
    gray = clean_impression(TREAD, 1)
    assert gray.dtype == np.uint8
    assert gray.shape == TREAD.depth.shape
    assert gray[TREAD.depth > 0.85].mean() < 110
    assert gray[~TREAD.inside].mean() > 235
    assert np.array_equal(gray, clean_impression(TREAD, 1))


def test_with_everything_off_the_print_is_whole_upright_and_clean() -> None:
    made = scene_print(TREAD, 5, degradation=Degradation.none(), other=OTHER)
    assert made.visible_fraction == pytest.approx(1.0, abs=0.01)
    assert made.rotation_deg == 0
    assert made.crop == "full"
    assert made.gray.min() < 60
    assert np.all(made.gray[~made.mask] == 250)


@pytest.mark.parametrize(
    "switched",
    [
        {"pressure": True},
        {"erasure": True},
        {"background": True},
        {"rotation_limit_deg": 16.0},
        {"jpeg_quality": 40},
        {"crop": "heel"},
    ],
)
def test_each_harm_alone_changes_the_print(switched: dict[str, Any]) -> None:
    plain = scene_print(TREAD, 5, degradation=Degradation.none())
    harmed = scene_print(TREAD, 5, degradation=dataclasses.replace(Degradation.none(), **switched))
    assert plain.gray.shape != harmed.gray.shape or not np.array_equal(plain.gray, harmed.gray)


@pytest.mark.parametrize("harm", ["second_print", "shapes", "corners"])
def test_each_occasional_harm_comes_up_and_never_uncovers_the_mask(harm: str) -> None:
    switched: dict[str, Any] = {harm: True}
    plan = dataclasses.replace(Degradation.none(), **switched)
    plain = scene_print(TREAD, 0, degradation=Degradation.none())
    changed = 0
    for seed in range(30):
        made = scene_print(TREAD, seed, degradation=plan, other=OTHER)
        changed += made.visible_fraction < 0.999 or abs(float(made.gray.mean()) - float(plain.gray.mean())) > 1
    assert 1 <= changed < 30


@pytest.mark.parametrize("seed", range(25))
def test_a_default_scene_print_keeps_something_to_work_with(seed: int) -> None:
    made = scene_print(make_tread(seed), seed, other=OTHER)
    assert made.gray.shape == made.mask.shape
    assert made.mask.sum() >= 1500
    assert 0 < made.visible_fraction <= 1
    assert abs(made.rotation_deg) <= 16
    assert made.crop in CROPS
    assert made.gray.std() > 5


@pytest.mark.parametrize("crop", ["full", "heel", "small"])
def test_a_print_says_where_on_the_tread_it_lay(crop: str) -> None:
    tread = make_tread(6)
    turned = dataclasses.replace(Degradation.none(), rotation_limit_deg=30.0, crop=crop)
    scene = scene_print(tread, 4, degradation=turned)
    assert abs(scene.rotation_deg) > 3
    to_picture = cv2.invertAffineTransform(scene.to_tread)
    width, height = scene.gray.shape[::-1]
    inside = cv2.warpAffine(tread.inside.astype(np.uint8), to_picture, (width, height), flags=cv2.INTER_NEAREST) > 0
    assert (inside == scene.mask).mean() > 0.99
    depth = cv2.warpAffine(tread.depth, to_picture, (width, height))
    assert np.corrcoef(depth[scene.mask], scene.gray[scene.mask])[0, 1] < -0.8


def test_the_same_arguments_give_the_same_print() -> None:
    first, again = (scene_print(TREAD, 9, other=OTHER) for _ in range(2))
    assert np.array_equal(first.gray, again.gray)
    assert np.array_equal(first.mask, again.mask)


@pytest.mark.parametrize(
    "wrong", [{"crop": "sole"}, {"rotation_limit_deg": 90.0}, {"jpeg_quality": 101}, {"strength": float("nan")}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        Degradation(**wrong)
    assert caught.value.field == next(iter(wrong))
