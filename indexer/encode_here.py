"""Encoding in this process: pictures are prepared in threads while the encoder works on the batches before."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.crawl import Crawl, IndexSettings, Progress
from indexer.encoded import BatchOrigin, WorkFolder, facts_of
from indexer.loading import Loaded, Loader
from indexer.manifest import Entry, Reject
from indexer.model import IndexModel, PreparedImage


async def encode_here(
    entries: deque[Entry],
    crawl: Crawl,
    *,
    model: IndexModel,
    loader: Loader,
    work: WorkFolder,
    settings: IndexSettings,
    progress: Progress,
) -> None:
    """Load all entries and encode what has no place yet; what was found is added to ``crawl`` in order of the entries.

    They are taken from ``entries``, so that an entry is not held twice.

    Raises:
        BudgetSpent, Unavailable, Overloaded: The encoder did not answer; what was encoded is in ``work``.
    """
    run = _Run(crawl, model, work, settings)
    pool = ThreadPoolExecutor(settings.prepare_workers, "prepare")
    try:
        async with asyncio.TaskGroup() as group:
            await run.fill_batches(
                group, _loaded_in_order(entries, loader, pool, ahead=2 * settings.batch_items), progress
            )
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def _loaded_in_order(
    entries: deque[Entry], loader: Loader, pool: ThreadPoolExecutor, *, ahead: int
) -> AsyncIterator[Loaded | Reject]:
    loop = asyncio.get_running_loop()
    waiting: deque[Awaitable[Loaded | Reject]] = deque()
    while entries:
        waiting.append(loop.run_in_executor(pool, loader.load, entries.popleft()))
        if len(waiting) > ahead:
            yield await waiting.popleft()
    while waiting:
        yield await waiting.popleft()


class _Run:
    """One encoding: batches are filled in order of the entries, and at most a few of them are with the encoder."""

    def __init__(self, crawl: Crawl, model: IndexModel, work: WorkFolder, settings: IndexSettings) -> None:
        self._crawl = crawl
        self._model = model
        self._work = work
        self._settings = settings
        self._pending: set[str] = set()
        self._slots = asyncio.Semaphore(settings.requests_in_flight)

    async def fill_batches(
        self, group: asyncio.TaskGroup, loaded: AsyncIterator[Loaded | Reject], progress: Progress
    ) -> None:
        """Send what is fresh to the encoder, a batch at a time."""
        batch: list[tuple[str, PreparedImage]] = []
        async for outcome in loaded:
            fresh = self._sort_out(outcome)
            if fresh is None:
                progress.update(1)
                continue
            batch.append(fresh)
            if len(batch) == self._settings.batch_items:
                await self._send(group, batch, progress)
                batch = []
        if batch:
            await self._send(group, batch, progress)

    def _sort_out(self, outcome: Loaded | Reject) -> tuple[str, PreparedImage] | None:
        """Note an entry, and return its picture if it must be encoded."""
        if isinstance(outcome, Reject):
            self._crawl.reject(outcome)
            return None
        self._crawl.take(outcome.entry)
        if outcome.prepared is None or outcome.sha256 in self._pending:
            return None
        self._pending.add(outcome.sha256)
        return outcome.sha256, outcome.prepared

    async def _send(self, group: asyncio.TaskGroup, batch: list[tuple[str, PreparedImage]], progress: Progress) -> None:
        # The slot is taken here, so that preparing cannot run further ahead than the encoder may fall behind.
        await self._slots.acquire()
        group.create_task(self._encode(batch, progress))

    async def _encode(self, batch: list[tuple[str, PreparedImage]], progress: Progress) -> None:
        try:
            images = np.stack([prepared.image for _, prepared in batch])
            valid = np.stack([prepared.valid for _, prepared in batch])
            outputs = await self._model.encode(images, valid, timeout_s=self._settings.encode_timeout_s)
        finally:
            self._slots.release()
        origin = await asyncio.to_thread(self._keep, batch, outputs, valid)
        self._crawl.add_batch([digest for digest, _ in batch], origin)
        progress.update(len(batch))

    def _keep(
        self, batch: list[tuple[str, PreparedImage]], outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]
    ) -> BatchOrigin:
        arrays = self._model.derive(outputs, valid)
        return self._work.keep([digest for digest, _ in batch], arrays, [facts_of(prepared) for _, prepared in batch])


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
