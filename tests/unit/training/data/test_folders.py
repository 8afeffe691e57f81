from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import InvalidInput, NotFound
from training.data.folders import read_class_folders


def _made(root: Path, **classes: int) -> Path:
    for name, count in classes.items():
        (root / name).mkdir()
        for i in range(count):
            (root / name / f"{i}.png").write_bytes(b"")
    return root


def test_a_folder_is_a_class_and_a_picture_an_item(tmp_path: Path) -> None:
    (_made(tmp_path, trail=2, court=3) / "readme.txt").write_text("")
    (tmp_path / ".cache").mkdir()
    items = read_class_folders(tmp_path, picture="depth")
    assert [item.name for item in items.items] == ["court/0", "court/1", "court/2", "trail/0", "trail/1"]
    assert {model: len(group) for model, group in items.pairs().items()} == {"court": 3, "trail": 2}
    assert items.items[0].pictures == {"depth": tmp_path / "court/0.png"}


@pytest.mark.parametrize(("count", "words"), [(1, "has one image"), (0, "has 0 images")])
def test_a_class_with_too_few_images_is_named(tmp_path: Path, count: int, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"class 'boot' in .* {words}.*at least 2"):
        read_class_folders(_made(tmp_path, boot=count, trail=2))


def test_galleries_may_have_one_image_a_class(tmp_path: Path) -> None:
    assert len(read_class_folders(_made(tmp_path, boot=1), least=1).items) == 1


def test_a_missing_folder_and_one_without_classes_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        read_class_folders(tmp_path / "nowhere")
    with pytest.raises(NotFound, match="no pictures"):
        read_class_folders(tmp_path)
