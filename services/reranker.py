"""The reranker: close comparison of a probe with items, on replicas of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsole.encoders.spec import EncoderSpec
from outsole.errors import BudgetSpent, OutsoleError, PreconditionFailed
from outsole.gallery.editions import Edition, list_galleries
from outsole.gallery.layout import current_edition
from outsole.gallery.worn import worn_weeks
from outsole.matching.print_system import PrintSystem
from outsole.matching.rerank import HeatMap, ItemScores, PlacementReranker
from services.parts import EditionRef, Timed

if TYPE_CHECKING:
    from outsole.matching.features import ProbeFeatures

_KEPT_EDITIONS = 2
# Companions keep nothing prepared, and cost their mapped files alone.
_KEPT_COMPANIONS = 8
_KNOWN_EDITIONS = 64
_WARM_TIMEOUT_S = 60.0
_T = TypeVar("_T")
# Hashes of the arrays.
_Content = tuple[str, ...]


class EditionRerankers:
    """Rerankers by what editions hold, at most two of them; see `services.parts.Reranking`.

    Editions that differ in the states of items alone share their arrays, and so what was prepared of them. Companions
    of worn items come beside the two: nothing is prepared of them, so that a search of them needs no more memory and
    lets go of no other edition.

    One comparison runs at a time, in a thread: it uses all cores it is given, and two at once would only both be late.

    Args:
        root: Directory of the galleries.
        spec: The correlation encoder served; editions of another are not loaded.
        cache_mib: Memory for prepared maps of one edition, MiB.
        threads: Threads of one comparison; 0 for one a core.
    """

    def __init__(self, root: Path, spec: EncoderSpec, *, cache_mib: int, threads: int = 0) -> None:
        self._root = root
        self._spec = spec
        self._cache_mib = cache_mib
        self._threads = threads
        self._held: OrderedDict[_Content, PlacementReranker] = OrderedDict()
        self._worn: OrderedDict[_Content, PlacementReranker] = OrderedDict()
        self._contents: OrderedDict[EditionRef, _Content] = OrderedDict()
        self._turn = asyncio.Semaphore(1)

    @property
    def prepared(self) -> tuple[tuple[str, ...], ...]:
        """Hashes of the arrays that rerankers are held of, the one used last at the end."""
        return tuple(self._held)

    async def score(
        self,
        edition: EditionRef,
        features: ProbeFeatures,
        rows: NDArray[np.int64] | None,
        *,
        timeout_s: float,
        sent_at: float | None = None,
    ) -> Timed[ItemScores]:
        """Score rows int64 [n], all where None.

        Args:
            edition: Whose items.
            features: The probe's.
            rows: Which items.
            timeout_s: Seconds from ``sent_at`` on.
            sent_at: ``time.time()`` of the call on this machine; now where None.
        """

        def work(deadline: float) -> ItemScores:
            return self._reranker(edition).score(features, rows, deadline=deadline)

        return await self._in_turn(work, timeout_s, sent_at)

    async def explain(
        self,
        edition: EditionRef,
        features: ProbeFeatures,
        row: int,
        *,
        timeout_s: float,
        sent_at: float | None = None,
    ) -> Timed[HeatMap]:
        """The heat map of one row; arguments as of `score`."""

        def work(deadline: float) -> HeatMap:
            return self._reranker(edition).explain(features, row)

        return await self._in_turn(work, timeout_s, sent_at)

    async def warm(self) -> None:
        """Load what is in force now, so that the first search does not wait for it."""
        for gallery in list_galleries(self._root):
            if len(self._held) >= _KEPT_EDITIONS:
                break
            # Whatever is wrong with it is said when it is searched.
            with contextlib.suppress(OutsoleError):
                ref = EditionRef(gallery, current_edition(self._root, gallery))
                await self._in_turn(partial(self._load, ref), _WARM_TIMEOUT_S, None)

    def _load(self, ref: EditionRef, deadline: float) -> None:
        self._reranker(ref)

    async def _in_turn(self, work: Callable[[float], _T], timeout_s: float, sent_at: float | None) -> Timed[_T]:
        sent = time.time() if sent_at is None else sent_at
        try:
            async with asyncio.timeout(max(timeout_s - (time.time() - sent), 0.0)):
                await self._turn.acquire()
        except TimeoutError as error:
            raise BudgetSpent("the reranker was busy with other searches") from error
        waited_s = max(time.time() - sent, 0.0)
        # The thread cannot be stopped from here: it ends by its own deadline, and the turn ends with it, not with us.
        running = asyncio.ensure_future(asyncio.to_thread(work, time.monotonic() + timeout_s - waited_s))
        running.add_done_callback(lambda _: self._turn.release())
        return Timed(await asyncio.shield(running), waited_s * 1000)

    def _reranker(self, ref: EditionRef) -> PlacementReranker:
        # Only ever called in turn, so that no lock is needed.
        content = self._contents.get(ref)
        if content is None or (content not in self._held and content not in self._worn):
            content = self._take_up(ref)
        held = self._held if content in self._held else self._worn
        held.move_to_end(content)
        return held[content]

    def _take_up(self, ref: EditionRef) -> _Content:
        edition = Edition.open(self._root, ref.gallery, ref.id)
        if edition.encoder_hash != self._spec.hash:
            raise PreconditionFailed(f"edition {ref.id} was made by another encoder", field="edition")
        content = edition.array_hashes
        self._contents[ref] = content
        while len(self._contents) > _KNOWN_EDITIONS:
            self._contents.popitem(last=False)
        is_worn = worn_weeks(edition) > 0
        held, most = (self._worn, _KEPT_COMPANIONS) if is_worn else (self._held, _KEPT_EDITIONS)
        if content not in held:
            while len(held) >= most:
                held.popitem(last=False)
            held[content] = PlacementReranker(
                edition,
                self._spec,
                cache_mib=0 if is_worn else self._cache_mib,
                threads=self._threads,
                vectors=PrintSystem.edition_vectors(edition),
            )
        return content


class Reranker(EditionRerankers):
    """The deployment."""

    def __init__(self, root: Path, spec: EncoderSpec, cache_mib: int, threads: int) -> None:
        super().__init__(root, spec, cache_mib=cache_mib, threads=threads)
        self._warming = asyncio.create_task(self.warm())
