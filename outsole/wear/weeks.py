"""The weeks of wear that can be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from outsole.errors import InvalidInput

LONGEST_WEEKS = 52
STEP_WEEKS = 2
# As many predictions of one print as one request may ask for: every week that there is.
MOST_WEEKS = LONGEST_WEEKS // STEP_WEEKS + 1
# As many worn views of an item as one search compares: each costs as much as the item itself.
MOST_WORN_VIEWS = 4


def checked_weeks(weeks: Sequence[int], *, field: str = "weeks") -> tuple[int, ...]:
    """The weeks asked for, in their order.

    Args:
        weeks: 1 to 27 even numbers from 0 to 52, none twice.
        field: Name of the request field, for errors.

    Raises:
        InvalidInput: There are none or too many, one is out of range or odd, or one comes twice.
    """
    if not 1 <= len(weeks) <= MOST_WEEKS:
        raise InvalidInput(f"{len(weeks)} weeks are asked for", field=field, remedy=f"1 to {MOST_WEEKS} of them")
    for place, week in enumerate(weeks):
        if not 0 <= week <= LONGEST_WEEKS or week % STEP_WEEKS:
            raise InvalidInput(
                f"{week} is asked for",
                field=f"{field}[{place}]",
                remedy=f"an even number of weeks from 0 to {LONGEST_WEEKS}",
            )
        if week in weeks[:place]:
            raise InvalidInput(f"{week} is asked for twice", field=f"{field}[{place}]", remedy="each week once")
    return tuple(int(week) for week in weeks)


def checked_worn_views(weeks: Sequence[int], *, field: str) -> tuple[int, ...]:
    """The weeks that views of worn items are made for, in their order.

    Args:
        weeks: At most 4 even numbers from 2 to 52, none twice.
        field: Name of the request field, for errors.

    Raises:
        InvalidInput: There are too many, one is out of range or odd, or one comes twice.
    """
    if not weeks:
        return ()
    if len(weeks) > MOST_WORN_VIEWS:
        raise InvalidInput(f"{len(weeks)} weeks are asked for", field=field, remedy=f"at most {MOST_WORN_VIEWS}")
    if 0 in weeks:
        remedy = f"{STEP_WEEKS} to {LONGEST_WEEKS}: items as they are take part without it"
        raise InvalidInput("0 is asked for", field=f"{field}[{list(weeks).index(0)}]", remedy=remedy)
    return checked_weeks(weeks, field=field)
