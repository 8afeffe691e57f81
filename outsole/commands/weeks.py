"""Weeks of wear as commands take them."""

from __future__ import annotations

import click


class WeeksList(click.ParamType[tuple[int, ...]]):
    """``N,N,...``, numbers of weeks; which ones there are is said by what they are for."""

    name = "WEEKS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers in their order. Fails with a sentence where there is something else."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of weeks, for example 26,52", param, ctx)
