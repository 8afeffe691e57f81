"""The owner of the vector store: the one process that opens Milvus Lite, or the client of a Milvus server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, DataCorrupt, NotFound, OutsoleError, Unavailable
from outsole.gallery.backends import open_store
from outsole.gallery.editions import Edition, list_galleries
from outsole.gallery.filters import RowFilter
from outsole.gallery.layout import current_edition
from outsole.gallery.store import Candidates, VectorStore
from outsole.gallery.verification import check_own_vectors
from outsole.lifecycle import RebuildProgress
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
        encoder_hashes: Only editions of these encoders are published.
        fields: Arrays that are searched, as far as an edition has them.
    """

    def __init__(
        self, store: VectorStore, *, root: Path, encoder_hashes: Collection[str], fields: tuple[str, ...]
    ) -> None:
        self._store = store
        self._root = root
        self._encoder_hashes = frozenset(encoder_hashes)
        self._fields = fields
        self._publishing: dict[EditionRef, asyncio.Task[None]] = {}
        self._in_force: dict[str, EditionRef] = {}
        self._named: dict[str, EditionRef] = {}
        self._rebuilding: dict[EditionRef, RebuildProgress] = {}
        self._rebuilt: dict[EditionRef, RebuildProgress] = {}
        self._lanes = asyncio.Semaphore(_LANES)
        self._trouble: OutsoleError | None = None

    async def find(
        self,
        edition: EditionRef,
        queries: Mapping[str, NDArray[np.float32]],
        *,
        limit: int,
        where: RowFilter,
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
        except (Unavailable, NotFound) as error:
            # What was published may be gone with the back end: look again at the next search.
            self._forget(edition)
            if edition in self._rebuilding:
                raise Unavailable("the vector store is being made again", retry_after_s=1.0) from error
            raise
        return Timed(found, waited_s * 1000)

    async def verify(
        self, edition: EditionRef, *, timeout_s: float, sent_at: float | None = None
    ) -> tuple[int, int, str]:
        """Look at what the back end holds of an edition; an edition that it does not hold yet is taken up.

        Returns:
            Rows held, vectors of the edition that found their own items, and the first difference, empty for none.

        Raises:
            BudgetSpent: ``timeout_s``, counted from ``sent_at``, was too short.
            Unavailable: The back end is away.
        """
        end = (time.time() if sent_at is None else sent_at) + timeout_s
        try:
            async with asyncio.timeout(max(end - time.time(), 0.0)):
                await asyncio.shield(self._published(edition))
                return await asyncio.to_thread(self._verify, edition, max(end - time.time(), 0.001))
        except TimeoutError as error:
            raise BudgetSpent("the vector store did not answer in time", field="budget_ms") from error
        except (Unavailable, NotFound):
            self._forget(edition)
            raise

    async def rebuild(
        self, edition: EditionRef, *, follow: bool, timeout_s: float, sent_at: float | None = None
    ) -> RebuildProgress:
        """Make an edition's collections again, beside this call; searches of the edition wait for it.

        Args:
            edition: What is made again.
            follow: Only say how far it is; where it is over, what stopped it is raised.
            timeout_s, sent_at: Not needed: the call returns at once.

        Raises:
            OutsoleError: What stopped it.
        """
        del timeout_s, sent_at
        if not follow and edition not in self._rebuilding:
            opened = await asyncio.to_thread(Edition.open, self._root, edition.gallery, edition.id)
            # Another call may have begun it by now.
            if edition not in self._rebuilding:
                self._rebuilding[edition] = RebuildProgress(0, len(opened) * len(self._held_fields(opened)), "waiting")
                before = self._publishing.get(edition)
                self._publishing[edition] = asyncio.create_task(self._rebuild_after(before, edition, opened))
        if edition in self._rebuilding:
            return self._rebuilding[edition]
        task = self._publishing.get(edition)
        if task is not None:
            await asyncio.shield(task)
        return self._rebuilt.get(edition, RebuildProgress(0, 0))

    async def retire(self, edition: EditionRef, *, timeout_s: float, sent_at: float | None = None) -> None:
        """Drop an edition from the back end.

        Raises:
            Unavailable: The back end is away, or is taking the edition up just now.
        """
        del timeout_s, sent_at
        task = self._publishing.get(edition)
        if task is not None and not task.done():
            raise Unavailable(f"the vector store is taking up edition {edition.id!r}", retry_after_s=1.0)
        self._forget(edition)
        await asyncio.to_thread(self._retire, edition)

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
                await asyncio.to_thread(self._point_aliases, ref)
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
        self._store.publish(edition, self._held_fields(edition))

    def _point_aliases(self, ref: EditionRef) -> None:
        """Let the names of a gallery lead to the edition in force, for others who read the same back end."""
        if self._named.get(ref.gallery) == ref:
            return
        edition = Edition.open(self._root, ref.gallery, ref.id)
        for field in self._held_fields(edition):
            self._store.point_alias(ref.gallery, field, ref.id)
        self._named[ref.gallery] = ref

    def _held_fields(self, edition: Edition) -> list[str]:
        # One without an embedding lacks its field; one of a search that needs it anyway is told so by name.
        return [field for field in self._fields if field in edition.array_names]

    def _retire(self, ref: EditionRef) -> None:
        self._store.retire(Edition.open(self._root, ref.gallery, ref.id))

    def _verify(self, ref: EditionRef, timeout_s: float) -> tuple[int, int, str]:
        edition = Edition.open(self._root, ref.gallery, ref.id)
        rows = self._store.count(edition.id)
        if rows != len(edition):
            return rows, 0, f"the vector store holds {rows:,} of the {len(edition):,} items of edition {edition.id!r}"
        try:
            fields = self._held_fields(edition)
            return rows, check_own_vectors(edition, self._store, fields=fields, timeout_s=timeout_s), ""
        except DataCorrupt as error:
            return rows, 0, f"in the vector store {error}"

    async def _rebuild_after(self, before: asyncio.Task[None] | None, ref: EditionRef, edition: Edition) -> None:
        try:
            if before is not None:
                # It may be at its upload; what it uploads is dropped.
                await asyncio.wait([before])
            await asyncio.to_thread(self._rebuild, ref, edition)
        finally:
            del self._rebuilding[ref]

    def _rebuild(self, ref: EditionRef, edition: Edition) -> None:
        fields, rows = self._held_fields(edition), len(edition)
        for number, field in enumerate(fields):
            self._rebuilding[ref] = RebuildProgress(number * rows, len(fields) * rows, field)
            self._store.rebuild(edition, [field])
        self._rebuilt[ref] = RebuildProgress(len(fields) * rows, len(fields) * rows)

    def _current(self) -> dict[str, EditionRef]:
        found = {}
        for gallery in list_galleries(self._root):
            with contextlib.suppress(OutsoleError):
                edition = Edition.open(self._root, gallery, current_edition(self._root, gallery))
                if edition.encoder_hash in self._encoder_hashes:
                    found[gallery] = EditionRef(gallery, edition.id)
        return found

    def _search(
        self,
        edition_id: str,
        queries: Mapping[str, NDArray[np.float32]],
        limit: int,
        where: RowFilter,
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

    def __init__(self, uri: str, root: Path, encoder_hashes: Collection[str], fields: tuple[str, ...]) -> None:
        super().__init__(open_store(uri), root=root, encoder_hashes=encoder_hashes, fields=fields)
        self._looking = asyncio.create_task(self.publish_forever())

    def __del__(self) -> None:
        # Ray Serve calls this when it stops a replica; the Lite directory is closed in order.
        with contextlib.suppress(Exception):
            self.close()
