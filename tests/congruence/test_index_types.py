"""Every index type that a back end builds finds what the structure of the data says, with filters and without.

Items lie in clusters that are far apart compared with what any of these indexes loses: members of a cluster have a
cosine of 0.8, strangers at most about 0.5. The best 100 of a probe are therefore the 100 members of its cluster, and
under a filter those that pass. An index that keeps clusters apart finds them all; only a graph with a missing edge or
a cluster cut by the border of a list that is not read loses some, so the bounds are close to 1. A product quantiser
keeps 16 bytes of 256 and moves scores by some hundredths, which is a good part of the gap, so it gets more room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import ItemFilter, Side
from outsole.errors import InvalidInput
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.filters import rows_allowed
from outsole.gallery.items import ItemRow
from outsole.gallery.milvus_store import MilvusSettings, MilvusStore
from outsole.gallery.store import Candidates
from outsole.gallery.writer import EditionWriter

CLUSTERS, MEMBERS, DIMENSION, PROBES = 20, 100, 64, 20
WITHIN = 0.8


@dataclass(frozen=True)
class Built:
    """An index as it is built, and the least recall that the structure of the data allows it."""

    index_type: str
    least_recall: float
    index_params: dict[str, int] = field(default_factory=dict)
    search_params: dict[str, int] = field(default_factory=dict)


_GRAPH = {"M": 16, "efConstruction": 200}
_FLAT = Built("FLAT", 1.0)
_HNSW = Built("HNSW", 0.98, _GRAPH, {"ef": 200})
_IVF_FLAT = Built("IVF_FLAT", 0.98, {"nlist": 20}, {"nprobe": 5})
_IVF_SQ8 = Built("IVF_SQ8", 0.98, {"nlist": 20}, {"nprobe": 5})
_HNSW_SQ = Built("HNSW_SQ", 0.98, _GRAPH, {"ef": 200})
_IVF_PQ = Built("IVF_PQ", 0.90, {"nlist": 20, "m": 16, "nbits": 8}, {"nprobe": 5})
_DISKANN = Built("DISKANN", 0.98, {}, {"search_list": 200})
_ALL = {
    "lite": (_FLAT, _HNSW, _HNSW_SQ, _IVF_FLAT, _IVF_SQ8),
    "server": (_FLAT, _HNSW, _IVF_FLAT, _IVF_SQ8, _IVF_PQ, _DISKANN),
}
_EACH = [(backend, built) for backend, kinds in _ALL.items() for built in kinds]
_FILTERS = {
    "everything": ItemFilter(),
    "brand": ItemFilter(brands=("Acme",)),
    "side": ItemFilter(sides=(Side.LEFT,)),
    "category": ItemFilter(categories=("c1",)),
    "years": ItemFilter(first_year=2020, last_year=2021),
    "all of them": ItemFilter(brands=("Zeta",), sides=(Side.LEFT,), categories=("c1", "c2"), last_year=2020),
}


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    made: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return made


def around(centres: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors whose cosine with their centre is about the root of WITHIN."""
    noise = unit(rng.normal(size=centres.shape))
    return unit(np.sqrt(WITHIN) * centres + np.sqrt(1 - WITHIN) * noise)


@pytest.fixture(scope="module")
def centres() -> NDArray[np.float64]:
    return unit(np.random.default_rng(1).normal(size=(CLUSTERS, DIMENSION)))


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory, centres: NDArray[np.float64]) -> Edition:
    rng = np.random.default_rng(2)
    # Row i is in cluster i % CLUSTERS; the filter columns go by the place inside the cluster.
    vectors = around(centres[np.arange(CLUSTERS * MEMBERS) % CLUSTERS], rng)
    items = []
    for row in range(len(vectors)):
        place = row // CLUSTERS
        items.append(
            ItemRow(
                f"item-{row:05d}",
                "m",
                brand=("Acme", "Zeta")[place % 2],
                side=(Side.LEFT, Side.RIGHT)[place // 2 % 2],
                category=f"c{place % 4}",
                year=2019 + place % 4,
            )
        )
    with EditionWriter(tmp_path_factory.mktemp("galleries"), "clustered", encoder_hash="e") as writer:
        writer.append(items, {"v": vectors.astype(np.float16)})
        return writer.publish()


@pytest.fixture(scope="module")
def queries(centres: NDArray[np.float64]) -> NDArray[np.float32]:
    return around(centres[np.arange(PROBES) % CLUSTERS], np.random.default_rng(3)).astype(np.float32)


@pytest.fixture(scope="module")
def oracle(edition: Edition) -> ExactStore:
    store = ExactStore()
    store.publish(edition, ["v"])
    return store


def wanted_rows(edition: Edition, where: ItemFilter) -> int:
    """How many members of each cluster pass a filter."""
    passing = rows_allowed(edition.items, where).reshape(MEMBERS, CLUSTERS).sum(axis=0)
    assert len(set(passing.tolist())) == 1
    return int(passing[0])


@pytest.mark.parametrize("where", _FILTERS.values(), ids=_FILTERS)
def test_the_best_of_a_probe_are_the_members_of_its_cluster(
    oracle: ExactStore, edition: Edition, queries: NDArray[np.float32], where: ItemFilter
) -> None:
    found = oracle.search(edition.id, "v", queries, limit=wanted_rows(edition, where), where=where, timeout_s=30)
    assert (found.rows % CLUSTERS == (np.arange(PROBES) % CLUSTERS)[:, None]).all()


@pytest.mark.parametrize(("backend", "built"), _EACH, ids=[f"{backend}-{built.index_type}" for backend, built in _EACH])
def test_an_index_finds_them_with_exact_scores(
    backend: str,
    built: Built,
    *,
    edition: Edition,
    queries: NDArray[np.float32],
    oracle: ExactStore,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    uri = str(tmp_path / "vectors.db") if backend == "lite" else str(request.getfixturevalue("milvus_server_url"))
    settings = MilvusSettings(built.index_type, built.index_params, built.search_params)
    store = MilvusStore(uri, settings=settings)
    recalls = {}
    try:
        if built.index_type == "DISKANN" and store._client().get_server_version(timeout=10).endswith("-lite"):
            with pytest.raises(InvalidInput, match="DISKANN"):
                store.publish(edition, ["v"])
            return
        store.publish(edition, ["v"])
        for name, where in _FILTERS.items():
            limit = wanted_rows(edition, where)
            found = store.search(edition.id, "v", queries, limit=limit, where=where, timeout_s=30)
            truth = oracle.search(edition.id, "v", queries, limit=limit, where=where, timeout_s=30)
            recalls[name] = shared(found, truth)
        store.retire(edition)
    finally:
        store.close()
    assert min(recalls.values()) >= built.least_recall, recalls


def shared(found: Candidates, truth: Candidates) -> float:
    """Share of the true rows that were found; those found must have the true scores."""
    hits = 0
    for rows, scores, true_rows, true_scores in zip(found.rows, found.scores, truth.rows, truth.scores, strict=True):
        _, at, there = np.intersect1d(rows, true_rows, return_indices=True)
        np.testing.assert_array_equal(scores[at], true_scores[there])
        hits += len(at)
    return hits / truth.rows.size
