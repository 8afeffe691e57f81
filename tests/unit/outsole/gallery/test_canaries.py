"""Canaries are registered with their pictures, and a table that cannot be used is refused by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery.canaries import Canary, add_canary, canaries_dir, read_canaries
from tests.unit.outsole.gallery.made_editions import written


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "print of case 7.PNG"
    path.write_bytes(b"picture")
    return path


def test_a_canary_is_read_as_it_was_added(tmp_path: Path, picture: Path) -> None:
    written(tmp_path)
    assert read_canaries(tmp_path, "soles") == ()
    made = add_canary(tmp_path, "soles", picture, model="model-007", within_rank=3)
    assert made == Canary("print-of-case-7", "print-of-case-7.png", "model-007", 3)
    second = add_canary(tmp_path, "soles", picture, model="model-008", name="another")
    assert read_canaries(tmp_path, "soles") == (second, made)
    assert (canaries_dir(tmp_path, "soles") / made.file).read_bytes() == b"picture"
    replaced = add_canary(tmp_path, "soles", picture, model="model-009", name="another")
    assert read_canaries(tmp_path, "soles") == (replaced, made)


@pytest.mark.parametrize(
    "change",
    [{"model": ""}, {"within_rank": 0}, {"within_rank": 1001}, {"name": "../escape"}, {"image": Path("missing.png")}],
)
def test_what_cannot_be_a_canary_is_refused(tmp_path: Path, picture: Path, change: dict[str, object]) -> None:
    written(tmp_path)
    given: dict[str, object] = {"image": picture, "model": "model-007", **change}
    image = given.pop("image")
    with pytest.raises(InvalidInput):
        add_canary(tmp_path, "soles", image, **given)  # type: ignore[arg-type]
    assert read_canaries(tmp_path, "soles") == ()


def test_a_canary_needs_a_gallery(tmp_path: Path, picture: Path) -> None:
    with pytest.raises(NotFound):
        add_canary(tmp_path, "soles", picture, model="model-007")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,file,model\na,a.png,m\n", "row 1"),
        ("name,file,model,within_rank\na,a.png,m,many\n", "row 1"),
        ("name,file,model,within_rank\na,a.png,m,1\na,a.png,m,2\n", "again"),
        ("name,file,model,within_rank\na,gone.png,m,1\n", "lacks its picture"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, table: str, said: str) -> None:
    folder = canaries_dir(tmp_path, "soles")
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"")
    (folder / "canaries.csv").write_text(table)
    with pytest.raises(DataCorrupt, match=said):
        read_canaries(tmp_path, "soles")
