"""A verification names the first difference, and finds damage that hashes alone would not tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.answers import ItemState
from outsole.errors import DataCorrupt
from outsole.gallery.editions import Edition
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.items import ItemRow
from outsole.gallery.revisions import revise
from outsole.gallery.store import Candidates
from outsole.gallery.verification import check_own_vectors, spread_rows, vector_fields, verify_edition
from outsole.gallery.writer import EditionWriter
from tests.unit.outsole.gallery.made_editions import ENCODER, written


def with_vectors(root: Path, vectors: np.ndarray) -> Edition:
    with EditionWriter(root, "soles", encoder_hash=ENCODER) as writer:
        items = [ItemRow(f"item-{i:04d}", f"model-{i}") for i in range(len(vectors))]
        writer.append(items, {"cooccurrence": vectors})
        return writer.write()


def unit(count: int) -> np.ndarray:
    vectors = np.random.default_rng(1).normal(size=(count, 8)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_a_whole_edition_is_whole(tmp_path: Path) -> None:
    edition = written(tmp_path)
    check = verify_edition(edition, every_vector=True)
    assert (check.is_whole, check.files, check.vectors, check.store_rows) == (True, 6, 40, None)
    assert check.size_bytes == sum(p.stat().st_size for p in edition.folder.iterdir() if p.name != "manifest.json")
    assert vector_fields(edition) == ("cooccurrence",)


@pytest.mark.parametrize("name", ["items.parquet", "maps.npy", "thumbnails.parquet"])
def test_one_turned_bit_is_named_with_its_file(tmp_path: Path, name: str) -> None:
    edition = written(tmp_path)
    data = bytearray((edition.folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (edition.folder / name).write_bytes(data)
    assert verify_edition(edition).difference.startswith(f"{name} of edition {edition.id!r} has sha256")


@pytest.mark.parametrize("value", [0.0, 1.1, np.nan, np.inf])
def test_a_vector_that_is_not_of_unit_length_is_named(tmp_path: Path, value: float) -> None:
    vectors = unit(1500)
    vectors[700] *= value
    edition = with_vectors(tmp_path, vectors)
    assert "cooccurrence of item 'item-0700'" in verify_edition(edition, every_vector=True).difference


def test_a_sample_is_spread_over_the_edition(tmp_path: Path) -> None:
    assert spread_rows(np.arange(100), 3).tolist() == [0, 50, 99]
    assert spread_rows(np.arange(3), 5).tolist() == [0, 1, 2]
    vectors = unit(1500)
    vectors[-1] = 0
    check = verify_edition(with_vectors(tmp_path, vectors))
    assert "'item-1499'" in check.difference


def test_vectors_find_their_own_items_and_those_that_are_not_searched_are_not_asked(tmp_path: Path) -> None:
    edition = written(tmp_path)
    assert check_own_vectors(edition) == 16
    few = revise(edition, {f"item-{i:03d}": (ItemState.RETIRED, "x") for i in range(38)})
    assert check_own_vectors(few) == 2
    none = revise(edition, {f"item-{i:03d}": (ItemState.RETIRED, "x") for i in range(40)})
    assert check_own_vectors(none) == 0


def test_many_items_with_one_vector_are_as_good_as_the_own_one(tmp_path: Path) -> None:
    vectors = unit(60)
    vectors[:] = vectors[0]
    assert check_own_vectors(with_vectors(tmp_path, vectors)) == 16


def test_a_store_that_holds_other_vectors_is_found_out(tmp_path: Path) -> None:
    class Shifted(ExactStore):
        def search(self, *arguments: object, **options: object) -> Candidates:
            found = super().search(*arguments, **options)  # type: ignore[arg-type]
            return Candidates(np.roll(found.rows, 1, axis=0), found.scores)

    edition, store = written(tmp_path, count=400), Shifted()
    store.publish(edition, ["cooccurrence"])
    with pytest.raises(DataCorrupt, match="does not find its own item"):
        check_own_vectors(edition, store)
