"""Masks: drawn, outlined or found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.masks import automatic_mask, mask_from_png, mask_from_polygon

SHAPE = (60, 40)


def png(pixels: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


def texture(shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(60, 200, shape).astype(np.uint8)


def test_a_png_mask_shows_what_is_above_127() -> None:
    drawn = np.tile(np.array([0, 127, 128, 255], np.uint8), (60, 10))
    assert np.array_equal(mask_from_png(png(drawn), SHAPE, field="mask"), drawn > 127)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(np.full((60, 41), 255, np.uint8)), "41 x 60"),
        (png(np.zeros(SHAPE, np.uint8)), "shows nothing"),
        (png(np.full((*SHAPE, 4), 255, np.uint8)), "alpha"),
        (b"not a png", "not a PNG"),
        (png(texture(SHAPE))[:-400], "truncated"),
    ],
)
def test_an_unusable_png_mask_is_refused_with_field_and_remedy(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        mask_from_png(data, SHAPE, field="query.mask")
    assert caught.value.field == "query.mask"
    assert caught.value.remedy


def test_a_polygon_is_filled_where_it_was_drawn() -> None:
    mask = mask_from_polygon([[5, 10], [25, 10], [25, 50], [5, 50]], SHAPE, field="p")
    expected = np.zeros(SHAPE, bool)
    expected[10:51, 5:26] = True
    assert np.array_equal(mask, expected)


def test_a_polygon_far_larger_than_the_image_is_clipped_and_not_distorted() -> None:
    mask = mask_from_polygon([[-1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]], (50, 50), field="p")
    y, x = np.mgrid[:50, :50]
    assert mask[y > x + 1].all()
    assert not mask[y < x - 1].any()


@pytest.mark.parametrize(
    "points",
    [
        [[0, 0], [9, 9]],
        [[0, 0], [9, float("nan")], [9, 0]],
        [[0, 0], [9, float("inf")], [9, 0]],
        [[0, 0], [5, 5], [9, 9]],
        [[100, 100], [120, 100], [120, 140]],
        [[0, 0, 0], [1, 1, 1], [2, 0, 0]],
        [["a", "b"]],
        [],
    ],
)
def test_an_unusable_polygon_is_refused_with_field_and_remedy(points: list[list[float]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        mask_from_polygon(points, SHAPE, field="query.polygon")
    assert caught.value.field == "query.polygon"
    assert caught.value.remedy


@pytest.mark.parametrize("fill", [0, 4, 252, 255])
def test_flat_padding_at_the_frame_is_left_out(fill: int) -> None:
    gray = texture((300, 200))
    wedge = np.add.outer(np.arange(300), np.arange(200)) < 120
    gray[wedge] = fill
    mask = automatic_mask(gray)
    assert mask[~wedge].all()
    assert mask[wedge].mean() < 0.15


def test_paper_between_tread_elements_stays_while_the_white_around_the_print_goes() -> None:
    gray = np.full((400, 240), 255, np.uint8)
    gray[60:340:20, 60:180] = 0
    for row in range(60, 340, 20):
        gray[row : row + 8, 60:180] = 20
    mask = automatic_mask(gray)
    assert mask[70:326, 70:170].all()
    assert not mask[:, :40].any()
    assert not mask[:40].any()


def test_a_flat_fill_inside_the_picture_stays() -> None:
    gray = texture((200, 150))
    gray[60:120, 50:100] = 255
    assert automatic_mask(gray).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_the_automatic_mask_is_never_empty(value: int) -> None:
    assert automatic_mask(np.full((64, 64), value, np.uint8)).all()
