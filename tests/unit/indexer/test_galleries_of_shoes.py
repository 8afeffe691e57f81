"""Galleries that show shoes: what is indexed of a shop's photographs, and what is not."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.index_pictures import IndexReport, index_pictures
from indexer.model import IndexModel
from indexer.preparing_shoes import prepare_shoe
from outsole.answers import Role, View
from outsole.errors import InvalidInput
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOES, SHOWS
from outsole.imaging.shoe_crops import CROP_PX
from outsole.matching.shoe_system import SHOE, VIEWS
from outsole.synthesis.shoe_pictures import retail_photograph
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper
from tests.unit.indexer.mean_model import HASH, MeanEncoder, mean_model, quiet, write_images

MODELS = plan_models(3, seed=8)


class CropEncoder(MeanEncoder):
    """A shoe's vector is the mean colour of its crop."""

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        self.batches.append(len(images))
        means = images.reshape(len(images), -1, 3).mean(axis=1)
        return {"embedding": (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float16)}


def picture(model: int, view: View) -> bytes:
    rgb = retail_photograph(draw_upper(design_of(MODELS[model]), view), 5).rgb
    return cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()


def write_feed(folder: Path, rows: list[tuple[str, str, View]]) -> Path:
    folder.mkdir()
    with (folder / "feed.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "path", "role", "model"])
        for number, (model, role, view) in enumerate(rows):
            (folder / f"{number}.png").write_bytes(picture(int(model[1:]), view))
            writer.writerow([f"{model}-{role}", f"{number}.png", role, model])
    return folder / "feed.csv"


def index(source: Path, root: Path) -> IndexReport:
    model = IndexModel(
        "crops",
        HASH,
        CropEncoder(),
        prepare_shoe,
        lambda outputs, valid: {SHOE: outputs["embedding"]},
        settings={SHOWS: SHOES},
        shows=SHOES,
        roles=tuple(VIEWS),
        vectors=(SHOE,),
    )
    return asyncio.run(index_pictures(source, "uppers", root=root, model=model, progress=quiet))


def test_sides_and_ends_are_indexed_with_their_roles_and_soles_are_rejected(tmp_path: Path) -> None:
    rows = [
        ("M0", "SIDE", View.SIDE),
        ("M0", "FRONT", View.FRONT),
        ("M1", "HEEL", View.BACK),
        ("M2", "SOLE", View.SIDE),
    ]
    report = index(write_feed(tmp_path / "in", rows), tmp_path / "root")
    assert report.items == 3
    assert [(reject.column, reject.reason) for reject in report.rejects] == [
        ("role", "shows SOLE: this gallery shows shoes")
    ]
    edition = Edition.open(tmp_path / "root", "uppers")
    assert sorted(edition.items["role"].to_pylist()) == ["FRONT", "HEEL", "SIDE"]
    assert edition.array(SHOE).shape == (3, 3)
    assert edition.manifest.shows == SHOES


def test_pictures_of_a_folder_are_sides(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture(0, View.SIDE))
    assert index(folder, tmp_path / "root").items == 1
    assert Edition.open(tmp_path / "root", "uppers").items["role"].to_pylist() == ["SIDE"]


def test_a_gallery_keeps_to_what_it_shows(tmp_path: Path) -> None:
    soles = write_images(tmp_path / "soles", 3)
    model = mean_model(MeanEncoder())
    asyncio.run(index_pictures(soles, "uppers", root=tmp_path / "root", model=model, progress=quiet))
    with pytest.raises(InvalidInput, match="gallery 'uppers' shows soles") as caught:
        index(write_feed(tmp_path / "in", [("M0", "SIDE", View.SIDE)]), tmp_path / "root")
    assert caught.value.field == "gallery"


def test_a_crop_has_the_encoders_size_and_a_thumbnail_its_colours() -> None:
    prepared = prepare_shoe(picture(1, View.SIDE), Role.SIDE)
    assert prepared.image.shape == (*CROP_PX, 3)
    thumbnail = np.asarray(cv2.imdecode(np.frombuffer(prepared.thumbnail_png, np.uint8), cv2.IMREAD_COLOR))
    assert thumbnail.shape[2] == 3
    assert max(thumbnail.shape) <= 192


def test_what_no_crop_is_made_of_is_refused() -> None:
    with pytest.raises(InvalidInput, match="shows BOX") as caught:
        prepare_shoe(picture(1, View.SIDE), Role.BOX)
    assert caught.value.field == "role"
