"""One scenario over every vector store: rows, scores, filters, errors and life cycle are the oracle's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import ItemFilter, ItemState, Side
from outsole.errors import BudgetSpent, InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.filters import rows_allowed
from outsole.gallery.items import ItemRow
from outsole.gallery.store import VectorStore
from outsole.gallery.writer import EditionWriter

ITEMS, CELLS, CHANNELS = 400, 12, 16
ODD_BRAND = 'O\'Neill "x\\" or id >= 0 || "é'
EVERY = ItemFilter()


def publish_made_edition(root: Path, gallery: str, seed: int) -> Edition:
    rng = np.random.default_rng(seed)
    maps = rng.normal(size=(ITEMS, CELLS, CHANNELS))
    maps /= np.linalg.norm(maps, axis=2, keepdims=True)
    maps[[40, 250, 390]] = maps[7]
    states = (ItemState.ACTIVE, ItemState.ACTIVE, ItemState.DISCONTINUED)
    brands, sides = ("Acme", "Zeta", ODD_BRAND), (Side.LEFT, Side.RIGHT, Side.UNKNOWN)
    items = [
        ItemRow(
            f"item-{i:04d}",
            f"model-{i // 3}",
            brand=brands[i % 3],
            side=sides[i % 7 % 3],
            category=f"c{i % 2}",
            year=(0, 2019, 2021)[i % 5 % 3],
            state=ItemState.QUARANTINED if i % 50 == 9 else states[i % 11 % 3],
        )
        for i in range(ITEMS)
    ]
    with EditionWriter(root, gallery, encoder_hash="e" * 64) as writer:
        writer.append(items, {"maps": maps.astype(np.float16), "coarse": maps.mean(axis=1).astype(np.float32)})
        return writer.publish()


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Edition:
    return publish_made_edition(tmp_path_factory.mktemp("galleries"), "made", 1)


@pytest.fixture(scope="module")
def published(store: VectorStore, edition: Edition) -> VectorStore:
    store.publish(edition, ["maps", "coarse"])
    return store


@pytest.fixture
def queries(edition: Edition) -> NDArray[np.float32]:
    vectors = edition.array("maps").reshape(ITEMS, -1).astype(np.float32)
    noise = np.random.default_rng(2).normal(scale=0.1, size=(5, vectors.shape[1]))
    probes = vectors[[7, 3, 100, 200, 399]] + noise.astype(np.float32)
    probes[:, : vectors.shape[1] // 2] = 0
    return probes


def reference(
    edition: Edition, field: str, queries: NDArray[np.float32], limit: int, where: ItemFilter = EVERY
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Full sort in double precision, written apart from the stores."""
    vectors = edition.array(field).reshape(ITEMS, -1).astype(np.float64)
    scores = queries.astype(np.float64) @ vectors.T
    scores[:, ~rows_allowed(edition.items, where)] = -np.inf
    rows = np.argsort(-np.round(scores, 9), axis=1, kind="stable")[:, :limit]
    return rows, np.take_along_axis(scores, rows, axis=1)


def test_rows_and_scores_are_those_of_a_full_sort(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32]
) -> None:
    found = published.search(edition.id, "maps", queries, limit=50, where=EVERY, timeout_s=10)
    rows, scores = reference(edition, "maps", queries, 50)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.scores, scores, atol=1e-4)
    assert found.rows.dtype == np.int64
    assert found.scores.dtype == np.float32


def test_copies_of_one_item_tie_and_are_ordered_by_row(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32]
) -> None:
    found = published.search(edition.id, "maps", queries[:1], limit=10, where=EVERY, timeout_s=10)
    assert found.rows[0, :4].tolist() == [7, 40, 250, 390]
    assert len(set(found.scores[0, :4].tolist())) == 1


def test_each_field_is_searched_by_its_own_vectors(published: VectorStore, edition: Edition) -> None:
    probes = edition.array("coarse")[[11, 12]]
    found = published.search(edition.id, "coarse", probes, limit=20, where=EVERY, timeout_s=10)
    rows, scores = reference(edition, "coarse", probes, 20)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.scores, scores, atol=1e-4)


@pytest.mark.parametrize(
    "where",
    [
        ItemFilter(brands=("Acme",)),
        ItemFilter(brands=(ODD_BRAND, "nobody", "a\nb")),
        ItemFilter(sides=(Side.LEFT, Side.UNKNOWN), categories=("c1",)),
        ItemFilter(first_year=2020),
        ItemFilter(brands=("Zeta",), last_year=2020),
        ItemFilter(brands=("Acme", "Zeta"), sides=(Side.RIGHT,), categories=("c0", "c1")),
    ],
)
def test_a_filter_lets_the_same_items_take_part(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32], where: ItemFilter
) -> None:
    found = published.search(edition.id, "maps", queries, limit=ITEMS, where=where, timeout_s=10)
    rows, scores = reference(edition, "maps", queries, ITEMS, where)
    np.testing.assert_array_equal(found.rows, np.where(np.isneginf(scores), -1, rows))
    np.testing.assert_allclose(found.scores, scores, atol=1e-4)


@pytest.mark.parametrize("value", ['" or id >= 0 or brand == "', "\\", "nobody", 'x"] or brand in ["Acme'])
def test_a_filter_value_cannot_widen_the_search(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32], value: str
) -> None:
    alone = published.search(edition.id, "maps", queries, limit=5, where=ItemFilter(brands=(value,)), timeout_s=10)
    assert (alone.rows == -1).all()
    assert np.isneginf(alone.scores).all()
    where = ItemFilter(brands=(value, "Zeta"))
    beside = published.search(edition.id, "maps", queries, limit=ITEMS, where=where, timeout_s=10)
    np.testing.assert_array_equal(np.unique(beside.rows[beside.rows >= 0] % 3), [1])


def test_an_answer_does_not_depend_on_the_batch(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32]
) -> None:
    together = published.search(edition.id, "maps", queries, limit=30, where=EVERY, timeout_s=10)
    alone = published.search(edition.id, "maps", queries[2:3], limit=30, where=EVERY, timeout_s=10)
    np.testing.assert_array_equal(together.rows[2:3], alone.rows)
    np.testing.assert_array_equal(together.scores[2:3], alone.scores)


def test_publishing_again_changes_nothing(published: VectorStore, edition: Edition) -> None:
    published.publish(edition, ["maps", "coarse"])
    assert published.count(edition.id) == ITEMS


def test_no_query_gets_an_empty_answer(published: VectorStore, edition: Edition) -> None:
    none = np.empty((0, CELLS * CHANNELS), np.float32)
    found = published.search(edition.id, "maps", none, limit=3, where=EVERY, timeout_s=10)
    assert found.rows.shape == found.scores.shape == (0, 3)


@pytest.mark.parametrize(
    ("width", "limit", "value"), [(CELLS * CHANNELS, 0, 0.0), (7, 5, 0.0), (CELLS * CHANNELS, 5, np.nan)]
)
def test_queries_that_cannot_be_served_are_invalid(
    published: VectorStore, edition: Edition, width: int, limit: int, value: float
) -> None:
    with pytest.raises(InvalidInput):
        published.search(
            edition.id, "maps", np.full((1, width), value, np.float32), limit=limit, where=EVERY, timeout_s=10
        )


def test_what_was_not_published_is_not_found(
    published: VectorStore, edition: Edition, queries: NDArray[np.float32]
) -> None:
    for edition_id, field in (("feedfeedfeedfeed", "maps"), (edition.id, "other")):
        with pytest.raises(NotFound):
            published.search(edition_id, field, queries, limit=1, where=EVERY, timeout_s=10)
    with pytest.raises(NotFound):
        published.publish(edition, ["other"])
    assert published.count("feedfeedfeedfeed") == 0


def test_a_spent_budget_is_said(published: VectorStore, edition: Edition, queries: NDArray[np.float32]) -> None:
    with pytest.raises(BudgetSpent):
        published.search(edition.id, "maps", queries, limit=1, where=EVERY, timeout_s=0)


def test_retiring_one_edition_leaves_the_other(published: VectorStore, edition: Edition, tmp_path: Path) -> None:
    other = publish_made_edition(tmp_path, "other", 5)
    published.publish(other, ["coarse"])
    assert published.count(other.id) == ITEMS
    published.retire(other)
    published.retire(other)
    assert published.count(other.id) == 0
    with pytest.raises(NotFound):
        published.search(other.id, "coarse", other.array("coarse")[:1], limit=1, where=EVERY, timeout_s=10)
    assert published.count(edition.id) == ITEMS
