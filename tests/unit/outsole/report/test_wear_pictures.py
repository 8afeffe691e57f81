"""The strip of weeks holds every picture with its caption and map, in sizes that can be looked at."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from outsole.report.pictures import png_bytes
from outsole.report.wear_pictures import fitted, shown_prints, wear_strip
from outsole.wear_answers import WornPrint
from tests.unit.outsole.api.made_wear import WEAR

GIVEN = np.full((300, 120), 120, np.uint8)


def read(png: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def is_painted(picture: np.ndarray) -> np.ndarray:
    """Which pixels have a colour, bool [H, W]."""
    values = picture.astype(int)
    painted: np.ndarray = values.max(axis=2) - values.min(axis=2) > 40
    return painted


def test_maps_are_painted_where_the_model_is_unsure_and_nowhere_else() -> None:
    first, last = shown_prints(WEAR, side_px=300)
    assert (first.when, last.when) == ("after 12 weeks", "after 52 weeks")
    for shown in (first, last):
        assert not is_painted(read(shown.print_png)).any()
        painted = is_painted(read(shown.map_png))
        assert painted[26, 20]
        assert not painted[:, 40:].any()
    # The same error has the same colour in both, however large the others are.
    worn = WEAR.prints[0]
    alone, beside = (
        shown_prints(dataclasses.replace(WEAR, prints=prints), side_px=300)[0] for prints in ((worn,), WEAR.prints)
    )
    assert alone == beside


@pytest.mark.parametrize(("shape", "width", "height"), [((300, 120), 120, 300), ((1600, 640), 208, 520)])
def test_a_picture_is_fitted_and_keeps_its_shape(shape: tuple[int, int], width: int, height: int) -> None:
    assert fitted(np.zeros(shape, np.uint8), side_px=520).shape == (height, width)
    assert fitted(np.zeros((100, 40), np.uint8), side_px=520, largest_scale=2.0).shape == (200, 80)


def test_a_strip_has_a_column_a_picture_with_a_caption_above_each() -> None:
    two = read(wear_strip(GIVEN, WEAR))
    one = read(wear_strip(GIVEN, dataclasses.replace(WEAR, prints=WEAR.prints[:1])))
    column = two.shape[1] - one.shape[1]
    assert column >= 200
    captions = (two[26:50].min(axis=(0, 2)) < 100).reshape(-1)
    for number in range(3):
        left = 24 + number * column
        assert captions[left : left + column - 24].any()
        assert not captions[left + column - 24 : left + column].any()


@pytest.mark.parametrize("shape", [(30, 400), (24, 20), (4000, 1500)])
def test_a_strip_of_any_shape_has_a_size_that_can_be_looked_at(shape: tuple[int, int]) -> None:
    gray = np.full(shape, 90, np.uint8)
    worn = WornPrint(4, png_bytes(gray), png_bytes(gray), 0.35)
    picture = read(wear_strip(gray, dataclasses.replace(WEAR, prints=(worn, worn))))
    assert 300 <= picture.shape[0] <= 1600
    assert 600 <= picture.shape[1] <= 1800
