"""A print search that compares worn views too: companions of the gallery, and the probe taken back."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.in_process import in_process_parts, index_in_process
from indexer.compose import NO_EMBEDDING, IndexPlace, index_into, index_worn
from outsole.answers import Explanation, Hit, Placement, SearchAnswer, SearchMode
from outsole.api.records import PlacementSearch, WearSearch
from outsole.errors import NotFound, OutsoleError, PreconditionFailed, Unavailable
from outsole.gallery.decisions import Decision, DecisionKind
from outsole.gallery.exact_store import ExactStore
from outsole.gallery.filters import RowFilter
from outsole.gallery.layout import current_edition
from outsole.gallery.revisions import decide
from outsole.gallery.store import Candidates
from outsole.imaging.canvas import encode_png
from outsole.matching.wear_views import VIEW_SHARPNESS
from outsole.synthesis.galleries import make_print_gallery
from outsole.wear.model import Direction
from services.parts import CandidateFinder, EditionRef, SearchParts, Timed
from services.print_search import explain_hit, search_print
from services.queries import ExplainQuery, PrintQuery, Probe, Target
from services.reranker import EditionRerankers
from services.settings import ServiceSettings
from tests.standins import write_partial_print
from tests.worn_models import REACH_PX, write_wear_model

pytest.importorskip("onnxruntime")
ENCODER = Path(__file__).resolve().parents[3] / "model_repository/print_lite2_b6"
EMBEDDING = "partial_print_stand_in"
MODELS = 6
WORN = 26
BOTH = WearSearch((WORN, 52))
UPRIGHT = PlacementSearch(pinned=Placement())


@dataclass(frozen=True)
class House:
    """Galleries ``soles`` (with an embedding) and ``plain`` (without), each with companions of 26 and 52 weeks."""

    settings: ServiceSettings
    source: Path

    @property
    def place(self) -> IndexPlace:
        return IndexPlace(self.settings.model_dir, self.settings.encoders_dir, self.settings.editions_dir)

    def index(self, gallery: str, *weeks: int, source: Path | None = None, embedding: str = NO_EMBEDDING) -> None:
        """Index the companions of these weeks; the gallery itself for 0."""
        for week in weeks:
            if week:
                work = index_worn(source or self.source, gallery, weeks=week, place=self.place, embedding=embedding)
            else:
                work = index_into(source or self.source, gallery, place=self.place, embedding=embedding)
            asyncio.run(work)

    def run(self, work: Any) -> Any:
        """``work(parts)`` with parts of its own event loop."""

        async def inside() -> Any:
            return await work(in_process_parts(self.settings, ExactStore()))

        return asyncio.run(inside())

    def query(self, gallery: str = "plain", *, grown: float = 0.5, **options: Any) -> PrintQuery:
        probe = Probe(image=worn_print(self.source.parent / "references/00003.png", grown))
        target = Target(gallery, encoder=options.pop("encoder", ""))
        return PrintQuery(probe, target, **{"placements": UPRIGHT, "k": MODELS, **options})

    def search(self, gallery: str = "plain", **options: Any) -> SearchAnswer:
        query = self.query(gallery, **options)
        found: SearchAnswer = self.run(lambda parts: search_print(query, parts))
        return found

    def explain(self, item_id: str, wear: WearSearch, *, grown: float = 0.5) -> Explanation:
        searched = self.query(grown=grown)
        query = ExplainQuery(searched.probe, searched.target, item_id, UPRIGHT, wear=wear)
        found: Explanation = self.run(lambda parts: explain_hit(query, parts))
        return found


def worn_print(picture: Path, share: float) -> bytes:
    """What the stand-in makes of an impression after this share of a year: its elements are grown, PNG bytes."""
    gray = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    assert gray is not None
    grown = cv2.erode(gray, np.ones((2 * REACH_PX + 1, 2 * REACH_PX + 1), np.uint8))
    return encode_png(cv2.addWeighted(gray, 1 - share, grown, share, 0).astype(np.uint8))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    home = tmp_path_factory.mktemp("home")
    repository = home / "models"
    repository.mkdir()
    (repository / ENCODER.name).symlink_to(ENCODER)
    for direction in Direction:
        write_wear_model(repository, direction)
    settings = ServiceSettings(home=home, model_repository=repository, encoder_backend="in_process")
    write_partial_print(settings.encoders_dir, EMBEDDING)
    made = make_print_gallery(home / "source", models=MODELS, probes=0, seed=11)
    built = House(settings, made.manifest)
    asyncio.run(index_in_process(made.manifest, "soles", settings=settings, worn=[WORN], embedding=EMBEDDING))
    built.index("plain", 0)
    return built


@pytest.fixture(scope="module")
def unworn(house: House) -> SearchAnswer:
    """The answer from before there were companions of ``plain``, which are there afterwards."""
    before = house.search(mode=SearchMode.EXHAUSTIVE)
    house.index("plain", WORN, 52)
    return before


def by_item(answer: SearchAnswer) -> dict[str, Hit]:
    return {hit.item_id: hit for hit in answer.hits}


def test_without_the_option_companions_change_nothing(house: House, unworn: SearchAnswer) -> None:
    after = house.search(mode=SearchMode.EXHAUSTIVE)
    assert dataclasses.replace(after, stage_ms={}) == dataclasses.replace(unworn, stage_ms={})
    assert {(hit.worn_weeks, hit.probe_weeks) for hit in after.hits} == {(0, 0)}
    assert not [name for name in after.settings if name.startswith("wear")]


def test_a_worn_print_is_found_by_the_view_that_is_worn_alike(house: House, unworn: SearchAnswer) -> None:
    answer = house.search(wear=BOTH, mode=SearchMode.EXHAUSTIVE)
    first, before = answer.hits[0], by_item(unworn)
    assert (first.item_id, first.worn_weeks) == ("00003", WORN)
    won = first.score_parts["correlation"] + 0.07 * first.score_parts["cooccurrence"]
    assert won > before["00003"].score + 0.05
    assert before["00003"].score < first.score < won
    assert answer.settings["wear_views"] == " ".join(
        f"plain.worn{weeks}={current_edition(house.settings.editions_dir, f'plain.worn{weeks}')}"
        for weeks in (WORN, 52)
    )
    assert len(answer.settings["wear_models"]) == 64
    assert "simulations" in answer.warnings[-1]
    assert (answer.searched, answer.total, answer.degraded) == (MODELS, MODELS, ())


def test_a_score_lies_between_that_of_the_view_that_won_and_the_mean_of_all(house: House, unworn: SearchAnswer) -> None:
    before = by_item(unworn)
    for hit in house.search(wear=BOTH, mode=SearchMode.EXHAUSTIVE).hits:
        own = hit.score_parts["correlation"] + 0.07 * hit.score_parts["cooccurrence"]
        assert before[hit.item_id].score <= own + 1e-6
        assert own - np.log(3) / VIEW_SHARPNESS - 1e-6 <= hit.score <= own + 1e-6
        if not hit.worn_weeks:
            assert (hit.score_parts, hit.placement) == (before[hit.item_id].score_parts, before[hit.item_id].placement)


@pytest.mark.parametrize("encoder", ["", EMBEDDING])
def test_a_shortlist_of_all_is_the_exhaustive_answer_and_a_short_one_holds_what_a_view_found(
    house: House, encoder: str
) -> None:
    wear = WearSearch((WORN,))
    options: dict[str, Any] = {"gallery": "soles", "encoder": encoder, "wear": wear}
    whole = house.search(mode=SearchMode.EXHAUSTIVE, **options)
    assert house.search(**options).hits == whole.hits
    few = house.search(shortlist_size=2, **options)
    assert (few.searched, few.total, len(few.hits)) == (2, MODELS, 2)
    assert few.hits[0].item_id == "00003"


def test_an_item_that_was_retired_does_not_come_in_by_a_companion(house: House, unworn: SearchAnswer) -> None:
    house.index("retiring", 0, WORN)
    decide(house.settings.editions_dir, "retiring", Decision(DecisionKind.RETIRE, "00003", "recalled", by="tester"))
    for mode in SearchMode:
        answer = house.search("retiring", wear=WearSearch((WORN,)), mode=mode)
        assert "00003" not in by_item(answer)
        assert (answer.searched, answer.total, answer.degraded) == (MODELS - 1, MODELS - 1, ())


def test_an_item_without_a_view_is_compared_as_it_is_and_the_answer_counts_it(
    house: House, unworn: SearchAnswer, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    shutil.copytree(house.source.parent, few)
    lines = (few / "manifest.csv").read_text().splitlines(keepends=True)
    (few / "manifest.csv").write_text("".join(line for line in lines if "00003" not in line))
    house.index("partly", 0)
    house.index("partly", WORN, source=few / "manifest.csv")
    for mode in SearchMode:
        answer = house.search("partly", wear=WearSearch((WORN,)), mode=mode)
        found, before = by_item(answer)["00003"], by_item(unworn)["00003"]
        assert (found.worn_weeks, found.score_parts) == (0, before.score_parts)
        assert found.score == pytest.approx(before.score, abs=1e-6)
        assert answer.warnings[-1].startswith(f"1 of {MODELS} items have no view worn 26 weeks")
    with pytest.raises(NotFound) as caught:
        house.run(lambda parts: explain_hit(explained(house, "partly"), parts))
    assert caught.value.field == "worn_weeks"


def explained(house: House, gallery: str) -> ExplainQuery:
    return ExplainQuery(house.query().probe, Target(gallery), "00003", UPRIGHT, wear=WearSearch((WORN,)))


@pytest.mark.parametrize(
    ("gallery", "wear", "kind", "field"),
    [
        ("plain", WearSearch((WORN, 4)), PreconditionFailed, "wear.gallery_weeks[1]"),
        ("plain", WearSearch((WORN,), gallery_editions={WORN: "0" * 16}), NotFound, "wear.gallery_editions"),
        ("foreign", WearSearch((WORN,)), PreconditionFailed, "wear.gallery_weeks[0]"),
        ("lacking", WearSearch((WORN,)), PreconditionFailed, "wear.gallery_weeks[0]"),
    ],
)
def test_what_cannot_be_compared_is_named_with_the_command_that_makes_it(
    house: House, unworn: SearchAnswer, gallery: str, wear: WearSearch, kind: type[OutsoleError], field: str
) -> None:
    if gallery == "foreign":
        house.index(gallery, 0)
        house.index(f"{gallery}.worn{WORN}", 0)
    if gallery == "lacking":
        house.index(gallery, 0, embedding=EMBEDDING)
        house.index(gallery, WORN, embedding=NO_EMBEDDING)
    with pytest.raises(kind) as caught:
        house.search(gallery, wear=wear)
    assert caught.value.field == field
    if kind is PreconditionFailed:
        assert caught.value.remedy == f"outsole index SOURCE --gallery {gallery} --worn {wear.gallery_weeks[-1]}"


class ShortOfWorn:
    """A vector store that finds one row of companions, whatever is asked."""

    def __init__(self, store: CandidateFinder) -> None:
        self._store = store

    async def find(
        self,
        edition: EditionRef,
        queries: Mapping[str, NDArray[np.float32]],
        *,
        limit: int,
        where: RowFilter,
        timeout_s: float,
    ) -> Timed[dict[str, Candidates]]:
        most = 1 if ".worn" in edition.gallery else limit
        return await self._store.find(edition, queries, limit=most, where=where, timeout_s=timeout_s)


def test_a_companion_of_which_too_little_was_found_degrades_the_answer_or_ends_the_search(
    house: House, unworn: SearchAnswer
) -> None:
    async def work(parts: SearchParts) -> SearchAnswer:
        short = dataclasses.replace(parts, candidates=ShortOfWorn(parts.candidates))
        with pytest.raises(Unavailable, match=f"of {MODELS} candidates"):
            await search_print(house.query(wear=BOTH, require_complete=True), short)
        return await search_print(house.query(wear=BOTH), short)

    answer = house.run(work)
    assert (answer.degraded, answer.searched) == (("candidates",), MODELS)
    assert house.search(wear=BOTH, require_complete=True).degraded == ()


def test_an_edition_that_is_named_is_searched_and_gives_the_same_answer_again(
    house: House, unworn: SearchAnswer
) -> None:
    answer = house.search(wear=WearSearch((WORN,)))
    edition = answer.settings["wear_views"].partition("=")[2]
    again = house.search(wear=WearSearch((WORN,), gallery_editions={WORN: edition}))
    assert dataclasses.replace(again, stage_ms={}) == dataclasses.replace(answer, stage_ms={})


def test_the_view_that_won_is_explained_as_it_was_compared(house: House, unworn: SearchAnswer) -> None:
    hit = house.search(wear=WearSearch((WORN,)), mode=SearchMode.EXHAUSTIVE).hits[0]
    worn, plain = (house.explain(hit.item_id, wear) for wear in (WearSearch((hit.worn_weeks,)), WearSearch()))
    assert (worn.hit.worn_weeks, plain.hit.worn_weeks) == (WORN, 0)
    assert sum(worn.heat) == pytest.approx(hit.score_parts["correlation"], abs=1e-4)
    assert worn.hit.placement == hit.placement
    assert worn.hit.score > plain.hit.score
    assert worn.item_png != plain.item_png


def test_the_probe_is_taken_back_and_compared_with_items_as_they_are(house: House, unworn: SearchAnswer) -> None:
    old: dict[str, Any] = {"grown": 1.0, "mode": SearchMode.EXHAUSTIVE}
    back = WearSearch(probe_weeks=52)
    before, answer = by_item(house.search(**old)), house.search(wear=back, **old)
    first = answer.hits[0]
    assert (first.item_id, first.worn_weeks, first.probe_weeks) == ("00003", 0, 52)
    won = first.score_parts["correlation"] + 0.07 * first.score_parts["cooccurrence"]
    assert won > before["00003"].score + 0.05
    assert before["00003"].score < first.score < won
    least = np.log(2) / VIEW_SHARPNESS + 1e-6
    assert all(hit.score >= before[hit.item_id].score - least for hit in answer.hits)
    assert answer.settings["wear_probe_weeks"] == "52"
    assert len(answer.settings["wear_probe_model"]) == 64
    assert "wear_views" not in answer.settings
    assert {"lay", "predict"} <= answer.stage_ms.keys()
    assert house.search(wear=back, grown=1.0).hits == answer.hits
    explanation = house.explain(first.item_id, back, grown=1.0)
    assert explanation.hit.probe_weeks == 52
    assert sum(explanation.heat) == pytest.approx(first.score_parts["correlation"], abs=1e-4)
    both = house.search(wear=WearSearch((52,), probe_weeks=52), **old)
    assert both.hits[0].item_id == "00003"
    assert both.hits[0].score >= first.score - 1e-6


def test_a_probe_is_not_taken_back_without_a_model_that_looks_back(house: House, unworn: SearchAnswer) -> None:
    folder = house.settings.model_repository / "wear_backward"
    hidden = folder.rename(folder.parents[1] / "hidden")
    try:
        with pytest.raises(NotFound) as caught:
            house.search(wear=WearSearch(probe_weeks=WORN))
    finally:
        hidden.rename(folder)
    assert caught.value.field == "wear.probe_weeks"


def test_a_search_of_companions_lets_go_of_nothing_that_was_prepared(house: House, unworn: SearchAnswer) -> None:
    async def work(parts: SearchParts) -> tuple[int, int]:
        reranking = parts.reranking
        assert isinstance(reranking, EditionRerankers)
        await search_print(house.query("soles", mode=SearchMode.EXHAUSTIVE), parts)
        await search_print(house.query(mode=SearchMode.EXHAUSTIVE), parts)
        before = reranking.prepared
        await search_print(house.query(mode=SearchMode.EXHAUSTIVE, wear=BOTH), parts)
        after = reranking.prepared
        assert after == before
        await reranking.warm()
        return len(after), len(reranking.prepared)

    assert house.run(work) == (2, 2)


def test_a_companion_is_a_gallery_of_its_own_too(house: House, unworn: SearchAnswer) -> None:
    answer = house.search(f"plain.worn{WORN}", mode=SearchMode.EXHAUSTIVE)
    assert (answer.hits[0].item_id, answer.hits[0].worn_weeks) == ("00003", 0)
    assert answer.hits[0].score > by_item(unworn)["00003"].score
