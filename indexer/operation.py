"""One operation of the index service in a process of its own.

    python -m indexer.operation FOLDER

The folder is an ``outsole.operation_folder.OperationFolder``. SIGTERM ends the work in order and keeps what was
encoded: the operation is CANCELLED where somebody asked for that, else it stays RUNNING and is begun again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.access import Access
from indexer.compose import IndexPlace, index_into
from indexer.index_pictures import CrawlOptions, Progress
from indexer.manifest import DEFAULT_FEED, Reject, read_source
from outsole.errors import OutsoleError
from outsole.operation_folder import OperationFolder, now
from outsole.operations import ItemFailure, OperationInfo, WorkProgress, WorkState

_WRITTEN_EVERY_S = 0.5
_PARENT_EVERY_S = 1.0
_INTERNAL = "internal error; the operation's log has the cause"


@dataclass(frozen=True)
class IngestOrder:
    """What an ingest was asked for, as ``request.json`` holds it.

    Attributes:
        gallery: The gallery to fill.
        source: Directory or manifest, an absolute path.
        place: Encoders and galleries, paths as text.
        embedding: See ``indexer.compose.index_into``.
        feed: Name under which the source is crawled again and again; empty for the default one.
        dry_run: Only read the source.
        allowed_roots: Directories from which pictures may be read, the operator's; empty for the source's own.
        allowed_hosts: Hosts from which pictures may be fetched, the operator's.
    """

    gallery: str
    source: str
    place: Mapping[str, str]
    embedding: str = ""
    feed: str = ""
    dry_run: bool = False
    allowed_roots: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()


class _Told:
    """Writes how far an operation is, at most every half second; a stage counts its own time."""

    def __init__(self, folder: OperationFolder, info: OperationInfo) -> None:
        self._folder = folder
        self.info = info
        self._written = float("-inf")
        self._began = time.monotonic()

    def stage(self, name: str, *, total: int = 0, done: int = 0) -> None:
        """A stage begins."""
        self._began = time.monotonic()
        self._say(WorkProgress(stage=name, total=total, done=done), at_once=True)

    def update(self, n: int) -> None:
        """``n`` more units are done."""
        before = self.info.progress
        done, took_s = before.done + n, time.monotonic() - self._began
        rate = done / took_s if took_s > 0 else 0.0
        left_s = max(before.total - done, 0) / rate if rate else 0.0
        self._say(dataclasses.replace(before, done=done, units_per_second=rate, seconds_left=left_s))

    def end(self, state: WorkState, *, result: str = "", error: OutsoleError | None = None) -> None:
        """The operation is over."""
        progress = dataclasses.replace(self.info.progress, seconds_left=0.0)
        self.info = dataclasses.replace(
            self.info, state=state, result=result, error=error, finished=now(), progress=progress
        )
        self._folder.write(self.info)

    def failures(self, rejects: Sequence[Reject]) -> None:
        """More units that could not be done."""
        self._folder.add_errors(ItemFailure(r.item_id or r.path or f"row {r.row}", r.reason) for r in rejects)
        self.info = dataclasses.replace(self.info, item_error_count=self.info.item_error_count + len(rejects))

    def _say(self, progress: WorkProgress, *, at_once: bool = False) -> None:
        self.info = dataclasses.replace(self.info, progress=progress)
        if at_once or time.monotonic() - self._written >= _WRITTEN_EVERY_S:
            self._written = time.monotonic()
            self._folder.write(self.info)


class _Stopping:
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


def run(folder: OperationFolder) -> int:
    """Do an operation; returns the exit status of the process."""
    stopping = _Stopping()
    # Until the event loop has its own handlers, which take a second of imports to come.
    signal.signal(signal.SIGTERM, lambda *_: stopping.ask())
    with folder.working() as is_ours:
        if not is_ours:
            return 1
        folder.forget_errors()
        info = dataclasses.replace(folder.info(), state=WorkState.RUNNING, item_error_count=0)
        told = _Told(folder, info)
        told.stage("read")
        try:
            result = asyncio.run(stopping.run(_work(folder, told, stopping)))
        except asyncio.CancelledError:
            if folder.should_stop:
                told.end(WorkState.CANCELLED)
            return 0
        except OutsoleError as error:
            told.end(WorkState.FAILED, error=error)
            return 1
        except Exception:
            told.end(WorkState.FAILED, error=OutsoleError(_INTERNAL))
            raise
        told.end(WorkState.SUCCEEDED, result=result)
    return 0


async def _work(folder: OperationFolder, told: _Told, stopping: _Stopping) -> str:
    request = folder.request()
    order = IngestOrder(**request)
    if order.dry_run:
        return await asyncio.to_thread(_dry_run, order, told)
    place = {name: Path(text) for name, text in order.place.items() if name != "triton_url"}
    report = await index_into(
        Path(order.source),
        order.gallery,
        place=IndexPlace(**place, triton_url=order.place["triton_url"]),
        embedding=order.embedding,
        options=CrawlOptions(feed=order.feed or DEFAULT_FEED, access=_access(order), on_rejects=told.failures),
        progress=_progress(told, stopping),
    )
    return report.edition


def _dry_run(order: IngestOrder, told: _Told) -> str:
    found = read_source(Path(order.source), feed=order.feed or DEFAULT_FEED, access=_access(order))
    told.stage("read", total=len(found.entries) + len(found.rejects))
    told.update(len(found.entries) + len(found.rejects))
    told.failures(found.rejects)
    return ""


def _access(order: IngestOrder) -> Access:
    return Access(roots=tuple(map(Path, order.allowed_roots)), hosts=tuple(order.allowed_hosts))


def _progress(told: _Told, stopping: _Stopping) -> Callable[[int], contextlib.AbstractContextManager[Progress]]:
    @contextlib.contextmanager
    def progress(total: int) -> Iterator[Progress]:
        told.stage("encode", total=total)
        yield told
        # The edition is written and put in force by a thread that nobody can stop: from here on it ends as it will.
        stopping.too_late = True
        told.stage("write edition", total=total, done=told.info.progress.done)

    return progress


def main(arguments: list[str]) -> int:
    """Do the operation of a folder."""
    return run(OperationFolder(Path(arguments[0])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
