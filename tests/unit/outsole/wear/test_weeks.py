"""The weeks that can be asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from outsole.errors import InvalidInput
from outsole.wear.weeks import LONGEST_WEEKS, MOST_WEEKS, checked_weeks


def test_even_weeks_are_kept_in_their_order() -> None:
    assert checked_weeks([26, 0, 52, 4]) == (26, 0, 52, 4)
    every = range(0, LONGEST_WEEKS + 1, 2)
    assert len(checked_weeks(every)) == MOST_WEEKS == 27


@pytest.mark.parametrize(
    ("weeks", "place", "words"),
    [
        ([4, 5], "weeks[1]", "5 is asked for"),
        ([54], "weeks[0]", "54 is asked for"),
        ([0, -2], "weeks[1]", "-2 is asked for"),
        ([4, 12, 4], "weeks[2]", "4 is asked for twice"),
        ([], "weeks", "0 weeks"),
        ([*range(0, 54, 2), 2], "weeks", "28 weeks"),
    ],
)
def test_a_week_that_there_is_not_is_refused_at_its_place(weeks: Sequence[int], place: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_weeks(weeks)
    assert caught.value.field == place
    assert words in caught.value.message
    assert caught.value.remedy


def test_the_field_is_named_as_the_caller_has_it() -> None:
    with pytest.raises(InvalidInput, match=r"^request\.weeks\[0\]: 7 "):
        checked_weeks([7], field="request.weeks")
