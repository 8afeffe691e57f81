"""Editions on disk: what is written is read, the same content has the same id, and damage is named."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from outsole.answers import Side
from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.gallery.editions import Edition
from outsole.gallery.items import ITEM_SCHEMA, ItemRow
from outsole.gallery.layout import list_editions, list_galleries
from outsole.gallery.writer import EditionWriter, new_folder, sweep_folders


def write(
    root: Path, gallery: str = "soles", *, count: int = 600, batches: int = 3, ids: Sequence[str] = (), **kept: str
) -> Edition:
    names = list(ids) or [f"item-{i:04d}" for i in range(count)]
    maps = np.arange(len(names) * 6, dtype=np.float16).reshape(len(names), 2, 3)
    with EditionWriter(root, gallery, encoder_hash=kept.pop("encoder", "ab" * 32), settings=kept) as writer:
        for part in np.array_split(np.arange(len(names)), batches):
            writer.append(
                [ItemRow(names[i], f"model-{i % 5}", brand="Acme", side=Side.LEFT, width_px=i) for i in part],
                {"maps": maps[part], "coarse": maps[part].reshape(len(part), -1).astype(np.float32)},
                thumbnails=[f"png {i}".encode() for i in part],
            )
        return writer.publish(rejects_csv=b"row\n")


def test_an_edition_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path)
    edition = Edition.open(tmp_path, "soles")
    assert (len(edition), edition.gallery, edition.encoder_hash) == (600, "soles", "ab" * 32)
    assert edition.items.schema == ITEM_SCHEMA
    assert edition.array_names == ("coarse", "maps")
    maps = edition.array("maps")
    assert (maps.shape, maps.dtype.name, maps.flags.writeable) == ((600, 2, 3), "float16", False)
    np.testing.assert_array_equal(maps.ravel(), np.arange(3600, dtype=np.float16))
    assert edition.row_of("item-0300") == 300
    assert edition.info().models == 5
    edition.verify()


@pytest.mark.parametrize("row", [0, 255, 256, 599])
def test_an_item_comes_with_its_own_thumbnail(tmp_path: Path, row: int) -> None:
    item = write(tmp_path).item(row, with_thumbnail=True)
    assert (item.item_id, item.model_id, item.side) == (f"item-{row:04d}", f"model-{row % 5}", Side.LEFT)
    assert item.thumbnail_png == f"png {row}".encode()


def test_the_same_content_has_the_same_id_however_it_was_batched(tmp_path: Path) -> None:
    first = write(tmp_path, batches=3)
    again = write(tmp_path, batches=7)
    assert again.id == first.id
    assert again.created == first.created
    assert list_editions(tmp_path, "soles") == [first.id]
    assert sorted(p.name for p in (tmp_path / "soles" / "editions").iterdir()) == [first.id]


def test_settings_encoder_gallery_and_items_are_part_of_the_id(tmp_path: Path) -> None:
    editions = [
        write(tmp_path),
        write(tmp_path, canvas="other"),
        write(tmp_path, encoder="cd" * 32),
        write(tmp_path, count=599),
        write(tmp_path, "other"),
    ]
    assert len({e.id for e in editions}) == 5
    assert list_galleries(tmp_path) == ["other", "soles"]
    assert Edition.open(tmp_path, "soles").id == editions[3].id
    assert len(Edition.open(tmp_path, "soles", editions[0].id)) == 600


def test_what_was_not_published_leaves_nothing_behind(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidInput, match="at least one item"),
        EditionWriter(tmp_path, "soles", encoder_hash="e") as w,
    ):
        w.publish()
    assert list((tmp_path / "soles" / "editions").iterdir()) == []
    assert list_galleries(tmp_path) == []


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"]])
def test_items_out_of_order_or_given_twice_are_refused(tmp_path: Path, ids: list[str]) -> None:
    for batches in (1, 2):
        with pytest.raises(InvalidInput, match="out of order or given twice"):
            write(tmp_path, ids=ids, batches=batches)


def test_an_array_that_changes_between_batches_is_refused(tmp_path: Path) -> None:
    with EditionWriter(tmp_path, "soles", encoder_hash="e") as writer:
        writer.append([ItemRow("a", "m")], {"maps": np.zeros((1, 4), np.float16)})
        for wrong in (np.zeros((1, 5), np.float16), np.zeros((1, 4), np.float32), np.zeros((2, 4), np.float16)):
            with pytest.raises(InvalidInput):
                writer.append([ItemRow("b", "m")], {"maps": wrong})
        with pytest.raises(InvalidInput, match="arrays changed"):
            writer.append([ItemRow("b", "m")], {"other": np.zeros((1, 4), np.float16)})


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-a", "a b", "é", "x" * 101, "a\n"])
def test_names_that_could_leave_the_directory_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        Edition.open(tmp_path, name)
    with pytest.raises(InvalidInput):
        EditionWriter(tmp_path, name, encoder_hash="e")
    with pytest.raises(InvalidInput):
        ItemRow(name, "m")
    write(tmp_path, count=1, batches=1)
    with pytest.raises(InvalidInput):
        Edition.open(tmp_path, "soles", name)


def test_what_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no gallery 'soles'"):
        Edition.open(tmp_path, "soles")
    edition = write(tmp_path, count=3)
    with pytest.raises(NotFound, match="no edition 'feed'"):
        Edition.open(tmp_path, "soles", "feed")
    with pytest.raises(NotFound, match="no array 'other'"):
        edition.array("other")
    with pytest.raises(NotFound, match="no item 'nobody'"):
        edition.row_of("nobody")
    assert list_galleries(tmp_path / "nowhere") == []


def test_verify_names_the_first_file_whose_bytes_changed(tmp_path: Path) -> None:
    edition = write(tmp_path)
    path = edition.folder / "maps.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataCorrupt, match=r"maps\.npy"):
        Edition.open(tmp_path, "soles").verify()


def test_writing_the_same_content_again_repairs_a_damaged_edition(tmp_path: Path) -> None:
    edition = write(tmp_path)
    (edition.folder / "coarse.npy").unlink()
    with pytest.raises(DataCorrupt, match=r"lacks its file coarse\.npy"):
        Edition.open(tmp_path, "soles")
    again = write(tmp_path)
    assert again.id == edition.id
    again.verify()


def test_a_file_cut_short_is_seen_at_opening(tmp_path: Path) -> None:
    path = write(tmp_path).folder / "maps.npy"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataCorrupt, match="its manifest says"):
        Edition.open(tmp_path, "soles")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99"),
        ({"encoder_hash": "other"}, "has the content of"),
        ({"surprise": 1}, "lacks a field or has one too many"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = write(tmp_path, count=3).folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataCorrupt, match=message):
        Edition.open(tmp_path, "soles")


def test_a_file_that_is_no_manifest_is_corrupt(tmp_path: Path) -> None:
    path = write(tmp_path, count=3).folder / "manifest.json"
    for text in ("no json", "[]"):
        path.write_text(text)
        with pytest.raises(DataCorrupt):
            Edition.open(tmp_path, "soles")


def test_an_edition_knows_every_encoder_that_made_it_and_one_without_an_embedding_is_as_it_always_was(
    tmp_path: Path,
) -> None:
    plain = write(tmp_path, count=3, batches=1)
    assert (plain.embedding, plain.info().encoders) == ("", {"": "ab" * 32})
    assert "embeddings" not in json.loads((plain.folder / "manifest.json").read_text())
    item, vectors = ItemRow("a", "model"), np.ones((1, 4), np.float16)
    with EditionWriter(
        tmp_path, "both", encoder_hash="ab" * 32, encoder_name="maps", embeddings={"vectors": "cd" * 32}
    ) as writer:
        writer.append([item], {"maps": vectors, "partial": vectors})
        made = writer.publish()
    both = Edition.open(tmp_path, "both")
    assert both.id == made.id
    assert both.embedding == "vectors"
    assert both.info().encoders == {"maps": "ab" * 32, "vectors": "cd" * 32}
    with EditionWriter(tmp_path, "one", encoder_hash="ab" * 32, encoder_name="maps") as writer:
        writer.append([item], {"maps": vectors, "partial": vectors})
        assert writer.publish().id != both.id


def test_what_a_killed_writer_left_is_swept_and_one_at_work_is_not(tmp_path: Path) -> None:
    abandoned, at_work = (new_folder(tmp_path, "soles") for _ in range(2))
    for folder in (abandoned, at_work):
        (folder / "maps.npy").write_bytes(b"half")
    for path in (abandoned, abandoned / "maps.npy"):
        os.utime(path, (0, 0))
    os.utime(at_work, (0, 0))
    sweep_folders(tmp_path, "soles")
    assert not abandoned.exists()
    assert at_work.exists()
