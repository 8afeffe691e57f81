"""Who is believed where key points, foot and body say different things."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from outsole.answers import View
from outsole.video.grading import GradeSettings
from outsole.video.key_points import ends
from outsole.video.records import Frame, Sighting
from outsole.video.sightings import FACING, POSE, TOE_HEEL, PointedShoes, sightings_of
from outsole.video.wearing import Persons
from tests.unit.outsole.video.test_key_points import seen_box

FRAME = Frame(7, 1.5, np.random.default_rng(0).integers(0, 255, (400, 400, 3)).astype(np.uint8))


def persons(foot_heading: float, looks: tuple[float, float]) -> Persons:
    """One person whose left foot points to ``foot_heading``, seen from 30 degrees above."""
    turn = np.radians(foot_heading)
    toe = 60 * np.array([np.cos(turn), -0.5 * np.sin(turn)])
    feet = np.tile(np.array([[200.0, 300], [200, 300] + toe]), (1, 2, 1, 1))
    return Persons(np.array([0]), np.array([[100.0, 0, 300, 350]]), feet, np.full((1, 2), 0.9), np.array([looks]))


def shoe(heading: float, *, posed: bool = True) -> PointedShoes:
    points = seen_box(heading, 30) + (200, 300)
    box = np.array([[*points.min(0), *points.max(0)]])
    one = np.array([0])
    return PointedShoes(one, box, np.array([0.6]), points[None], one, one, np.array([posed]))


def read(shoes: PointedShoes, people: Persons) -> Sighting:
    (found,) = sightings_of(FRAME, 0, shoes, people, side_within=45, grading=GradeSettings())
    return found


def seen_slope(heading: float) -> float:
    """Rise of a sole for each pixel that it goes to the right."""
    toe, heel = (point[0] for point in ends(seen_box(heading, 30)[None]))
    return float((toe[1] - heel[1]) / (toe[0] - heel[0]))


def test_a_side_view_on_which_all_agree_has_no_doubts_and_its_own_toe() -> None:
    found = read(shoe(10), persons(10, (0.8, 0.2)))
    assert (found.view, found.doubts) == (View.SIDE, ())
    assert (found.heel[0], found.toe[0]) == pytest.approx((found.box[0], found.box[2]))
    assert max(found.toe[1], found.heel[1]) == pytest.approx(found.box[3])
    assert found.toe[1] - found.heel[1] == pytest.approx(seen_slope(10) * (found.toe[0] - found.heel[0]))
    assert (found.frame, found.time_s, found.score) == (7, 1.5, 0.6)
    assert found.person == (100, 0, 300, 350)
    assert found.grade.length_px > 90


def test_key_points_that_foot_and_body_contradict_are_turned_round() -> None:
    back = read(shoe(-80), persons(85, (0.0, 1.0)))
    assert (back.view, back.doubts) == (View.BACK, ())
    assert back.toe[1] < back.heel[1]
    side = read(shoe(170), persons(-5, (0.9, 0.0)))
    assert (side.view, side.doubts) == (View.SIDE, (TOE_HEEL,))
    assert side.toe[0] > side.heel[0]


def test_key_points_that_the_foot_alone_contradicts_stay_and_are_doubted() -> None:
    for looks in ((0.9, 0.0), (0.0, 0.0)):
        found = read(shoe(5), persons(175, looks))
        assert (found.view, found.doubts) == (View.SIDE, (TOE_HEEL,))
        assert found.toe[0] > found.heel[0]


def test_a_front_on_a_body_that_looks_away_is_doubted_where_the_foot_does_not_decide() -> None:
    assert read(shoe(-80), persons(-80, (0.0, 1.0))).doubts == (FACING,)
    assert read(shoe(-80), persons(-80, (0.0, -1.0))).doubts == ()


def test_a_sole_that_lies_flat_across_its_box_is_a_side_view_though_its_box_is_told_wide() -> None:
    wide = seen_box(0, 30)
    wide[[5, 6, 7, 8]] += (45, 0)
    shoes = replace(shoe(0), points=wide[None] + (200, 300))
    assert read(shoes, persons(0, (0.0, 0.0))).view is View.SIDE


def test_a_wide_box_shows_a_side_that_points_as_the_foot_does_though_key_points_see_an_end() -> None:
    box = np.array([[100.0, 250, 190, 300]])
    for heading, toe in ((10.0, (190, 300)), (170.0, (100, 300))):
        found = read(replace(shoe(-80), boxes=box), persons(heading, (0.0, 0.0)))
        assert (found.view, found.toe) == (View.SIDE, toe)
    unposed = read(replace(shoe(-80, posed=False), boxes=box), persons(10, (-0.9, 0.0)))
    assert (unposed.view, unposed.toe, unposed.heel) == (View.SIDE, (100, 300), (190, 300))


def test_without_a_pose_that_is_said() -> None:
    assert read(shoe(10, posed=False), persons(170, (0.0, 0.0))).doubts == (POSE,)


def test_shoes_come_from_left_to_right_and_the_one_behind_is_less_visible() -> None:
    points = np.stack([seen_box(0, 30) + place for place in ((240, 310), (200, 290))])
    boxes = np.hstack([points.min(1), points.max(1)])
    both = np.array([0, 0])
    shoes = PointedShoes(both, boxes, np.array([0.5, 0.7]), points, both, np.array([0, 1]), np.array([True, True]))
    found = sightings_of(FRAME, 0, shoes, persons(0, (0.5, 0.0)), side_within=45, grading=GradeSettings())
    assert [sighting.score for sighting in found] == [0.7, 0.5]
    assert found[0].grade.visible < 0.9
    assert found[1].grade.visible == 1
    assert sightings_of(FRAME, 1, shoes, persons(0, (0.5, 0.0)), side_within=45, grading=GradeSettings()) == ()
