"""The candidate stage alone, in this process: every store and FAISS's flat index on the same vectors and queries."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from outsole.answers import ItemFilter
from outsole.errors import InvalidInput, MissingPart
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.milvus_store import MilvusStore
from outsole.gallery.store import Candidates, VectorStore, vectors_of
from outsole.matching.print_system import PrintSystem

SHORTLIST = 200
STORES = ("exact", "lite", "server")
_BACKENDS = "outsole.gallery.backends"
_SEARCH_TIMEOUT_S = 120.0
_WARM_UPS = 3
Queries = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class StageRun:
    """The candidate stage over Q probes.

    Attributes:
        latencies_ms: Of both fields together and merging, [Q].
        shortlists: Rows found, best first, int64 [<= 200] each.
    """

    latencies_ms: list[float]
    shortlists: list[NDArray[np.int64]]

    @property
    def p50_ms(self) -> float:
        """Median."""
        return float(np.median(self.latencies_ms))


def served_uri(kind: str, folder: Path, server: str) -> str:
    """The ``OUTSOLE_MILVUS_URI`` of a kind of store; empty where the services do not offer it."""
    if kind == "exact":
        return "exact:" if importlib.util.find_spec(_BACKENDS) else ""
    return str(folder / "vectors.db") if kind == "lite" else server


@contextlib.contextmanager
def opened_store(kind: str, folder: Path, server: str) -> Iterator[VectorStore]:
    """A store of a kind in this process, for as long as the block lasts."""
    if kind not in STORES:
        raise InvalidInput(f"there is no store {kind!r}", field="stores", remedy=f"some of {', '.join(STORES)}")
    uri, store = served_uri(kind, folder, server), None
    if importlib.util.find_spec(_BACKENDS) and kind == "exact":
        store = importlib.import_module(_BACKENDS).open_store(uri)
    made: VectorStore = store or (ExactStore() if kind == "exact" else MilvusStore(uri))
    try:
        yield made
    finally:
        made.close()


def rebuild_seconds(store: VectorStore, edition: Edition) -> float:
    """Seconds to make an edition searchable in a store that does not hold it."""
    store.retire(edition)
    begun = time.perf_counter()
    store.publish(edition, PrintSystem.candidate_fields)
    return time.perf_counter() - begun


def run_stage(store: VectorStore, edition: Edition, queries: Sequence[Queries], system: PrintSystem) -> StageRun:
    """Ask a store that holds the edition for every probe's candidates, one probe after the other."""

    def find(wanted: Queries) -> dict[str, Candidates]:
        options: dict[str, Any] = {"limit": SHORTLIST, "where": ItemFilter(), "timeout_s": _SEARCH_TIMEOUT_S}
        return {field: store.search(edition.id, field, vectors, **options) for field, vectors in wanted.items()}

    return _timed(find, queries, system, "store")


class FlatIndex:
    """FAISS's flat index over the same fields; the measure of what any exact scan costs here.

    Args:
        edition: Its vectors are copied as float32.
        threads: Threads of a search.

    Raises:
        MissingPart: FAISS is not installed.
    """

    def __init__(self, edition: Edition, *, threads: int = 0) -> None:
        try:
            faiss: Any = importlib.import_module("faiss")
        except ImportError as error:
            raise MissingPart("FAISS is not installed", remedy="pip install 'outsole[bench]'") from error
        faiss.omp_set_num_threads(threads or len(os.sched_getaffinity(0)))
        self._indexes: dict[str, Any] = {}
        for field, vectors in vectors_of(edition, PrintSystem.candidate_fields).items():
            index = faiss.IndexFlatIP(vectors.shape[1])
            for start in range(0, len(vectors), 8192):
                index.add(np.asarray(vectors[start : start + 8192], np.float32))
            self._indexes[field] = index

    def run(self, queries: Sequence[Queries], system: PrintSystem) -> StageRun:
        """Find every probe's candidates."""

        def find(wanted: Queries) -> dict[str, Candidates]:
            found = {}
            for field, vectors in wanted.items():
                index = self._indexes[field]
                scores, rows = index.search(np.ascontiguousarray(vectors), min(SHORTLIST, index.ntotal))
                found[field] = Candidates(rows, scores)
            return found

        return _timed(find, queries, system, "FAISS flat")


def _timed(find: Any, queries: Sequence[Queries], system: PrintSystem, label: str) -> StageRun:
    latencies, shortlists = [], []
    for wanted in queries[:_WARM_UPS]:
        find(wanted)
    for wanted in tqdm(queries, desc=label, unit="probe"):
        begun = time.perf_counter()
        shortlists.append(system.merge_candidates(find(wanted), SHORTLIST))
        latencies.append((time.perf_counter() - begun) * 1e3)
    return StageRun(latencies, shortlists)


def shortlist_recall(
    shortlists: Sequence[NDArray[np.int64]], rows: Sequence[int], ranks: Sequence[int], *, within: int = 12
) -> float:
    """Share of the probes whose item an exhaustive search ranks well that have it in their shortlist.

    Args:
        shortlists: Rows found, one list a probe.
        rows: The true item's row of each probe.
        ranks: Rank of its model in an exhaustive search, 1-based; perhaps of the first probes alone.
        within: Ranks that count as found.

    Returns:
        0 .. 1; 1 where no probe's item is ranked so well.
    """
    inside = [row in shortlist for shortlist, row, rank in zip(shortlists, rows, ranks, strict=False) if rank <= within]
    return float(np.mean(inside)) if inside else 1.0
