"""The exact store over more than one block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.answers import ItemFilter
from outsole.gallery import exact_store
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter


def test_blocks_do_not_change_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(301, 24)).astype(np.float16)
    with EditionWriter(tmp_path, "made", encoder_hash="e") as writer:
        writer.append([ItemRow(f"i{i:03d}", "m") for i in range(301)], {"v": vectors.reshape(301, 2, 12)})
        edition = writer.publish()
    queries = rng.normal(size=(9, 24)).astype(np.float32)
    store = ExactStore()
    store.publish(edition, ["v"])
    whole = store.search(edition.id, "v", queries, limit=40, where=ItemFilter(), timeout_s=5)
    monkeypatch.setattr(exact_store, "_BLOCK_BYTES", 24 * 8 * 17)
    monkeypatch.setattr(exact_store, "_SCORES_BYTES", 301 * 4 * 2)
    blocks = store.search(edition.id, "v", queries, limit=40, where=ItemFilter(), timeout_s=5)
    np.testing.assert_array_equal(whole.rows, blocks.rows)
    np.testing.assert_array_equal(whole.scores, blocks.scores)
    reference = queries.astype(np.float64) @ vectors.astype(np.float64).T
    np.testing.assert_array_equal(whole.rows, np.argsort(-reference, axis=1, kind="stable")[:, :40])
