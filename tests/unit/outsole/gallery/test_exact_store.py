"""The exact store: what it answers is the order of full sums, and what was retired is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import ItemFilter
from outsole.errors import BudgetSpent, InvalidInput, NotFound
from outsole.gallery import exact_store
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore, inner_products
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter


def made_edition(root: Path, vectors: NDArray[np.float16]) -> Edition:
    with EditionWriter(root, "made", encoder_hash="e") as writer:
        writer.append([ItemRow(f"i{i:03d}", "m") for i in range(len(vectors))], {"v": vectors})
        return writer.publish()


@pytest.fixture
def vectors() -> NDArray[np.float16]:
    return np.random.default_rng(4).normal(size=(301, 24)).astype(np.float16)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_order_is_that_of_full_sums(tmp_path: Path, vectors: NDArray[np.float16], threads: int) -> None:
    edition = made_edition(tmp_path, vectors.reshape(301, 2, 12))
    queries = np.random.default_rng(5).normal(size=(9, 24)).astype(np.float32)
    store = ExactStore(threads=threads)
    store.publish(edition, ["v"])
    found = store.search(edition.id, "v", queries, limit=40, where=ItemFilter(), timeout_s=5)
    reference = queries.astype(np.float64) @ vectors.astype(np.float64).T
    np.testing.assert_array_equal(found.rows, np.argsort(-reference, axis=1, kind="stable")[:, :40])


def test_blocks_do_not_change_inner_products(vectors: NDArray[np.float16], monkeypatch: pytest.MonkeyPatch) -> None:
    queries = np.random.default_rng(5).normal(size=(9, 24)).astype(np.float32)
    whole = inner_products(vectors, queries)
    monkeypatch.setattr(exact_store, "_BLOCK_BYTES", 24 * 8 * 17)
    np.testing.assert_array_equal(inner_products(vectors, queries), whole)
    with pytest.raises(BudgetSpent, match="0 of 301"):
        inner_products(vectors, queries, end=0.0)


def test_vectors_that_are_not_finite_are_not_published(tmp_path: Path, vectors: NDArray[np.float16]) -> None:
    vectors[7, 3] = np.nan
    edition = made_edition(tmp_path, vectors)
    store = ExactStore()
    with pytest.raises(InvalidInput, match="not finite"):
        store.publish(edition, ["v"])
    with pytest.raises(NotFound):
        store.search(edition.id, "v", np.ones((1, 24), np.float32), limit=1, where=ItemFilter(), timeout_s=5)
