"""``outsole adapt`` on a gallery of made shoes: a new encoder, its gain, and the edition that it makes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from indexer.compose import index_into
from outsole import cli
from outsole.answers import ItemState
from outsole.commands.adapt import kept_photographs
from outsole.commands.index import place_of
from outsole.encoders.network_spec import NetworkSpec
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOES
from outsole.gallery.revisions import revise
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER
from outsole.synthesis.shoe_galleries import MadeShoes, make_shoe_gallery
from tests.unit.services.made_archives import write_archive
from training.export import REPOSITORY

MODELS = 12


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> MadeShoes:
    return make_shoe_gallery(tmp_path_factory.mktemp("catalogue"), models=MODELS, seed=5)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: MadeShoes) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    _index(catalogue, folder)
    yield folder


def _index(catalogue: MadeShoes, home: Path, embedding: str = "") -> Edition:
    place = place_of(home, triton_url="")
    asyncio.run(index_into(catalogue.shoes, "uppers", place=place, embedding=embedding, shows=SHOES))
    return Edition.open(home / "editions", "uppers")


def test_a_catalogue_s_photographs_make_another_encoder_and_another_edition(
    catalogue: MadeShoes, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    general = Edition.open(home / "editions", "uppers")
    words = ["adapt", "uppers", "--preset", "smoke", "--home", str(home)]
    assert cli.run(words) == 0
    said = capsys.readouterr().out
    name = f"{DEFAULT_SHOE_ENCODER}_uppers"
    assert f"{name}: 8 steps on {3 * MODELS} pictures" in said
    assert re.search(r"^rank1 \d\.\d+ before, \d\.\d+ after$", said, re.MULTILINE)
    assert f"--gallery uppers --embedding {name} --shows shoes" in said
    adapted = NetworkSpec.load(home / "encoders" / name)
    assert adapted.kind == "shoe_embedding" and adapted.licence.startswith("that of the photographs")
    assert adapted.hash != NetworkSpec.load(REPOSITORY / DEFAULT_SHOE_ENCODER).hash == general.encoder_hash
    edition = _index(catalogue, home, name)
    assert (edition.encoder_hash, edition.manifest.encoder_name) == (adapted.hash, name)
    assert edition.id != general.id and edition.item_ids == general.item_ids
    folder = home / "adaptations" / f"{name}_smoke"
    metrics = json.loads((folder / "result.json").read_text())["metrics"]
    assert set(metrics) == {f"{figure}{when}" for figure in ("rank1", "rank5", "map") for when in ("", "_before")}


def test_what_is_not_searched_is_not_learned_from(home: Path) -> None:
    edition = Edition.open(home / "editions", "uppers")
    resting = {edition.item_ids[0]: (ItemState.RETIRED, "gone"), edition.item_ids[4]: (ItemState.QUARANTINED, "odd")}
    kept, refused = kept_photographs(revise(edition, resting))
    assert len(kept) == 3 * MODELS - 2
    assert refused == [f"{edition.item_ids[0]} is retired", f"{edition.item_ids[4]} is quarantined"]


def test_an_archive_of_tracks_is_nothing_to_adapt_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_archive(tmp_path / "editions", "door")
    assert cli.run(["adapt", "door", "--home", str(tmp_path)]) != 0
    assert "a gallery of soles or shoes" in capsys.readouterr().err
