"""The catalogue reads galleries from disk and refuses what the served encoder did not make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.answers import ItemFilter, ItemState, Side
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.editions import Edition
from outsole.gallery.items import ItemRow
from outsole.gallery.writer import EditionWriter
from services.catalogue import Catalogue, EncoderChoice, ItemsWanted, Served

BRANDS = ("Alder", "Birch")
SERVED = Served("made", "ab" * 32, {"version": "1"}, {"partial": "12" * 32})


def write(
    root: Path,
    gallery: str = "soles",
    *,
    count: int = 10,
    encoder: str = "ab" * 32,
    version: str = "1",
    embeddings: dict[str, str] | None = None,
) -> Edition:
    items = [
        ItemRow(f"item-{i:02d}", f"model-{i % 4}", brand=BRANDS[i % 2], side=Side.LEFT if i < 5 else Side.RIGHT)
        for i in range(count)
    ]
    settings = {"version": version}
    with EditionWriter(
        root, gallery, encoder_hash=encoder, encoder_name="made", settings=settings, embeddings=embeddings
    ) as writer:
        writer.append(items, {"maps": np.zeros((count, 2), np.float32)}, thumbnails=[b"png"] * count)
        return writer.publish()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path, SERVED)


def test_a_new_edition_is_found_without_a_restart_and_the_old_one_stays(catalogue: Catalogue, tmp_path: Path) -> None:
    first = write(tmp_path)
    assert catalogue.searchable("soles").id == first.id
    second = write(tmp_path, count=6)
    assert catalogue.searchable("soles").id == second.id != first.id
    assert len(catalogue.searchable("soles", first.id)) == 10


def test_unknown_galleries_and_editions_are_told_apart(catalogue: Catalogue, tmp_path: Path) -> None:
    write(tmp_path)
    for arguments, field in ((("nowhere", "abc"), "gallery"), (("soles", "abc"), "edition")):
        with pytest.raises(NotFound) as caught:
            catalogue.edition(*arguments)
        assert caught.value.field == field
    with pytest.raises(InvalidInput):
        catalogue.edition("../escape")


def test_an_edition_of_another_encoder_or_other_settings_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    write(tmp_path, encoder="cd" * 32)
    with pytest.raises(PreconditionFailed, match="encoder cdcd"):
        catalogue.searchable("soles")
    write(tmp_path, "older", version="0")
    with pytest.raises(PreconditionFailed, match="other settings"):
        catalogue.searchable("older")
    assert [catalogue.is_searchable(gallery) for gallery in catalogue.galleries()] == [False, False]
    write(tmp_path, "good")
    with pytest.raises(PreconditionFailed, match="another"):
        catalogue.searchable("good", encoder="another")
    assert catalogue.searchable("good", encoder="made").gallery == "good"


def test_a_search_uses_all_encoders_of_the_edition_or_the_one_that_is_named(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    both = write(tmp_path, "both", embeddings={"partial": "12" * 32})
    assert catalogue.choice(both) == EncoderChoice("made", "partial")
    assert catalogue.choice(both, "made") == EncoderChoice("made", "")
    assert catalogue.choice(both, "partial") == EncoderChoice("", "partial")
    with pytest.raises(PreconditionFailed, match="indexed with made and partial, not 'another'"):
        catalogue.searchable("both", encoder="another")
    plain = write(tmp_path, "plain")
    assert catalogue.choice(plain) == EncoderChoice("made", "")
    with pytest.raises(PreconditionFailed, match="indexed with made, not 'partial'"):
        catalogue.searchable("plain", encoder="partial")
    assert catalogue.encoders_in_use() == ("partial",)


@pytest.mark.parametrize("embeddings", [{"partial": "34" * 32}, {"adapted": "12" * 32}])
def test_an_edition_whose_embedding_is_not_served_can_only_be_searched_without_it(
    catalogue: Catalogue, tmp_path: Path, embeddings: dict[str, str]
) -> None:
    edition = write(tmp_path, embeddings=embeddings)
    assert not catalogue.is_searchable(edition.info())
    for encoder in ("", *embeddings):
        with pytest.raises(PreconditionFailed, match="search with encoder made"):
            catalogue.searchable("soles", encoder=encoder)
    assert catalogue.choice(catalogue.searchable("soles", encoder="made"), "made") == EncoderChoice("made", "")
    assert catalogue.encoders_in_use() == ()


def test_a_damaged_gallery_does_not_hide_the_others(catalogue: Catalogue, tmp_path: Path) -> None:
    write(tmp_path, "good")
    bad = write(tmp_path, "bad")
    (bad.folder / "maps.npy").unlink()
    assert [gallery.name for gallery in catalogue.galleries()] == ["good"]


def test_pages_cover_every_item_once_and_keep_to_their_edition(catalogue: Catalogue, tmp_path: Path) -> None:
    first = write(tmp_path)
    where = ItemFilter(brands=("Alder",))

    def page(token: str, chosen: ItemFilter = where) -> tuple[list[str], str, str]:
        found = catalogue.items_page("soles", "", ItemsWanted(chosen), size=2, token=token)
        assert found.total == 5
        return [item.item_id for item in found.items], found.next_page_token, found.edition

    ids, token, edition = page("")
    write(tmp_path, count=6)
    while token:
        more, token, edition = page(token)
        ids += more
        assert edition == first.id
    assert ids == [f"item-{i:02d}" for i in range(0, 10, 2)]


@pytest.mark.parametrize("token", ["rubbish", "cnViYmlzaA==", "AAAA"])
def test_a_token_of_another_list_is_refused(catalogue: Catalogue, tmp_path: Path, token: str) -> None:
    write(tmp_path)
    with pytest.raises(InvalidInput, match=r"page\.page_token"):
        catalogue.galleries_page(size=5, token=token)


def test_a_token_does_not_carry_over_to_another_filter(catalogue: Catalogue, tmp_path: Path) -> None:
    write(tmp_path)
    token = catalogue.items_page("soles", "", ItemsWanted(), size=2, token="").next_page_token
    for other in (ItemsWanted(ItemFilter(brands=("Alder",))), ItemsWanted(states=(ItemState.ACTIVE,))):
        with pytest.raises(InvalidInput):
            catalogue.items_page("soles", "", other, size=2, token=token)


def test_rows_are_filtered_and_unknown_brands_named_with_the_known(catalogue: Catalogue, tmp_path: Path) -> None:
    edition = write(tmp_path)
    where = ItemFilter(brands=("Birch",), sides=(Side.LEFT,))
    assert catalogue.rows(edition, where).tolist() == [1, 3]
    assert len(catalogue.rows(edition, ItemFilter())) == 10
    with pytest.raises(InvalidInput) as caught:
        catalogue.rows(edition, ItemFilter(brands=("Birch", "Cedar")))
    assert (caught.value.field, caught.value.remedy) == ("filter.brands", "known are Alder, Birch")
    with pytest.raises(InvalidInput, match=r"filter\.categories"):
        catalogue.rows(edition, ItemFilter(categories=("boots",)))


def test_items_of_one_model_have_one_code(catalogue: Catalogue, tmp_path: Path) -> None:
    codes = catalogue.model_codes(write(tmp_path))
    assert codes.dtype == np.int64
    assert codes.tolist() == [i % 4 for i in range(10)]


def test_an_item_has_its_thumbnail(catalogue: Catalogue, tmp_path: Path) -> None:
    write(tmp_path)
    assert catalogue.item("soles", "", "item-03").thumbnail_png == b"png"
    for item_id, error in (("", InvalidInput), ("item-99", NotFound)):
        with pytest.raises(error):
            catalogue.item("soles", "", item_id)


def test_the_first_edition_of_a_gallery_can_be_asked_for_before_it_is_in_force(tmp_path: Path) -> None:
    with EditionWriter(tmp_path, "fresh", encoder_hash="e" * 64) as writer:
        writer.append([ItemRow("a", "m")], {"v": np.ones((1, 2), np.float32)})
        written = writer.write()
    catalogue = Catalogue(tmp_path, Served("encoder", "e" * 64, {}))
    assert catalogue.edition("fresh", written.id).id == written.id
    with pytest.raises(NotFound, match="no gallery"):
        catalogue.edition("fresh")
