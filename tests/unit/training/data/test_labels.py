from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from outsole.errors import DataCorrupt, NotFound
from training.data.labels import read_text_array, read_text_mapping


class _Harmful:
    """Makes a folder when its pickle is executed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def _saved(path: Path, content: object) -> Path:
    np.save(path, np.array(content, dtype=object) if not isinstance(content, np.ndarray) else content)
    return path


def test_a_dict_as_the_authors_save_it_is_read(tmp_path: Path) -> None:
    path = _saved(tmp_path / "labels.npy", {"000012": "B00A1x_B00A2y", np.str_("000007"): np.str_("C1")})
    assert read_text_mapping(path) == {"000012": "B00A1x_B00A2y", "000007": "C1"}


@pytest.mark.parametrize(
    "content",
    [
        np.array([["p1", "12"], ["p2", "7"]]),
        np.array([["p1", "12"], ["p2", "7"]], dtype=object),
        np.array([["p1", 12], ["p2", 7]], dtype=object),
        np.array([["p1", np.int64(12)], [np.str_("p2"), np.str_("7")]], dtype=object),
        np.asfortranarray(np.array([["p1", "12"], ["p2", "7"]], dtype=object)),
    ],
)
def test_a_table_of_two_columns_is_a_mapping(tmp_path: Path, content: np.ndarray) -> None:
    assert read_text_mapping(_saved(tmp_path / "map.npy", content)) == {"p1": "12", "p2": "7"}


@pytest.mark.parametrize("content", [np.array(["a", "b"]), np.array(["a", "b"], dtype=object)])
def test_a_list_of_text_is_read(tmp_path: Path, content: np.ndarray) -> None:
    assert read_text_array(_saved(tmp_path / "a.npy", content)).tolist() == ["a", "b"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_code_in_a_label_file_is_not_executed(tmp_path: Path, wrapped: bool) -> None:
    harm = _Harmful(tmp_path / "made")
    path = _saved(tmp_path / "labels.npy", {"a": harm} if wrapped else [harm])
    with pytest.raises(DataCorrupt, match=r"mkdir, which is not executed.*numpy\.save"):
        read_text_mapping(path)
    assert not (tmp_path / "made").exists()
    # The file is harmful indeed.
    np.load(path, allow_pickle=True)
    assert (tmp_path / "made").exists()


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt, match="something else than text"):
        read_text_array(_saved(tmp_path / "a.npy", [["x", "y"], None]))
    with pytest.raises(DataCorrupt, match="something else than text to text"):
        read_text_mapping(_saved(tmp_path / "b.npy", {"x": 1.5}))
    with pytest.raises(DataCorrupt, match="no array of text"):
        read_text_array(_saved(tmp_path / "c.npy", np.zeros(3)))


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt, match=r"\(3,\) where \[N, 2\]"):
        read_text_mapping(_saved(tmp_path / "a.npy", np.array(["a", "b", "c"])))


def test_a_key_with_two_values_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt, match="'a' two values"):
        read_text_mapping(_saved(tmp_path / "a.npy", np.array([["a", "1"], ["a", "2"]])))


@pytest.mark.parametrize("kept", [0, 4, 40, 140, -3])
def test_a_cut_file_is_corrupt(tmp_path: Path, kept: int) -> None:
    path = _saved(tmp_path / "a.npy", {"000012": "B00A1x"})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataCorrupt, match=r"a\.npy"):
        read_text_mapping(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.npy"):
        read_text_array(tmp_path / "gone.npy")
