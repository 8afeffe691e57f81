from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from outsole.errors import DataCorrupt, NotFound
from training.data.crisp_layout import read_fid300, read_tread_set, read_val_fid, read_val_shoecase
from training.data.records import read_gray, read_mask

_NAMES = ("B00A1x_1", "B00A1x_2", "C10003_left")


def _pictures(folder: Path, *names: str, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / f"{name}{suffix}"), np.full((32, 16), 10 * i, np.uint8))


@pytest.fixture
def tread_set(tmp_path: Path) -> Path:
    for part in ("depth", "print", "mask"):
        _pictures(tmp_path / part, *_NAMES, suffix=".jpg" if part == "depth" else ".png")
    return tmp_path


@pytest.fixture
def val_fid(tmp_path: Path) -> Path:
    """As published: object arrays, masks in ``masks``, some prints without one."""
    _pictures(tmp_path / "print", "00001", "00002", "00009", suffix=".jpg")
    _pictures(tmp_path / "masks", "00001", suffix=".jpg")
    np.save(tmp_path / "labels.npy", np.array({"000012": "B00A1x_C10003", "000400": "D00001"}, dtype=object))
    rows = np.array([["00001", "12"], ["00002", "400"]], dtype=object)
    np.save(tmp_path / "labels_crime_scene_to_reference_map.npy", rows)
    return tmp_path


@pytest.fixture
def shoecase(tmp_path: Path) -> Path:
    """As published: plain arrays of text."""
    for category in ("blood", "dust"):
        _pictures(tmp_path / category / "print", "a_01_x", "b_02_x")
        _pictures(tmp_path / category / "mask", "a_01_x", "b_02_x")
    np.save(tmp_path / "make_models.npy", np.array([["01", "Brand One"], ["02", "Brand Two 4"]]))
    (tmp_path / "make_model_mapping").mkdir()
    np.save(tmp_path / "make_model_mapping/brand_one_similar.npy", np.array(["B00A1x"]))
    np.save(tmp_path / "make_model_mapping/brand_two_4_similar.npy", np.array(["C10003", "D00001"]))
    return tmp_path


def test_a_tread_set_names_the_model_by_six_characters(tread_set: Path) -> None:
    items = read_tread_set(tread_set)
    assert [(item.name, item.model_id) for item in items.items] == [
        ("B00A1x_1", "B00A1x"),
        ("B00A1x_2", "B00A1x"),
        ("C10003_left", "C10003"),
    ]
    assert set(items.items[0].pictures) == {"depth", "print", "mask"}
    assert (read_gray(items.items[2].pictures["depth"]) == 20).all()


def test_a_tread_set_needs_only_the_asked_parts(tread_set: Path) -> None:
    shutil.rmtree(tread_set / "print")
    assert len(read_tread_set(tread_set, parts=("depth",)).items) == 3
    with pytest.raises(NotFound, match="print"):
        read_tread_set(tread_set)


def test_an_item_without_its_depth_map_is_named(tread_set: Path) -> None:
    (tread_set / "depth" / "B00A1x_2.jpg").unlink()
    with pytest.raises(DataCorrupt, match=r"depth has no picture of 'B00A1x_2'"):
        read_tread_set(tread_set)


def test_a_name_too_short_for_a_model_is_refused(tread_set: Path) -> None:
    _pictures(tread_set / "depth", "abc")
    _pictures(tread_set / "print", "abc")
    with pytest.raises(DataCorrupt, match="'abc'"):
        read_tread_set(tread_set)


def test_val_fid_gives_each_print_all_models_of_its_tread(val_fid: Path) -> None:
    prints = read_val_fid(val_fid)
    assert [(p.name, sorted(p.model_ids), p.category) for p in prints] == [
        ("00001", ["B00A1x", "C10003"], "crime"),
        ("00002", ["D00001"], "crime"),
    ]
    assert prints[0].mask is not None and not read_mask(prints[0].mask).any()
    assert prints[1].mask is None


def test_a_reference_without_labels_is_named(val_fid: Path) -> None:
    rows = np.array([["00001", "13"]])
    np.save(val_fid / "labels_crime_scene_to_reference_map.npy", rows)
    with pytest.raises(DataCorrupt, match="print '00001' reference '000013'"):
        read_val_fid(val_fid)


def test_labels_that_would_have_to_be_executed_come_with_a_remedy(val_fid: Path) -> None:
    np.save(val_fid / "labels.npy", np.array([Path("x")], dtype=object))
    with pytest.raises(DataCorrupt, match=r"not executed.*save it as a plain array of text"):
        read_val_fid(val_fid)


def test_a_plain_table_of_prints_does_for_val_fid(val_fid: Path) -> None:
    (val_fid / "labels_crime_scene_to_reference_map.npy").unlink()
    np.save(val_fid / "labels.npy", np.array([["00009.jpg", "B00A1x_C10003"]]))
    assert [(p.name, sorted(p.model_ids)) for p in read_val_fid(val_fid)] == [("00009", ["B00A1x", "C10003"])]


@pytest.mark.parametrize("name", ["labels.npy", "print"])
def test_what_is_missing_of_val_fid_is_named(val_fid: Path, name: str) -> None:
    path = val_fid / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(NotFound, match=name):
        read_val_fid(val_fid)


def test_shoecase_finds_the_models_by_way_of_the_shoe(shoecase: Path) -> None:
    prints = read_val_shoecase(shoecase)
    assert [(p.category, p.name, sorted(p.model_ids)) for p in prints] == [
        ("blood", "a_01_x", ["B00A1x"]),
        ("blood", "b_02_x", ["C10003", "D00001"]),
        ("dust", "a_01_x", ["B00A1x"]),
        ("dust", "b_02_x", ["C10003", "D00001"]),
    ]
    assert all(p.mask is not None for p in prints)


def test_a_print_of_an_unknown_shoe_is_named(shoecase: Path) -> None:
    _pictures(shoecase / "dust" / "print", "c_09_x")
    with pytest.raises(DataCorrupt, match="'c_09_x'"):
        read_val_shoecase(shoecase)


def test_shoecase_with_a_plain_table_of_prints(shoecase: Path) -> None:
    (shoecase / "make_models.npy").unlink()
    np.save(shoecase / "labels.npy", np.array([["a_01_x", "B00A1x"], ["b_02_x", "C10003"]]))
    assert [sorted(p.model_ids) for p in read_val_shoecase(shoecase)] == [["B00A1x"], ["C10003"]] * 2


def test_a_missing_folder_of_shoecase_is_named(shoecase: Path) -> None:
    shutil.rmtree(shoecase / "dust")
    with pytest.raises(NotFound, match="dust"):
        read_val_shoecase(shoecase)


def test_fid300_has_references_that_are_their_own_models_and_exact_labels(tmp_path: Path) -> None:
    _pictures(tmp_path / "references", "00001", "00002")
    _pictures(tmp_path / "tracks_cropped", "00001", suffix=".jpg")
    (tmp_path / "label_table.csv").write_text("1,2\n2,1\n")
    items, prints = read_fid300(tmp_path)
    assert [item.model_id for item in items.items] == ["00001", "00002"]
    assert [(p.name, sorted(p.model_ids), p.mask) for p in prints] == [("00001", ["00002"], None)]
