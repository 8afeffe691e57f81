"""Boxes: overlap, sifting against the plain algorithm, tiles, and windows cut out of frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.video.boxes import Boxes, is_cut, shared_areas, sift, squares, tiles, windows_of

generator = np.random.default_rng(0)


def some_boxes(count: int) -> Boxes:
    corners = generator.uniform(0, 60, (count, 2))
    return np.hstack([corners, corners + generator.uniform(5, 40, (count, 2))])


def sifted_one_by_one(boxes: Boxes, scores: NDArray[np.float64], groups: NDArray[np.intp]) -> list[int]:
    """The textbook's way: down the list, each box against those that were kept."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        for j in kept:
            shared = float(shared_areas(boxes[[i]], boxes[[j]])[0, 0])
            sizes = [float(np.prod(boxes[k, 2:] - boxes[k, :2])) for k in (i, j)]
            if groups[i] == groups[j] and (shared > 0.4 * (sum(sizes) - shared) or shared > 0.7 * min(sizes)):
                break
        else:
            kept.append(int(i))
    return kept


def test_shared_areas_are_those_of_the_intersections() -> None:
    first = np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]])
    second = np.array([[5.0, 5, 15, 25], [10, 0, 20, 10]])
    np.testing.assert_array_equal(shared_areas(first, second), [[25, 0], [0, 0]])


@pytest.mark.parametrize("count", [0, 1, 7, 120])
def test_sifting_keeps_what_going_down_the_list_keeps(count: int) -> None:
    boxes, scores, groups = some_boxes(count), generator.uniform(size=count), generator.integers(0, 3, count)
    kept = sift(boxes, scores, groups, overlap=0.4, cover=0.7)
    assert kept.tolist() == sifted_one_by_one(boxes, scores, groups)


def test_a_toe_cap_within_a_shoe_goes_and_a_shoe_in_another_frame_stays() -> None:
    boxes = np.array([[0.0, 0, 40, 20], [30, 10, 40, 20], [0, 0, 40, 20]])
    kept = sift(boxes, np.array([0.6, 0.5, 0.4]), np.array([0, 0, 1]), overlap=0.5, cover=0.75)
    assert kept.tolist() == [0, 2]


def test_a_small_frame_is_looked_at_whole() -> None:
    np.testing.assert_array_equal(tiles(768, 432, side_px=720, share=0.25), [[0, 0, 768, 432]])


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160), (1100, 200), (500, 2000)])
def test_tiles_cover_a_large_frame_and_share_what_was_asked(width: int, height: int) -> None:
    whole, *parts = tiles(width, height, side_px=720, share=0.25)
    assert whole.tolist() == [0, 0, width, height]
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in np.array(parts, int):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        covered[top:bottom, left:right] = True
    assert covered.all()
    lefts = np.unique(np.array(parts)[:, 0])
    assert np.all(np.diff(lefts) <= 0.75 * 720 + 1)


def test_a_box_that_ends_at_an_inner_border_is_cut_and_one_at_the_frames_border_is_not() -> None:
    tile, frame = np.array([720.0, 0, 1440, 720]), np.array([0.0, 0, 1920, 720])
    boxes = np.array([[725.0, 100, 800, 300], [900, 100, 1438, 300], [900, 1, 1000, 719], [900, 100, 1000, 300]])
    assert is_cut(boxes, tile, frame).tolist() == [True, True, False, False]


def test_windows_are_stretched_to_squares_and_places_in_them_lead_back_to_the_frame() -> None:
    frame = np.zeros((100, 200, 3), np.uint8)
    frame[40:60, 150:170] = 255
    windows = windows_of([frame], np.array([0]), np.array([[140.2, 20.4, 179.8, 79.6]]), side_px=64)
    assert windows.images.shape == (1, 64, 64, 3)
    assert windows.boxes.tolist() == [[140, 20, 180, 80]]
    rows, columns = np.nonzero(windows.images[0, :, :, 0] > 127)
    found = np.array([[[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]]) / 64
    np.testing.assert_allclose(windows.to_frame(found)[0, 0], [150, 40, 170, 60], atol=1)
    np.testing.assert_allclose(windows.to_frame(found[0], np.array([0]))[0], [150, 40, 170, 60], atol=1)
    np.testing.assert_allclose(windows.to_frame(found[:, :, :2])[0, 0], [150, 40], atol=1)


def test_what_lies_outside_its_frame_is_black() -> None:
    frame = np.full((50, 50, 3), 200, np.uint8)
    boxes = np.array([[-50.0, 0, 50, 50], [0, 25, 50, 75], [60, 60, 90, 90], [10, 10, 10, 10]])
    images = windows_of([frame], np.zeros(4, int), boxes, side_px=40).images
    assert images[0, :, :18].max() == 0
    assert images[0, :, 22:].min() == 200
    assert images[1, :18].min() == 200
    assert images[1, 22:].max() == 0
    assert images[2].max() == 0
    assert images[3].min() == 200


def test_frames_of_different_sizes_go_into_one_batch_and_none_into_an_empty_one() -> None:
    frames = [np.full((40, 60, 3), 10, np.uint8), np.full((90, 20, 3), 20, np.uint8)]
    images = windows_of(frames, np.array([1, 0]), np.array([[0.0, 0, 20, 90], [0, 0, 60, 40]]), side_px=30).images
    assert [int(image.mean()) for image in images] == [20, 10]
    assert windows_of(frames, np.empty(0, int), np.empty((0, 4)), side_px=30).images.shape == (0, 30, 30, 3)


def test_squares_have_the_boxes_middles() -> None:
    np.testing.assert_array_equal(squares(np.array([[10.0, 20, 30, 60]]), scale=1.5), [[-10, 10, 50, 70]])
