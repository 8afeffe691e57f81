"""The flow of a stream: items are taken while there is room, worked on in small batches, and given back in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Work = Callable[[list[T]], Awaitable[list[R]]]
"""Gives one result an item, in their order."""


@dataclass(frozen=True)
class FlowLimits:
    """How much of a stream is held.

    Attributes:
        in_flight: Items that are taken while their results wait to be given; what bounds the memory.
        batch: Items that are worked on together. What has come is not kept waiting for more.
        at_once: Batches that are worked on at the same time.
    """

    in_flight: int = 16
    batch: int = 4
    at_once: int = 2


@dataclass(frozen=True)
class _End:
    """No item comes any more: the stream has ended, or something is wrong with it."""

    error: Exception | None = None


async def in_order(items: AsyncIterator[T], work: Work[T, R], limits: FlowLimits) -> AsyncGenerator[R, None]:
    """The results of a stream's items, in their order.

    Nothing is taken while ``limits.in_flight`` results are not given yet, so that whoever does not take them stops the
    stream. What ends the items with an error is raised after the results of those before it. However it is left,
    nothing goes on behind it.

    Args:
        items: Taken one by one.
        work: What is done with them.
        limits: How many are held.

    Raises:
        Exception: Whatever the items or the work raise.
    """
    flow = _Flow(items, work, limits)
    try:
        while not isinstance(batch := await flow.begun.get(), _End):
            for result in await batch:
                yield result
                flow.room.release()
        if batch.error is not None:
            raise batch.error
    finally:
        await flow.stop()


class _Flow(Generic[T, R]):
    """The tasks behind `in_order`: one takes items, one begins batches of them, and each batch is one."""

    def __init__(self, items: AsyncIterator[T], work: Work[T, R], limits: FlowLimits) -> None:
        self._items, self._work, self._limits = items, work, limits
        self.room = asyncio.Semaphore(limits.in_flight)
        self._slots = asyncio.Semaphore(limits.at_once)
        self._taken: asyncio.Queue[T | _End] = asyncio.Queue()
        self.begun: asyncio.Queue[asyncio.Task[list[R]] | _End] = asyncio.Queue()
        self._tasks: set[asyncio.Task[object]] = set()
        for coroutine in (self._take(), self._begin()):
            self._tasks.add(asyncio.create_task(coroutine))

    async def stop(self) -> None:
        """End whatever is still at work."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self) -> None:
        try:
            while True:
                await self.room.acquire()
                self._taken.put_nowait(await anext(self._items))
        except StopAsyncIteration:
            self._taken.put_nowait(_End())
        except Exception as error:
            # Whoever takes the results hears of it, after the results of what came before.
            self._taken.put_nowait(_End(error))

    async def _begin(self) -> None:
        end: _End | None = None
        while end is None:
            taken = await self._taken.get()
            await self._slots.acquire()
            batch: list[T] = []
            while not isinstance(taken, _End):
                batch.append(taken)
                if len(batch) == self._limits.batch or self._taken.empty():
                    break
                taken = self._taken.get_nowait()
            if batch:
                task = asyncio.create_task(self._worked(batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                self.begun.put_nowait(task)
            end = taken if isinstance(taken, _End) else None
        self.begun.put_nowait(end)

    async def _worked(self, batch: list[T]) -> list[R]:
        try:
            return await self._work(batch)
        finally:
            self._slots.release()
