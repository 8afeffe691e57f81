"""Shoes come to feet, legs of chairs to nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outsole.video.wearing import Footwear, Persons, WearingSettings, worn

SETTINGS = WearingSettings()
# A person 400 pixels high, whose feet are 60 pixels long: left foot at 230, right foot at 170.
PERSON = Persons(
    frames=np.array([0]),
    boxes=np.array([[120.0, 0, 280, 400]]),
    feet=np.array([[[[230.0, 385], [250, 390]], [[170, 385], [150, 390]]]]),
    sure=np.array([[0.9, 0.9]]),
    looks=np.array([[0.0, -1.0]]),
)
LEFT, RIGHT = (215.0, 365.0, 265.0, 400.0), (135.0, 365.0, 185.0, 400.0)
CHAIR_LEG = (245.0, 320.0, 285.0, 365.0)


def footwear(*boxes: tuple[float, ...], scores: tuple[float, ...] = (), frame: int = 0) -> Footwear:
    given = np.array(boxes, np.float64).reshape(-1, 4)
    return Footwear(np.full(len(boxes), frame), given, np.array(scores or (0.5,) * len(boxes), np.float64))


def feet_of(found: Footwear, persons: Persons = PERSON) -> list[tuple[int, int, int]]:
    on = worn(found, persons, SETTINGS)
    return sorted(zip(on.shoes.tolist(), on.persons.tolist(), on.sides.tolist(), strict=True))


def test_each_foot_gets_the_shoe_at_its_place() -> None:
    assert feet_of(footwear(RIGHT, LEFT)) == [(0, 0, 1), (1, 0, 0)]


def test_a_chair_leg_is_on_nobodys_foot_even_where_a_shoe_was_missed_and_however_sure_the_detector_is() -> None:
    assert feet_of(footwear(RIGHT, CHAIR_LEG, scores=(0.3, 0.99))) == [(0, 0, 1)]


def test_of_two_boxes_at_a_foot_one_is_taken() -> None:
    beside = (220.0, 370.0, 270.0, 405.0)
    assert feet_of(footwear(beside, LEFT, RIGHT, scores=(0.3, 0.6, 0.6))) == [(1, 0, 0), (2, 0, 1)]


def test_a_box_of_no_shoes_size_is_not_taken() -> None:
    crumb, coat = (235.0, 385.0, 245.0, 395.0), (160.0, 240.0, 320.0, 410.0)
    assert feet_of(footwear(crumb, coat)) == []


def test_a_shoe_of_another_frame_is_nobodys() -> None:
    assert feet_of(footwear(LEFT, RIGHT, frame=1)) == []


def test_without_a_pose_sure_shoes_at_the_lower_end_of_the_person_are_taken_and_marked() -> None:
    unposed = replace(PERSON, sure=np.zeros((1, 2)))
    found = footwear(LEFT, CHAIR_LEG, scores=(0.5, 0.9))
    on = worn(found, unposed, SETTINGS)
    assert on.shoes.tolist() == [0]
    assert on.posed.tolist() == [False]
    assert feet_of(footwear(LEFT, scores=(0.4,)), unposed) == []


def test_nobody_and_nothing_are_no_shoes() -> None:
    nobody = Persons(
        PERSON.frames[:0], PERSON.boxes[:0], feet=PERSON.feet[:0], sure=PERSON.sure[:0], looks=PERSON.looks[:0]
    )
    assert feet_of(footwear(LEFT), nobody) == []
    assert feet_of(footwear()) == []
    assert feet_of(footwear(), nobody) == []
