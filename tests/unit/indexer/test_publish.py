"""An edition comes into force if it stands its trial; otherwise everything stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer.publish import publish, try_canaries
from outsole.answers import ItemState
from outsole.errors import DataCorrupt, PreconditionFailed, Unavailable
from outsole.gallery.canaries import add_canary
from outsole.gallery.decisions import Decision, DecisionKind, record_decisions
from outsole.gallery.editions import Edition
from outsole.gallery.history import edition_in_force, history, switch
from tests.unit.outsole.gallery.made_editions import written


class Searches:
    """Answers a search with the models that a test lays down by edition."""

    def __init__(self, answers: dict[str, Sequence[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, edition: str, picture: Path, k: int) -> Sequence[str]:
        assert picture.read_bytes() == b"picture"
        assert k >= 100
        self.asked.append(edition)
        return self.answers[edition]


@pytest.fixture
def editions(tmp_path: Path) -> tuple[Edition, Edition]:
    first, second = written(tmp_path), written(tmp_path, count=41)
    switch(tmp_path, "soles", first.id, reason="the first")
    picture = tmp_path / "print.png"
    picture.write_bytes(b"picture")
    add_canary(tmp_path, "soles", picture, model="model-007", within_rank=2)
    return first, second


def test_an_edition_that_stands_its_trial_comes_into_force(tmp_path: Path, editions: tuple[Edition, Edition]) -> None:
    first, second = editions
    search = Searches({first.id: ["model-007"], second.id: ["other", "model-007"]})
    report = publish(second, search=search, reason="the nightly crawl")
    assert (report.published, report.previous, report.own_vectors, report.reason) == (True, first.id, 16, "")
    assert [(rank.rank, rank.before) for rank in report.canaries] == [(2, 1)]
    assert edition_in_force(tmp_path, "soles") == second.id
    assert history(tmp_path, "soles")[-1].reason == "the nightly crawl"


@pytest.mark.parametrize("models", [["a", "b", "model-007"], ["a"], []])
def test_a_canary_that_falls_keeps_the_edition_out(
    tmp_path: Path, editions: tuple[Edition, Edition], models: list[str]
) -> None:
    first, second = editions
    search = Searches({first.id: ["model-007"], second.id: models})
    report = publish(second, search=search)
    assert not report.published
    assert "print" in report.reason
    assert edition_in_force(tmp_path, "soles") == first.id
    assert len(history(tmp_path, "soles")) == 1
    assert publish(second, search=search, with_canaries=False).published


def test_a_damaged_edition_is_not_searched_at_all(tmp_path: Path, editions: tuple[Edition, Edition]) -> None:
    first, second = editions
    data = bytearray((second.folder / "maps.npy").read_bytes())
    data[-1] ^= 1
    (second.folder / "maps.npy").write_bytes(data)
    search = Searches({})
    report = publish(second, search=search)
    assert (report.published, search.asked) == (False, [])
    assert "maps.npy" in report.reason
    assert edition_in_force(tmp_path, "soles") == first.id


def test_vectors_that_do_not_find_their_items_keep_the_edition_out(
    tmp_path: Path, editions: tuple[Edition, Edition]
) -> None:
    def lost(edition: Edition) -> int:
        raise DataCorrupt("a vector does not find its own item")

    report = publish(editions[1], own_vectors=lost)
    assert (report.published, report.reason) == (False, "a vector does not find its own item")


def test_a_search_that_does_not_answer_leaves_everything_as_it_was(
    tmp_path: Path, editions: tuple[Edition, Edition]
) -> None:
    def away(edition: str, picture: Path, k: int) -> Sequence[str]:
        raise Unavailable("the service is away")

    with pytest.raises(Unavailable):
        publish(editions[1], search=away)
    assert edition_in_force(tmp_path, "soles") == editions[0].id


def test_what_people_decided_during_the_indexing_is_in_the_edition_that_comes_into_force(
    tmp_path: Path, editions: tuple[Edition, Edition]
) -> None:
    record_decisions(tmp_path, "soles", [Decision(DecisionKind.RETIRE, "item-005", "withdrawn", "me")])
    report = publish(editions[1])
    assert report.published
    current = Edition.open(tmp_path, "soles")
    assert current.id == report.edition != editions[1].id
    assert current.item(5).state is ItemState.RETIRED


def test_without_a_stack_the_canaries_are_not_looked_at(tmp_path: Path, editions: tuple[Edition, Edition]) -> None:
    report = publish(editions[1])
    assert (report.published, report.canaries, report.canaries_left_out) == (True, (), 1)


def test_an_edition_in_force_that_cannot_be_searched_does_not_stand_in_the_way(
    tmp_path: Path, editions: tuple[Edition, Edition]
) -> None:
    first, second = editions

    def search(edition: str, picture: Path, k: int) -> Sequence[str]:
        if edition == first.id:
            raise PreconditionFailed("it was made by another encoder")
        return ["model-007"]

    report = publish(second, search=search)
    assert report.published
    assert [(rank.rank, rank.before) for rank in report.canaries] == [(1, None)]


def test_canaries_are_compared_with_another_edition_only_where_there_is_one(editions: tuple[Edition, Edition]) -> None:
    first, _ = editions
    search = Searches({first.id: ["model-007"]})
    assert [(r.rank, r.before) for r in try_canaries(first, search=search, before=first.id)] == [(1, None)]
