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
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.crawl import Progress
from indexer.video.model import VideoModel, VideoSettings
from indexer.video.work import SeenSlice, SliceCounts, SliceNotes, SliceTask, VideoWork
from outsole.errors import InvalidInput, OutsoleError, Overloaded, Unavailable
from outsole.imaging.shoe_crops import shoe_crop
from outsole.video.archive_files import seen_table
from outsole.video.finding import FoundShoes
from outsole.video.records import Frame, Sighting
from outsole.video.sources import FrameSource, Reading

_JPEG_QUALITY = 90
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0
_T = TypeVar("_T")


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
    """What was seen in some frames: crops and vectors one a shoe, None where it was not encoded."""

    found: tuple[FoundShoes, ...]
    crops: list[bytes | None]
    vectors: list[NDArray[np.float16] | None]


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
        self._model = model
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
        settings = self._settings
        with self._spent.on("find"):
            found = await patiently(
                lambda: self._model.finder.find(frames, timeout_s=settings.find_timeout_s), settings.patience_s
            )
        with self._spent.on("crop"):
            cuts = await asyncio.to_thread(_cut_out, frames, found)
        cropped = [crop for crop in cuts if crop is not None]
        vectors: list[NDArray[np.float16] | None] = [None] * len(cuts)
        if cropped:
            with self._spent.on("encode"):
                encoded = await patiently(
                    lambda: self._model.encode(np.stack(cropped), timeout_s=settings.encode_timeout_s),
                    settings.patience_s,
                )
            rows = iter(encoded)
            vectors = [None if crop is None else next(rows) for crop in cuts]
        pictures = await asyncio.to_thread(lambda: [None if crop is None else as_jpeg(crop) for crop in cuts])
        return _SeenBatch(tuple(found), pictures, vectors)


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


async def patiently(call: Callable[[], Awaitable[_T]], patience_s: float) -> _T:
    """The result of a call to a network, which is repeated while the network is away or has too much to do.

    Raises:
        Unavailable, Overloaded: It stayed so for ``patience_s``.
        OutsoleError: Any other error of the call.
    """
    until, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            return await call()
        except (Unavailable, Overloaded):
            if time.monotonic() + pause_s > until:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def as_jpeg(crop: NDArray[np.uint8]) -> bytes:
    """A crop uint8 [H, W, 3], red first, as it is kept."""
    return cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def crop_of(frame: Frame, sighting: Sighting) -> NDArray[np.uint8] | None:
    """The crop of a sighting as the shoe encoder takes it; None where it is too small, or has no extent."""
    if not sighting.grade.is_large_enough:
        return None
    try:
        return shoe_crop(frame.rgb, view=sighting.view, toe=sighting.toe, heel=sighting.heel, box=sighting.box)
    except InvalidInput:
        return None


def _cut_out(frames: Sequence[Frame], found: Sequence[FoundShoes]) -> list[NDArray[np.uint8] | None]:
    return [
        crop_of(frame, sighting) for frame, shoes in zip(frames, found, strict=True) for sighting in shoes.sightings
    ]


def _joined(batches: Sequence[_SeenBatch], notes: SliceNotes) -> SeenSlice:
    found = [shoes for batch in batches for shoes in batch.found]
    sightings = [sighting for shoes in found for sighting in shoes.sightings]
    crops = [crop for batch in batches for crop in batch.crops]
    vectors = [vector for batch in batches for vector in batch.vectors]
    counts = replace(
        notes.counts,
        with_people=sum(shoes.persons > 0 for shoes in found),
        with_shoes=sum(bool(shoes.sightings) for shoes in found),
        shoes=len(sightings),
        too_small=sum(shoes.too_small for shoes in found),
        searched=sum(vector is not None for vector in vectors),
    )
    return SeenSlice(seen_table(sightings, vectors), crops, replace(notes, counts=counts))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
