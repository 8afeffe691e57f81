"""Indexing: everything readable is in, nothing is encoded twice, and the encoder is kept busy."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.encoded import only_indexing
from indexer.index_pictures import CrawlOptions, IndexEmbedding, IndexModel, IndexReport, IndexSettings, index_pictures
from outsole.errors import InvalidInput, PreconditionFailed, Unavailable
from outsole.gallery.editions import Edition
from tests.unit.indexer.mean_model import (
    HASH,
    HEIGHT,
    WIDTH,
    MeanEncoder,
    derive,
    mean_model,
    prepare,
    quiet,
    write_images,
)


def index(
    source: Path, root: Path, encoder: MeanEncoder, settings: IndexSettings | None = None, **shaped: str
) -> IndexReport:
    model = mean_model(encoder, **shaped)
    return asyncio.run(index_pictures(source, "soles", root=root, model=model, settings=settings, progress=quiet))


def test_every_readable_image_is_indexed_and_the_others_are_rejected_with_a_reason(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 37)
    (source / "00005.png").write_bytes(b"no image")
    (source / "00006.jpg").write_bytes((source / "00007.png").read_bytes()[:100])
    (source / "00008.png").write_bytes(b"")
    encoder = MeanEncoder()
    report = index(source, tmp_path / "root", encoder)
    edition = Edition.open(tmp_path / "root", "soles")
    assert (report.items, report.encoded, report.reused, report.is_new) == (35, 35, 0, True)
    assert len(edition) == 35
    assert report.edition == edition.id
    rejects = list(csv.DictReader(io.StringIO((edition.folder / "rejects.csv").read_text())))
    assert [r["path"] for r in rejects] == ["00005.png", "00006.jpg", "00008.png"]
    assert all(r["reason"] for r in rejects)
    assert max(encoder.batches) == IndexSettings().batch_items


def test_what_is_left_out_is_told_while_the_others_are_still_being_encoded(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 64)
    (source / "00001.png").write_bytes(b"no image")
    encoder = MeanEncoder()
    told: list[tuple[str, int]] = []
    options = CrawlOptions(on_rejects=lambda rejects: told.extend((r.path, sum(encoder.batches)) for r in rejects))
    model, root = mean_model(encoder), tmp_path / "root"
    report = asyncio.run(index_pictures(source, "soles", root=root, model=model, options=options, progress=quiet))
    assert [path for path, _ in told] == [reject.path for reject in report.rejects] == ["00001.png"]
    assert told[0][1] < report.encoded == 63


def test_arrays_rows_sizes_and_thumbnails_belong_together(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 70)
    index(source, tmp_path / "root", MeanEncoder(), IndexSettings(batch_items=5, requests_in_flight=3))
    edition = Edition.open(tmp_path / "root", "soles")
    edition.verify()
    for row in (0, 4, 5, 63, 64, 69):
        prepared = prepare((source / f"{row:05d}.png").read_bytes())
        expected = prepared.image.reshape(HEIGHT // 8, 8, WIDTH // 8, 8).mean(axis=(1, 3)).astype(np.float16)
        np.testing.assert_array_equal(edition.array("maps")[row, ..., 0], expected)
        assert edition.thumbnail_png(row) == prepared.thumbnail_png
        assert edition.items["height_px"][row].as_py() == 60 + row % 7


def test_running_it_twice_changes_nothing_and_encodes_nothing(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 20)
    (source / "bad.png").write_bytes(b"no image")
    first = index(source, tmp_path / "root", MeanEncoder())
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "root").rglob("*.npy")}
    encoder = MeanEncoder()
    second = index(source, tmp_path / "root", encoder)
    assert (second.edition, second.encoded, second.reused, second.is_new) == (first.edition, 0, 20, False)
    assert second.rejects == first.rejects
    assert encoder.batches == []
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "root").rglob("*.npy")} == before
    assert not list((tmp_path / "root" / "soles" / "work").iterdir())


def test_only_new_images_are_encoded_and_metadata_may_change_without_encoding(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 20)
    first = index(source, tmp_path / "root", MeanEncoder())
    write_images(source, 3, first=20)
    (source / "00001b.png").write_bytes((source / "00001.png").read_bytes())
    second = index(source, tmp_path / "root", MeanEncoder())
    assert (second.items, second.encoded, second.reused, second.is_new) == (24, 3, 21, True)
    manifest = source / "list.csv"
    manifest.write_text("id,path,brand\n" + "".join(f"n{i},{i:05d}.png,Acme\n" for i in range(23)))
    third = index(manifest, tmp_path / "root", MeanEncoder())
    assert (third.items, third.encoded, third.discontinued) == (47, 0, 24)
    assert len({first.edition, second.edition, third.edition}) == 3
    Edition.open(tmp_path / "root", "soles").verify()


def test_other_settings_or_damaged_arrays_are_encoded_again(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 4)
    first = index(source, tmp_path / "root", MeanEncoder())
    assert index(source, tmp_path / "root", MeanEncoder(), whiten="yes").encoded == 4
    assert index(source, tmp_path / "root", MeanEncoder()).encoded == 4
    path = Edition.open(tmp_path / "root", "soles").folder / "maps.npy"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    again = index(source, tmp_path / "root", MeanEncoder())
    assert (again.edition, again.encoded) == (first.edition, 4)
    Edition.open(tmp_path / "root", "soles").verify()


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 100)
    with pytest.raises(Unavailable, match="away"):
        index(source, tmp_path / "root", MeanEncoder(gone_after=50), IndexSettings(requests_in_flight=1))
    (kept,) = (tmp_path / "root" / "soles" / "work").iterdir()
    torn = next(iter(sorted(kept.glob("*.npz"))))
    torn.write_bytes(torn.read_bytes()[:200])
    encoder = MeanEncoder()
    report = index(source, tmp_path / "root", encoder)
    assert report.items == 100
    assert 50 < report.encoded < 100
    assert report.edition == index(source, tmp_path / "other", MeanEncoder()).edition


def test_a_source_without_one_usable_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"no image")
    with pytest.raises(InvalidInput, match="no image can be used; row 1"):
        index(tmp_path / "in", tmp_path / "root", MeanEncoder())


def test_two_indexings_into_one_gallery_do_not_run_at_once(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 2)
    with only_indexing(tmp_path / "root", "soles"), pytest.raises(PreconditionFailed, match="another process"):
        index(source, tmp_path / "root", MeanEncoder())
    assert index(source, tmp_path / "root", MeanEncoder()).items == 2


def test_the_encoder_is_kept_busy_and_never_flooded(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 160)
    encoder = MeanEncoder(seconds_an_image=0.01)
    report = index(source, tmp_path / "root", encoder)
    assert encoder.most_busy == 2
    assert 160 * 0.01 / report.seconds > 0.7


class SpotEncoder(MeanEncoder):
    """A second encoder: two inputs, one vector an image."""

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        self.batches.append(len(images["image"]))
        visible = images["image"].reshape(len(images["image"]), -1).mean(1) + images["cells"].sum((1, 2))
        return {"embedding": np.stack([visible, visible], 1).astype(np.float16)}


def index_both(source: Path, root: Path, second: SpotEncoder, *, name: str = "spot", digest: str = "12") -> IndexReport:
    def with_vectors(outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        return {**derive(outputs, valid), "partial": outputs["embedding"]}

    def inputs(images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> dict[str, NDArray[np.uint8]]:
        return {"image": images, "cells": valid.astype(np.uint8)}

    embedding = IndexEmbedding(name, digest * 32, second, inputs)
    model = IndexModel("mean", HASH, MeanEncoder(), prepare, with_vectors, embedding=embedding)
    return asyncio.run(index_pictures(source, "soles", root=root, model=model, progress=quiet))


def test_both_encoders_see_the_same_canvases_and_the_edition_names_both(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 20)
    plain = index(source, tmp_path / "root", MeanEncoder())
    second = SpotEncoder()
    report = index_both(source, tmp_path / "root", second)
    edition = Edition.open(tmp_path / "root", "soles")
    assert report.edition != plain.edition
    assert report.encoded == sum(second.batches) == 20
    assert edition.info().encoders == {"mean": HASH, "spot": "12" * 32}
    prepared = prepare((source / "00013.png").read_bytes())
    expected = np.float16(prepared.image.mean() + prepared.valid.sum())
    assert edition.array("partial")[13].tolist() == [expected, expected]


def test_an_edition_of_another_embedding_is_encoded_again_and_one_of_the_same_is_not(tmp_path: Path) -> None:
    source = write_images(tmp_path / "in", 4)
    first = index_both(source, tmp_path / "root", SpotEncoder())
    again = index_both(source, tmp_path / "root", SpotEncoder())
    assert (again.edition, again.encoded, again.is_new) == (first.edition, 0, False)
    assert index_both(source, tmp_path / "root", SpotEncoder(), digest="34").encoded == 4
    assert index(source, tmp_path / "root", MeanEncoder()).encoded == 4
