"""What a search in bulk found is kept with everything that is said about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from outsole.answers import TrackFilter
from outsole.errors import DataCorrupt
from outsole.matching.model_tracks import ModelTracks
from outsole.video.search_result import SearchFacts, filter_of, filter_record, read_result, write_result

WHERE = TrackFilter(("door", "yard"), ("hall",), since=datetime(2026, 3, 1, tzinfo=UTC))
FACTS = SearchFacts(
    gallery="shoes",
    edition="e1",
    encoder_hash="ab",
    models=("a", "b"),
    pictures=(2, 0),
    archives=("door",),
    editions=("e2",),
    totals=(3,),
    where=filter_record(WHERE),
    warnings=("one",),
    settings={"tracks_per_model": "100"},
)
NUMBERS = np.arange(3)


def test_what_was_found_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = ModelTracks(NUMBERS, NUMBERS, NUMBERS + 7, np.array([0.9, 0.5, 0.25], np.float32))
    write_result(tmp_path, FACTS, found)
    facts, again = read_result(tmp_path)
    assert facts == FACTS
    assert facts.track_filter == WHERE
    for name in ("models", "archives", "rows", "scores"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert [path.name for path in tmp_path.iterdir()] == ["found.parquet"]


def test_nothing_found_is_an_answer(tmp_path: Path) -> None:
    write_result(tmp_path, FACTS, ModelTracks.joined([]))
    assert len(read_result(tmp_path)[1].rows) == 0


def test_what_is_missing_or_damaged_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(DataCorrupt):
        read_result(tmp_path)
    (tmp_path / "found.parquet").write_bytes(b"no table")
    with pytest.raises(DataCorrupt, match="cannot be read"):
        read_result(tmp_path)


@pytest.mark.parametrize("where", [TrackFilter(), WHERE])
def test_a_filter_survives_as_plain_values(where: TrackFilter) -> None:
    assert filter_of(filter_record(where)) == where
