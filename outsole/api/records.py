"""What callers say and get beside the answers: placements to try, evidence, options of a search.

Only the standard library and the records of answers are imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from outsole.answers import ItemFilter, ItemState, Placement, SearchMode, ShoeMarks, TrackFilter
from outsole.video_answers import RefineMethod, TraceOrder


@dataclass(frozen=True)
class PlacementSearch:
    """Which placements are tried; None leaves a value to the service.

    Attributes:
        rotation_min_deg, rotation_max_deg: Range of rotations, degrees, each -180 .. 180.
        rotation_step_deg: Step between rotations, degrees, above 0 .. 180.
        try_mirrored: Also try the probe flipped left to right.
        try_inverted: Also try the probe with its polarity turned.
        scales: Scales tried, each 0.5 .. 2; empty for 1 alone.
        pinned: The one placement to use; None to search.
    """

    rotation_min_deg: float | None = None
    rotation_max_deg: float | None = None
    rotation_step_deg: float | None = None
    try_mirrored: bool = False
    try_inverted: bool = False
    scales: tuple[float, ...] = ()
    pinned: Placement | None = None


@dataclass(frozen=True)
class WearSearch:
    """Which worn views are compared beside items and probe as they are. They are simulations by a model of wear.

    Attributes:
        gallery_weeks: Companions of the gallery to search too, by weeks of wear: at most 4 even numbers from 2 to 52.
        probe_weeks: The probe is also taken back by so many weeks; None for not.
        gallery_editions: Editions of companions, by weeks; those not named are searched as they are now.
    """

    gallery_weeks: tuple[int, ...] = ()
    probe_weeks: int | None = None
    gallery_editions: Mapping[int, str] = field(default_factory=dict, hash=False)

    @property
    def is_off(self) -> bool:
        """Whether nothing is asked for."""
        return not self.gallery_weeks and self.probe_weeks is None


@dataclass(frozen=True)
class EvidenceRef:
    """Evidence that a service holds.

    Attributes:
        sha256: Hex digest of the untouched bytes; its name.
        size_bytes: Bytes held.
    """

    sha256: str
    size_bytes: int


class PrintOptions(TypedDict, total=False):
    """Options of every call with a print; left out, the service decides.

    Attributes:
        mask_png: Grey or 1-bit PNG of the image's size, above 127 where the print is. Not beside ``mask_polygon``.
        mask_polygon: Outline of the print as (x, y) in image pixels.
        placements: What is tried.
        edition: Pins the gallery's state; empty for the current one.
        encoder: Name of one encoder that the gallery was indexed with; empty for all of them together. An explanation
            is of the correlation alone.
        budget_ms: The service's time, 1 .. 600,000 ms; None for the call's timeout.
        timeout_s: Replaces the client's timeout for this call, seconds.
    """

    mask_png: bytes | None
    mask_polygon: Sequence[tuple[float, float]] | None
    placements: PlacementSearch | None
    edition: str
    encoder: str
    budget_ms: int | None
    timeout_s: float


class ExplainOptions(PrintOptions, total=False):
    """Options of ``explain_hit``: those of every call with a print, and these, which are a hit's own.

    Attributes:
        worn_weeks: Explain the item as it is worn for so many weeks; 0 for as it is.
        worn_edition: Edition of the companion that shows it; empty for the current one.
        probe_weeks: Explain the probe taken back by so many weeks; 0 for as it is.
    """

    worn_weeks: int
    worn_edition: str
    probe_weeks: int


class ShoeOptions(TypedDict, total=False):
    """Options of ``search_shoe``; left out, the service decides.

    Attributes:
        k: Models or tracks wanted, 1 .. 1,000; None for 20.
        marks: Where the shoe is in the picture, and from where it is seen.
        where: Which items of the gallery, or tracks of the archive, take part; all where left out.
        edition: Pins the state of the gallery or archive; empty for the current one.
        with_thumbnails: Whether the small pictures of tracks are wanted.
        budget_ms: The service's time, 1 .. 600,000 ms; None for the call's timeout.
        timeout_s: Replaces the client's timeout for this call, seconds.
    """

    k: int | None
    marks: ShoeMarks
    where: ItemFilter | TrackFilter
    edition: str
    with_thumbnails: bool
    budget_ms: int | None
    timeout_s: float


class WearOptions(TypedDict, total=False):
    """Options of ``predict_wear`` and ``reconstruct_outsole``; left out, the service decides.

    Attributes:
        budget_ms: The service's time, 1 .. 600,000 ms; None for the call's timeout.
        timeout_s: Replaces the client's timeout for this call, seconds.
    """

    budget_ms: int | None
    timeout_s: float


@dataclass(frozen=True)
class StreamFrame:
    """A frame of a stream.

    Attributes:
        number: From 0, rising; numbers may be left out.
        image: Bytes of a JPEG, PNG, TIFF or WebP, at most 16 MiB and 16 megapixels.
        time_s: Seconds on a clock of any beginning, never falling; of every frame or of none. Without times no
            walk-pasts are told.
    """

    number: int
    image: bytes = field(repr=False)
    time_s: float | None = None


class FramesOptions(TypedDict, total=False):
    """Options of ``search_frames``; left out, the service decides.

    Attributes:
        k: Models wanted for each shoe, 1 .. 100; None for 5.
        camera: Name of the camera, which tracks repeat.
        edition: Pins the state of the gallery; empty for the current one.
        timeout_s: Seconds for the whole stream; None for no end. The service ends one whose client neither sends nor
            reads for a minute.
    """

    k: int | None
    camera: str
    edition: str
    timeout_s: float | None


class SearchOptions(PrintOptions, total=False):
    """Options of ``search_print``: those of every call with a print, and these.

    Attributes:
        k: Models wanted, 1 .. 1,000; 20 where left out.
        mode: How much is looked at closely; SHORTLIST where left out.
        where: Which items take part; all where left out.
        require_complete: Rather an error than a degraded answer.
        shortlist_size: Candidates in mode SHORTLIST, 1 .. 400; None for 400.
        wear: Worn views that are compared too; none where left out.
    """

    k: int
    mode: SearchMode
    where: ItemFilter
    require_complete: bool
    shortlist_size: int | None
    wear: WearSearch


class RefineOptions(ShoeOptions, total=False):
    """Options of ``refine_shoes``: those of ``search_shoe``, and these.

    Attributes:
        relevant, irrelevant: Ids of items or tracks that resemble the probe, and of those that do not; at most 100.
        method: How they change the search; ROCCHIO where left out.
    """

    relevant: Sequence[str]
    irrelevant: Sequence[str]
    method: RefineMethod


class TraceOptions(SearchOptions, total=False):
    """Options of ``trace_print``: those of ``search_print``, whose ``k`` models are traced, and these.

    Attributes:
        shoe_edition: Pins the state of the gallery of shoes; empty for the current one.
        archive_editions: Editions of archives, by name; those not named are searched as they are now.
        tracks_where: Which tracks take part; all where left out.
        tracks_per_model: Tracks wanted for each model, 1 .. 1,000; None for 10.
        rows: Rows wanted over all models, 1 .. 1,000; None for 50.
        order: In which order they come; JOINT_RANKS where left out.
        with_thumbnails: Whether the rows' small pictures are wanted.
    """

    shoe_edition: str
    archive_editions: Mapping[str, str]
    tracks_where: TrackFilter
    tracks_per_model: int | None
    rows: int | None
    order: TraceOrder
    with_thumbnails: bool


class TracksOptions(TypedDict, total=False):
    """Options of ``list_tracks``; left out, every track is listed.

    Attributes:
        where: Which tracks.
        states: States wanted; empty for all.
        edition: The edition; empty for the one that is current when the first page is read.
        page_size: Tracks on a page, 1 .. 1,000; 100 where left out.
        with_thumbnails: Whether the small pictures are wanted.
    """

    where: TrackFilter
    states: Sequence[ItemState]
    edition: str
    page_size: int
    with_thumbnails: bool


class ItemsOptions(TypedDict, total=False):
    """Options of ``list_items``; left out, every item is listed.

    Attributes:
        where: Which items.
        states: States wanted; empty for all.
        edition: The edition; empty for the one that is current when the first page is read.
        page_size: Items on a page, 1 .. 1,000; 100 where left out.
        with_thumbnails: Whether the small pictures are wanted.
    """

    where: ItemFilter
    states: Sequence[ItemState]
    edition: str
    page_size: int
    with_thumbnails: bool


class IngestOptions(TypedDict, total=False):
    """Options of ``start_ingest``; left out, the service decides.

    Attributes:
        embedding: Name of the embedding beside the correlation encoder; ``none`` for none.
        feed: Name under which the source is crawled again and again.
        dry_run: Only read the source and say what could not be used.
        request_id: A name of the caller's: asked again with it, the same operation is answered.
    """

    embedding: str
    feed: str
    dry_run: bool
    request_id: str


class VideoSearchOptions(TypedDict, total=False):
    """Options of ``start_video_search``; left out, the service decides.

    Attributes:
        archives: Names of archives; these, ``files``, or both.
        files: Absolute paths on the service's host of files that are not indexed yet; ``camera`` is needed with them.
        files_archive: Archive to index them into; one of their own where left out.
        camera, place: The camera that took the files, and where it hangs.
        zone, clock_offset_s: Of its clock; see ``outsole.video.clocks.CameraClock``.
        start: When the one file began by that clock.
        every_s: How often the files are looked at, seconds; 0 for every frame.
        where: Which tracks take part.
        tracks_per_model: Tracks wanted for each model, 1 .. 1,000.
        request_id: A name of the caller's: asked again with it, the same operation is answered.
    """

    archives: Sequence[str]
    files: Sequence[str]
    files_archive: str
    camera: str
    place: str
    zone: str
    clock_offset_s: float
    start: datetime | None
    every_s: float
    where: TrackFilter
    tracks_per_model: int
    request_id: str
