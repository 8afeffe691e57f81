"""Work on values that Ray Data spreads over processes: values in, what is done out, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import ray.data

# Ray asks these to end and does not wait for them, or waits two seconds where a busy machine needs longer.
_THREADS = ("StreamingExecutor", "iter_threaded", "ray-data-metadata-prefetch")
_ENDS_WITHIN_S = 60.0


async def in_thread(work: Callable[[threading.Event], None]) -> None:
    """Work in a thread; where whoever waits here is cancelled, the event is set and the thread waited for.

    What the caller holds, the lock of a gallery for one, is held until the work has ended.
    """
    stop = threading.Event()
    working = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        await asyncio.shield(working)
    finally:
        stop.set()
        await asyncio.wait([working])


def dataset_of(values: Sequence[Any], column: str) -> Any:
    """A ``ray.data.Dataset`` of any values in a column, each to be worked on by itself.

    Ray tells of its work in its log files alone: beside a progress bar it would be noise.
    """
    for handler in logging.getLogger("ray.data").handlers:
        if handler.name == "console":
            handler.setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    return ray.data.from_items([{column: value} for value in values], override_num_blocks=max(1, len(values)))


@contextlib.contextmanager
def values_of(dataset: Any, column: str, stop: threading.Event) -> Iterator[Iterator[Any]]:
    """Values of a dataset's column, in the order in which they are done, until ``stop`` is set.

    When the block ends, by an error too, nothing of the dataset is at work any more: a thread of Ray's that still is
    when Ray is shut down ends the whole process, without a word.
    """
    before = set(threading.enumerate())
    try:
        # Closed here and not when memory is cleared: Ray may be shut down by then.
        with contextlib.closing(_read(dataset, column, stop)) as values:
            yield values
    finally:
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith(_THREADS):
                thread.join(_ENDS_WITHIN_S)


def _read(dataset: Any, column: str, stop: threading.Event) -> Generator[Any, None, None]:
    # Nothing is fetched ahead: the thread that would do so is never ended, and would hold what it fetched last.
    batches = iter(dataset.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0))
    with contextlib.closing(batches):
        for batch in batches:
            yield from batch[column]
            if stop.is_set():
                return
