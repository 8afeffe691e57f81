"""Values go to Ray and come back, and nothing of it is left at work, however that ends."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
import time
from fractions import Fraction
from typing import Any

import pytest

from indexer.ray_values import dataset_of, in_thread, values_of

pytestmark = pytest.mark.usefixtures("local_ray")


def _slow(row: dict[str, Any]) -> dict[str, Any]:
    time.sleep(0.2)
    return row


def _slow_dataset(count: int) -> Any:
    return dataset_of(range(count), "number").map(_slow)


def test_all_values_come_and_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    (console,) = (handler for handler in logging.getLogger("ray.data").handlers if handler.name == "console")
    monkeypatch.setattr(console, "stream", printed := io.StringIO())
    dataset = dataset_of([Fraction(1, number) for number in range(1, 6)], "number").map(_slow)
    with values_of(dataset, "number", threading.Event()) as values:
        assert sorted(values) == [Fraction(1, number) for number in range(5, 0, -1)]
    assert printed.getvalue() == ""


@pytest.mark.parametrize("count", [pytest.param(40, id="under way"), pytest.param(4, id="done")])
def test_nothing_of_a_dataset_is_at_work_after_an_error_ended_its_reading(count: int) -> None:
    before = set(threading.enumerate())
    with (
        pytest.raises(ValueError, match="enough"),
        values_of(_slow_dataset(count), "number", threading.Event()) as found,
    ):
        next(found)
        # More are done meanwhile, and a thread waits until they are taken.
        time.sleep(1.0)
        raise ValueError("enough")
    # Ray never ends the thread that fetches ahead; it was given nothing to fetch.
    assert {thread.name for thread in set(threading.enumerate()) - before} <= {"Prefetcher"}


def test_a_reading_whose_waiter_is_cancelled_ends_when_what_is_in_hand_is_done() -> None:
    read: list[int] = []
    ended: list[int] = []

    async def cancelled_after_the_first() -> None:
        loop = asyncio.get_running_loop()
        waiter = asyncio.current_task()
        assert waiter is not None

        def work(stop: threading.Event) -> None:
            with values_of(_slow_dataset(40), "number", stop) as values:
                for value in values:
                    read.append(value)
                    loop.call_soon_threadsafe(waiter.cancel)

        try:
            await in_thread(work)
        finally:
            ended.append(len(read))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled_after_the_first())
    assert ended == [len(read)]
    assert 1 <= len(read) < 40
