"""Index a source of sole images: decode and prepare in threads, encode in batches, write one edition."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from indexer.encoded import BatchOrigin, Facts, Origin, WorkFolder, gather, only_indexing, reusable_rows
from indexer.manifest import Entry, Reject, read_source, rejects_csv
from outsole.errors import DataCorrupt, InvalidInput, NotFound, OutsoleError
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.layout import checked_name, current_edition
from outsole.gallery.revisions import put_in_force
from outsole.gallery.writer import EditionWriter
from outsole.inference.encoder import all_or_none

if TYPE_CHECKING:
    from outsole.inference.encoder import Encoder, Inputs, Outputs

_GATHERED_ITEMS = 64


class PreparedImage(Protocol):
    """An image as the encoder takes it."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """The canvas, uint8 [Hc, Wc]."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which cells of the encoder's map the image covers, bool [h, w]."""

    @property
    def width_px(self) -> int:
        """Width of the image as decoded, pixels."""

    @property
    def height_px(self) -> int:
        """Height of the image as decoded, pixels."""

    @property
    def thumbnail_png(self) -> bytes:
        """A small PNG of it."""


class Progress(Protocol):
    """Told how many more images are done."""

    def update(self, n: int) -> object:
        """``n`` more images are done."""


@dataclass(frozen=True)
class IndexEmbedding:
    """A second encoder that describes the same canvases by one vector each.

    Attributes:
        name, hash: Of its specification.
        encoder: Encodes ``inputs``.
        inputs: Makes its inputs of canvases uint8 [N, Hc, Wc] and valid cells bool [N, h, w].
    """

    name: str
    hash: str
    encoder: Encoder
    inputs: Callable[[NDArray[np.uint8], NDArray[np.bool_]], Inputs]


@dataclass(frozen=True)
class IndexModel:
    """What turns image files into the arrays of an edition.

    Attributes:
        name, hash: Of the encoder's specification.
        encoder: Encodes canvases, uint8 [N, Hc, Wc].
        prepare: Makes a canvas of a file's bytes; called in threads. OutsoleError rejects the file.
        derive: Makes arrays of the edition, name -> [N, ...], of the outputs of both encoders, name -> [N, ...], and
            the valid cells, bool [N, h, w]; called in threads.
        settings: All else that shapes the arrays, the version of ``derive`` among it; written to the edition, and
            part of its id. Arrays are taken over only from editions with equal settings.
        embedding: The second encoder; None for an edition without.
    """

    name: str
    hash: str
    encoder: Encoder
    prepare: Callable[[bytes], PreparedImage]
    derive: Callable[[dict[str, NDArray[Any]], NDArray[np.bool_]], dict[str, NDArray[Any]]]
    settings: Mapping[str, str] = field(default_factory=dict)
    embedding: IndexEmbedding | None = None

    @property
    def embeddings(self) -> dict[str, str]:
        """Hash by name of the second encoder; empty where there is none."""
        return {} if self.embedding is None else {self.embedding.name: self.embedding.hash}

    async def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_], *, timeout_s: float) -> Outputs:
        """The outputs of both encoders on the same canvases, by name; errors as of ``Encoder.encode``."""
        calls = [self.encoder.encode(images, timeout_s=timeout_s)]
        if self.embedding is not None:
            inputs = self.embedding.inputs(images, valid)
            calls.append(self.embedding.encoder.encode(inputs, timeout_s=timeout_s))
        found = await all_or_none(calls)
        return {name: array for outputs in found for name, array in outputs.items()}


@dataclass(frozen=True)
class IndexSettings:
    """How the work is spread; none of it changes the result.

    Attributes:
        batch_items: Images in a request to the encoder; more of them no longer fit the processor's cache.
        requests_in_flight: Requests that wait for the encoder at once; 2 keep it busy.
        prepare_workers: Threads that decode and prepare.
        encode_timeout_s: Seconds for one request.
    """

    batch_items: int = 8
    requests_in_flight: int = 2
    prepare_workers: int = 2
    encode_timeout_s: float = 120.0


@dataclass(frozen=True)
class IndexReport:
    """What an indexing did.

    Attributes:
        gallery, edition: What is now in force.
        items: Items in the edition.
        encoded, reused: Items encoded now, and all others: they were in an earlier edition or an interrupted run, or
            another item is the same file.
        rejects: Images that were left out, with reasons; also in the edition's ``rejects.csv``.
        is_new: Whether another edition, or none, was in force before.
        seconds: Wall clock.
    """

    gallery: str
    edition: str
    items: int
    encoded: int
    reused: int
    rejects: tuple[Reject, ...]
    is_new: bool
    seconds: float


def progress_bar(total: int) -> AbstractContextManager[Progress]:
    """A bar on standard error with rate and time left."""
    bar: AbstractContextManager[Progress] = tqdm(total=total, desc="index", unit="image", smoothing=0.1)
    return bar


async def index_prints(
    source: Path,
    gallery: str,
    *,
    root: Path,
    model: IndexModel,
    settings: IndexSettings | None = None,
    progress: Callable[[int], AbstractContextManager[Progress]] = progress_bar,
) -> IndexReport:
    """Index a directory of images or a manifest, and put the new edition in force.

    An image that cannot be used is rejected with its reason and the rest is indexed. The same source, encoder and
    settings give the same edition; what an edition or an interrupted run holds already is not encoded again.

    Raises:
        NotFound: There is nothing at ``source``.
        InvalidInput: The gallery's name or the manifest cannot be used, or no image can.
        PreconditionFailed: Another process is indexing into this gallery.
        BudgetSpent, Unavailable, Overloaded: The encoder did not answer; what was encoded is kept for the next run.
    """
    started = time.monotonic()
    checked_name(gallery, field="gallery")
    found = await asyncio.to_thread(read_source, source)
    with only_indexing(root, gallery):
        before = _current(root, gallery)
        work = WorkFolder(_work_dir(root, gallery, model))
        run = _Run(model, settings or IndexSettings(), work)
        run.places.update(await asyncio.to_thread(_reusable, root, gallery, model))
        run.places.update(await asyncio.to_thread(work.known))
        with progress(len(found.entries)) as bar:
            await run.encode_all(found.entries, bar)
        rejects = (*found.rejects, *run.rejects)
        edition = await asyncio.to_thread(_write, root, gallery, run, rejects)
        work.clear()
    return IndexReport(
        gallery=gallery,
        edition=edition.id,
        items=len(edition),
        encoded=run.encoded,
        reused=len(run.items) - run.encoded,
        rejects=rejects,
        is_new=edition.id != before,
        seconds=time.monotonic() - started,
    )


def _current(root: Path, gallery: str) -> str | None:
    try:
        return current_edition(root, gallery)
    except (NotFound, DataCorrupt):
        return None


def _reusable(root: Path, gallery: str, model: IndexModel) -> dict[str, tuple[Origin, int]]:
    return reusable_rows(root, gallery, encoder_hash=model.hash, settings=model.settings, embeddings=model.embeddings)


def _work_dir(root: Path, gallery: str, model: IndexModel) -> Path:
    key = json.dumps([model.hash, dict(model.settings), model.embeddings], sort_keys=True)
    return root / gallery / "work" / hashlib.sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Loaded:
    item: ItemRow
    prepared: PreparedImage | None


class _Run:
    """One indexing: images go through in order of item id, and at the end each has its place in `places`."""

    def __init__(self, model: IndexModel, settings: IndexSettings, work: WorkFolder) -> None:
        self.items: list[ItemRow] = []
        self.rejects: list[Reject] = []
        self.encoded = 0
        self.places: dict[str, tuple[Origin, int]] = {}
        self.model = model
        self._settings = settings
        self._work = work
        self._pending: set[str] = set()
        self._slots = asyncio.Semaphore(settings.requests_in_flight)

    async def encode_all(self, entries: Sequence[Entry], progress: Progress) -> None:
        """Encode what has no place yet; batches are encoded while the next ones are prepared."""
        pool = ThreadPoolExecutor(self._settings.prepare_workers, "prepare", initializer=_yield_to_the_encoder)
        try:
            async with asyncio.TaskGroup() as group:
                await self._fill_batches(group, self._load_in_order(entries, pool), progress)
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _fill_batches(
        self, group: asyncio.TaskGroup, loaded: AsyncIterator[_Loaded | Reject], progress: Progress
    ) -> None:
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

    def _sort_out(self, outcome: _Loaded | Reject) -> tuple[str, PreparedImage] | None:
        """Note an image, and return it if it must be encoded."""
        if isinstance(outcome, Reject):
            self.rejects.append(outcome)
            return None
        self.items.append(outcome.item)
        if outcome.prepared is None or outcome.item.sha256 in self._pending:
            return None
        self._pending.add(outcome.item.sha256)
        return outcome.item.sha256, outcome.prepared

    async def _load_in_order(
        self, entries: Sequence[Entry], pool: ThreadPoolExecutor
    ) -> AsyncIterator[_Loaded | Reject]:
        loop = asyncio.get_running_loop()
        waiting: deque[Awaitable[_Loaded | Reject]] = deque()
        for entry in entries:
            waiting.append(loop.run_in_executor(pool, self._load, entry))
            if len(waiting) > 2 * self._settings.batch_items:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()

    def _load(self, entry: Entry) -> _Loaded | Reject:
        try:
            data = entry.file.read_bytes()
            item = dataclasses.replace(entry.item, sha256=hashlib.sha256(data).hexdigest())
            if item.sha256 in self.places:
                return _Loaded(item, None)
            return _Loaded(item, self.model.prepare(data))
        except OutsoleError as error:
            return Reject(entry.row, "", entry.item.item_id, entry.item.path, str(error))
        except OSError as error:
            reason = f"the file cannot be read: {error.strerror}"
            return Reject(entry.row, "", entry.item.item_id, entry.item.path, reason)

    async def _send(self, group: asyncio.TaskGroup, batch: list[tuple[str, PreparedImage]], progress: Progress) -> None:
        # The slot is taken here, so that preparing cannot run further ahead than the encoder may fall behind.
        await self._slots.acquire()
        group.create_task(self._encode(batch, progress))

    async def _encode(self, batch: list[tuple[str, PreparedImage]], progress: Progress) -> None:
        try:
            images = np.stack([prepared.image for _, prepared in batch])
            valid = np.stack([prepared.valid for _, prepared in batch])
            outputs = await self.model.encode(images, valid, timeout_s=self._settings.encode_timeout_s)
        finally:
            self._slots.release()
        origin = await asyncio.to_thread(self._keep, batch, outputs, valid)
        self.places.update({digest: (origin, position) for position, (digest, _) in enumerate(batch)})
        self.encoded += len(batch)
        progress.update(len(batch))

    def _keep(
        self, batch: list[tuple[str, PreparedImage]], outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]
    ) -> BatchOrigin:
        arrays = self.model.derive(outputs, valid)
        facts = [Facts(p.width_px, p.height_px, p.thumbnail_png) for _, p in batch]
        return self._work.keep([digest for digest, _ in batch], arrays, facts)


def _yield_to_the_encoder() -> None:
    """Give this thread a lower priority: the encoder's threads wait for each other, and one held up holds up all."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _write(root: Path, gallery: str, run: _Run, rejects: Sequence[Reject]) -> Edition:
    if not run.items:
        raise InvalidInput(f"no image can be used; row {rejects[0].row}: {rejects[0].reason}", field="source")
    model = run.model
    writer = EditionWriter(
        root,
        gallery,
        encoder_hash=model.hash,
        encoder_name=model.name,
        settings=model.settings,
        embeddings=model.embeddings,
    )
    with writer:
        for start in range(0, len(run.items), _GATHERED_ITEMS):
            items = run.items[start : start + _GATHERED_ITEMS]
            places = [run.places[item.sha256] for item in items]
            arrays, facts = gather(places)
            sized = [
                dataclasses.replace(item, width_px=f.width_px, height_px=f.height_px)
                for item, f in zip(items, facts, strict=True)
            ]
            writer.append(sized, arrays, thumbnails=[f.thumbnail_png for f in facts])
            for origin in {origin for origin, _ in places if isinstance(origin, BatchOrigin)}:
                origin.forget()
        return put_in_force(writer.write(rejects_csv=rejects_csv(rejects)), reason="indexed")
