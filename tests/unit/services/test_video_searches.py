"""Searches of archives in bulk: what is refused before anything starts, what is found, and what is told of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from indexer.video.search_job import VideoSearchOrder, search_archives
from outsole.answers import TrackFilter
from outsole.api.convert_shoes import track_filter_to_wire
from outsole.api.generated.outsole.v1 import common_pb2, video_pb2
from outsole.errors import InvalidInput, NotFound, OutsoleError, PreconditionFailed
from outsole.operation_folder import OperationFolder, now
from outsole.operations import INGEST, VIDEO_SEARCH, OperationInfo, WorkState
from outsole.video.search_result import write_result
from outsole.video_answers import VideoSearchAnswer
from services.archives import Archives
from services.catalogue import Catalogue, Served
from services.indexing import VideoSearchAsked, video_search_order
from services.parts import SearchParts
from services.settings import ServiceSettings
from services.video_searches import VideoSearchMethods, found_page, search_asked
from tests.unit.services.made_archives import (
    ENCODER,
    SOURCES,
    TRACKS_MADE,
    made_vectors,
    track,
    unit,
    write_archive,
    write_shoes,
)

LOOKS = made_vectors(8, seed=5)
StartVideoSearchRequest = video_pb2.StartVideoSearchRequest


@dataclass(frozen=True)
class House:
    """Two pictures of each of three models; the first walks in the yard, the second past the door."""

    root: Path
    parts: SearchParts

    def order(self, **options: Any) -> VideoSearchOrder:
        asked = search_asked(StartVideoSearchRequest(**{**REQUEST, **options}), self.parts)
        return VideoSearchOrder(**asked.order, place={"editions_dir": str(self.root)})

    def done(self, order: VideoSearchOrder, state: WorkState = WorkState.SUCCEEDED) -> OperationFolder:
        """The folder of an operation that searched."""
        info = OperationInfo("abc-1", VIDEO_SEARCH, "", "", state, now())
        folder = OperationFolder.create(self.root / "operations", info, asdict(order))
        write_result(folder.path, *search_archives(order, order.archives))
        return folder

    def found(self, order: VideoSearchOrder, rows: slice = slice(0, 100)) -> VideoSearchAnswer:
        return found_page(self.done(order), self.parts, rows=rows, with_thumbnails=True)


REQUEST: dict[str, Any] = {"gallery": "shoes", "archives": ["door", "yard"], "model_ids": ["b", "a"]}


@pytest.fixture
def house(tmp_path: Path) -> House:
    noise = np.random.default_rng(6).normal(size=(6, LOOKS.shape[1])) * 0.02
    pictures = np.repeat(LOOKS[:3], 2, axis=0).astype(np.float64) + noise
    write_shoes(tmp_path, ["a", "a", "b", "b", "c", "c"], unit(pictures))
    write_archive(tmp_path, "door", rows=TRACKS_MADE[:3], vectors=LOOKS[[1, 4, 5]])
    write_archive(
        tmp_path, "yard", rows=[track("y1", SOURCES[1], 9.0), track("y2", SOURCES[2], 1.0)], vectors=LOOKS[:2]
    )
    catalogue = Catalogue(tmp_path, Served("made", "00" * 32, {}, shoes=dict([ENCODER])))
    return House(tmp_path, cast(SearchParts, SimpleNamespace(archives=Archives(catalogue), catalogue=catalogue)))


def test_each_model_has_its_own_tracks_over_all_archives_best_first(house: House) -> None:
    answer = house.found(house.order())
    assert [(row.model_id, row.hit.rank) for row in answer.rows] == [(m, rank) for m in "ba" for rank in range(1, 6)]
    best = {row.model_id: row.hit.track for row in answer.rows if row.hit.rank == 1}
    # The second model walks twice; equal scores come in the order of the archives.
    assert (best["b"].archive, best["b"].track_id, best["a"].track_id) == ("door", "t1", "y1")
    assert answer.rows[1].hit.track.track_id == "y2"
    scores = [row.hit.score for row in answer.rows[:5]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.9
    assert answer.rows[0].hit.track.thumbnail_png == b"png t1"
    assert [(model.model_id, model.pictures, model.tracks) for model in answer.models] == [("b", 2, 5), ("a", 2, 5)]


def test_the_answer_tells_what_was_looked_through_and_what_became_of_every_frame(house: House) -> None:
    answer = house.found(house.order())
    assert [(one.archive, one.searched, one.total) for one in answer.archives] == [("door", 3, 3), ("yard", 2, 2)]
    assert (answer.coverage.sources, answer.coverage.received, answer.coverage.failed) == (6, 230, 6)
    assert any("could not be decoded" in warning for warning in answer.warnings)
    assert (answer.gallery, answer.encoder_hash, answer.settings["tracks_per_model"]) == ("shoes", ENCODER[1], "100")


def test_a_filter_and_a_limit_hold_and_are_told(house: House) -> None:
    where = track_filter_to_wire(TrackFilter(cameras=("yard",)))
    answer = house.found(house.order(track_filter=where, tracks_per_model=1))
    assert [row.hit.track.track_id for row in answer.rows] == ["y2", "y1"]
    assert [(one.searched, one.coverage.sources_left_out) for one in answer.archives] == [(1, 1), (2, 1)]
    assert answer.settings["cameras"] == "yard"


def test_pages_together_are_the_whole(house: House) -> None:
    folder = house.done(house.order())
    host = type("Host", (VideoSearchMethods,), {})()
    host._parts, host.operations_dir = house.parts, folder.path.parent
    host.recorder = SimpleNamespace(add=lambda *_: None, observe=lambda *_: None)
    request = video_pb2.GetVideoSearchRequest(operation_id="abc-1", page=common_pb2.Page(page_size=4))
    rows = []
    for _ in range(3):
        page = asyncio.run(host.GetVideoSearch(request, SimpleNamespace()))
        rows += [(row.model_id, row.hit.rank) for row in page.rows]
        assert (page.total_rows, len(page.models)) == (10, 2)
        request.page.page_token = page.next_page_token
    assert rows == [(model, rank) for model in "ba" for rank in range(1, 6)]
    assert not page.next_page_token


@pytest.mark.parametrize("state", [WorkState.RUNNING, WorkState.PAUSED, WorkState.CANCELLED])
def test_what_has_not_succeeded_has_found_nothing_yet(house: House, state: WorkState) -> None:
    folder = house.done(house.order(), state)
    with pytest.raises(PreconditionFailed, match=state.value):
        found_page(folder, house.parts, rows=slice(0, 1))


def test_an_operation_of_another_kind_or_none_is_refused(house: House) -> None:
    ingest = OperationInfo("abc-2", INGEST, "soles", "", WorkState.SUCCEEDED, now())
    with pytest.raises(InvalidInput, match="ingest"):
        folder = OperationFolder.create(house.root / "operations", ingest, {})
        found_page(folder, house.parts, rows=slice(0, 1))
    with pytest.raises(NotFound):
        found_page(OperationFolder(house.root / "operations/none"), house.parts, rows=slice(0, 1))


def foreign(root: Path) -> None:
    write_archive(root, "foreign", encoder=("other", "ef" * 32))


@pytest.mark.parametrize(
    ("options", "field", "kind"),
    [
        ({"gallery": ""}, "gallery", InvalidInput),
        ({"gallery": "door"}, "gallery", InvalidInput),
        ({"gallery": "none"}, "gallery", NotFound),
        ({"model_ids": []}, "model_ids", InvalidInput),
        ({"model_ids": ["a", "a"]}, "model_ids[1]", InvalidInput),
        ({"model_ids": ["a", "z"]}, "model_ids[1]", NotFound),
        ({"archives": []}, "archives", InvalidInput),
        ({"archives": ["door", "door"]}, "archives[1]", InvalidInput),
        ({"archives": ["none"]}, "archives[0]", NotFound),
        ({"archives": ["shoes"]}, "archives[0]", InvalidInput),
        ({"archives": ["foreign"]}, "archives[0]", PreconditionFailed),
        ({"camera": {"camera": "door"}}, "camera", InvalidInput),
        ({"files_archive": "new"}, "files_archive", InvalidInput),
        ({"files": ["/a.mp4"]}, "camera.camera", InvalidInput),
        ({"files": ["/a.mp4"], "camera": {"camera": "c", "zone": "Moon/Sea"}}, "camera.zone", InvalidInput),
        ({"files": ["/a.mp4"], "camera": {"camera": "c", "start": "noon"}}, "camera.start", InvalidInput),
        ({"files": ["/a", "/b"], "camera": {"camera": "c", "start": "2026-03-01"}}, "camera.start", InvalidInput),
        ({"files": ["/a"], "camera": {"camera": "c"}, "every_s": -1.0}, "every_s", InvalidInput),
        ({"files": ["/a"], "camera": {"camera": "c"}, "files_archive": "../up"}, "files_archive", InvalidInput),
        ({"files": ["/a"], "camera": {"camera": "c"}, "files_archive": "shoes"}, "files_archive", InvalidInput),
        ({"tracks_per_model": 1_001}, "tracks_per_model", InvalidInput),
        ({"track_filter": {"cameras": ["attic"]}}, "track_filter.cameras", InvalidInput),
        ({"request_id": "x" * 101}, "request_id", InvalidInput),
    ],
)
def test_what_cannot_be_searched_is_named(
    house: House, options: dict[str, Any], field: str, kind: type[OutsoleError]
) -> None:
    foreign(house.root)
    with pytest.raises(kind) as caught:
        search_asked(StartVideoSearchRequest(**{**REQUEST, **options}), house.parts)
    assert caught.value.field == field


def test_files_have_an_archive_of_their_own_with_the_same_name_each_time(house: House) -> None:
    def into(**options: Any) -> str:
        request = {**REQUEST, "files": ["/a", "/b"], "camera": {"camera": "attic"}, **options}
        return search_asked(StartVideoSearchRequest(**request), house.parts).files_archive

    assert into() == into(files=["/b", "/a"], model_ids=["c"], archives=[])
    assert into() != into(camera={"camera": "cellar"}) != into(files=["/a"])
    assert into(files_archive="door") == "door"
    # A filter may name the camera of the files, which no archive has yet.
    assert into(track_filter={"cameras": ["attic"]}) == into()


def test_files_are_looked_for_where_the_operator_allows(house: House, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/a.mp4").touch()
    settings = ServiceSettings(home=tmp_path, ingest_roots=str(tmp_path / "videos"))
    asked = VideoSearchAsked({}, ("door",), (str(tmp_path / "videos/a.mp4"),), "new")
    order = video_search_order(asked, settings)
    assert order["files"] == [str(tmp_path / "videos/a.mp4")]
    assert order["gives_way_at"] == str(settings.queries_file)
    with pytest.raises(InvalidInput) as caught:
        video_search_order(dataclasses.replace(asked, files=(*asked.files, str(tmp_path / "door"))), settings)
    assert caught.value.field == "files[1]"


def test_a_source_names_the_first_of_many() -> None:
    name: Callable[[int], str] = "/video/{}.mp4".format
    asked = VideoSearchAsked({}, ("door", "yard"), tuple(map(name, range(1_000))), "new")
    assert asked.source == "door, yard, /video/0.mp4, /video/1.mp4, /video/2.mp4, 997 more"
