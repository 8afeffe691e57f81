"""What a process of long work tells about itself, and how it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import time
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from indexer.crawl import Progress, ProgressOf
from indexer.rejects import Reject
from outsole.errors import OutsoleError
from outsole.operation_folder import OperationFolder, now
from outsole.operations import ItemFailure, OperationInfo, WorkProgress, WorkState

_WRITTEN_EVERY_S = 0.5
_PARENT_EVERY_S = 1.0
_RATE_OVER_S = 60.0


class Told:
    """Writes how far an operation is, at most every half second."""

    def __init__(self, folder: OperationFolder, info: OperationInfo, *, unit: str = "images") -> None:
        self._folder = folder
        self.info = info
        self._unit = unit
        self._written = float("-inf")
        # When how much was done, the last minute of the stage: what is found finished after a stop takes no time, and
        # would promise too much for the rest of the work.
        self._seen: deque[tuple[float, int]] = deque()

    def stage(self, name: str, *, total: int = 0, done: int = 0) -> None:
        """A stage begins."""
        self._seen = deque([(time.monotonic(), done)])
        self._say(WorkProgress(stage=name, unit=self._unit, total=total, done=done), at_once=True)

    def update(self, n: int) -> None:
        """``n`` more units are done."""
        before = self.info.progress
        done, rate = before.done + n, self._rate(before.done + n)
        left_s = max(before.total - done, 0) / rate if rate else 0.0
        self._say(dataclasses.replace(before, done=done, units_per_second=rate, seconds_left=left_s))

    def _rate(self, done: int) -> float:
        at = time.monotonic()
        while len(self._seen) > 1 and at - self._seen[1][0] > _RATE_OVER_S:
            self._seen.popleft()
        since, before = self._seen[0]
        if at - self._seen[-1][0] >= _WRITTEN_EVERY_S:
            self._seen.append((at, done))
        return (done - before) / (at - since) if at > since else 0.0

    def end(self, state: WorkState, *, result: str = "", error: OutsoleError | None = None) -> None:
        """The operation is over."""
        progress = dataclasses.replace(self.info.progress, seconds_left=0.0)
        self.info = dataclasses.replace(
            self.info, state=state, result=result, error=error, finished=now(), progress=progress
        )
        self._folder.write(self.info)

    def pause(self) -> None:
        """The operation holds still."""
        self.info = dataclasses.replace(self.info, state=WorkState.PAUSED)
        self._say(dataclasses.replace(self.info.progress, units_per_second=0.0, seconds_left=0.0), at_once=True)

    def failures(self, rejects: Sequence[Reject]) -> None:
        """More units that could not be done."""
        self._folder.add_errors(ItemFailure(r.item_id or r.path or f"row {r.row}", r.reason) for r in rejects)
        self.info = dataclasses.replace(self.info, item_error_count=self.info.item_error_count + len(rejects))

    def _say(self, progress: WorkProgress, *, at_once: bool = False) -> None:
        self.info = dataclasses.replace(self.info, progress=progress)
        if at_once or time.monotonic() - self._written >= _WRITTEN_EVERY_S:
            self._written = time.monotonic()
            self._folder.write(self.info)


class Stopping:
    """SIGTERM, or the end of the process that started this one, cancels the work until it can no longer be stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self.asked = False
        self.too_late = False

    def ask(self) -> None:
        """Stop the work."""
        self.asked = True
        if self._task is not None and not self.too_late:
            self._task.cancel()

    async def run(self, work: Coroutine[Any, Any, str]) -> str:
        """Do the work. Raises ``asyncio.CancelledError`` where it was stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask)
        self._task = loop.create_task(work)
        watch = loop.create_task(self._watch_parent(os.getppid()))
        if self.asked:
            self._task.cancel()
        try:
            return str(await self._task)
        finally:
            watch.cancel()

    async def _watch_parent(self, parent: int) -> None:
        # A service that was killed cannot stop what it started; nobody would look after this process then.
        while os.getppid() == parent:
            await asyncio.sleep(_PARENT_EVERY_S)
        self.ask()


def progress_of(told: Told, stopping: Stopping, stage: str) -> ProgressOf:
    """Tells how far a stage is; what follows it can no longer be stopped."""

    @contextlib.contextmanager
    def progress(total: int) -> Iterator[Progress]:
        told.stage(stage, total=total)
        yield told
        # The edition is written and put in force by a thread that nobody can stop: from here on it ends as it will.
        stopping.too_late = True
        told.stage("write edition", total=total, done=told.info.progress.done)

    return progress
