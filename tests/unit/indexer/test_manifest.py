"""Sources: directories and manifests, and what is said about rows that cannot be used."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from indexer.access import Access
from indexer.manifest import Entry, Source, command, read_source, rejects_csv
from outsole.answers import Role, Side
from outsole.errors import InvalidInput, NotFound
from outsole.gallery.items import ItemRow, Offer

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
        ({"path": "../nowhere.png"}, "path", "leads out"),
        ({"path": "loop.png"}, "path", "circle"),
        ({"path": "pipe.png"}, "path", "no regular file"),
        ({"path": "http://shop.example/a.png"}, "path", "the column 'url'"),
        ({"url": "http://shop.example/a.png"}, "url", "both filled in"),
        ({"path": "", "url": "http://shop.example/a.png"}, "url", "'shop.example' is not allowed"),
        ({"path": "", "url": "s3://shoes/a.png"}, "url", "in no allowed bucket"),
        ({"path": "", "url": "a.png"}, "url", "is no address"),
        ({"side": "both"}, "side", "'both' is no side"),
        ({"role": "SOUL"}, "role", "no role (SOLE, SIDE"),
        ({"release_date": "2020-13"}, "release_date", "is no date"),
        ({"release_date": "1850"}, "release_date", "is no year"),
        ({"licence": "l" * 201}, "licence", "cannot be used"),
        ({"sku": "a\tb"}, "sku", "cannot be used"),
        ({"id": "\ud800"}, "id", "cannot be used as a name"),
        ({"model": "m" * 201}, "model", "cannot be used"),
        ({"brand": "a\nb"}, "brand", "cannot be used"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_by_row_and_column(
    folder: Path, change: dict[str, str], column: str, reason: str
) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    path = folder / "list.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **change}]))
    found = read_source(path)
    assert [e.item.item_id for e in found.entries] == ["b"]
    (reject,) = found.rejects
    assert (reject.row, reject.column) == (2, column)
    assert reason in reject.reason
    assert reject.item_id.isprintable()


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
        ("list.csv", "id;path\na;one.png\n", "not parted by commas"),
        ("list.csv", "path,path,id\na,b,c\n", "the column 'path' twice"),
        ("list.csv", "model,url\na,b\n", "no column 'id' (needed: id or sku, path or url)"),
        ("list.csv", "id,path\na\n", "row 1 of 'list.csv' has 1 cells"),
        ("list.csv", "", "no column 'id'"),
        ("list.csv", "id,path\n", "holds no images"),
        ("list.csv", b"id,path\n\xff\xfe,x\n", "cannot be read as .csv"),
        ("list.jsonl", '{"id": "a"\n', "row 1 of 'list.jsonl' is not JSON"),
        ("list.jsonl", "[1]\n", "is no object"),
        ("list.jsonl", "[" * 100_000, "row 1 of 'list.jsonl' is not JSON"),
        ("list.jsonl", '\n{"id": "a", "path": "b", "id": "c"}', "row 1 of 'list.jsonl' has the column 'id' twice"),
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


def whole_row(**changed: str) -> dict[str, str]:
    """A row with every column filled in, but the address."""
    row = {"id": "a", "sku": "S1", "path": "one.png", "model": "M1", "brand": "Acme", "retailer": "Shop"}
    row |= {"role": "side", "side": "RIGHT", "category": "run", "tread_family": "T1", "release_date": "2021-05"}
    return row | {"colourway": "red", "size": "42", "licence": "CC-BY"} | changed


def test_every_column_has_its_place_in_the_item_the_offer_and_the_entry(folder: Path) -> None:
    found = read_source(write_csv(folder, [whole_row()]), feed="shop")
    item = ItemRow("a", "M1", "Acme", Role.SIDE, Side.RIGHT, "run", "T1", path="one.png", year=2021)
    offer = Offer("a", "shop", "S1", "Shop", "one.png", "red", "42", "2021-05", "CC-BY")
    assert found.entries == (Entry(1, item, offer, str((folder / "one.png").resolve())),)
    assert found.access == Access(roots=(folder,))


def test_what_is_not_said_has_its_default(folder: Path) -> None:
    path = folder / "list.jsonl"
    path.write_text('{"id": "a", "path": "one.png"}\n{"sku": "B 2", "path": "one.png"}')
    first, second = read_source(path).entries
    assert (first.item.model_id, first.offer.sku, first.role, first.item.year) == ("a", "a", Role.SOLE, 0)
    assert (second.item.item_id, second.item.model_id, second.offer.sku) == ("b-2", "B 2", "B 2")
    assert {first.offer.feed, second.offer.feed} == {"default"}


def test_a_feed_has_a_name(folder: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_source(folder, feed="my shop")
    assert caught.value.field == "feed"


def test_addresses_of_allowed_hosts_and_buckets_are_entries_and_no_files(folder: Path) -> None:
    urls = ["https://img.shop.example/a b.png", "memory://soles/b.png"]
    (folder / "list.csv").write_text("id,url\n" + "".join(f"i{i},{url}\n" for i, url in enumerate(urls)))
    access = Access(hosts=("*.shop.example",), buckets=("memory://soles",))
    found = read_source(folder / "list.csv", access=access)
    assert [e.location for e in found.entries] == [e.item.path for e in found.entries] == urls
    assert found.access.hosts == access.hosts
    for entry in found.entries:
        with pytest.raises(InvalidInput, match="no file of this machine"):
            _ = entry.file


def test_a_row_that_says_the_same_again_is_the_same_row(folder: Path) -> None:
    again = whole_row(role=" SIDE ", side="right", brand=" Acme")
    found = read_source(write_csv(folder, [whole_row(), whole_row(id="b"), again, whole_row()]))
    assert [(entry.item.item_id, entry.row) for entry in found.entries] == [("a", 1), ("b", 2)]
    assert (found.repeated, found.rejects) == (2, ())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("sku", "S2"), ("path", "sub/two.png"), ("model", "M2"), ("brand", "Other"), ("retailer", "Other")],
        *[("role", "TOP"), ("side", "left"), ("category", "walk"), ("tread_family", "T2"), ("colourway", "blue")],
        *[("release_date", "2021-06"), ("size", "43"), ("licence", "CC0")],
    ],
)
def test_a_row_that_repeats_an_id_with_another_value_names_the_first_row_and_the_column(
    folder: Path, column: str, value: str
) -> None:
    found = read_source(write_csv(folder, [whole_row(id="b"), whole_row(), whole_row(**{column: value})]))
    (reject,) = found.rejects
    assert (reject.row, reject.column, reject.item_id, found.repeated) == (3, "id", "a", 0)
    assert f"the id of row 2, which differs in '{column}'" in reject.reason


def test_an_address_in_place_of_a_path_is_another_row(folder: Path) -> None:
    url = "http://shop.example/a.png"
    rows = [
        whole_row(path="", url=url),
        whole_row(url=""),
        whole_row(id="b", url=""),
        whole_row(id="b", path="", url=url),
    ]
    found = read_source(write_csv(folder, rows), access=Access(hosts=("shop.example",)))
    assert [reject.reason[-17:] for reject in found.rejects] == ["differs in 'path'", " differs in 'url'"]


def test_names_of_files_that_are_no_text_are_rejected_and_odd_ones_are_not(folder: Path) -> None:
    (folder / "\N{NARROW NO-BREAK SPACE}a .png").touch()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).touch()
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.png")).touch()
    found = read_source(folder)
    assert [entry.item.item_id for entry in found.entries] == ["a-", "one", "sub.three-x", "sub.two"]
    assert [reject.reason for reject in found.rejects] == [
        "'b\\udcff.png' cannot be a path",
        "'loop.png' is a link that leads in a circle",
        "'pipe.png' is no regular file",
        "no id can be made of the file's name (rename it, or list it in a manifest)",
    ]
    assert rejects_csv(found.rejects)


def test_a_directory_that_cannot_be_listed_is_not_taken_for_empty(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.scandir

    def closed(path: str) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InvalidInput, match="sub' cannot be listed: Permission denied"):
        read_source(folder)


def any_table(seed: int) -> list[dict[str, str]]:
    """Rows with blanks, repetitions and faults of every kind."""
    chosen = random.Random(seed)
    values = {
        "id": ["", "a", "b", "c", " d ", "e f", "7"],
        "sku": ["", "S1", "S 2", "12345", "\N{GREEK SMALL LETTER ALPHA}", '"quoted", with comma'],
        "path": ["", "one.png", "sub/two.png", "sub/three x.JPG", "../secret.png", "none.png"],
        "url": ["", "", "", "http://shop.example/a.png", "http://other.example/a.png", "file:///etc/hostname"],
        "model": ["", "M1", "M\n2"],
        "brand": ["", "Acm\N{LATIN SMALL LETTER E WITH ACUTE}"],
        "retailer": ["", "Shop & Co", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"],
        "role": ["", "sole", "Side", "nothing"],
        "side": ["", "LEFT", "right", "both"],
        "category": ["", "run"],
        "tread_family": ["", "T1"],
        "release_date": ["", "2020", "2020-02", "2020-02-30", "1700"],
        "colourway": ["", "red"],
        "size": ["", "42.5", "42"],
        "licence": ["", "CC0", "x" * 300],
    }
    rows = [{name: chosen.choice(texts) for name, texts in values.items()} for _ in range(60)]
    # Half of them are mended, so that there is something to find in most tables.
    good = {"path": "one.png", "url": "", "role": "", "side": "", "release_date": "2020", "licence": "", "model": "M1"}
    return [row | good if chosen.random() < 0.5 else row for row in rows] + rows[:5]


@pytest.mark.parametrize("seed", range(25))
def test_any_table_gives_the_same_source_as_csv_as_json_lines_and_as_parquet(folder: Path, seed: int) -> None:
    rows = any_table(seed)
    filled = [{name: text for name, text in row.items() if text} for row in rows]
    write_csv(folder, rows)
    (folder / "list.jsonl").write_text("\n".join(json.dumps(row) for row in filled), encoding="utf-8")
    schema = pa.schema([(name, pa.string()) for name in rows[0]])
    pq.write_table(pa.Table.from_pylist(filled, schema), folder / "list.parquet")
    found: list[Source] = [
        read_source(folder / f"list.{kind}", access=Access(hosts=("shop.example",)))
        for kind in ("csv", "jsonl", "parquet")
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0].entries) + len(found[0].rejects) + found[0].repeated == 65
    assert {column.column for column in found[0].rejects} >= {"url", "path"}


def test_values_that_have_types_are_read_as_their_text(folder: Path) -> None:
    typed = {"id": [7], "path": ["one.png"], "size": [42.5], "release_date": [datetime.date(2020, 2, 29)], "sku": [12]}
    pq.write_table(pa.table({**typed, "brand": pa.array(["Acme"]).dictionary_encode()}), folder / "list.parquet")
    (folder / "list.csv").write_text("id,path,size,release_date,sku,brand\n7,one.png,42.5,2020-02-29,12,Acme\n")
    assert read_source(folder / "list.parquet").entries == read_source(folder / "list.csv").entries
    moment = {**typed, "release_date": [datetime.datetime(2020, 2, 29, 12)]}
    pq.write_table(pa.table(moment), folder / "list.parquet")
    assert read_source(folder / "list.parquet").entries[0].offer.release_date == "2020-02-29"


def test_a_damaged_parquet_file_is_refused(folder: Path) -> None:
    path = folder / "list.parquet"
    pq.write_table(pa.table({"id": [f"i{i}" for i in range(5000)], "path": ["one.png"] * 5000}), path)
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="cannot be read as"):
        read_source(path)


def test_a_row_is_read_in_well_under_a_millisecond(folder: Path) -> None:
    rows = [whole_row(id=f"i{i}", path=("one.png", "sub/two.png")[i % 2]) for i in range(5000)]
    path = write_csv(folder, rows)
    started = time.process_time()
    assert len(read_source(path).entries) == 5000
    assert time.process_time() - started < 2.0


def test_the_command_says_what_a_source_holds_and_writes_its_rejects(folder: Path, tmp_path: Path) -> None:
    rows = [whole_row(), whole_row(), whole_row(id="b", role=""), whole_row(id="c", path="none.png")]
    path = write_csv(folder, [*rows, whole_row(id="d", path=str(tmp_path / "secret.png"))])
    rejects = tmp_path / "rejects.csv"
    done = CliRunner().invoke(command, [str(path), "--rejects", str(rejects)])
    assert done.exit_code == 0, done.output
    assert "list.csv: 5 rows, 1 of them repeated" in done.output
    assert "2 pictures can be fetched (SIDE 1, SOLE 1)" in done.output
    assert "2 rows are rejected (path 2)" in done.output
    assert "\n4    path    c     there is no file 'none.png'" in done.output
    assert len(rejects.read_text().splitlines()) == 3
    done = CliRunner().invoke(command, [str(path), "--allow-root", str(tmp_path)])
    assert "3 pictures can be fetched" in done.output


def test_the_command_lists_the_first_ten_rejects(folder: Path) -> None:
    path = write_csv(folder, [whole_row(id=f"i{i}", path="none.png") for i in range(12)])
    done = CliRunner().invoke(command, [str(path)])
    assert done.exit_code == 1
    assert done.output.count("there is no file") == 10


def test_the_command_allows_hosts_and_buckets_and_fails_with_one_sentence(folder: Path) -> None:
    (folder / "list.csv").write_text("id,url\na,http://shop.example/a.png\nb,memory://soles/b.png\n")
    allowed = ["--allow-host", "shop.example", "--allow-bucket", "memory://soles"]
    assert CliRunner().invoke(command, [str(folder / "list.csv"), *allowed]).exit_code == 0
    assert CliRunner().invoke(command, [str(folder / "list.csv")]).exit_code == 1
    for arguments in (["nowhere"], [str(folder), "--feed", "a b"], [str(folder), "--allow-host", "*"]):
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 1
        assert done.output.startswith("Error: ")
        assert len(done.output.splitlines()) == 1
