"""Collections are named by what they hold, aliases by what they are for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from outsole.answers import ItemState, Side
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.milvus_collections import alias_name, collection_name
from outsole.gallery.writer import EditionWriter

FLAT: tuple[str, dict[str, int]] = ("FLAT", {})
_ITEM = ItemRow("i0", "m0", brand="Acme", side=Side.LEFT, category="c", year=2020)


def made(root: Path, first: ItemRow, *, shift: float = 0.0, gallery: str = "made") -> Edition:
    vectors = np.arange(24, dtype=np.float32).reshape(3, 8) + np.float32(shift)
    with EditionWriter(root, gallery, encoder_hash="e") as writer:
        writer.append([first, ItemRow("i1", "m1"), ItemRow("i2", "m2")], {"v": vectors, "w": vectors})
        return writer.write()


@pytest.mark.parametrize(
    "change",
    [
        {"state": ItemState.RETIRED, "state_reason": "asked"},
        {"tread_family": "t"},
        {"model_id": "other"},
        {"item_id": "i00"},
    ],
)
def test_what_no_search_filters_by_leaves_the_name(tmp_path: Path, change: dict[str, object]) -> None:
    one, other = made(tmp_path, _ITEM), made(tmp_path, replace(_ITEM, **change), gallery="other")  # type: ignore[arg-type]
    assert one.id != other.id
    assert collection_name(one, "v", FLAT) == collection_name(other, "v", FLAT)


@pytest.mark.parametrize("change", [{"brand": "Zeta"}, {"side": Side.RIGHT}, {"category": "d"}, {"year": 2021}])
def test_another_filter_column_is_another_collection(tmp_path: Path, change: dict[str, object]) -> None:
    one, other = made(tmp_path, _ITEM), made(tmp_path, replace(_ITEM, **change))  # type: ignore[arg-type]
    assert collection_name(one, "v", FLAT) != collection_name(other, "v", FLAT)


def test_other_vectors_fields_and_indexes_are_other_collections(tmp_path: Path) -> None:
    one, other = made(tmp_path, _ITEM), made(tmp_path, _ITEM, shift=1.0)
    names = [
        collection_name(one, "v", FLAT),
        collection_name(other, "v", FLAT),
        collection_name(one, "w", FLAT),
        collection_name(one, "v", ("HNSW", {"M": 16})),
        collection_name(one, "v", ("HNSW", {"M": 32})),
    ]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"outsole_[vw]_[0-9a-f]{24}", name) for name in names)


def test_no_two_galleries_share_an_alias() -> None:
    galleries = ["a", "a_b", "a-b", "a.b", "a_0b", "A", "9"]
    names = [alias_name(gallery, field) for gallery in galleries for field in ("c", "b_c", "c0")]
    assert len(set(names)) == len(names)
    assert names[0] == "outsole_a_c"
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", name) for name in names)
    assert len(alias_name("x" + "_" * 99, "f" * 40)) <= 255
