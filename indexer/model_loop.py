"""A model that lives in an event loop of its own, for the processes of Ray, whose work is called from threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

_Model = TypeVar("_Model")
_T = TypeVar("_T")


class ModelLoop(Generic[_Model]):
    """An event loop in a thread of its own, and the model that lives in it.

    Args:
        opener: Makes the model; called in the loop.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[_Model]]) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._closing = contextlib.AsyncExitStack()
        self.model = self.run(self._closing.enter_async_context(opener()))

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of a coroutine; called from other threads."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
