"""The canvas of the wear models: levels, place, and the way back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from outsole.wear.canvas import CANVAS_PX, contact_of, lay_print
from tests.unit.outsole.wear.made_scans import Pixels, impression


def blocks(paper: int, ink: int, shape: tuple[int, int] = (400, 200)) -> Pixels:
    gray = np.full(shape, paper, np.uint8)
    gray[50:150, 40:160] = gray[200:350, 40:160] = ink
    return gray


def test_a_print_lies_in_the_middle_with_no_contact_about_it() -> None:
    gray = blocks(240, 30)
    laid = lay_print(gray)
    assert laid.image.shape == CANVAS_PX
    assert (laid.top, laid.left, laid.height, laid.width) == (120, 28, 400, 200)
    rows, columns = np.nonzero(laid.image < 128)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (170, 469, 68, 187)
    assert laid.image[:120].min() == 255


@pytest.mark.parametrize(("paper", "ink"), [(240, 30), (150, 60), (90, 20), (255, 128), (255, 0)])
def test_paper_becomes_white_and_ink_black_whatever_their_levels_were(paper: int, ink: int) -> None:
    assert set(np.unique(lay_print(blocks(paper, ink)).image)) == {0, 255}


def test_grain_within_ink_is_no_print_where_all_paper_is_a_white_fill() -> None:
    gray = blocks(255, 100)
    grain = np.random.default_rng(1).normal(0, 3, gray.shape)
    grainy = np.where(gray < 255, gray + grain, 255).astype(np.uint8)
    contact = contact_of(grainy)
    assert contact[gray < 255].min() > 0.9
    assert contact[gray == 255].max() == 0


def test_weak_contact_stays_between() -> None:
    gray = blocks(240, 40)
    gray[250:300, 60:100] = 140
    assert contact_of(gray)[255:295, 65:95].mean() == pytest.approx(0.5, abs=0.02)


def test_a_larger_print_is_reduced_and_comes_back_in_its_own_size() -> None:
    gray = impression(1)
    large = np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_AREA), np.uint8)
    laid = lay_print(large)
    assert laid.height <= CANVAS_PX[0] and laid.width <= CANVAS_PX[1]
    assert max(laid.height / CANVAS_PX[0], laid.width / CANVAS_PX[1]) == pytest.approx(1, abs=0.01)
    back = laid.taken_off(laid.image.astype(np.float32))
    assert back.shape == large.shape
    assert np.abs(back - 255 * (1 - contact_of(large))).mean() < 12


def test_what_is_taken_off_the_canvas_lies_where_the_print_lay() -> None:
    gray = blocks(240, 30)
    laid = lay_print(gray)
    assert np.array_equal(laid.taken_off(laid.image.astype(np.float32)), np.where(gray < 128, 0, 255))


def test_black_corners_are_no_contact_and_a_blank_picture_has_none() -> None:
    gray = blocks(230, 30)
    gray[:40, :40] = 0
    assert contact_of(gray)[:30, :30].max() == 0
    assert lay_print(np.full((100, 80), 200, np.uint8)).image.min() == 255
