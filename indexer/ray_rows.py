"""The rows of a Ray dataset as they are done, and the end of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

# An executor that is told to stop waits two seconds for its thread, which may need longer on a busy machine.
_ENDS_WITHIN_S = 60.0
_EXECUTOR = "StreamingExecutor"


@contextlib.contextmanager
def rows_of(dataset: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """Rows of a dataset, in the order in which they are done.

    When the block ends, by an error too, nothing of the dataset is at work any more: a thread of Ray's that is still
    there when Ray is shut down ends the whole process, without a word.

    Args:
        dataset: A ``ray.data.Dataset``.
    """
    before = set(threading.enumerate())
    try:
        # Closed here and not when memory is cleared: Ray may be shut down by then.
        with contextlib.closing(iter(dataset.iter_rows())) as rows:
            yield rows
    finally:
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith(_EXECUTOR):
                thread.join(_ENDS_WITHIN_S)
