"""From a picture of a shoe to models and tracks, inside one process with a stand-in for the encoder of shoes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outsole.answers import SearchAnswer, ShoeMarks, TrackFilter, View
from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.matching.shoe_system import find_shoe_encoders
from outsole.video_answers import RefinedAnswer, RefineMethod, TrackAnswer
from services.ingress import search_parts
from services.parts import SearchParts
from services.queries import Probe, RefineQuery, ShoeQuery, Target, TrackQuery
from services.refined_search import refine_search
from services.settings import ServiceSettings
from services.shoe_search import search_shoe
from services.track_search import search_tracks
from tests.standins import write_shoe_encoder
from tests.unit.services.made_archives import NOON, TRACKS_MADE, write_archive
from tests.unit.services.shoe_house import BOX, House, NoReranking, furnished, png

pytest.importorskip("onnxruntime")


@dataclass(frozen=True)
class TrackHouse(House):
    """A home whose archive is searched."""

    def tracks(self, seed: int = 0, **options: Any) -> TrackAnswer:
        query = replace(track_query(seed), **options)
        found: TrackAnswer = self.run(lambda parts: search_tracks(query, parts))
        return found


def track_query(seed: int) -> TrackQuery:
    return TrackQuery(Probe(image=png(seed)), Target("site"), ShoeMarks(View.FRONT, box=BOX))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> TrackHouse:
    return TrackHouse(furnished(tmp_path_factory.mktemp("home")))


def test_the_track_that_the_picture_is_of_comes_first_and_is_told_whole(house: TrackHouse) -> None:
    for number, made in enumerate(TRACKS_MADE):
        answer = house.tracks(number)
        assert answer.hits[0].track.track_id == made.item_id
        assert answer.hits[0].score == pytest.approx(1.0, abs=2e-3)
        assert [hit.rank for hit in answer.hits] == [1, 2, 3, 4, 5]
        assert sorted((hit.score for hit in answer.hits), reverse=True) == [hit.score for hit in answer.hits]
    track = answer.hits[0].track
    assert (track.archive, track.camera, track.best_frame, track.box) == ("site", "door", 40, made.box)
    assert (answer.searched, answer.total, answer.archive) == (5, 5, "site")
    assert set(answer.stage_ms) == {"receive", "decode", "crop", "encode", "candidates", "report"}
    assert answer.settings["encoders"] == "shoe_stand_in"


def test_an_answer_over_an_archive_says_what_was_looked_at_and_what_was_not(house: TrackHouse) -> None:
    answer = house.tracks()
    assert (answer.coverage.sources, answer.coverage.received, answer.coverage.failed) == (3, 115, 3)
    assert any("3 frames of site could not be decoded" in warning for warning in answer.warnings)
    assert any("20 sightings in site were too small" in warning for warning in answer.warnings)
    nothing = house.tracks(where=TrackFilter(("yard",), until=NOON - timedelta(days=1)))
    assert (nothing.hits, nothing.searched, nothing.total) == ((), 0, 0)
    assert (nothing.coverage.sources, nothing.coverage.sources_untimed) == (0, 1)
    assert any("nobody knows when they began" in warning for warning in nothing.warnings)


def test_a_search_of_tracks_keeps_to_its_filter_and_its_length(house: TrackHouse) -> None:
    yard = house.tracks(where=TrackFilter(("yard",)))
    assert {hit.track.track_id for hit in yard.hits} == {"t3", "t4"}
    assert (yard.total, yard.settings["cameras"]) == (2, "yard")
    early = house.tracks(where=TrackFilter(until=NOON + timedelta(minutes=3)), k=1)
    assert (len(early.hits), early.total) == (1, 2)
    assert early.hits[0].track.thumbnail_png == b""
    assert house.tracks(k=1, with_thumbnails=True).hits[0].track.thumbnail_png == b"png t1"


def test_an_archive_is_searched_as_an_archive_and_a_gallery_as_a_gallery(house: TrackHouse) -> None:
    with pytest.raises(InvalidInput, match="shows shoes") as caught:
        house.tracks(target=Target("shoes"))
    assert caught.value.field == "archive"
    query = ShoeQuery(Probe(image=png(1)), Target("site"), ShoeMarks(View.FRONT, box=BOX))
    with pytest.raises(InvalidInput, match="shows tracks"):
        house.run(lambda parts: search_shoe(query, parts))
    found = house.run(lambda parts: search_shoe(replace(query, target=Target("shoes")), parts))
    assert found.hits[0].model_id == "model-1"
    assert (len(found.hits), found.searched, found.total) == (5, 5, 5)


def test_an_archive_of_another_encoder_is_a_failed_precondition(house: TrackHouse) -> None:
    write_archive(house.settings.editions_dir, "old", encoder=("shoe_stand_in", "12" * 32))
    with pytest.raises(PreconditionFailed, match="other weights"):
        house.tracks(target=Target("old"))


def refined(house: TrackHouse, search: ShoeQuery | TrackQuery, **options: Any) -> RefinedAnswer:
    query = RefineQuery(search, **options)
    found: RefinedAnswer = house.run(lambda parts: refine_search(query, parts))
    return found


@pytest.mark.parametrize("method", RefineMethod)
def test_a_relevant_track_rises_and_the_unrefined_list_stays_beside_it(house: TrackHouse, method: RefineMethod) -> None:
    search = track_query(0)
    plain = house.tracks()
    answer = refined(house, search, relevant=("t4",), irrelevant=(), method=method)
    assert isinstance(answer.refined, TrackAnswer)
    assert isinstance(answer.unrefined, TrackAnswer)
    assert answer.unrefined.hits == plain.hits
    before, after = ({hit.track.track_id: hit.score for hit in one.hits} for one in (answer.unrefined, answer.refined))
    assert after["t4"] > before["t4"]
    assert [hit.track.track_id for hit in answer.refined.hits][:2] in (["t1", "t4"], ["t4", "t1"])
    assert answer.refined.settings["refined"] == method.value
    assert "refined" not in answer.unrefined.settings


def test_an_irrelevant_item_of_a_gallery_falls(house: TrackHouse) -> None:
    search = ShoeQuery(Probe(image=png(0)), Target("shoes"), ShoeMarks(View.FRONT, box=BOX))
    answer = refined(house, search, relevant=(), irrelevant=("picture-003",))
    assert isinstance(answer.refined, SearchAnswer)
    assert isinstance(answer.unrefined, SearchAnswer)
    before, after = ({hit.item_id: hit.score for hit in one.hits} for one in (answer.unrefined, answer.refined))
    assert after["picture-003"] < before["picture-003"]


def test_a_marked_item_that_is_not_there_is_named(house: TrackHouse) -> None:
    with pytest.raises(NotFound) as caught:
        refined(house, track_query(0), relevant=("t1", "t99"), irrelevant=())
    assert caught.value.field == "relevant_ids[1]"
    with pytest.raises(InvalidInput) as wrong:
        refined(house, replace(track_query(0), target=Target("shoes")), relevant=("t1",), irrelevant=())
    assert wrong.value.field == "shoe.archive"


def test_video_is_ready_with_an_archive_or_an_encoder_and_not_without_both(house: TrackHouse, tmp_path: Path) -> None:
    async def work(parts: SearchParts) -> bool:
        return await parts.video_ready()

    assert house.run(work)
    bare = House(ServiceSettings(home=tmp_path, encoder_backend="in_process"))
    write_shoe_encoder(bare.settings.encoders_dir)
    assert bare.run(work)
    (bare.settings.encoders_dir / "shoe_stand_in").rename(tmp_path / "gone")

    async def without() -> bool:
        store: Any = None
        return await search_parts(bare.settings, candidates=store, reranking=NoReranking()).video_ready()

    shipped = find_shoe_encoders((bare.settings.model_dir.parent, bare.settings.encoders_dir))
    assert asyncio.run(without()) == bool(shipped)
