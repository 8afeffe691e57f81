"""Shoes that somebody marked need no detector."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.video.finding import FoundShoes
from outsole.video.given import GivenShoe, GivenShoes
from outsole.video.records import Frame
from outsole.video.sightings import TOE_HEEL

FRAMES = [Frame(number, number / 10, np.full((200, 300, 3), 90, np.uint8)) for number in (3, 4)]


def find(*shoes: GivenShoe) -> list[FoundShoes]:
    return asyncio.run(GivenShoes(shoes).find(FRAMES, timeout_s=1))


def test_toe_and_heel_make_a_box_around_the_shoe() -> None:
    first, second = find(GivenShoe(4, toe=(100, 150), heel=(200, 140)))
    assert (first.frame, first.persons, first.sightings) == (3, 0, ())
    (found,) = second.sightings
    left, top, right, bottom = found.box
    assert left < 100 < 200 < right
    assert top < 100
    assert 150 < bottom < 175
    assert (found.toe, found.heel, found.view, found.doubts) == ((100, 150), (200, 140), View.SIDE, ())
    assert found.grade.is_large_enough
    assert (found.time_s, found.score, found.person) == (0.4, 1.0, None)


def test_a_box_alone_is_taken_with_a_doubt_about_its_ends() -> None:
    (found,) = find(GivenShoe(3, box=(20, 100, 90, 140)))[0].sightings
    assert (found.toe, found.heel, found.doubts) == ((90, 140), (20, 140), (TOE_HEEL,))
    assert found.grade.length_px == 70


def test_the_view_is_the_callers_and_small_shoes_are_counted() -> None:
    shoes = [GivenShoe(3, box=(200, 100, 220, 125), view=View.FRONT), GivenShoe(3, toe=(50, 60), heel=(20, 60))]
    found = find(*shoes)[0]
    assert [sighting.view for sighting in found.sightings] == [View.SIDE, View.FRONT]
    assert found.too_small == 2


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({}, "neither box nor points"),
        ({"toe": (1, 2)}, "toe and heel go together"),
        ({"box": (5, 5, 5, 9)}, "the box is"),
        ({"toe": (1, 2), "heel": (1, 2)}, "toe and heel are both"),
    ],
)
def test_marks_that_show_no_shoe_are_refused(marks: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        GivenShoe(0, **marks)
