"""The second stage: a slice of a video is decoded, shoes are found in it, cut out and encoded, all at the same time.

Frames go through in small batches. While the networks have one or two of them the next is decoded in a thread, and no
more are taken on, so that memory does not grow with the length of a video.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from indexer.crawl import Progress
from indexer.video.model import VideoModel, VideoSettings
from indexer.video.work import SeenSlice, SliceCounts, SliceNotes, SliceTask, VideoWork
from outsole.errors import OutsoleError
from outsole.video.archive_files import seen_table
from outsole.video.finding import FoundShoes
from outsole.video.looking import Looker, Vectors, sighting_counts
from outsole.video.pictures import jpeg_of
from outsole.video.records import Frame
from outsole.video.sources import FrameSource, Reading


class BrokenSource(Exception):
    """A video that could be opened and cannot be read any more; it costs only itself."""

    def __init__(self, cause: OutsoleError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Spent:
    """Seconds that each stage was busy; stages work at the same time, so they may add up to more than the clock."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count the block for a stage."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] += time.monotonic() - began


class Unheard:
    """Progress that nobody is told of."""

    def update(self, n: int) -> None:
        """See ``indexer.crawl.Progress``."""


@dataclass(frozen=True)
class _SeenBatch:
    """What was seen in some frames: crops (JPEG files) and vectors one a shoe, None where it was not encoded."""

    found: tuple[FoundShoes, ...]
    crops: list[bytes | None]
    vectors: Vectors


class SliceLooker:
    """Looks at slices, one after the other, and keeps what it saw in the work folder.

    Args:
        model: Finds and describes shoes.
        work: Where slices are kept.
        settings: How.
        spent: Where seconds are counted.
        gate: Awaited before each batch of frames is given to the networks; none where there is nothing to wait for.
    """

    def __init__(
        self,
        model: VideoModel,
        work: VideoWork,
        settings: VideoSettings,
        *,
        spent: Spent | None = None,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._looker = Looker(
            model.finder,
            model.encoder,
            find_timeout_s=settings.find_timeout_s,
            encode_timeout_s=settings.encode_timeout_s,
            patience_s=settings.patience_s,
        )
        self._work = work
        self._settings = settings
        self._spent = spent or Spent()
        self._gate = gate
        self._open: tuple[str, FrameSource] | None = None

    async def look(self, task: SliceTask, progress: Progress) -> SliceNotes:
        """Look at a slice; one that is kept already is not looked at again.

        Raises:
            BrokenSource: The file cannot be read any more.
            BudgetSpent, Unavailable, Overloaded: A network did not answer, see ``VideoSettings.patience_s``.
        """
        known = self._work.notes(task)
        if known is not None:
            progress.update(known.counts.received)
            return known
        found = await self._seen(task, progress)
        await asyncio.to_thread(self._work.keep, task, found)
        return found.notes

    async def _seen(self, task: SliceTask, progress: Progress) -> SeenSlice:
        decoding = _Decoding(self._reading(task), self._settings.batch_frames, self._spent)
        try:
            batches = await self._batches(decoding, progress)
        finally:
            decoding.close()
        return _joined(batches, decoding.notes())

    def _reading(self, task: SliceTask) -> Callable[[], Reading]:
        def reading() -> Reading:
            if self._open is None or self._open[0] != task.sha256:
                self._open = task.sha256, self._work.opened(task)
            # The first slice begins with the first frame, whatever its time.
            return self._open[1].frames(task.start_s or None, task.end_s, every_s=self._settings.every_s)

        return reading

    async def _batches(self, decoding: _Decoding, progress: Progress) -> list[_SeenBatch]:
        slots = asyncio.Semaphore(self._settings.requests_in_flight)
        waiting: deque[asyncio.Task[_SeenBatch]] = deque()
        try:
            async with asyncio.TaskGroup() as group:
                async for frames, received in decoding.batches():
                    # The slot is taken here, so that decoding cannot run further ahead than the networks fall behind.
                    await slots.acquire()
                    if self._gate is not None:
                        await self._gate()
                    waiting.append(group.create_task(self._in_slot(frames, slots)))
                    progress.update(received)
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        return [task.result() for task in waiting]

    async def _in_slot(self, frames: list[Frame], slots: asyncio.Semaphore) -> _SeenBatch:
        try:
            return await self._looked_at(frames)
        finally:
            slots.release()

    async def _looked_at(self, frames: list[Frame]) -> _SeenBatch:
        seen = await self._looker.look(frames, self._spent.on)
        crops = await asyncio.to_thread(lambda: [None if crop is None else jpeg_of(crop) for crop in seen.crops])
        return _SeenBatch(seen.found, crops, seen.vectors)


class _Decoding:
    """The frames of a slice in batches, the next one decoded in a thread while a batch is looked at."""

    def __init__(self, reading: Callable[[], Reading], size: int, spent: Spent) -> None:
        self._open = reading
        self._size = size
        self._spent = spent
        self._reading: Reading | None = None
        self._received = 0
        self._pool = ThreadPoolExecutor(1, "decode")
        self._next = self._pool.submit(self._batch)

    async def batches(self) -> AsyncIterator[tuple[list[Frame], int]]:
        """Batches of frames, and how many frames more the slice turned out to hold; the last may have none to look at.

        Raises:
            BrokenSource: The file cannot be read any more.
        """
        while True:
            frames, received = await asyncio.wrap_future(self._next)
            is_last = len(frames) < self._size
            if not is_last:
                self._next = self._pool.submit(self._batch)
            yield frames, received
            if is_last:
                return

    def notes(self) -> SliceNotes:
        """What the reading counted, once it has ended."""
        if self._reading is None:
            return SliceNotes()
        counts = self._reading.counts
        return SliceNotes(
            SliceCounts(counts.received, counts.decoded, counts.skipped, counts.failed), self._reading.issues
        )

    def close(self) -> None:
        """Give the file back, as soon as the thread is done with it."""
        self._pool.submit(self._close)
        self._pool.shutdown(wait=False)

    def _close(self) -> None:
        if self._reading is not None:
            self._reading.close()

    def _batch(self) -> tuple[list[Frame], int]:
        with self._spent.on("decode"):
            try:
                if self._reading is None:
                    self._reading = self._open()
                frames = list(itertools.islice(self._reading, self._size))
            except OutsoleError as error:
                raise BrokenSource(error) from error
            before, self._received = self._received, self._reading.counts.received
            return frames, self._received - before


def _joined(batches: Sequence[_SeenBatch], notes: SliceNotes) -> SeenSlice:
    found = [shoes for batch in batches for shoes in batch.found]
    sightings = [sighting for shoes in found for sighting in shoes.sightings]
    crops = [crop for batch in batches for crop in batch.crops]
    vectors = [vector for batch in batches for vector in batch.vectors]
    counts = replace(notes.counts, **sighting_counts(found, vectors))
    return SeenSlice(seen_table(sightings, vectors), crops, replace(notes, counts=counts))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
