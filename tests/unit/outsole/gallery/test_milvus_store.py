"""What is particular to Milvus: limits, restarts, half uploads, other indexes, servers that are away."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from pymilvus import MilvusClient

from outsole.answers import ItemFilter, ItemState
from outsole.errors import InvalidInput, Unavailable
from outsole.gallery import milvus_store
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.items import ItemRow
from outsole.gallery.milvus_store import DIMENSION_LIMIT, MilvusSettings, MilvusStore
from outsole.gallery.writer import EditionWriter

EVERY = ItemFilter()


def made_edition(root: Path, dimension: int = 32, count: int = 200) -> Edition:
    vectors = np.random.default_rng(3).normal(size=(count, dimension)).astype(np.float16)
    with EditionWriter(root, "made", encoder_hash="e") as writer:
        writer.append([ItemRow(f"i{i:04d}", "m") for i in range(count)], {"v": vectors})
        return writer.publish()


def test_a_lite_directory_serves_again_after_a_restart(tmp_path: Path) -> None:
    edition, uri = made_edition(tmp_path), str(tmp_path / "state" / "vectors.db")
    query = edition.array("v")[:1].astype(np.float32)
    first = MilvusStore(uri)
    first.publish(edition, ["v"])
    first.close()
    first.close()
    second = MilvusStore(uri)
    second.publish(edition, ["v"])
    found = second.search(edition.id, "v", query, limit=3, where=EVERY, timeout_s=5)
    assert found.rows[0, 0] == 0
    second.close()


def test_an_upload_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    edition, uri = made_edition(tmp_path), str(tmp_path / "vectors.db")
    store = MilvusStore(uri)
    store.publish(edition, ["v"])
    store.close()
    client = MilvusClient(uri, timeout=5)
    (name,) = client.list_collections()
    client.load_collection(name)
    client.delete(name, filter="id < 50")
    client.close()
    again = MilvusStore(uri)
    again.publish(edition, ["v"])
    assert again.count(edition.id) == len(edition)
    again.close()


@pytest.mark.parametrize("index", ["HNSW", "IVF_SQ8"])
def test_an_approximate_index_still_gives_exact_scores(tmp_path: Path, index: str) -> None:
    edition = made_edition(tmp_path)
    params = {"M": 16, "efConstruction": 100} if index == "HNSW" else {"nlist": 128}
    search = {"ef": 200} if index == "HNSW" else {"nprobe": 128}
    store = MilvusStore(
        str(tmp_path / "vectors.db"),
        settings=MilvusSettings(index_type=index, index_params=params, search_params=search),
    )
    exact = ExactStore()
    queries = edition.array("v")[:4].astype(np.float32)
    for each in (store, exact):
        each.publish(edition, ["v"])
    found = store.search(edition.id, "v", queries, limit=200, where=EVERY, timeout_s=5)
    truth = exact.search(edition.id, "v", queries, limit=200, where=EVERY, timeout_s=5)
    np.testing.assert_array_equal(found.rows[:, :20], truth.rows[:, :20])
    np.testing.assert_array_equal(found.scores[:, :20], truth.scores[:, :20])
    store.close()


@pytest.mark.parametrize(("uri", "index"), [("x.db", "DISKANN"), ("x.db", "IVF_PQ"), ("http://h:1", "HNSW_SQ")])
def test_an_index_that_the_back_end_cannot_build_is_refused_at_once(uri: str, index: str) -> None:
    with pytest.raises(InvalidInput, match=index):
        MilvusStore(uri, settings=MilvusSettings(index_type=index))


def test_an_address_of_no_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no Milvus"):
        MilvusStore("somewhere")


def test_the_limits_of_a_server_hold_on_lite_too(tmp_path: Path) -> None:
    edition = made_edition(tmp_path, dimension=DIMENSION_LIMIT + 1, count=2)
    store = MilvusStore(str(tmp_path / "vectors.db"))
    with pytest.raises(InvalidInput, match=str(DIMENSION_LIMIT)):
        store.publish(edition, ["v"])
    store.close()


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    store = MilvusStore(f"http://127.0.0.1:{port}", settings=MilvusSettings(call_timeout_s=0.5))
    with pytest.raises(Unavailable) as caught:
        store.publish(made_edition(tmp_path), ["v"])
    assert caught.value.retry_after_s
    store.close()


def test_beyond_what_an_expression_may_exclude_the_arrays_are_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [ItemState.RETIRED if i % 3 else ItemState.ACTIVE for i in range(200)]
    vectors = np.random.default_rng(3).normal(size=(200, 32)).astype(np.float16)
    with EditionWriter(tmp_path, "made", encoder_hash="e") as writer:
        items = [ItemRow(f"i{i:04d}", "m", brand="ab"[i % 2], state=state) for i, state in enumerate(states)]
        writer.append(items, {"v": vectors})
        edition = writer.publish()
    store, exact = MilvusStore(str(tmp_path / "vectors.db")), ExactStore()
    queries, where = vectors[:4].astype(np.float32), ItemFilter(brands=("a",))
    for each in (store, exact):
        each.publish(edition, ["v"])
    named = store.search(edition.id, "v", queries, limit=20, where=where, timeout_s=5)
    monkeypatch.setattr(milvus_store, "EXCLUDED_LIMIT", 10)
    scanned = store.search(edition.id, "v", queries, limit=20, where=where, timeout_s=5)
    truth = exact.search(edition.id, "v", queries, limit=20, where=where, timeout_s=5)
    for found in (named, scanned):
        np.testing.assert_array_equal(found.rows, truth.rows)
        np.testing.assert_array_equal(found.scores, truth.scores)
    store.close()


def test_lite_builds_the_index_with_the_parameters_that_were_given(tmp_path: Path) -> None:
    edition, uri = made_edition(tmp_path), str(tmp_path / "vectors.db")
    query = edition.array("v")[:1].astype(np.float32)
    found = {}
    for lists in (1, 50):
        settings = MilvusSettings("IVF_FLAT", {"nlist": lists}, {"nprobe": 1})
        store = MilvusStore(uri, settings=settings)
        store.publish(edition, ["v"])
        rows = store.search(edition.id, "v", query, limit=200, where=EVERY, timeout_s=5).rows
        found[lists] = int((rows >= 0).sum())
        store.close()
    assert found[1] == 200
    assert found[50] < 50


def test_uploads_are_few_and_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = made_edition(tmp_path, dimension=64, count=200)
    monkeypatch.setattr(milvus_store, "_REQUEST_BYTES", 50 * (64 * 4 + 3 * 800))
    sizes = []
    insert = MilvusClient.insert

    def counted(client: MilvusClient, collection: str, rows: list[dict[str, object]], **options: object) -> object:
        sizes.append(len(rows))
        return insert(client, collection, rows, **options)

    monkeypatch.setattr(MilvusClient, "insert", counted)
    store = MilvusStore(str(tmp_path / "vectors.db"))
    store.publish(edition, ["v"])
    assert sizes == [50, 50, 50, 50]
    store.close()


@pytest.mark.parametrize("index", ["HNSW", "HNSW_SQ"])
def test_the_width_of_a_search_is_never_below_its_limit(tmp_path: Path, index: str) -> None:
    edition = made_edition(tmp_path)
    store = MilvusStore(
        str(tmp_path / "vectors.db"),
        settings=MilvusSettings(index_type=index, index_params={"M": 16}, search_params={"ef": 10}),
    )
    store.publish(edition, ["v"])
    query = edition.array("v")[:1].astype(np.float32)
    found = store.search(edition.id, "v", query, limit=150, where=EVERY, timeout_s=5)
    assert (found.rows >= 0).all()
    store.close()
