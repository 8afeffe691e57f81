"""Editions with the same content share what Milvus holds, and what is in force is never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymilvus import MilvusClient

from outsole.answers import ItemFilter, ItemState
from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.milvus_store import MilvusStore
from outsole.gallery.writer import EditionWriter

EVERY = ItemFilter()
_ITEMS = [ItemRow(f"item-{i:03d}", "m", brand="ab"[i % 2]) for i in range(60)]


def made(root: Path, *, retired: tuple[int, ...] = (), seed: int = 1, gallery: str = "prints.eu_1") -> Edition:
    vectors = np.random.default_rng(seed).normal(size=(len(_ITEMS), 16)).astype(np.float16)
    items = [replace(item, state=ItemState.RETIRED) if row in retired else item for row, item in enumerate(_ITEMS)]
    with EditionWriter(root, gallery, encoder_hash="e") as writer:
        writer.append(items, {"v": vectors})
        return writer.write()


def best(store: MilvusStore, edition: Edition, row: int) -> int:
    query = edition.array("v")[row : row + 1].astype(np.float32)
    return int(store.search(edition.id, "v", query, limit=1, where=EVERY, timeout_s=10).rows[0, 0])


@pytest.fixture
def store(milvus_uri: str, tmp_path: Path) -> Iterator[MilvusStore]:
    # A server may hold what an earlier test left; Lite gets a directory of its own.
    opened = MilvusStore(str(tmp_path / "vectors.db") if milvus_uri.endswith(".db") else milvus_uri)
    yield opened
    opened.close()


@pytest.fixture
def client(store: MilvusStore) -> MilvusClient:
    """What others see of the same Milvus."""
    return store._client()


def collections(client: MilvusClient) -> set[str]:
    return {name for name in client.list_collections(timeout=10) if name.startswith("outsole_v_")}


def test_an_edition_that_differs_in_states_alone_uploads_nothing(
    store: MilvusStore, client: MilvusClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = collections(client)
    first, second = made(tmp_path), made(tmp_path, retired=(3,))
    store.publish(first, ["v"])
    (name,) = collections(client) - before
    monkeypatch.setattr(MilvusClient, "insert", None)
    store.publish(second, ["v"])
    assert collections(client) - before == {name}
    assert (best(store, first, 3), best(store, first, 4)) == (3, 4)
    assert best(store, second, 3) != 3
    assert best(store, second, 4) == 4
    store.retire(first)
    assert store.count(first.id) == 0
    assert store.count(second.id) == len(_ITEMS)
    assert best(store, second, 4) == 4
    store.retire(second)
    assert collections(client) == before


def test_an_alias_follows_the_edition_in_force(store: MilvusStore, client: MilvusClient, tmp_path: Path) -> None:
    old, new = made(tmp_path), made(tmp_path, seed=2)
    for edition in (old, new):
        store.publish(edition, ["v"])
    seen = []
    for edition in (old, old, new):
        store.point_alias("prints.eu_1", "v", edition.id)
        query = edition.array("v")[:1].astype(np.float32)
        answer = client.search("outsole_prints_2eu_01_v", data=list(query), limit=1, timeout=10)
        seen.append(
            (client.describe_alias("outsole_prints_2eu_01_v", timeout=10)["collection_name"], answer[0][0]["id"])
        )
    assert seen[0] == seen[1] != seen[2]
    assert [row for _, row in seen] == [0, 0, 0]
    store.retire(old)
    store.retire(new)
    assert seen[0][0] not in collections(client)
    # What is in force for others stays, whoever retires it.
    assert seen[2][0] in collections(client)
    client.drop_alias("outsole_prints_2eu_01_v", timeout=10)
    client.drop_collection(seen[2][0], timeout=10)


def test_an_alias_needs_an_edition_that_is_published(store: MilvusStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.point_alias("prints", "v", made(tmp_path).id)


def test_a_retirement_that_failed_can_be_tried_again(
    store: MilvusStore, client: MilvusClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, edition = collections(client), made(tmp_path, seed=3)
    store.publish(edition, ["v"])

    def fails(*_: object, **__: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patched:
        patched.setattr(MilvusClient, "drop_collection", fails)
        with pytest.raises(OSError, match="away"):
            store.retire(edition)
    store.retire(edition)
    assert collections(client) == before
