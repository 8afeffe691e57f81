"""The editions on disk as video archives: tracks, sources, and what became of every frame."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from outsole.answers import ItemState, TrackFilter
from outsole.errors import DataCorrupt, InvalidInput, NotFound, OutsoleError
from outsole.gallery.editions import Edition
from outsole.gallery.filters import rows_allowed, rows_matching
from outsole.gallery.layout import THUMBNAILS, THUMBNAILS_PER_GROUP, TRACKS
from outsole.gallery.track_rows import (
    COVERED,
    NEVER_ENDED,
    SOURCE_SCHEMA,
    SOURCES,
    SourceRow,
    TrackRow,
    source_rows,
    track_rows,
)
from outsole.matching.model_tracks import ModelTracks
from outsole.video.clocks import CameraClock, Start, StartOrigin
from outsole.video_answers import ArchiveInfo, Coverage, SourceInfo, TrackInfo
from services.catalogue import Catalogue, check_known, check_shows, in_states
from services.fields import naming
from services.pages import edition_of, start_of, token_of

_KEPT_EDITIONS = 8
_FOREVER_MS = 2**62
_TEXTS = ("camera", "place")
# Fields of a source that are called and typed alike in the table and in the answer.
_SAME = tuple(entry.name for entry in fields(SourceInfo) if entry.name not in ("coverage", "issues"))
_SAME_OF_TRACK = tuple({entry.name for entry in fields(TrackRow)} & {entry.name for entry in fields(TrackInfo)})


@dataclass(frozen=True)
class TracksWanted:
    """Which tracks a list is of.

    Attributes:
        where: The filter.
        states: States wanted; empty for all.
        with_thumbnails: Whether the small pictures are wanted.
    """

    where: TrackFilter = TrackFilter()
    states: tuple[ItemState, ...] = ()
    with_thumbnails: bool = False


@dataclass(frozen=True)
class TrackPage:
    """A page of tracks, the token of the next one (empty on the last), and how many there are in all."""

    tracks: tuple[TrackInfo, ...]
    next_page_token: str
    total: int
    edition: str


@dataclass(frozen=True)
class _Sources:
    """The sources of one edition, S of them by camera, start and id.

    Attributes:
        rows: As the table has them.
        by_id: The same by id, with their clocks.
        texts: The columns ``camera`` and ``place`` as a table.
        begin_ms, end_ms: int64 [S], true time since 1970; of one whose time nobody knows -1 and -1.
        counts: int64 [S, len(COVERED)].
        duration_s: float64 [S].
    """

    rows: tuple[SourceRow, ...]
    by_id: dict[str, tuple[SourceRow, CameraClock]]
    texts: pa.Table
    begin_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    counts: NDArray[np.int64]
    duration_s: NDArray[np.float64]

    @classmethod
    def of(cls, edition: Edition) -> _Sources:
        """Read the sources of an edition. Raises ``DataCorrupt`` where there are none, or one makes no sense."""
        try:
            table = edition.table(SOURCES, SOURCE_SCHEMA)
        except NotFound as error:
            raise DataCorrupt(f"edition {edition.id!r} lacks its {SOURCES}", remedy="index it again") from error
        rows = tuple(sorted(source_rows(table), key=lambda row: (row.camera, row.start, row.source_id)))
        clocks = [_clock(row) for row in rows]
        spans = [_span_ms(row, clock) for row, clock in zip(rows, clocks, strict=True)]
        begin_ms, end_ms = np.array(spans, np.int64).reshape(-1, 2).T
        return cls(
            rows=rows,
            by_id={row.source_id: (row, clock) for row, clock in zip(rows, clocks, strict=True)},
            texts=pa.table({name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in _TEXTS}),
            begin_ms=begin_ms,
            end_ms=end_ms,
            counts=np.array([[getattr(row, name) for name in COVERED] for row in rows], np.int64).reshape(
                len(rows), len(COVERED)
            ),
            duration_s=np.array([row.duration_s for row in rows], np.float64),
        )

    def coverage(self, where: TrackFilter) -> Coverage:
        """What became of the frames of the sources that a filter lets in."""
        named = rows_matching(self.texts, TrackFilter(where.cameras, where.places))
        kept = named.copy()
        untimed = np.zeros(len(kept), bool)
        if where.since is not None or where.until is not None:
            untimed = named & (self.end_ms == NEVER_ENDED)
            kept &= ~untimed
        kept &= True if where.since is None else self.end_ms >= where.since.timestamp() * 1000
        kept &= True if where.until is None else self.begin_ms <= where.until.timestamp() * 1000
        sums = self.counts[kept].sum(axis=0).tolist()
        return Coverage(
            sources=int(kept.sum()),
            duration_s=float(self.duration_s[kept].sum()),
            **dict(zip(COVERED, sums, strict=True)),
            sources_left_out=int((~kept).sum()),
            sources_untimed=int(untimed.sum()),
        )


class Archives:
    """Archives, their tracks and their sources; it may be shared by threads.

    Args:
        catalogue: Opens the editions.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._sources: OrderedDict[tuple[str, str], _Sources] = OrderedDict()
        self._lock = threading.Lock()

    def edition(self, archive: str, edition: str = "") -> Edition:
        """An edition of an archive, the one in force where none is named; it need not be searchable.

        Raises:
            InvalidInput: A name that cannot be one, or a gallery that shows something else; the field is ``archive``.
            NotFound: There is no such archive or edition.
            DataCorrupt: Its files are not what its manifest says.
        """
        with naming("archive"):
            found = self._catalogue.edition(archive, edition)
            check_shows(found, TRACKS)
            return found

    def searchable(self, archive: str, edition: str = "") -> Edition:
        """An edition of an archive that can be searched with a picture; see `edition`.

        Raises:
            PreconditionFailed: Its encoder is not served.
        """
        with naming("archive"):
            return self._catalogue.searchable_by_shoe(archive, edition, shows=TRACKS)

    def any_opens(self) -> bool:
        """Whether there is an archive whose tracks can be listed; never raises."""
        for gallery in self._catalogue.galleries():
            try:
                if self._catalogue.edition(gallery.name, gallery.edition).manifest.shows == TRACKS:
                    return True
            except OutsoleError:
                # It went away after it was listed.
                continue
        return False

    def rows(self, edition: Edition, where: TrackFilter) -> NDArray[np.int64]:
        """The rows of an edition that take part in a search under a filter, int64 [n], ascending.

        Raises:
            InvalidInput: A camera or place that the archive does not have; the first known ones are named.
        """
        self._check_known(edition, where, field="track_filter")
        return np.flatnonzero(rows_allowed(edition.items, where)).astype(np.int64)

    def coverage(self, edition: Edition, where: TrackFilter) -> Coverage:
        """What became of the frames of the sources that a filter lets in."""
        return self._sources_of(edition).coverage(where)

    def tracks_of(
        self, editions: Sequence[Edition], found: ModelTracks, *, with_thumbnails: bool = False
    ) -> list[TrackInfo]:
        """The track of every pair of a model and a track, in their order."""
        known: dict[tuple[int, int], TrackInfo] = {}
        for number, edition in enumerate(editions):
            rows = np.unique(found.rows[found.archives == number]).tolist()
            tracks = self.tracks(edition, rows, with_thumbnails=with_thumbnails)
            known |= {(number, row): track for row, track in zip(rows, tracks, strict=True)}
        return [known[pair] for pair in zip(found.archives.tolist(), found.rows.tolist(), strict=True)]

    def tracks(self, edition: Edition, rows: Sequence[int], *, with_thumbnails: bool = False) -> tuple[TrackInfo, ...]:
        """The tracks in rows of an edition, in the order of the rows."""
        if not len(rows):
            return ()
        known = self._sources_of(edition).by_id
        found = track_rows(edition.items.take(pa.array(rows, pa.int64())))
        pictures = _thumbnails(edition, rows) if with_thumbnails else [b""] * len(found)
        return tuple(_track(row, known, edition, picture=picture) for row, picture in zip(found, pictures, strict=True))

    def tracks_page(self, archive: str, edition: str, wanted: TracksWanted, *, size: int, token: str) -> TrackPage:
        """A page of the tracks wanted, by camera, start and id; a token keeps to the edition that it came from.

        Raises:
            InvalidInput: A token of another list, or a filter as of `rows`.
            NotFound: There is no such archive or edition.
        """
        found = self.edition(archive, edition or edition_of(token))
        self._check_known(found, wanted.where, field="filter")
        scope = _scope(found, wanted)
        rows = np.flatnonzero(rows_matching(found.items, wanted.where) & in_states(found.items, wanted.states))
        order = rows[_by_camera_and_start(found.items.take(pa.array(rows)))]
        start = start_of(token, scope)
        end = start + size
        tracks = self.tracks(found, order[start:end].tolist(), with_thumbnails=wanted.with_thumbnails)
        following = token_of(scope, end) if end < len(order) else ""
        return TrackPage(tracks, following, len(order), found.id)

    def archive_page(self, archive: str, edition: str, *, size: int, token: str) -> tuple[ArchiveInfo, str]:
        """An archive with a page of its sources, and the token of the next page; errors as of `tracks_page`."""
        found = self.edition(archive, edition or edition_of(token))
        sources = self._sources_of(found)
        scope = f"{found.id}/sources of {archive}"
        start = start_of(token, scope)
        end = start + size
        info = ArchiveInfo(
            name=found.gallery,
            edition=found.id,
            created=found.created,
            encoder=found.manifest.encoder_name,
            encoder_hash=found.encoder_hash,
            tracks=len(found),
            coverage=sources.coverage(TrackFilter()),
            sources=tuple(map(_source, sources.rows[start:end])),
        )
        return info, token_of(scope, end) if end < len(sources.rows) else ""

    def _sources_of(self, edition: Edition) -> _Sources:
        key = (edition.gallery, edition.id)
        with self._lock:
            if key not in self._sources:
                self._sources[key] = _Sources.of(edition)
            self._sources.move_to_end(key)
            while len(self._sources) > _KEPT_EDITIONS:
                self._sources.popitem(last=False)
            return self._sources[key]

    def _check_known(self, edition: Edition, where: TrackFilter, *, field: str) -> None:
        texts = self._sources_of(edition).texts
        for column, values in (("camera", where.cameras), ("place", where.places)):
            known = pc.unique(texts[column])
            check_known(known, values, field=f"{field}.{column}s", what=f"no source of archive {edition.gallery!r}")


def _clock(row: SourceRow) -> CameraClock:
    try:
        start = Start(datetime.fromisoformat(row.start), StartOrigin(row.start_origin)) if row.start else None
        return CameraClock(row.zone, row.clock_offset_s, start)
    except (ValueError, InvalidInput) as error:
        raise DataCorrupt(f"the clock of source {row.source_id!r} makes no sense", remedy="index it again") from error


def _span_ms(row: SourceRow, clock: CameraClock) -> tuple[int, int]:
    begin, end = clock.utc_time(0.0), clock.utc_time(row.duration_s)
    if begin is None or end is None:
        return NEVER_ENDED, NEVER_ENDED
    # One of unknown length may go on for ever.
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000) if row.duration_s else _FOREVER_MS


def _track(
    row: TrackRow, known: dict[str, tuple[SourceRow, CameraClock]], edition: Edition, *, picture: bytes
) -> TrackInfo:
    if row.source_id not in known:
        raise DataCorrupt(f"edition {edition.id!r} lacks source {row.source_id!r} of track {row.item_id!r}")
    source, clock = known[row.source_id]
    is_timed = row.end_ms != NEVER_ENDED
    return TrackInfo(
        **{name: getattr(row, name) for name in _SAME_OF_TRACK},
        track_id=row.item_id,
        archive=edition.gallery,
        source_name=source.name,
        source_sha256=source.sha256,
        start=_moment(row.start_ms) if is_timed else None,
        end=_moment(row.end_ms) if is_timed else None,
        native_start=clock.native_time(row.first_time_s),
        native_end=clock.native_time(row.last_time_s),
        time_origin=source.start_origin,
        thumbnail_png=picture,
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def _source(row: SourceRow) -> SourceInfo:
    return SourceInfo(
        **{name: getattr(row, name) for name in _SAME},
        coverage=Coverage(sources=1, duration_s=row.duration_s, **{name: getattr(row, name) for name in COVERED}),
        issues=row.issues,
    )


def _thumbnails(edition: Edition, rows: Sequence[int]) -> list[bytes]:
    """The pictures of rows; each group of the file is read once, however many of its rows are wanted."""
    groups: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row // THUMBNAILS_PER_GROUP, []).append(place)
    found = [b""] * len(rows)
    with pq.ParquetFile(edition.folder / THUMBNAILS, memory_map=True) as file:
        for group, places in groups.items():
            column = file.read_row_group(group, columns=["thumbnail_png"])["thumbnail_png"]
            for place in places:
                found[place] = bytes(column[rows[place] % THUMBNAILS_PER_GROUP].as_py())
    return found


def _by_camera_and_start(tracks: pa.Table) -> NDArray[np.int64]:
    order = pc.sort_indices(tracks, [(name, "ascending") for name in ("camera", "start_ms", "item_id")])
    return np.asarray(order.to_numpy(), np.int64)


def _scope(edition: Edition, wanted: TracksWanted) -> str:
    digest = hashlib.sha256(repr((edition.gallery, wanted.where, wanted.states)).encode()).hexdigest()[:12]
    return f"{edition.id}/tracks {digest}"
