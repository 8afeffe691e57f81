"""The history says which edition was in force when, and a switch changes nothing where it is in force already."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import NotFound, PreconditionFailed
from outsole.gallery.history import (
    Event,
    edition_in_force,
    history,
    in_force_since,
    mark_retired,
    retired_editions,
    switch,
)
from outsole.gallery.layout import set_current
from tests.unit.outsole.gallery.made_editions import written


def test_every_switch_is_a_line_with_the_edition_before_it(tmp_path: Path) -> None:
    first, second = written(tmp_path), written(tmp_path, count=39)
    assert edition_in_force(tmp_path, "soles") == ""
    assert switch(tmp_path, "soles", first.id, reason="the first")
    assert switch(tmp_path, "soles", second.id, reason="the second")
    assert not switch(tmp_path, "soles", second.id, reason="again")
    found = history(tmp_path, "soles")
    assert [(entry.edition, entry.previous, entry.reason) for entry in found] == [
        (first.id, "", "the first"),
        (second.id, first.id, "the second"),
    ]
    assert in_force_since(tmp_path, "soles") == found[1].at


def test_a_switch_to_an_edition_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    first = written(tmp_path)
    switch(tmp_path, "soles", first.id, reason="the first")
    with pytest.raises(NotFound):
        switch(tmp_path, "soles", "0" * 16, reason="nothing")
    assert edition_in_force(tmp_path, "soles") == first.id


def test_an_edition_that_came_into_force_without_a_line_has_no_date(tmp_path: Path) -> None:
    first, second = written(tmp_path), written(tmp_path, count=39)
    switch(tmp_path, "soles", first.id, reason="the first")
    set_current(tmp_path, "soles", second.id)
    assert in_force_since(tmp_path, "soles") == ""


def test_an_edition_is_retired_until_it_comes_into_force_again(tmp_path: Path) -> None:
    first, second = written(tmp_path), written(tmp_path, count=39)
    for edition in (first, second):
        switch(tmp_path, "soles", edition.id, reason="published")
    with pytest.raises(PreconditionFailed, match="in force"):
        mark_retired(tmp_path, "soles", second.id, reason="too early")
    mark_retired(tmp_path, "soles", first.id, reason="old")
    assert retired_editions(tmp_path, "soles") == {first.id}
    assert history(tmp_path, "soles")[-1].event is Event.RETIRED
    assert in_force_since(tmp_path, "soles")
    switch(tmp_path, "soles", first.id, reason="back")
    assert retired_editions(tmp_path, "soles") == frozenset()
