"""Work that SIGTERM and SIGINT end in order, between two of its steps and never inside one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def until_told(work: Callable[[threading.Event], Result]) -> Result:
    """Run ``work(stop)`` while SIGTERM and SIGINT set ``stop``; call it on the main thread.

    The work has a thread of its own, because a signal that raised inside it could fall into the middle of starting
    a process, which nobody would stop then; and because Ray replaces the handlers of a main thread that starts it.

    Args:
        work: Looks at ``stop`` between its steps, and cleans up before it returns.

    Returns:
        What the work returns; what it raises is raised.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, stop).result()
