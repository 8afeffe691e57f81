"""What people decided about tracks: merged, split, shown by another frame. A journal, and what follows from it.

The journal only grows (`outsole.gallery.journal`), and tracks follow from it: those that the tracker made, with every
edit applied in its order. A track remembers the edits that made it, so an edit that is applied again, or that was
recorded twice, changes nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from outsole.errors import DataCorrupt, InvalidInput, NotFound, OutsoleError, PreconditionFailed
from outsole.gallery import journal
from outsole.gallery.items import checked_text
from outsole.gallery.layout import checked_name
from outsole.video.tracks import KeptSighting, SightingTable, Track, TrackFacts, TrackPart, best_of

FILE = "track_edits.jsonl"
_LOCK = ".track_edits.lock"
_ENDING_CHARACTERS = 12


class EditKind(enum.Enum):
    """What was decided."""

    MERGE = "merge"
    SPLIT = "split"
    CHOOSE = "choose"


@dataclass(frozen=True)
class TrackEdit:
    """One decision about a track; made by `merge`, `split` and `choose`.

    Attributes:
        kind: What was decided.
        track_id: About which track; it keeps its id.
        by: Who decided; at most 200 characters, not empty.
        reason: Why; at most 200 characters.
        other_id: Of a merge: the track that becomes a part of it.
        time_s: Of a split: sightings from then on become a track of their own.
        row: Of a choice: the row of the sighting that shall stand for the track.
        edit_id: Its own name; one that comes twice counts once. The second half of a split is named after it.
        at: UTC time, ISO 8601; now by default.
    """

    kind: EditKind
    track_id: str
    by: str
    reason: str = ""
    other_id: str = ""
    time_s: float | None = None
    row: int | None = None
    edit_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        for name in ("track_id", "edit_id"):
            checked_name(getattr(self, name), field=name)
        for name in ("reason", "by"):
            checked_text(getattr(self, name), field=name, owner=self.track_id)
        if not self.by:
            raise InvalidInput(f"nobody decided about track {self.track_id!r}", field="by", remedy="name who decided")
        self._check_subject()

    def _check_subject(self) -> None:
        wanted = {EditKind.MERGE: "other_id", EditKind.SPLIT: "time_s", EditKind.CHOOSE: "row"}[self.kind]
        given = {"other_id": bool(self.other_id), "time_s": self.time_s is not None, "row": self.row is not None}
        if not given.pop(wanted) or any(given.values()):
            raise InvalidInput(f"a {self.kind.value} has {wanted}, and nothing else", field=wanted, remedy="give it")
        if self.time_s is not None and not math.isfinite(self.time_s):
            raise InvalidInput(f"{self.time_s}", field="time_s", remedy="seconds after the source's first frame")
        if self.other_id == self.track_id:
            raise InvalidInput(f"track {self.track_id!r} with itself", field="other_id", remedy="name another track")

    @property
    def second_half(self) -> str:
        """Id of the track that a split makes; ids do not grow when halves are split again."""
        return f"{self.track_id.split('.')[0]}.{self.edit_id[:_ENDING_CHARACTERS]}"


def merge(track_id: str, other_id: str, *, by: str, reason: str = "") -> TrackEdit:
    """Decide that two tracks are one walk-past."""
    return TrackEdit(EditKind.MERGE, track_id, by, reason, other_id=other_id)


def split(track_id: str, time_s: float, *, by: str, reason: str = "") -> TrackEdit:
    """Decide that what is seen from a time on, seconds after the source's first frame, is another walk-past."""
    return TrackEdit(EditKind.SPLIT, track_id, by, reason, time_s=time_s)


def choose(track_id: str, row: int, *, by: str, reason: str = "") -> TrackEdit:
    """Decide that the sighting of a row stands for the track."""
    return TrackEdit(EditKind.CHOOSE, track_id, by, reason, row=row)


def apply_edits(tracks: Sequence[Track], edits: Iterable[TrackEdit], table: SightingTable) -> tuple[Track, ...]:
    """Tracks after what people decided.

    Args:
        tracks: Of one source; those of the tracker, or those after earlier edits.
        edits: Oldest first; those that made the tracks what they are may be among them.
        table: Sightings of the source; a split counts and chooses again from its rows. A merge takes what both keep.

    Returns:
        In the order of ``tracks``; the second half of a split follows the first.

    Raises:
        NotFound: An edit of a track that is not there; it says into which one it was merged.
        PreconditionFailed: A split that leaves nothing on one side, or a chosen row that is not the track's.
    """
    applied = {edit_id for track in tracks for edit_id in track.edits}
    standing = list(tracks)
    for edit in edits:
        if edit.edit_id not in applied:
            applied.add(edit.edit_id)
            standing = _EDITORS[edit.kind](standing, edit, table)
    return tuple(standing)


def record_edits(
    folder: Path, edits: Sequence[TrackEdit], *, tracks: Sequence[Track], table: SightingTable
) -> tuple[Track, ...]:
    """Record edits of one source's tracks after trying them, so that the journal holds none that cannot be applied.

    Others who record in the same folder wait for their turn.

    Args:
        folder: Where the journal of this source is, or shall be.
        edits: In the order in which they are to be applied.
        tracks: As the tracker made them.
        table: See `apply_edits`.

    Returns:
        The tracks after all edits that were ever recorded.

    Raises:
        NotFound, PreconditionFailed: See `apply_edits`; none of the edits is recorded.
        DataCorrupt: See `read_edits`.
    """
    with journal.held(folder / _LOCK):
        known = read_edits(folder)
        after = apply_edits(tracks, [*known, *edits], table)
        recorded = {edit.edit_id for edit in known}
        for edit in edits:
            if edit.edit_id not in recorded:
                plain = {**dataclasses.asdict(edit), "kind": edit.kind.value}
                journal.append(folder / FILE, {name: value for name, value in plain.items() if value is not None})
    return after


def read_edits(folder: Path) -> tuple[TrackEdit, ...]:
    """Every edit that was recorded, oldest first; none where nothing was.

    Raises:
        DataCorrupt: A whole line that is no edit; names the line.
    """
    return tuple(_edit(record, number) for number, record in enumerate(journal.read(folder / FILE), start=1))


def _edit(record: dict[str, Any], number: int) -> TrackEdit:
    try:
        return TrackEdit(**{**record, "kind": EditKind(record["kind"])})
    except (ValueError, KeyError, TypeError, OutsoleError) as error:
        raise DataCorrupt(f"record {number} of {FILE} is no edit", remedy="restore the file from a copy") from error


def _merged(tracks: list[Track], edit: TrackEdit, _: SightingTable) -> list[Track]:
    first, second = tracks[_place(tracks, edit.track_id)], tracks[_place(tracks, edit.other_id)]
    both = dataclasses.replace(
        first,
        parts=_united(first.parts + second.parts),
        facts=first.facts + second.facts,
        best=best_of({kept.row: kept for kept in first.best + second.best}.values()),
        chosen=first.chosen or second.chosen,
        merged_ids=(*first.merged_ids, second.track_id, *second.merged_ids),
        edits=(*first.edits, *(known for known in second.edits if known not in first.edits), edit.edit_id),
    )
    return [both if track is first else track for track in tracks if track is not second]


def _split(tracks: list[Track], edit: TrackEdit, table: SightingTable) -> list[Track]:
    place, time_s = _place(tracks, edit.track_id), edit.time_s or 0.0
    track = tracks[place]
    rows = table.of(track)
    before, after = (
        [kept for kept in rows if (kept.sighting.time_s >= time_s) == is_after] for is_after in (False, True)
    )
    if not before or not after:
        facts = track.facts
        raise PreconditionFailed(
            f"nothing of track {track.track_id!r} is on one side of {time_s:g} s",
            field="time_s",
            remedy=f"a time after {facts.first_time_s:g} s and up to {facts.last_time_s:g} s",
        )
    edits = (*track.edits, edit.edit_id)
    first = _from_rows(track, before, until_s=time_s)
    second = dataclasses.replace(
        _from_rows(track, after, from_s=time_s), track_id=edit.second_half, merged_ids=(), edits=edits
    )
    return [*tracks[:place], dataclasses.replace(first, edits=edits), second, *tracks[place + 1 :]]


def _chosen(tracks: list[Track], edit: TrackEdit, table: SightingTable) -> list[Track]:
    place = _place(tracks, edit.track_id)
    track = tracks[place]
    kept = next((kept for kept in table.of(track) if kept.row == edit.row), None)
    if kept is None:
        raise PreconditionFailed(
            f"row {edit.row} is no sighting of track {track.track_id!r}", field="row", remedy="one of its own rows"
        )
    tracks[place] = dataclasses.replace(track, chosen=kept, edits=(*track.edits, edit.edit_id))
    return tracks


_EDITORS = {EditKind.MERGE: _merged, EditKind.SPLIT: _split, EditKind.CHOOSE: _chosen}


def _from_rows(
    track: Track, rows: Sequence[KeptSighting], *, from_s: float = -math.inf, until_s: float = math.inf
) -> Track:
    """A track of some of a track's rows: those from a time on, or until one."""
    cut = (TrackPart(part.walk, max(part.from_s, from_s), min(part.until_s, until_s)) for part in track.parts)
    return dataclasses.replace(
        track,
        parts=tuple(part for part in cut if part.from_s < part.until_s),
        facts=reduce(add, (TrackFacts.of(kept.sighting) for kept in rows)),
        best=best_of(rows),
        chosen=track.chosen if track.chosen in rows else None,
    )


def _united(parts: Iterable[TrackPart]) -> tuple[TrackPart, ...]:
    """Parts in the order of walks and times; stretches of a walk that follow each other are one again."""
    united: list[TrackPart] = []
    for part in sorted(parts, key=lambda part: (part.walk, part.from_s)):
        if united and united[-1].walk == part.walk and united[-1].until_s == part.from_s:
            part = TrackPart(part.walk, united.pop().from_s, part.until_s)
        united.append(part)
    return tuple(united)


def _place(tracks: Sequence[Track], track_id: str) -> int:
    for place, track in enumerate(tracks):
        if track.track_id == track_id:
            return place
    owner = next((track.track_id for track in tracks if track_id in track.merged_ids), None)
    found = "no such track" if owner is None else f"it was merged into {owner!r}"
    raise NotFound(f"{track_id!r}: {found}", field="track_id", remedy="list the tracks of the source")
