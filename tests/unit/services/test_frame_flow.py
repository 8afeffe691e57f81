"""The flow of a stream: order, bound, errors in their place, and nothing that goes on behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from outsole.errors import InvalidInput, Unavailable
from services.frame_flow import FlowLimits, in_order

LIMITS = FlowLimits(in_flight=6, batch=2, at_once=2)


class Items:
    """Numbers, and how many of them were taken."""

    def __init__(self, count: int, *, wrong_at: int | None = None) -> None:
        self.count, self.wrong_at, self.taken, self.is_closed = count, wrong_at, 0, False

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                if number == self.wrong_at:
                    raise InvalidInput(f"item {number}")
                self.taken += 1
                yield number
        finally:
            self.is_closed = True


class Work:
    """Squares, the later ones sooner; notes how many batches and items are at work at once."""

    def __init__(self, *, wrong_at: int | None = None) -> None:
        self.wrong_at, self.at_once, self.most_at_once, self.batches = wrong_at, 0, 0, [0]

    async def squares(self, batch: list[int]) -> list[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.batches.append(len(batch))
        try:
            await asyncio.sleep(0.001 * (20 - batch[0]) if batch[0] < 20 else 0)
            if self.wrong_at in batch:
                raise Unavailable("the network is away")
        finally:
            self.at_once -= 1
        return [number**2 for number in batch]


def test_results_come_in_the_order_of_the_items_in_batches_of_what_has_come() -> None:
    items, work = Items(25), Work()

    async def all_of_it() -> list[int]:
        return [result async for result in in_order(items.numbers(), work.squares, LIMITS)]

    assert asyncio.run(all_of_it()) == [number**2 for number in range(25)]
    assert work.most_at_once == LIMITS.at_once
    assert max(work.batches) == LIMITS.batch


def test_no_more_is_taken_than_may_be_held_while_nobody_takes_the_results() -> None:
    items, work = Items(100), Work()

    async def slowly() -> list[int]:
        taken = []
        async with aclosing(in_order(items.numbers(), work.squares, LIMITS)) as results:
            for given in range(4):
                assert await anext(results) == given**2
                await asyncio.sleep(0.1)
                taken.append(items.taken)
        return taken

    # The result that was given last is let go of when the next one is asked for.
    assert asyncio.run(slowly()) == [LIMITS.in_flight + given for given in range(4)]
    assert items.is_closed and work.at_once == 0


def test_an_error_of_the_items_comes_after_the_results_before_it() -> None:
    assert _until_error(Items(9, wrong_at=5), Work(), InvalidInput) == [0, 1, 4, 9, 16]


def test_an_error_of_the_work_ends_the_flow_at_its_batch() -> None:
    found = _until_error(Items(50), Work(wrong_at=6), Unavailable)
    assert found == [number**2 for number in range(len(found))]
    assert len(found) <= 6


def _until_error(items: Items, work: Work, kind: type[Exception]) -> list[int]:
    found: list[int] = []

    async def take() -> None:
        async for result in in_order(items.numbers(), work.squares, LIMITS):
            found.append(result)

    with pytest.raises(kind):
        asyncio.run(take())
    assert work.at_once == 0
    return found


def test_one_item_is_not_kept_waiting_for_others_and_none_gives_nothing() -> None:
    work = Work()

    async def one_by_one() -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number
            await asyncio.sleep(0.05)

    async def all_of_it() -> list[int]:
        assert [result async for result in in_order(Items(0).numbers(), work.squares, LIMITS)] == []
        return [result async for result in in_order(one_by_one(), work.squares, LIMITS)]

    assert asyncio.run(all_of_it()) == [0, 1, 4]
    assert work.batches == [0, 1, 1, 1]


def test_a_flow_that_is_cancelled_leaves_nothing_at_work() -> None:
    items, work = Items(50), Work()

    async def cancelled() -> set[str]:
        async def take() -> None:
            async for _ in in_order(items.numbers(), work.squares, LIMITS):
                pass

        task = asyncio.create_task(take())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return {other.get_name() for other in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]

    assert asyncio.run(cancelled()) == set()
    assert items.is_closed and work.at_once == 0
