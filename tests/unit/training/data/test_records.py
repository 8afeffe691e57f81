from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput, NotFound
from training.data.records import Item, ItemSet, item_set, pictures_in, read_gray, read_mask


def _set(*models: str) -> ItemSet:
    return ItemSet(tuple(Item(f"{model}-{i}", model, {}) for i, model in enumerate(models)), Path("data"))


def test_items_are_grouped_by_model() -> None:
    groups = _set("b", "a", "b").by_model()
    assert {model: [item.name for item in items] for model, items in groups.items()} == {
        "a": ["a-1"],
        "b": ["b-0", "b-2"],
    }
    assert list(groups) == ["a", "b"]


def test_pairs_need_two_images_of_each_model_and_name_the_one_that_has_not() -> None:
    assert set(_set("a", "a", "b", "b").pairs()) == {"a", "b"}
    with pytest.raises(InvalidInput, match=r"class 'a' \(and 1 more\) in data has one image"):
        _set("a", "b", "c", "c").pairs()


def test_models_with_too_few_images_can_be_left_out() -> None:
    assert set(_set("a", "b", "b").with_at_least(2).pairs()) == {"b"}
    with pytest.raises(InvalidInput, match="no model in data has 3 images"):
        _set("a", "b", "b").with_at_least(3)


def test_pictures_are_read_as_grey_at_the_asked_size(tmp_path: Path) -> None:
    image = np.zeros((40, 20), np.uint8)
    image[:20] = 200
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert np.array_equal(read_gray(tmp_path / "a.png"), image)
    small = read_gray(tmp_path / "a.png", size_px=(20, 10))
    assert small.shape == (20, 10) and small.dtype == np.uint8
    assert np.array_equal(read_mask(tmp_path / "a.png", size_px=(20, 10)), small == 200)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(InvalidInput, match=r"a\.png"):
        read_gray(tmp_path / "a.png")
    with pytest.raises(NotFound, match=r"b\.png"):
        read_gray(tmp_path / "b.png")


def test_only_pictures_of_a_folder_are_listed(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert list(pictures_in(tmp_path)) == ["a", "b"]
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"both a\.jpg and a\.png"):
        pictures_in(tmp_path)


def test_a_set_without_items_is_refused() -> None:
    with pytest.raises(NotFound, match="no pictures in data"):
        item_set([], Path("data"))
