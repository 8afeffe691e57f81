"""A trial through a running stack asks again while the vector store takes the edition up, and not for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outsole.answers import Hit, SearchAnswer, SearchMode
from outsole.commands import publishing
from outsole.errors import BudgetSpent, DataCorrupt, InvalidInput, OutsoleError, Unavailable
from outsole.gallery.editions import Edition
from outsole.lifecycle import EditionCheck
from tests.unit.outsole.gallery.made_editions import written

ANSWER = SearchAnswer((Hit(1, "a", "i", 0.5), Hit(2, "b", "j", 0.4)), "soles", "e", "h", SearchMode.SHORTLIST, 2, 2)


class Stack:
    """Fails as it was told, then answers; it has a clock that sleeping moves."""

    def __init__(self, failures: list[OutsoleError], check: EditionCheck | None = None) -> None:
        self.failures = failures
        self.check = check
        self.asked: list[dict[str, Any]] = []
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def search_print(self, picture: Path, **options: Any) -> SearchAnswer:
        self.asked.append(options)
        if self.failures:
            raise self.failures.pop(0)
        return ANSWER

    def verify_edition(self, gallery: str, **options: Any) -> EditionCheck | None:
        self.asked.append(options)
        if self.failures:
            raise self.failures.pop(0)
        return self.check


def stack(monkeypatch: pytest.MonkeyPatch, failures: list[OutsoleError], check: EditionCheck | None = None) -> Any:
    made = Stack(failures, check)
    monkeypatch.setattr(publishing, "time", made)
    return made


def test_a_search_is_asked_again_until_the_store_has_taken_the_edition_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stack(monkeypatch, [BudgetSpent("not yet"), Unavailable("not yet", retry_after_s=3.0)])
    search = publishing.search_through(made, "soles")
    assert search("edition-1", Path("print.png"), 100) == ["a", "b"]
    assert len(made.asked) == 3
    assert made.asked[0] == {"gallery": "soles", "edition": "edition-1", "k": 100, "require_complete": True}
    assert made.now == 4.0


def test_a_search_that_gets_no_answer_ends_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stack(monkeypatch, [Unavailable("Milvus is away") for _ in range(100)])
    with pytest.raises(Unavailable, match="Milvus"):
        publishing.search_through(made, "soles", deadline_s=10.0)("edition-1", Path("print.png"), 100)
    assert 9.0 <= made.now <= 10.0


def test_an_error_that_waiting_does_not_mend_is_raised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stack(monkeypatch, [InvalidInput("it is no picture")])
    with pytest.raises(InvalidInput):
        publishing.search_through(made, "soles")("edition-1", Path("print.png"), 100)
    assert made.now == 0.0


@pytest.mark.parametrize("difference", ["", "the vector store holds 39 of the 40 items"])
def test_own_vectors_are_searched_in_the_store_of_the_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, difference: str
) -> None:
    edition: Edition = written(tmp_path)
    check = EditionCheck("soles", edition.id, store_rows=40, own_vectors=16, difference=difference)
    made = stack(monkeypatch, [Unavailable("not yet")], check)
    own_vectors = publishing.own_vectors_through(made)
    if difference:
        with pytest.raises(DataCorrupt, match="39 of the 40"):
            own_vectors(edition)
    else:
        assert own_vectors(edition) == 16
    assert made.asked[-1]["store_only"]
    assert made.asked[-1]["edition"] == edition.id
