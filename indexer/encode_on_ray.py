"""Encoding on Ray: the same stages as a Ray Data pipeline, over the processes of this machine or of a cluster.

Entries go in a shard at a time and short records come out. Canvases pass between processes through Ray's object store;
arrays go straight to the work folder, which every node has to see at the same path.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data

from indexer.access import Access
from indexer.crawl import Crawl, IndexSettings, Progress
from indexer.encoded import BatchOrigin, WorkFolder, facts_of
from indexer.fetch import Fetcher
from indexer.loading import Loaded, Loader
from indexer.manifest import Entry, Reject
from indexer.model import Opener, PreparedImage
from indexer.model_loop import ModelLoop
from indexer.ray_values import dataset_of, in_thread, values_of
from outsole.errors import OutsoleError

_SHARD, _LOADED, _DONE = "shard", "loaded", "done"
_Row = dict[str, Any]


@dataclass(frozen=True)
class RayPlan:
    """What the stages need in every process.

    Attributes:
        opener: Of the model.
        access: Where pictures may be read.
        work: The work folder.
        settings: ``batch_items`` is the size of a shard, ``prepare_workers`` are processes here.
    """

    opener: Opener
    access: Access
    work: Path
    settings: IndexSettings


@dataclass(frozen=True)
class _Done:
    """What became of a shard.

    Attributes:
        outcomes: Its entries in their order, loaded (without their canvases) or rejected.
        hashes, batch: The pictures encoded now, and the file with their arrays.
        error: Of what did not answer: the encoder, the depth predictor or a host of pictures.
    """

    outcomes: tuple[Entry | Reject, ...]
    hashes: tuple[str, ...] = ()
    batch: Path | None = None
    error: OutsoleError | None = None


async def encode_on_ray(entries: deque[Entry], crawl: Crawl, *, plan: RayPlan, progress: Progress) -> None:
    """Load all entries and encode what has no place yet; what was found is added to ``crawl``, taken from ``entries``.

    Ray has to be running, with room for ``prepare_workers`` processes and one more. Two entries with the same file may
    both have it encoded where they lie in different shards; the arrays are the same. Cancelled, it ends when the
    shards in hand are done.

    Raises:
        BudgetSpent, Unavailable, Overloaded: The encoder or a host of pictures did not answer; what was encoded is in
            the work folder.
    """
    await in_thread(functools.partial(_encode, entries, crawl, plan, progress))


def _encode(entries: deque[Entry], crawl: Crawl, plan: RayPlan, progress: Progress, stop: threading.Event) -> None:
    size = plan.settings.batch_items
    shards: list[tuple[Entry, ...]] = []
    while entries:
        shards.append(tuple(entries.popleft() for _ in range(min(size, len(entries)))))
    known = ray.put(frozenset(crawl.places))
    dataset = (
        dataset_of(shards, _SHARD)
        .map(
            _LoadShard,
            fn_constructor_args=(plan, known),
            # No more than there is to do: Ray would warn of each that is idle.
            compute=ray.data.ActorPoolStrategy(size=max(1, min(plan.settings.prepare_workers, len(shards)))),
        )
        .map(
            _EncodeShard,
            fn_constructor_args=(plan,),
            compute=ray.data.ActorPoolStrategy(
                size=1,
                max_concurrent_calls_per_actor=plan.settings.requests_in_flight,
                enable_true_multi_threading=True,
            ),
            num_cpus=0,
        )
    )
    with values_of(dataset, _DONE, stop) as found:
        _collect(found, crawl, progress)


def _collect(found: Iterable[_Done], crawl: Crawl, progress: Progress) -> None:
    outcomes: list[Entry | Reject] = []
    for done in found:
        if done.error is not None:
            raise done.error
        outcomes.extend(done.outcomes)
        if done.batch is not None:
            crawl.add_batch(done.hashes, BatchOrigin(done.batch))
        progress.update(len(done.outcomes))
    crawl.reject(*(outcome for outcome in outcomes if isinstance(outcome, Reject)))
    # Shards come back as they are done; the order of the entries is that of their ids.
    there = (outcome for outcome in outcomes if not isinstance(outcome, Reject))
    crawl.take(*sorted(there, key=lambda entry: entry.item.item_id))


class _LoadShard:
    """Reads, checks and prepares the pictures of a shard."""

    def __init__(self, plan: RayPlan, known: Any) -> None:
        self._loop = ModelLoop(plan.opener)
        self._loader = Loader(Fetcher(plan.access).fetch, self._loop.model.prepare, ray.get(known))

    def __call__(self, row: _Row) -> _Row:
        try:
            return {_LOADED: tuple(self._loader.load(entry) for entry in row[_SHARD])}
        except OutsoleError as error:
            # As a value: Ray would hand on an exception as text of its own.
            return {_LOADED: error}


class _EncodeShard:
    """Encodes the pictures of a shard and keeps their arrays in the work folder."""

    def __init__(self, plan: RayPlan) -> None:
        self._loop = ModelLoop(plan.opener)
        self._work = WorkFolder(plan.work)
        self._timeout_s = plan.settings.encode_timeout_s

    def __call__(self, row: _Row) -> _Row:
        loaded: tuple[Loaded | Reject, ...] | OutsoleError = row[_LOADED]
        if isinstance(loaded, OutsoleError):
            return {_DONE: _Done((), error=loaded)}
        outcomes = tuple(each if isinstance(each, Reject) else each.entry for each in loaded)
        fresh = dict(_fresh(loaded))
        if not fresh:
            return {_DONE: _Done(outcomes)}
        try:
            return {_DONE: _Done(outcomes, tuple(fresh), self._encoded(fresh))}
        except OutsoleError as error:
            return {_DONE: _Done(outcomes, error=error)}

    def _encoded(self, fresh: dict[str, PreparedImage]) -> Path:
        model, prepared = self._loop.model, list(fresh.values())
        images, valid = (np.stack([getattr(each, name) for each in prepared]) for name in ("image", "valid"))
        outputs = self._loop.run(model.encode(images, valid, timeout_s=self._timeout_s))
        origin = self._work.keep(list(fresh), model.derive(outputs, valid), [facts_of(each) for each in prepared])
        return origin.path


def _fresh(loaded: Iterable[Loaded | Reject]) -> Iterator[tuple[str, PreparedImage]]:
    for each in loaded:
        if isinstance(each, Loaded) and each.prepared is not None:
            yield each.sha256, each.prepared
