"""From a print to tracks, inside one process: made soles, made vectors of uppers, made archives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from outsole.answers import TrackFilter
from outsole.commands.index import index_source
from outsole.errors import BudgetSpent, InvalidInput, NotFound, PreconditionFailed
from outsole.gallery.exact_store import ExactStore
from outsole.matching.print_system import PrintSystem
from outsole.matching.shoe_system import SHOE
from outsole.synthesis.galleries import MadeGallery, make_print_gallery
from outsole.video_answers import TraceAnswer, TraceOrder
from services.ingress import search_parts
from services.print_search import search_print
from services.print_trace import trace_print
from services.queries import PrintQuery, Probe, Target, TraceQuery
from services.reranker import EditionRerankers
from services.settings import ServiceSettings
from services.vector_store import PublishedStore
from tests.unit.services.made_archives import (
    ENCODER,
    SOURCES,
    made_vectors,
    track,
    unit,
    write_archive,
    write_shoes,
)

pytest.importorskip("onnxruntime")
MODELS = 6


@dataclass(frozen=True)
class House:
    """A home with soles, their uppers without those of one model, and two archives.

    The second candidate of the print walks past the door, the third and the fourth in the yard.
    """

    settings: ServiceSettings
    made: MadeGallery
    ranked: tuple[str, ...]

    @property
    def query(self) -> TraceQuery:
        search = PrintQuery(Probe(image=probe_of(self.made)), Target("soles"), k=MODELS)
        return TraceQuery(search, Target("shoes"), (Target("door"), Target("yard")), tracks_per_model=2)

    def trace(self, **options: Any) -> TraceAnswer:
        found: TraceAnswer = run(self.settings, lambda parts: trace_print(replace(self.query, **options), parts))
        return found


def run(settings: ServiceSettings, work: Any) -> Any:
    async def inside() -> Any:
        system = PrintSystem.load(settings.model_dir)
        hashes = [system.spec.hash, ENCODER[1]]
        fields = (*system.candidate_fields, SHOE)
        store = PublishedStore(ExactStore(), root=settings.editions_dir, encoder_hashes=hashes, fields=fields)
        reranking = EditionRerankers(settings.editions_dir, system.spec, cache_mib=64, threads=1)
        return await work(search_parts(settings, candidates=store, reranking=reranking))

    return asyncio.run(inside())


def probe_of(made: MadeGallery) -> bytes:
    return (made.directory / "tracks_cropped/00001.jpg").read_bytes()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    home = tmp_path_factory.mktemp("home")
    settings = ServiceSettings(home=home, encoder_backend="in_process")
    made = make_print_gallery(home / "source", models=MODELS, probes=1, seed=11)
    index_source(made.manifest, "soles", home=home, triton_url="", embedding="none")
    query = PrintQuery(Probe(image=probe_of(made)), Target("soles"), k=MODELS)
    answer = run(settings, lambda parts: search_print(query, parts))
    ranked = tuple(hit.model_id for hit in answer.hits)
    looks = made_vectors(MODELS + 4, seed=5)
    # Two pictures of each model but of the last, which has none; and four models that no print names.
    shown = [*(model for model in ranked[:-1] for _ in range(2)), *(f"other-{i}" for i in range(4))]
    pictures = np.concatenate([np.repeat(looks[: MODELS - 1], 2, axis=0), looks[MODELS:]]).astype(np.float64)
    pictures += np.random.default_rng(6).normal(size=pictures.shape) * 0.02
    write_shoes(settings.editions_dir, shown, unit(pictures))
    door = [track("d1", SOURCES[0], 10.0), track("d2", SOURCES[0], 40.0)]
    write_archive(settings.editions_dir, "door", rows=door, vectors=near(looks[[1, 6]]))
    yard = [track("y1", SOURCES[1], 7_210.0), track("y2", SOURCES[1], 7_220.0), track("y3", SOURCES[2], 1.0)]
    write_archive(settings.editions_dir, "yard", rows=yard, vectors=near(looks[[2, 3, 7]]))
    return House(settings, made, ranked)


def near(vectors: Any) -> Any:
    noise = np.random.default_rng(8).normal(size=vectors.shape) * 0.04
    return unit(vectors.astype(np.float64) + noise)


def test_the_models_of_the_print_are_found_where_they_walk(house: House) -> None:
    answer = house.trace()
    assert [trace.hit.model_id for trace in answer.traces] == list(house.ranked)
    best = {trace.hit.model_id: trace.tracks[0] for trace in answer.traces if trace.tracks}
    for model, track_id in ((1, "d1"), (2, "y1"), (3, "y2")):
        hit = best[house.ranked[model]]
        assert (hit.track.track_id, hit.rank) == (track_id, 1)
        assert hit.score > 0.9
    assert answer.print.hits == tuple(trace.hit for trace in answer.traces)
    assert [trace.pictures for trace in answer.traces] == [2, 2, 2, 2, 2, 0]
    assert all(len(trace.tracks) == (2 if trace.pictures else 0) for trace in answer.traces)


def test_a_model_without_pictures_is_said_to_be_so(house: House) -> None:
    answer = house.trace()
    assert answer.traces[-1].tracks == ()
    assert any(f"could not be looked for: {house.ranked[-1]}" in warning for warning in answer.warnings)


def test_rows_name_each_track_once_and_keep_both_scores_apart(house: House) -> None:
    answer = house.trace()
    assert [row.track.track_id for row in answer.rows[:3]] == ["d1", "y1", "y2"]
    assert [row.rank for row in answer.rows] == list(range(1, len(answer.rows) + 1))
    assert len({row.track.track_id for row in answer.rows}) == len(answer.rows)
    printed = {hit.model_id: (hit.rank, hit.score) for hit in answer.print.hits}
    for row in answer.rows:
        assert printed[row.model_id] == (row.print_rank, row.print_score)
        assert -1 <= row.shoe_score <= 1.001
    assert [row.look_rank for row in answer.rows[:3]] == [1, 1, 1]
    # The walkers of models that no print named resemble those more than any candidate.
    assert all(row.look_rank > 1 for row in answer.rows[3:])


@pytest.mark.parametrize("order", TraceOrder)
def test_rows_come_in_the_order_that_was_asked_for_and_the_answer_says_which(house: House, order: TraceOrder) -> None:
    rows = house.trace(order=order, rows=4).rows
    assert len(rows) == 4
    if order is TraceOrder.SHOE_SCORE:
        assert [row.shoe_score for row in rows] == sorted((row.shoe_score for row in rows), reverse=True)
    if order is TraceOrder.PRINT_RANK:
        assert [row.print_rank for row in rows] == sorted(row.print_rank for row in rows)
    assert house.trace(order=order).settings["order"] == order.value


def test_every_archive_says_how_much_of_it_was_searched(house: House) -> None:
    answer = house.trace(where=TrackFilter(places=("hall",)))
    assert [(one.archive, one.searched, one.total) for one in answer.archives] == [("door", 2, 2), ("yard", 0, 0)]
    assert [one.coverage.sources for one in answer.archives] == [1, 1]
    assert {row.track.archive for row in answer.rows} == {"door"}
    assert answer.settings["places"] == "hall"
    stages = {"receive", "decode", "canvas", "encode", "candidates", "rerank", "pictures", "tracks", "order", "report"}
    assert stages <= set(answer.stage_ms)


def test_nothing_seen_is_an_answer_with_coverage(house: House) -> None:
    answer = house.trace(where=TrackFilter(cameras=("door",)), archives=(Target("yard"),))
    assert (answer.rows, [trace.tracks for trace in answer.traces]) == ((), [()] * MODELS)
    assert answer.archives[0].coverage.sources == 1


def test_pictures_of_tracks_come_with_the_rows_alone(house: House) -> None:
    answer = house.trace(with_thumbnails=True)
    assert answer.rows[0].track.thumbnail_png == b"png d1"
    assert not any(hit.track.thumbnail_png for trace in answer.traces for hit in trace.tracks)


def test_a_pinned_edition_is_the_one_that_is_searched(house: House) -> None:
    before = house.trace()
    pinned = Target("door", before.archives[0].edition)
    assert house.trace(archives=(pinned,)).archives[0].edition == before.archives[0].edition
    with pytest.raises(NotFound):
        house.trace(archives=(Target("door", "nothing"),))


def test_wrong_kinds_other_encoders_and_no_time_have_their_errors(house: House) -> None:
    with pytest.raises(InvalidInput, match="shows soles") as caught:
        house.trace(shoes=Target("soles"))
    assert caught.value.field == "shoe_gallery"
    with pytest.raises(InvalidInput, match="shows shoes") as caught:
        house.trace(archives=(Target("shoes"),))
    assert caught.value.field == "archives[0]"
    write_archive(house.settings.editions_dir, "old", encoder=("shoe_stand_in", "12" * 32))
    with pytest.raises(PreconditionFailed) as other:
        house.trace(archives=(Target("door"), Target("old")))
    assert other.value.field == "archives[1]"
    with pytest.raises(BudgetSpent):
        house.trace(search=replace(house.query.search, budget_ms=1))
    with pytest.raises(NotFound) as missing:
        house.trace(search=replace(house.query.search, target=Target("nowhere")))
    assert missing.value.field == "search.gallery"
