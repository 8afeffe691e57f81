"""People merge, split and choose; the tracks follow from the journal, however often it is applied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.errors import DataCorrupt, InvalidInput, NotFound, PreconditionFailed
from outsole.video.track_edits import (
    FILE,
    EditKind,
    TrackEdit,
    apply_edits,
    choose,
    merge,
    read_edits,
    record_edits,
    split,
)
from outsole.video.tracking import Tracker
from outsole.video.tracks import SightingTable, Track
from tests.unit.outsole.video.made_sightings import MadeScene, MadeWalker, made_looks, made_sightings

_LOOKS = made_looks(3)


def _walked() -> tuple[tuple[Track, ...], SightingTable]:
    """Three walk-pasts, one after the other."""
    walkers = tuple(
        MadeWalker(look, 7.0 * number, 7.0 * number + 4, (0.0, 600.0), (300.0, 0.0))
        for number, look in enumerate(_LOOKS)
    )
    made = made_sightings(MadeScene(walkers, missed=0.2, with_persons=0.5))
    tracker = Tracker("aa11")
    steps = [tracker.update(made.sightings, made.vectors), tracker.close()]
    walks = np.concatenate([step.walks for step in steps])[:, 1]
    return tuple(t for step in steps for t in step.finished), SightingTable(made.sightings, walks, vectors=made.vectors)


_TRACKS, _TABLE = _walked()
_IDS = [track.track_id for track in _TRACKS]
_FIRST, _SECOND, _THIRD = _TRACKS


def _rows(track: Track) -> list[int]:
    return [kept.row for kept in _TABLE.of(track)]


def test_a_merge_adds_facts_and_rows_and_takes_the_best_of_both() -> None:
    both, third = apply_edits(_TRACKS, [merge(_IDS[0], _IDS[1], by="ab")], _TABLE)
    assert third == _THIRD
    assert both.track_id == _IDS[0] and both.merged_ids == (_IDS[1],)
    assert both.facts == _FIRST.facts + _SECOND.facts
    assert _rows(both) == sorted(_rows(_FIRST) + _rows(_SECOND))
    assert {kept.row for kept in both.best} <= {kept.row for kept in _FIRST.best + _SECOND.best}
    vector = both.embedding
    assert vector is not None and np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert min(float(vector @ _LOOKS[0]), float(vector @ _LOOKS[1])) > float(vector @ _LOOKS[2])


def test_a_split_counts_both_halves_again_from_their_rows() -> None:
    edit = split(_IDS[0], 2.0, by="ab")
    first, second, *others = apply_edits(_TRACKS, [edit], _TABLE)
    assert others == list(_TRACKS[1:])
    assert (first.track_id, second.track_id) == (_IDS[0], edit.second_half)
    assert first.facts.last_time_s < 2.0 <= second.facts.first_time_s
    assert first.facts + second.facts == _FIRST.facts
    assert _rows(first) + _rows(second) == _rows(_FIRST)
    assert {kept.row for kept in second.best} <= set(_rows(second))


def test_a_split_undoes_a_merge() -> None:
    edits = [merge(_IDS[0], _IDS[1], by="ab"), split(_IDS[0], 6.0, by="ab")]
    first, second, _ = apply_edits(_TRACKS, edits, _TABLE)
    for half, track in ((first, _FIRST), (second, _SECOND)):
        assert (half.facts, half.best, _rows(half)) == (track.facts, track.best, _rows(track))
        assert np.array_equal(half.embedding, track.embedding)  # type: ignore[arg-type]


def test_halves_that_are_merged_again_are_the_whole_and_can_be_split_again() -> None:
    edits = [cut := split(_IDS[0], 2.0, by="ab"), merge(_IDS[0], cut.second_half, by="ab")]
    whole = apply_edits(_TRACKS, edits, _TABLE)[0]
    assert (whole.parts, whole.facts) == (_FIRST.parts, _FIRST.facts)
    assert len(apply_edits(_TRACKS, [*edits, split(_IDS[0], 2.0, by="ab")], _TABLE)) == 4


def test_a_choice_shows_another_sighting_and_follows_its_half() -> None:
    row = _rows(_FIRST)[-1]
    chosen = choose(_IDS[0], row, by="ab")
    assert apply_edits(_TRACKS, [chosen], _TABLE)[0].best_frame.row == row
    first, second, *_ = apply_edits(_TRACKS, [chosen, split(_IDS[0], 2.0, by="ab")], _TABLE)
    assert first.chosen is None and second.best_frame.row == row
    both = apply_edits(_TRACKS, [chosen, merge(_IDS[1], _IDS[0], by="ab")], _TABLE)[0]
    assert both.track_id == _IDS[1] and both.best_frame.row == row


def test_edits_that_are_applied_again_change_nothing() -> None:
    cut = split(_IDS[0], 2.0, by="ab")
    edits = [
        cut,
        split(cut.second_half, 3.0, by="ab"),
        merge(_IDS[2], cut.second_half, by="ab"),
        choose(_IDS[2], _rows(_THIRD)[1], by="ab"),
        merge(_IDS[1], _IDS[0], by="ab"),
    ]
    once = apply_edits(_TRACKS, edits, _TABLE)
    assert apply_edits(once, edits, _TABLE) == once == apply_edits(_TRACKS, edits * 2, _TABLE)
    assert apply_edits(apply_edits(_TRACKS, edits[:2], _TABLE), edits[2:], _TABLE) == once
    assert sorted(row for track in once for row in _rows(track)) == sorted(row for t in _TRACKS for row in _rows(t))


def test_an_unknown_track_is_named_and_a_merged_one_says_where_it_went() -> None:
    with pytest.raises(NotFound, match="aa11-nobody"):
        apply_edits(_TRACKS, [split("aa11-nobody", 1.0, by="ab")], _TABLE)
    with pytest.raises(NotFound, match=f"merged into '{_IDS[0]}'"):
        apply_edits(_TRACKS, [merge(_IDS[0], _IDS[1], by="ab"), choose(_IDS[1], 0, by="ab")], _TABLE)


def test_a_split_that_leaves_a_half_empty_and_a_strangers_row_are_refused() -> None:
    with pytest.raises(PreconditionFailed, match="one side of 99 s"):
        apply_edits(_TRACKS, [split(_IDS[0], 99.0, by="ab")], _TABLE)
    with pytest.raises(PreconditionFailed, match="row"):
        apply_edits(_TRACKS, [choose(_IDS[0], _rows(_SECOND)[0], by="ab")], _TABLE)


def test_what_cannot_be_applied_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        record_edits(
            tmp_path, [split(_IDS[0], 2.0, by="ab"), merge(_IDS[0], "gone", by="ab")], tracks=_TRACKS, table=_TABLE
        )
    assert read_edits(tmp_path) == ()


def test_recorded_edits_come_back_as_they_were_and_count_once(tmp_path: Path) -> None:
    edits = [merge(_IDS[0], _IDS[1], by="ab", reason="same bag"), split(_IDS[0], 6.0, by="ä")]
    record_edits(tmp_path, edits[:1], tracks=_TRACKS, table=_TABLE)
    after = record_edits(tmp_path, edits, tracks=_TRACKS, table=_TABLE)
    assert read_edits(tmp_path) == tuple(edits)
    assert after == apply_edits(_TRACKS, edits, _TABLE)


def test_a_line_that_is_no_edit_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"kind": "forget", "track_id": "a", "by": "ab"}\n', encoding="utf-8")
    with pytest.raises(DataCorrupt, match="record 1"):
        read_edits(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": EditKind.MERGE},
        {"kind": EditKind.SPLIT, "time_s": float("nan")},
        {"kind": EditKind.SPLIT, "time_s": 1.0, "row": 3},
        {"kind": EditKind.MERGE, "other_id": "a"},
        {"kind": EditKind.CHOOSE, "row": 1, "by": ""},
    ],
)
def test_edits_that_say_too_little_or_too_much_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        TrackEdit(**{"track_id": "a", "by": "ab", **fields})  # type: ignore[arg-type]
