"""What searches of video archives answer: plain records, see ``outsole.answers``.

Only the standard library is imported.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from outsole.answers import Box, Hit, ItemState, Point, SearchAnswer, View


class TraceOrder(enum.Enum):
    """In which order the rows of a trace come; see `outsole.matching.trace_order`."""

    JOINT_RANKS = "joint_ranks"
    SHOE_SCORE = "shoe_score"
    PRINT_RANK = "print_rank"


class RefineMethod(enum.Enum):
    """How marked hits change a search; see `outsole.matching.refinement`."""

    ROCCHIO = "rocchio"
    BEST_SCORE = "best_score"


@dataclass(frozen=True)
class Coverage:
    """What became of frames, sightings and walk-pasts: without it "nothing found" is no answer.

    Attributes:
        sources: Sources counted here.
        duration_s: Their length, seconds; sources of unknown length count 0.
        received, decoded, skipped, failed: Frames; the last three add up to the first.
        with_people, with_shoes: Frames in which such were seen.
        shoes, too_small, searched: Sightings, those not large enough to be searched, and those that were encoded.
        tracks, static, short: Walk-pasts; shoes that never moved, and walks too short to be tracks.
        sources_left_out: Sources that a filter leaves out.
        sources_untimed: Those of them that a range of times leaves out because nobody knows when they began.
    """

    sources: int = 0
    duration_s: float = 0.0
    received: int = 0
    decoded: int = 0
    skipped: int = 0
    failed: int = 0
    with_people: int = 0
    with_shoes: int = 0
    shoes: int = 0
    too_small: int = 0
    searched: int = 0
    tracks: int = 0
    static: int = 0
    short: int = 0
    sources_left_out: int = 0
    sources_untimed: int = 0

    @classmethod
    def together(cls, parts: Iterable[Coverage]) -> Coverage:
        """What became of the frames of several archives."""
        every = tuple(parts)
        return cls(**{entry.name: sum(getattr(part, entry.name) for part in every) for entry in fields(cls)})


@dataclass(frozen=True)
class TrackInfo:
    """One walk-past of one walker before one camera.

    Attributes:
        track_id, archive: Its id in the archive, and the archive.
        source_id, source_name, source_sha256: The original in which it was seen.
        camera, place: Where; the place is empty where unknown.
        start, end: First and last sighting, true time in UTC; None where nobody knows.
        native_start, native_end: What the camera's clock showed then, in its zone.
        time_origin: How the source's beginning is known, see ``outsole.video.clocks.StartOrigin``; empty where not.
        first_frame, last_frame, best_frame: Numbers of frames of the source.
        first_time_s, last_time_s, best_time_s: Their times, seconds after the source's first frame.
        box, toe, heel: Where the shoe is in the best frame, pixels.
        view: From where it is seen there.
        weight, length_px: Of that sighting's grade, 0 .. 1 and pixels.
        sightings: Shoes seen; two in a frame where both feet are.
        side_views, front_views, back_views: How many of them from each view.
        too_small: How many were not large enough to be searched.
        state, state_reason: Whether it takes part in searches, and why not.
        thumbnail_png: The shoe as it was encoded; empty where nobody asked for it.
    """

    track_id: str
    archive: str
    source_id: str
    source_name: str
    source_sha256: str
    camera: str
    place: str
    start: datetime | None
    end: datetime | None
    native_start: datetime | None
    native_end: datetime | None
    time_origin: str
    first_frame: int
    last_frame: int
    best_frame: int
    first_time_s: float
    last_time_s: float
    best_time_s: float
    box: Box
    toe: Point
    heel: Point
    view: View
    weight: float
    length_px: float
    sightings: int
    side_views: int = 0
    front_views: int = 0
    back_views: int = 0
    too_small: int = 0
    state: ItemState = ItemState.ACTIVE
    state_reason: str = ""
    thumbnail_png: bytes = field(default=b"", repr=False)

    @property
    def best(self) -> datetime | None:
        """True time of the best frame, UTC."""
        return None if self.start is None else self.start + self._to_best

    @property
    def native_best(self) -> datetime | None:
        """What the camera's clock showed at the best frame."""
        return None if self.native_start is None else self.native_start + self._to_best

    @property
    def _to_best(self) -> timedelta:
        return timedelta(seconds=self.best_time_s - self.first_time_s)


@dataclass(frozen=True)
class TrackHit:
    """One row of an answer: a track and how much its shoe resembles.

    Attributes:
        rank: From 1.
        score: Similarity of the vectors, about -1 .. 1. It is no probability.
        track: The track.
    """

    rank: int
    score: float
    track: TrackInfo


@dataclass(frozen=True)
class TrackAnswer:
    """Tracks of an archive ranked by similarity, and everything that is needed to compute the list again.

    Attributes:
        hits: Best first; ties broken by track id.
        archive, edition: What it was computed on.
        encoder_hash: Of the encoder of shoes.
        searched, total: Tracks compared, and tracks in the edition after the filter.
        coverage: What became of the frames of the sources that the filter lets in.
        probe_sha256: Hex digest of the untouched probe bytes.
        steps: Processing steps applied to the probe, in order.
        warnings: What a person should know.
        stage_ms: Milliseconds by stage.
        settings: The search settings in force, as text.
    """

    hits: tuple[TrackHit, ...]
    archive: str
    edition: str
    encoder_hash: str
    searched: int
    total: int
    coverage: Coverage
    probe_sha256: str = ""
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceInfo:
    """A video file, or pictures, that an archive was made from.

    Attributes:
        source_id, name: Its id, and its native file name.
        path: Where it was read, on the indexing host.
        sha256, size_bytes: Of the original bytes.
        camera, place: Of the camera.
        zone, clock_offset_s: Of its clock, see ``outsole.video.clocks.CameraClock``.
        start, start_origin: When it began by that clock, ISO 8601, and how that is known; empty where nobody knows.
        times_from, codec: Where times of frames come from, and how pictures are coded.
        width_px, height_px: Of the first frame.
        coverage: What became of its frames.
        issues: What was wrong with it, a sentence each.
    """

    source_id: str
    name: str
    path: str
    sha256: str
    size_bytes: int
    camera: str
    place: str
    zone: str
    clock_offset_s: float
    start: str
    start_origin: str
    times_from: str
    codec: str
    width_px: int
    height_px: int
    coverage: Coverage
    issues: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArchiveInfo:
    """A video archive and the edition that answers for it.

    Attributes:
        name, edition, created: What they are called, and when the edition was made (RFC 3339, UTC).
        encoder, encoder_hash: What described its tracks.
        tracks: How many there are, in searches or not.
        coverage: What became of all its frames.
        sources: By camera, start and id.
    """

    name: str
    edition: str
    created: str
    encoder: str
    encoder_hash: str
    tracks: int
    coverage: Coverage
    sources: tuple[SourceInfo, ...] = ()


@dataclass(frozen=True)
class Trace:
    """One candidate model of a print and where such shoes were seen.

    Attributes:
        hit: The candidate of the print search.
        tracks: Best first.
        pictures: Pictures of the model in the gallery of shoes; where there is none it could not be looked for.
    """

    hit: Hit
    tracks: tuple[TrackHit, ...]
    pictures: int


@dataclass(frozen=True)
class TraceRow:
    """One row of a trace: a track, the candidate model that explains it best, and both scores side by side.

    Attributes:
        rank: From 1.
        track: The track.
        model_id: The candidate model.
        print_rank, print_score: Of the model in the print search. The score is no probability.
        shoe_score: How much its upper resembles the shoe of the track: the best of its pictures, about -1 .. 1.
        look_rank: Rank of the model among all models of the shoe gallery by their resemblance to this track, from 1.
    """

    rank: int
    track: TrackInfo
    model_id: str
    print_rank: int
    print_score: float
    shoe_score: float
    look_rank: int


@dataclass(frozen=True)
class TracedArchive:
    """An archive in which a trace was looked for; the attributes are those of `TrackAnswer`."""

    archive: str
    edition: str
    searched: int
    total: int
    coverage: Coverage


@dataclass(frozen=True)
class TraceAnswer:
    """From a print to models to tracks.

    Attributes:
        rows: Tracks over all models, each once, in the order that the settings name.
        traces: By candidate model, in the order of the print's candidates.
        print: The answer of the print search.
        archives: What was looked through.
        shoe_gallery, shoe_edition, encoder_hash: What gave the pictures of the models, and their vectors.
        warnings: What a person should know.
        stage_ms: Milliseconds by stage, those of the print search included.
        settings: The settings in force, as text.
    """

    rows: tuple[TraceRow, ...]
    traces: tuple[Trace, ...]
    print: SearchAnswer
    archives: tuple[TracedArchive, ...]
    shoe_gallery: str
    shoe_edition: str
    encoder_hash: str
    warnings: tuple[str, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchedModel:
    """A model that a search in bulk looked for.

    Attributes:
        model_id: The model.
        pictures: Pictures of it in the gallery of shoes; where there is none it could not be looked for.
        tracks: Rows that it has in all.
    """

    model_id: str
    pictures: int
    tracks: int


@dataclass(frozen=True)
class FoundTrack:
    """One row of a search in bulk: a model, and a track that resembles it.

    Attributes:
        model_id: The model.
        hit: The track; its rank is that among the tracks of the model, its score that of the model's best picture.
    """

    model_id: str
    hit: TrackHit


@dataclass(frozen=True)
class VideoSearchAnswer:
    """What a search of archives in bulk found.

    Attributes:
        rows: By model in the order of the request, and by rank.
        models: In the order of the request.
        archives: What was looked through, the archive of the files last.
        coverage: What became of the frames of all of them together.
        gallery, edition, encoder_hash: What gave the pictures of the models, and their vectors.
        total_rows: How many there are; more than ``rows`` holds where this is one page of several.
        warnings: What a person should know.
        settings: The settings in force, as text.
    """

    rows: tuple[FoundTrack, ...]
    models: tuple[SearchedModel, ...]
    archives: tuple[TracedArchive, ...]
    coverage: Coverage
    gallery: str
    edition: str
    encoder_hash: str
    total_rows: int = 0
    warnings: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


Refinable = SearchAnswer | TrackAnswer
"""An answer of a search with a shoe: models of a gallery, or tracks of an archive."""


@dataclass(frozen=True)
class RefinedAnswer:
    """An answer after marked hits were taken in, and the one that it came from; both are of one kind."""

    refined: Refinable
    unrefined: Refinable
