"""Prints laid on each other."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from outsole.wear.canvas import lay_print
from tests.unit.outsole.wear.made_scans import Pixels, impression
from training.data.registration import laid_on

FIXED = lay_print(impression(1)).image


def moved(print_: Pixels, angle_deg: float, shift: tuple[float, float]) -> Pixels:
    turn = cv2.getRotationMatrix2D((print_.shape[1] / 2, print_.shape[0] / 2), angle_deg, 1.0)
    turn[:, 2] += np.array(shift)
    size = (print_.shape[1], print_.shape[0])
    return np.asarray(cv2.warpAffine(print_, turn, size, borderValue=(255,)), np.uint8)


def off_by(found: Pixels) -> float:
    """How far the upper and the lower half lie from where they should, pixels."""
    halves = (
        (found[part].astype(np.float32), FIXED[part].astype(np.float32)) for part in (slice(320), slice(320, 640))
    )
    return max(math.hypot(*cv2.phaseCorrelate(*pair)[0]) for pair in halves)


@pytest.mark.parametrize(("angle_deg", "shift"), [(0.0, (9.0, -6.0)), (4.0, (-7.5, 12.0)), (-9.0, (15.0, 3.0))])
def test_a_turned_and_moved_print_comes_back(angle_deg: float, shift: tuple[float, float]) -> None:
    scan = moved(FIXED, angle_deg, shift)
    found, likeness = laid_on(scan, FIXED)
    assert off_by(scan) > 2
    assert off_by(found) < 0.5
    assert likeness > 0.95


def test_a_print_that_lies_as_it_should_is_left_as_it_is() -> None:
    found, likeness = laid_on(FIXED, FIXED)
    assert np.array_equal(found, FIXED)
    assert likeness == pytest.approx(1, abs=1e-3)


def test_a_blank_print_is_like_nothing() -> None:
    found, likeness = laid_on(np.full_like(FIXED, 255), FIXED)
    assert found.min() == 255
    assert likeness < 0.1


def test_a_print_upside_down_is_not_like_itself() -> None:
    assert laid_on(np.ascontiguousarray(FIXED[::-1, ::-1]), FIXED)[1] < 0.9
