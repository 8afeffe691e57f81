"""The weeks of worn views: what can be asked for, and what is said where it cannot."""

from __future__ import annotations

import pytest

from outsole.errors import InvalidInput
from outsole.wear.weeks import checked_worn_views


def test_weeks_of_worn_views_keep_their_order_and_may_be_left_out() -> None:
    assert checked_worn_views((52, 2, 26), field="worn") == (52, 2, 26)
    assert checked_worn_views((), field="worn") == ()


@pytest.mark.parametrize(
    ("weeks", "field"),
    [
        ((26, 0), "worn[1]"),
        ((54,), "worn[0]"),
        ((-2,), "worn[0]"),
        ((4, 5), "worn[1]"),
        ((4, 4), "worn[1]"),
        ((2, 4, 6, 8, 10), "worn"),
    ],
)
def test_weeks_that_no_worn_view_has_are_refused_by_place(weeks: tuple[int, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_worn_views(weeks, field="worn")
    assert caught.value.field == field
    assert caught.value.remedy
