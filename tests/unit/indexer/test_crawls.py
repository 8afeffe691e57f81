"""Crawl after crawl: what is new, what is gone, what other feeds have; here and on Ray alike."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer.index_pictures import CrawlOptions, IndexReport, index_pictures
from outsole.errors import Unavailable
from outsole.gallery.editions import Edition
from tests.unit.indexer.mean_model import (
    MeanEncoder,
    mean_model,
    opened_model,
    opened_without_predictor,
    quiet,
    write_images,
)


def crawl(source: Path, root: Path, options: CrawlOptions | None = None) -> IndexReport:
    model = mean_model(MeanEncoder())
    return asyncio.run(index_pictures(source, "soles", root=root, model=model, options=options, progress=quiet))


def write_manifest(folder: Path, rows: Sequence[dict[str, str]]) -> Path:
    path = folder / "feed.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def states(root: Path) -> dict[str, str]:
    items = Edition.open(root, "soles").items
    return dict(zip(items["item_id"].to_pylist(), items["state"].to_pylist(), strict=True))


def test_what_a_feed_has_no_longer_is_kept_as_discontinued_and_comes_back_when_it_returns(tmp_path: Path) -> None:
    source, root = write_images(tmp_path / "in", 6), tmp_path / "root"
    first = crawl(source, root)
    picture = (source / "00003.png").read_bytes()
    (source / "00003.png").unlink()
    second = crawl(source, root)
    assert (second.items, second.discontinued, second.encoded) == (6, 1, 0)
    assert states(root)["00003"] == "discontinued"
    (source / "00003.png").write_bytes(picture)
    assert crawl(source, root).edition == first.edition


def test_a_crawl_of_one_feed_leaves_the_items_of_another_as_they_are(tmp_path: Path) -> None:
    root = tmp_path / "root"
    crawl(write_images(tmp_path / "a", 4), root, CrawlOptions(feed="a"))
    report = crawl(write_images(tmp_path / "b", 3, first=10), root, CrawlOptions(feed="b"))
    assert (report.items, report.encoded, report.discontinued) == (7, 3, 0)
    assert set(states(root).values()) == {"active"}
    assert sorted(set(Edition.open(root, "soles").offers["feed"].to_pylist())) == ["a", "b"]


def test_one_picture_of_one_model_is_one_item_with_many_offers(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "in", 3)
    (folder / "copy.png").write_bytes((folder / "00000.png").read_bytes())
    rows = [
        {"id": "x1", "path": "00000.png", "model": "m", "retailer": "A"},
        {"id": "x2", "path": "copy.png", "model": "m", "retailer": "B"},
        {"id": "x3", "path": "copy.png", "model": "other", "retailer": "B"},
        {"id": "x4", "path": "00001.png", "model": "m", "retailer": "A"},
    ]
    report = crawl(write_manifest(folder, rows), tmp_path / "root")
    edition = Edition.open(tmp_path / "root", "soles")
    assert edition.item_ids == ("x1", "x3", "x4")
    assert (report.items, report.offers, report.encoded) == (3, 4, 2)
    shown = {(o["retailer"], o["item_id"], o["likeness"]) for o in edition.offers.to_pylist()}
    assert ("B", "x1", "same_file") in shown


def test_an_item_whose_entry_is_gone_stays_on_sale_where_another_entry_shows_it(tmp_path: Path) -> None:
    folder, root = write_images(tmp_path / "in", 2), tmp_path / "root"
    rows = [{"id": name, "path": "00000.png", "model": "m"} for name in ("x1", "x2")]
    crawl(write_manifest(folder, rows), root)
    crawl(write_manifest(folder, rows[1:]), root)
    assert states(root) == {"x1": "active"}
    assert Edition.open(root, "soles").offers["sku"].to_pylist() == ["x2"]


def test_pictures_of_other_roles_are_rejected_by_that_column(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "in", 2)
    rows = [{"id": "a", "path": "00000.png", "role": ""}, {"id": "b", "path": "00001.png", "role": "side"}]
    report = crawl(write_manifest(folder, rows), tmp_path / "root")
    assert report.items == 1
    assert [(r.item_id, r.column) for r in report.rejects] == [("b", "role")]


@pytest.mark.usefixtures("local_ray")
def test_ray_makes_the_same_edition_as_one_process(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 45)
    (source / "00007.png").write_bytes(b"no image")
    (source / "00009.png").write_bytes((source / "00010.png").read_bytes())
    here = crawl(source, tmp_path / "here")
    on_ray = crawl(source, tmp_path / "ray", CrawlOptions(on_ray=opened_model))
    assert on_ray.edition == here.edition
    assert len(on_ray.rejects) == 1
    again = crawl(source, tmp_path / "ray", CrawlOptions(on_ray=opened_model))
    assert (again.encoded, again.is_new) == (0, False)


@pytest.mark.usefixtures("local_ray")
def test_what_is_away_while_pictures_are_prepared_ends_a_crawl_on_ray_as_it_does_here(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 9)
    with pytest.raises(Unavailable, match="predictor is away"):
        crawl(source, tmp_path / "root", CrawlOptions(on_ray=opened_without_predictor))
