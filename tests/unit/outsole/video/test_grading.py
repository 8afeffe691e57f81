"""Grades follow size, blur and what stands in front."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import View
from outsole.video.grading import GradeSettings, grade, sharpness, visible_part
from outsole.video.records import Grade

NOTHING = np.empty((0, 4))
BOX = (20.0, 20.0, 120.0, 70.0)


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Patches and stripes with sharp edges, uint8 [100, 160, 3]."""
    generator = np.random.default_rng(0)
    patches = np.kron(generator.integers(0, 255, (10, 16, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    patches[30:60, 40:100:3] = 20
    return patches


def graded(rgb: NDArray[np.uint8], length: float = 90, view: View = View.SIDE) -> Grade:
    toe, heel = (25.0 + length, 68.0), (25.0, 68.0)
    return grade(rgb, BOX, ends=(toe, heel), view=view, hiding=NOTHING, settings=GradeSettings())


def test_more_blur_is_less_sharp(picture: NDArray[np.uint8]) -> None:
    found = [sharpness(picture)]
    found += [sharpness(np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))) for sigma in (0.7, 1.5, 3, 6)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.8
    assert found[-1] < 0.2


def test_blur_along_one_direction_counts(picture: NDArray[np.uint8]) -> None:
    for size in ((9, 1), (1, 9)):
        assert sharpness(np.asarray(cv2.blur(picture, size))) < 0.5 * sharpness(picture)


def test_what_has_no_content_is_not_sharp() -> None:
    assert sharpness(np.full((40, 40, 3), 90, np.uint8)) == 0
    assert sharpness(np.zeros((2, 40, 3), np.uint8)) == 0


def test_what_is_outside_the_frame_or_behind_something_is_not_visible() -> None:
    assert visible_part((10, 10, 50, 30), 100, 100, NOTHING) == 1
    assert visible_part((-20, 10, 20, 30), 100, 100, NOTHING) == 0.5
    assert visible_part((80, 90, 120, 110), 100, 100, NOTHING) == 0.25
    hiding = np.array([[30.0, 0, 60, 100], [25, 0, 60, 100], [200, 0, 300, 100]])
    assert visible_part((10, 10, 50, 30), 100, 100, hiding) == pytest.approx(3 / 8, abs=0.04)


def test_a_side_view_is_measured_from_toe_to_heel_and_is_large_enough_from_48_pixels(
    picture: NDArray[np.uint8],
) -> None:
    assert graded(picture, 90).length_px == 90
    assert [graded(picture, length).is_large_enough for length in (47.9, 48)] == [False, True]


def test_a_front_is_measured_by_its_boxs_height(picture: NDArray[np.uint8]) -> None:
    found = graded(picture, 3, View.FRONT)
    assert found.length_px == 50
    assert found.is_large_enough


def test_weight_grows_with_size_and_sharpness_and_falls_with_what_is_hidden(picture: NDArray[np.uint8]) -> None:
    best = graded(picture)
    blurred = graded(np.asarray(cv2.GaussianBlur(picture, (0, 0), 3)))
    hidden = grade(
        picture,
        BOX,
        ends=((115, 68), (25, 68)),
        view=View.SIDE,
        hiding=np.array([[50.0, 0, 200, 200]]),
        settings=GradeSettings(),
    )
    assert 0 < graded(picture, 50).weight < best.weight <= 1
    assert blurred.weight < best.weight
    assert hidden.weight < best.weight
    assert not hidden.is_large_enough
    assert hidden.length_px == 90
