"""Toe, heel, heading and view of boxes that a made camera looks at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import View
from outsole.video.key_points import (
    drawn_out,
    ends,
    feet,
    headings,
    likelier,
    looks,
    mirrored,
    slants,
    sure_of_feet,
    turned,
    views,
)

LENGTH, WIDTH, HEIGHT = 100.0, 37.0, 40.0


def seen_box(heading: float, down: float) -> NDArray[np.float64]:
    """[9, 2] of a shoe's box that points to ``heading`` degrees, from a far camera that looks ``down`` degrees down."""
    turn, tilt = np.radians([heading, down])
    # x right, y up, z to the camera: a shoe that points away looks along -z.
    toe, up = np.array([np.cos(turn), 0, -np.sin(turn)]), np.array([0.0, 1, 0])
    side = np.cross(up, toe)
    signs = np.array([[0, 0, 0], *[[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]])
    corners = (signs * np.array([WIDTH, HEIGHT, LENGTH]) / 2) @ np.stack([side, up, toe])
    rows = corners[:, 1] * np.cos(tilt) - corners[:, 2] * np.sin(tilt)
    return np.stack([corners[:, 0], -rows], 1)


@pytest.mark.parametrize("down", [0, 20, 45, 70])
@pytest.mark.parametrize("heading", [0, 30, 60, 90, 135, 179, -20, -90, -150])
def test_the_heading_is_that_of_the_shoe_however_high_the_camera_hangs(heading: float, down: float) -> None:
    assert headings(seen_box(heading, down)[None])[0] == pytest.approx(heading, abs=0.01)


def test_toe_and_heel_are_the_ends_of_the_sole_on_the_ground() -> None:
    toes, heels = ends(seen_box(0, 0)[None])
    np.testing.assert_allclose(toes, [[LENGTH / 2, HEIGHT / 2]], atol=1e-9)
    np.testing.assert_allclose(heels, [[-LENGTH / 2, HEIGHT / 2]], atol=1e-9)


def test_a_box_that_is_turned_round_points_the_other_way_and_twice_is_as_before() -> None:
    points = np.stack([seen_box(30, 40), seen_box(-90, 40)])
    both = np.array([True, True])
    np.testing.assert_allclose(headings(turned(points, both)), [-150, 90])
    np.testing.assert_array_equal(turned(turned(points, both), both), points)
    np.testing.assert_array_equal(turned(points, ~both), points)


@pytest.mark.parametrize("heading", [0, 40, 90, 170, -60])
def test_the_box_of_a_mirrored_window_points_the_other_way_and_a_front_stays_a_front(heading: float) -> None:
    # A mirrored shoe is the other foot's: its box keeps the order of its sides, which the mirror changes.
    window = seen_box(180 - heading, 20)[None] / 200 + 0.5
    back = mirrored(window)
    assert headings(back)[0] == pytest.approx(heading, abs=0.01)
    np.testing.assert_allclose(mirrored(back), window)
    np.testing.assert_allclose(ends(back)[0][:, 0], 1 - ends(window)[0][:, 0])


def test_of_two_ways_the_surer_counts_unless_the_other_fills_the_box_better() -> None:
    side, front = seen_box(5, 20), seen_box(-85, 20)
    ways, boxes = np.stack([[side, side], [front, front]]), np.tile([*side.min(0), *side.max(0)], (2, 1))
    taken = likelier(ways, np.array([[0.5, 0.1], [0.6, 0.9]]), boxes)
    np.testing.assert_array_equal(taken, np.stack([side, front]))
    assert likelier(ways[:, :0], np.empty((2, 0)), boxes[:0]).shape == (0, 9, 2)


def test_views_go_by_slant_and_direction() -> None:
    degrees = np.array([10.0, 170, -40, 60, 120, -60])
    np.testing.assert_allclose(slants(degrees), [10, 10, 40, 60, 60, 60])
    seen = views(degrees, slants(degrees) <= 45)
    assert seen == [View.SIDE, View.SIDE, View.SIDE, View.BACK, View.BACK, View.FRONT]


def test_feet_are_heel_and_toe_of_left_and_right() -> None:
    places = np.zeros((1, 33, 2))
    places[0, [29, 31, 30, 32]] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert feet(places).tolist() == [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]
    landmarks = np.ones((1, 33, 4))
    landmarks[0, 31, 2], landmarks[0, 30, 3] = 0.4, 0.5
    assert sure_of_feet(landmarks).tolist() == [[0.4, 0.5]]


def test_a_body_with_its_left_shoulder_on_the_right_looks_at_us() -> None:
    places = np.zeros((2, 33, 2))
    places[:, 32, 1] = 100
    places[0, 11, 0], places[0, 12, 0] = 60, 40
    places[1, [11, 12, 7, 8], 0] = 50
    places[1, 0, 0] = 53
    np.testing.assert_allclose(looks(places), np.array([[0, -1], [0.6, 0]]))


def test_ends_are_drawn_out_to_their_box_along_their_line_and_down_to_its_edge_and_never_in() -> None:
    toes, heels = np.array([[80.0, 40], [20, 40], [130, 50]]), np.array([[20.0, 46], [80, 40], [-10, 50]])
    boxes = np.tile([10.0, 0, 100, 50], (3, 1))
    far_toes, far_heels = drawn_out(toes, heels, boxes)
    assert far_toes.tolist() == [[100, 41], [10, 50], [130, 50]]
    assert far_heels.tolist() == [[10, 50], [100, 50], [-10, 50]]


def test_ends_go_no_farther_apart_than_twice_their_distance_and_ends_in_one_place_stay_together() -> None:
    box = np.array([[0.0, 0, 100, 50]])
    toe, heel = drawn_out(np.array([[60.0, 30]]), np.array([[50.0, 30]]), box)
    assert (toe.tolist(), heel.tolist()) == ([[65, 50]], [[45, 50]])
    same = np.array([[50.0, 30]])
    assert all(end.tolist() == [[50, 50]] for end in drawn_out(same, same, box))
