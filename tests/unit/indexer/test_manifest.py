"""Sources: directories and manifests, and what is said about rows that cannot be used."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.manifest import Reject, read_source, rejects_csv
from outsole.answers import Side
from outsole.errors import InvalidInput, NotFound

ROWS = [
    {"id": "b", "path": "one.png", "model": "M1", "brand": "Acmé", "side": "Left", "category": "run"},
    {"id": "a", "path": "sub/two.png", "model": "", "brand": "", "side": "", "category": ""},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = tmp_path / "images"
    (base / "sub").mkdir(parents=True)
    for name in ("one.png", "sub/two.png", "sub/three x.JPG", "notes.txt"):
        (base / name).write_bytes(b"content is not read here")
    (tmp_path / "secret.png").write_bytes(b"outside")
    return base


def write_csv(folder: Path, rows: list[dict[str, str]], name: str = "list.csv") -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    (folder / name).write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    return folder / name


def test_a_directory_gives_one_item_an_image_in_order_of_id(folder: Path) -> None:
    found = read_source(folder)
    assert [(e.item.item_id, e.item.model_id, e.item.path) for e in found.entries] == [
        ("one", "one", "one.png"),
        ("sub.three-x", "sub.three-x", "sub/three x.JPG"),
        ("sub.two", "sub.two", "sub/two.png"),
    ]
    assert found.rejects == ()


def test_files_that_differ_in_their_ending_alone_keep_it(folder: Path) -> None:
    (folder / "one.jpg").write_bytes(b"x")
    ids = [e.item.item_id for e in read_source(folder).entries]
    assert ids == ["one.jpg", "one.png", "sub.three-x", "sub.two"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_kind_of_manifest_gives_the_same_items(folder: Path, kind: str) -> None:
    path = folder / f"list.{kind}"
    if kind == "csv":
        write_csv(folder, ROWS)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps({k: v for k, v in row.items() if v}) for row in ROWS) + "\n\n")
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    first, second = read_source(path).entries
    assert (first.item.item_id, first.item.model_id, first.item.side, first.row) == ("a", "a", Side.UNKNOWN, 2)
    assert (second.item.brand, second.item.side, second.item.category) == ("Acmé", Side.LEFT, "run")
    assert second.file == (folder / "one.png").resolve()


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"id": ""}, "id", "missing"),
        ({"id": "a b"}, "id", "cannot be used as a name"),
        ({"id": "b"}, "id", "already the id of row 1"),
        ({"path": ""}, "path", "missing"),
        ({"path": "none.png"}, "path", "no file"),
        ({"path": "../secret.png"}, "path", "leads out"),
        ({"path": "link.png"}, "path", "leads out"),
        ({"path": "sub"}, "path", "no file"),
        ({"path": "\0"}, "path", "cannot be a path"),
        ({"path": "x" * 5000}, "path", "cannot be a path"),
        ({"side": "both"}, "side", "'both' is no side"),
        ({"model": "m" * 201}, "model", "cannot be used"),
        ({"brand": "a\nb"}, "brand", "cannot be used"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_by_row_and_column(
    folder: Path, change: dict[str, str], column: str, reason: str
) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    path = folder / "list.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **change}]))
    found = read_source(path)
    assert [e.item.item_id for e in found.entries] == ["b"]
    (reject,) = found.rejects
    assert (reject.row, reject.column) == (2, column)
    assert reason in reject.reason


def test_a_value_of_another_type_is_rejected(folder: Path) -> None:
    path = folder / "list.jsonl"
    path.write_text(json.dumps({"id": 7, "path": "one.png", "model": 3.5}) + "\n")
    assert read_source(path).rejects[0].column == "model"
    path.write_text(json.dumps({"id": 7, "path": "one.png", "model": 12}) + "\n")
    assert read_source(path).entries[0].item.item_id == "7"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("list.csv", "id,model\na,b\n", "no column 'path'"),
        ("list.csv", "id,path,catagory\na,one.png,x\n", "unknown column 'catagory'"),
        ("list.csv", "id,path\na\n", "row 1 of 'list.csv' has 1 cells"),
        ("list.csv", "", "no column 'id'"),
        ("list.csv", "id,path\n", "holds no images"),
        ("list.csv", b"id,path\n\xff\xfe,x\n", "cannot be read as .csv"),
        ("list.jsonl", '{"id": "a"\n', "row 1 of 'list.jsonl' is not JSON"),
        ("list.jsonl", "[1]\n", "is no object"),
        ("list.jsonl", '{"id": "a", "path": "one.png", "colour": 1}\n', "unknown column 'colour'"),
        ("list.parquet", "no parquet", "cannot be read as .parquet"),
        ("list.xml", "<x/>", "is no manifest"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused_whole(
    folder: Path, name: str, content: str | bytes, reason: str
) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput) as caught:
        read_source(folder / name)
    assert reason in str(caught.value)


def test_nothing_there_and_nothing_in_it_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_source(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="holds no images"):
        read_source(tmp_path)


def test_rejects_are_a_csv_file_in_order_of_row() -> None:
    text = rejects_csv([Reject(2, "", "b", "b.png", 'said "no", twice'), Reject(1, "id", "", "a.png", "x")]).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["row", "column", "item_id", "path", "reason"]
    assert rows[1:] == [["1", "id", "", "a.png", "x"], ["2", "", "b", "b.png", 'said "no", twice']]
