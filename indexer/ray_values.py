"""What a Ray dataset gives, as it is done, and the end of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator
from typing import Any

# Ray asks these to end and does not wait for them, or waits two seconds where a busy machine needs longer.
_THREADS = ("StreamingExecutor", "iter_threaded", "ray-data-metadata-prefetch")
_ENDS_WITHIN_S = 60.0


@contextlib.contextmanager
def values_of(dataset: Any, column: str) -> Iterator[Iterator[Any]]:
    """Values of a dataset's column, in the order in which they are done.

    When the block ends, by an error too, nothing of the dataset is at work any more: a thread of Ray's that still is
    when Ray is shut down ends the whole process, without a word.

    Args:
        dataset: A ``ray.data.Dataset``.
        column: Of the values.
    """
    before = set(threading.enumerate())
    try:
        # Closed here and not when memory is cleared: Ray may be shut down by then.
        with contextlib.closing(_read(dataset, column)) as values:
            yield values
    finally:
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith(_THREADS):
                thread.join(_ENDS_WITHIN_S)


def _read(dataset: Any, column: str) -> Generator[Any, None, None]:
    # Nothing is fetched ahead: the thread that would do so is never ended, and would hold what it fetched last.
    batches = iter(dataset.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0))
    with contextlib.closing(batches):
        for batch in batches:
            yield from batch[column]
