"""The way of a query inside one process: both encoders, each of them alone, and editions from before there were two."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from indexer.index_pictures import IndexReport
from outsole.answers import SearchAnswer, SearchMode
from outsole.commands.index import index_source
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.revisions import decide
from outsole.matching.fusion import FUSION_WEIGHT
from outsole.matching.print_system import PrintSystem
from outsole.synthesis.galleries import MadeGallery, make_print_gallery
from services.ingress import search_parts
from services.parts import SearchParts
from services.print_search import explain_hit, search_print
from services.queries import ExplainQuery, PrintQuery, Probe, Target
from services.reranker import EditionRerankers
from services.settings import ServiceSettings
from services.vector_store import PublishedStore
from tests.standins import write_partial_print

pytest.importorskip("onnxruntime")
ADAPTED = "partial_print_shop"
CORRELATION = "print_lite2_b6"
MODELS = 10


@dataclass(frozen=True)
class House:
    """A home with two galleries of the same made soles: ``both`` encoders, and ``plain`` with the correlation alone."""

    settings: ServiceSettings
    made: MadeGallery
    both: IndexReport

    @property
    def probe(self) -> bytes:
        return (self.made.directory / "tracks_cropped/00001.jpg").read_bytes()

    def run(self, work: Any) -> Any:
        """``work(parts)`` with parts of its own event loop."""

        async def inside() -> Any:
            return await work(parts_of(self.settings))

        return asyncio.run(inside())

    def search(self, encoder: str = "", *, gallery: str = "both", **options: Any) -> SearchAnswer:
        query = PrintQuery(Probe(image=self.probe), Target(gallery, encoder=encoder), k=MODELS, **options)
        found: SearchAnswer = self.run(lambda parts: search_print(query, parts))
        return found


def parts_of(settings: ServiceSettings) -> SearchParts:
    system = PrintSystem.load(settings.model_dir)
    store = PublishedStore(
        ExactStore(), root=settings.editions_dir, encoder_hashes=[system.spec.hash], fields=system.candidate_fields
    )
    reranking = EditionRerankers(settings.editions_dir, system.spec, cache_mib=64, threads=1)
    return search_parts(settings, candidates=store, reranking=reranking)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    home = tmp_path_factory.mktemp("home")
    settings = ServiceSettings(home=home, encoder_backend="in_process")
    write_partial_print(settings.encoders_dir, ADAPTED)
    made = make_print_gallery(home / "source", models=MODELS, probes=1, seed=11)
    both = index_source(made.manifest, "both", home=home, triton_url="", embedding=ADAPTED)
    index_source(made.manifest, "plain", home=home, triton_url="", embedding="none")
    return House(settings, made, both)


PARTS = ("correlation", "cooccurrence", "embedding")


def test_the_default_score_is_fused_and_says_what_made_it(house: House) -> None:
    answer = house.search(mode=SearchMode.EXHAUSTIVE)
    assert len(answer.hits) == MODELS
    for hit in answer.hits:
        assert set(hit.score_parts) == set(PARTS)
        correlation, cooccurrence, embedding = (hit.score_parts[name] for name in PARTS)
        assert hit.score == pytest.approx(correlation + FUSION_WEIGHT * (cooccurrence + embedding), abs=1e-6)
    assert answer.settings["encoders"] == f"{CORRELATION} {ADAPTED}"
    assert answer.settings["rerank"] == "correlation cooccurrence embedding"
    assert answer.settings["embedding_hash"] == house.run(_hash_of(ADAPTED))


def test_a_shortlist_of_everything_is_the_exhaustive_answer_with_every_choice_of_encoders(house: House) -> None:
    for encoder in ("", CORRELATION, ADAPTED):
        whole = house.search(encoder, mode=SearchMode.EXHAUSTIVE)
        short = house.search(encoder, mode=SearchMode.SHORTLIST, shortlist_size=MODELS)
        assert short.hits == whole.hits
        few = house.search(encoder, mode=SearchMode.SHORTLIST, shortlist_size=3)
        known = {hit.item_id: (hit.score, hit.placement) for hit in whole.hits}
        assert len(few.hits) == few.searched == 3
        for hit in few.hits:
            score, placement = known[hit.item_id]
            assert hit.score == pytest.approx(score, abs=1e-5)
            assert hit.placement == placement


def test_each_encoder_alone_gives_its_part_of_the_fused_score(house: House) -> None:
    fused = {hit.item_id: hit.score_parts for hit in house.search(mode=SearchMode.EXHAUSTIVE).hits}
    correlation = house.search(CORRELATION, mode=SearchMode.EXHAUSTIVE)
    embedding = house.search(ADAPTED, mode=SearchMode.EXHAUSTIVE)
    for hit in correlation.hits:
        expected = {name: fused[hit.item_id][name] for name in PARTS[:2]}
        assert hit.score_parts == pytest.approx(expected, abs=1e-6)
        assert hit.score == pytest.approx(expected[PARTS[0]] + FUSION_WEIGHT * expected[PARTS[1]], abs=1e-6)
    for hit in embedding.hits:
        assert hit.score_parts == {"embedding": hit.score}
        assert hit.score == pytest.approx(fused[hit.item_id]["embedding"], abs=1e-6)
        assert hit.placement.rotation_deg in (-16, -8, 0, 8, 16)
        assert (hit.placement.shift_x_px, hit.placement.shift_y_px) == (0, 0)
    assert "rerank" not in embedding.stage_ms
    assert embedding.settings["rerank"].startswith("none")
    assert embedding.encoder_hash == embedding.settings["embedding_hash"] != correlation.encoder_hash


def test_an_edition_with_one_encoder_is_searched_as_before_and_names_what_it_has(house: House) -> None:
    plain = house.search(gallery="plain", mode=SearchMode.EXHAUSTIVE)
    same = house.search(CORRELATION, mode=SearchMode.EXHAUSTIVE)
    assert plain.hits == same.hits
    assert plain.settings["encoders"] == CORRELATION
    for encoder in (ADAPTED, "partial_print", "nothing"):
        with pytest.raises(PreconditionFailed, match=f"indexed with {CORRELATION}, not '{encoder}'"):
            house.search(encoder, gallery="plain")
    with pytest.raises(PreconditionFailed, match=f"{CORRELATION} and {ADAPTED}"):
        house.search("nothing")


def test_the_heat_map_explains_the_correlation_and_an_embedding_has_none(house: House) -> None:
    def query(encoder: str) -> ExplainQuery:
        return ExplainQuery(Probe(image=house.probe), Target("both", encoder=encoder), item_id=item)

    item = house.search(mode=SearchMode.EXHAUSTIVE).hits[0].item_id
    fused = house.run(lambda parts: explain_hit(query(""), parts))
    assert fused == house.run(lambda parts: explain_hit(query(CORRELATION), parts))
    assert np.sum(fused.heat) == pytest.approx(fused.hit.score, abs=1e-4)
    assert fused.hit.score_parts == {"correlation": fused.hit.score}
    with pytest.raises(InvalidInput, match="no heat map"):
        house.run(lambda parts: explain_hit(query(ADAPTED), parts))


def test_the_house_is_ready_only_with_every_encoder_that_a_gallery_needs(house: House) -> None:
    async def ready_without(parts: SearchParts) -> list[bool]:
        found = [await parts.encoders_ready()]
        await parts.embeddings[ADAPTED].close()
        return [*found, await parts.encoders_ready()]

    assert house.run(ready_without) == [True, False]


def test_a_gallery_whose_embedding_is_gone_is_searched_by_its_correlation_alone(house: House) -> None:
    folder = house.settings.encoders_dir
    hidden = folder.rename(folder.with_name("hidden"))
    try:
        with pytest.raises(PreconditionFailed, match=f"embedding '{ADAPTED}' .* is not served"):
            house.search()
        assert len(house.search(CORRELATION).hits) == MODELS
    finally:
        hidden.rename(folder)


def test_indexing_with_an_embedding_that_is_not_there_names_those_that_are(house: House) -> None:
    with pytest.raises(InvalidInput, match=f"one of .*{ADAPTED}, none"):
        index_source(house.made.manifest, "both", home=house.settings.home, triton_url="", embedding="absent")
    again = index_source(house.made.manifest, "both", home=house.settings.home, triton_url="", embedding=ADAPTED)
    assert (again.edition, again.encoded) == (house.both.edition, 0)


def _hash_of(name: str) -> Any:
    async def work(parts: SearchParts) -> str:
        return parts.system.embeddings[name].hash

    return work


def test_an_item_that_is_retired_leaves_the_searches_and_what_was_prepared_stays(house: House) -> None:
    root = house.settings.editions_dir

    async def work(parts: SearchParts) -> tuple[SearchAnswer, SearchAnswer, int]:
        reranking = parts.reranking
        assert isinstance(reranking, EditionRerankers)
        target = Target("plain")
        query = PrintQuery(Probe(image=house.probe), target, mode=SearchMode.EXHAUSTIVE)
        before = await search_print(query, parts)
        decision = Decision(DecisionKind.RETIRE, before.hits[0].item_id, "recalled", by="tester")
        decide(root, "plain", decision)
        return before, await search_print(query, parts), len(reranking.prepared)

    before, after, prepared = house.run(work)
    assert before.hits[0].item_id not in {hit.item_id for hit in after.hits}
    assert (before.total - after.total, prepared) == (1, 1)
    assert before.edition != after.edition
