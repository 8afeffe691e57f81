"""Companions of a gallery of soles: the same crawl, every impression worn by a model of wear before it is described."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.compose import NO_EMBEDDING, IndexPlace, index_into, index_worn
from indexer.index_pictures import CrawlOptions, IndexReport
from outsole.errors import PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.worn import worn_rows, worn_weeks
from outsole.synthesis.galleries import make_print_gallery
from outsole.wear.model import WearModel
from tests.worn_models import write_wear_model

pytest.importorskip("onnxruntime")
ENCODER = Path(__file__).resolve().parents[3] / "model_repository/print_lite2_b6"


@dataclass(frozen=True)
class Indexed:
    """A gallery of four soles, its companion of 26 weeks, and what made them."""

    place: IndexPlace
    source: Path
    base: IndexReport
    worn: IndexReport

    def edition(self, report: IndexReport) -> Edition:
        return Edition.open(self.place.editions_dir, report.gallery, report.edition)


def place_in(folder: Path) -> IndexPlace:
    (folder / "models").mkdir(parents=True)
    (folder / "models" / ENCODER.name).symlink_to(ENCODER)
    return IndexPlace(folder / "models" / ENCODER.name, folder / "encoders", folder / "editions")


def worn_index(place: IndexPlace, source: Path, weeks: int, options: CrawlOptions | None = None) -> IndexReport:
    return asyncio.run(index_worn(source, "soles", weeks=weeks, place=place, embedding=NO_EMBEDDING, options=options))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    folder = tmp_path_factory.mktemp("worn")
    place = place_in(folder)
    write_wear_model(place.model_dir.parent)
    source = make_print_gallery(folder / "source", models=4, probes=1, seed=5).manifest
    base = asyncio.run(index_into(source, "soles", place=place, embedding=NO_EMBEDDING))
    return Indexed(place, source, base, worn_index(place, source, 26))


def test_a_companion_has_the_items_of_its_gallery_and_pictures_of_its_own(indexed: Indexed) -> None:
    base, worn = indexed.edition(indexed.base), indexed.edition(indexed.worn)
    assert (indexed.worn.gallery, indexed.worn.encoded) == ("soles.worn26", 4)
    assert worn_rows(base, worn).tolist() == [0, 1, 2, 3]
    same = ("item_id", "model_id", "sha256", "picture_hash", "width_px", "height_px", "state")
    assert worn.items.select(same).equals(base.items.select(same))
    assert all(worn.thumbnail_png(row) != base.thumbnail_png(row) for row in range(4))
    assert not set(worn.array_hashes) & set(base.array_hashes)


def test_a_companion_says_its_weeks_and_its_model_and_takes_over_what_is_the_same(indexed: Indexed) -> None:
    worn = indexed.edition(indexed.worn)
    assert worn_weeks(worn) == 26
    model = WearModel.load(indexed.place.model_dir.parent / "wear_forward")
    assert worn.manifest.settings["wear_model"] == model.hash
    again = worn_index(indexed.place, indexed.source, 26)
    assert (again.edition, again.encoded, again.is_new) == (indexed.worn.edition, 0, False)
    other = worn_index(indexed.place, indexed.source, 52)
    assert (other.gallery, other.encoded) == ("soles.worn52", 4)
    assert other.edition != again.edition


@pytest.mark.usefixtures("local_ray")
def test_ray_makes_the_same_companion_as_one_process(indexed: Indexed, tmp_path: Path) -> None:
    place = dataclasses.replace(indexed.place, editions_dir=tmp_path / "editions")
    # As the command gives it: how the gallery itself is opened.
    options = CrawlOptions(on_ray=functools.partial(place.opened, NO_EMBEDDING))
    report = worn_index(place, indexed.source, 26, options)
    assert (report.edition, report.encoded) == (indexed.worn.edition, 4)


def test_without_a_model_of_wear_a_companion_is_refused(indexed: Indexed, tmp_path: Path) -> None:
    place = place_in(tmp_path)
    with pytest.raises(PreconditionFailed, match="no model of wear"):
        place.wear_model()
    with pytest.raises(PreconditionFailed, match="no model of wear"):
        worn_index(place, indexed.source, 26)
