"""The owner of the vector store: the one process that opens Milvus Lite, or the client of a Milvus server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.answers import ItemFilter
from outsole.errors import BudgetSpent, NotFound, OutsoleError, Unavailable
from outsole.gallery.editions import Edition, list_galleries
from outsole.gallery.layout import current_edition
from outsole.gallery.store import Candidates, VectorStore
from services.parts import EditionRef, Timed

# Milvus Lite searches in Python: more lanes only take turns at the interpreter's lock.
_LANES = 2
_LOOK_EVERY_S = 2.0
_log = logging.getLogger(__name__)


class PublishedStore:
    """A vector store that publishes editions by itself; see `services.parts.CandidateFinder`.

    Args:
        store: The back end.
        root: Directory of the galleries.
        encoder_hash: Only editions of this correlation encoder are published.
        fields: Arrays that are searched, as far as an edition has them.
    """

    def __init__(self, store: VectorStore, *, root: Path, encoder_hash: str, fields: tuple[str, ...]) -> None:
        self._store = store
        self._root = root
        self._encoder_hash = encoder_hash
        self._fields = fields
        self._publishing: dict[EditionRef, asyncio.Task[None]] = {}
        self._in_force: dict[str, EditionRef] = {}
        self._lanes = asyncio.Semaphore(_LANES)
        self._trouble: OutsoleError | None = None

    async def find(
        self,
        edition: EditionRef,
        queries: Mapping[str, NDArray[np.float32]],
        *,
        limit: int,
        where: ItemFilter,
        timeout_s: float,
        sent_at: float | None = None,
    ) -> Timed[dict[str, Candidates]]:
        """See `services.parts.CandidateFinder.find`; ``timeout_s`` counts from ``sent_at``, ``time.time()``."""
        sent = time.time() if sent_at is None else sent_at
        try:
            async with asyncio.timeout(max(timeout_s - (time.time() - sent), 0.0)):
                await asyncio.shield(self._published(edition))
                async with self._lanes:
                    waited_s = max(time.time() - sent, 0.0)
                    left_s = max(timeout_s - waited_s, 0.001)
                    found = await asyncio.to_thread(self._search, edition.id, queries, limit, where, left_s)
        except TimeoutError as error:
            raise BudgetSpent("the vector store did not answer in time") from error
        except (Unavailable, NotFound):
            # What was published may be gone with the back end: look again at the next search.
            self._forget(edition)
            raise
        return Timed(found, waited_s * 1000)

    async def is_ready(self) -> bool:
        """Whether the back end answers now and holds the editions in force; never raises."""
        for ref in list(self._in_force.values()):
            try:
                async with asyncio.timeout(5.0):
                    await asyncio.shield(self._published(ref))
                    if await asyncio.to_thread(self._store.count, ref.id):
                        return True
                self._forget(ref)
            except (OutsoleError, TimeoutError):
                self._forget(ref)
            return False
        return self._trouble is None

    async def publish_forever(self) -> None:
        """Publish editions when they come into force."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Publish what is in force now; trouble is logged and tried again at the next look."""
        self._in_force = await asyncio.to_thread(self._current)
        for ref in self._in_force.values():
            try:
                await asyncio.shield(self._published(ref))
                self._trouble = None
            except OutsoleError as error:
                self._forget(ref)
                if str(error) != str(self._trouble):
                    _log.warning("edition %s of %s is not in the vector store: %s", ref.id, ref.gallery, error)
                self._trouble = error

    def close(self) -> None:
        """Let go of the back end."""
        self._store.close()

    def _published(self, ref: EditionRef) -> asyncio.Task[None]:
        task = self._publishing.get(ref)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._publishing[ref] = asyncio.create_task(asyncio.to_thread(self._publish, ref))
        return task

    def _forget(self, ref: EditionRef) -> None:
        task = self._publishing.get(ref)
        if task is not None and task.done():
            del self._publishing[ref]

    def _publish(self, ref: EditionRef) -> None:
        edition = Edition.open(self._root, ref.gallery, ref.id)
        # One without an embedding lacks its field; one of a search that needs it anyway is told so by name.
        self._store.publish(edition, [field for field in self._fields if field in edition.array_names])

    def _current(self) -> dict[str, EditionRef]:
        found = {}
        for gallery in list_galleries(self._root):
            with contextlib.suppress(OutsoleError):
                edition = Edition.open(self._root, gallery, current_edition(self._root, gallery))
                if edition.encoder_hash == self._encoder_hash:
                    found[gallery] = EditionRef(gallery, edition.id)
        return found

    def _search(
        self,
        edition_id: str,
        queries: Mapping[str, NDArray[np.float32]],
        limit: int,
        where: ItemFilter,
        timeout_s: float,
    ) -> dict[str, Candidates]:
        end = time.monotonic() + timeout_s
        found = {}
        for field, vectors in queries.items():
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise BudgetSpent("no time was left to ask the vector store")
            found[field] = self._store.search(edition_id, field, vectors, limit=limit, where=where, timeout_s=left_s)
        return found


class VectorStoreOwner(PublishedStore):
    """The deployment."""

    def __init__(self, uri: str, root: Path, encoder_hash: str, fields: tuple[str, ...]) -> None:
        from outsole.gallery.milvus_store import MilvusStore

        super().__init__(MilvusStore(uri), root=root, encoder_hash=encoder_hash, fields=fields)
        self._looking = asyncio.create_task(self.publish_forever())

    def __del__(self) -> None:
        # Ray Serve calls this when it stops a replica; the Lite directory is closed in order.
        with contextlib.suppress(Exception):
            self.close()
