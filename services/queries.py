"""What is asked, as plain records: the wire's requests after their checks, and the benchmarks' own."""

from __future__ import annotations

from dataclasses import dataclass, field

from outsole.answers import ItemFilter, SearchMode, ShoeMarks, TrackFilter
from outsole.api.records import PlacementSearch, WearSearch
from outsole.video_answers import RefineMethod, TraceOrder
from outsole.wear.model import Direction

DEFAULT_K = 20
MAX_K = 1_000
MAX_SHORTLIST = 400
LONGEST_BUDGET_MS = 600_000
DEFAULT_TRACKS_PER_MODEL = 10
DEFAULT_TRACE_ROWS = 50
MAX_ARCHIVES = 100
MAX_MARKED = 100
MAX_TRACE_PAIRS = 10_000
DEFAULT_FRAME_K = 5
MAX_FRAME_K = 100


@dataclass(frozen=True)
class Probe:
    """The picture that is searched with.

    Attributes:
        image: The untouched bytes; None where they are held as evidence.
        evidence_sha256: Name of the evidence; empty where the bytes are given.
        mask_png: A mask drawn over it, PNG bytes; None where there is none.
        mask_polygon: Its outline as (x, y) in image pixels; None where there is none.
    """

    image: bytes | None = None
    evidence_sha256: str = ""
    mask_png: bytes | None = None
    mask_polygon: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class Target:
    """Where is looked.

    Attributes:
        gallery: Name of the gallery.
        edition: The edition; empty for the current one.
        encoder: The one encoder to search with; empty for all that the edition was indexed with.
    """

    gallery: str
    edition: str = ""
    encoder: str = ""


@dataclass(frozen=True)
class PrintQuery:
    """A search with a print.

    Attributes:
        probe, target: What is compared with what.
        placements: Which placements are tried.
        where: Which items take part.
        k: Models wanted, 1 .. 1,000.
        mode: How much is looked at closely.
        shortlist_size: Candidates in mode SHORTLIST, 1 .. 400.
        budget_ms: Milliseconds for the whole search; None for the service's default.
        require_complete: Rather an error than a degraded answer.
        wear: Worn views that are compared too.
    """

    probe: Probe
    target: Target
    placements: PlacementSearch = PlacementSearch()
    where: ItemFilter = field(default_factory=ItemFilter)
    k: int = DEFAULT_K
    mode: SearchMode = SearchMode.SHORTLIST
    shortlist_size: int = MAX_SHORTLIST
    budget_ms: int | None = None
    require_complete: bool = False
    wear: WearSearch = WearSearch()


@dataclass(frozen=True)
class ShoeQuery:
    """A search with a picture of a shoe; the other attributes are those of `PrintQuery`.

    Attributes:
        marks: Where the shoe is in the picture.
    """

    probe: Probe
    target: Target
    marks: ShoeMarks = ShoeMarks()
    where: ItemFilter = field(default_factory=ItemFilter)
    k: int = DEFAULT_K
    budget_ms: int | None = None


@dataclass(frozen=True)
class ExplainQuery:
    """The question why an item scored as it did; the other attributes are those of `PrintQuery`.

    Attributes:
        wear: The one worn view that is explained; off for the item and the probe as they are.
    """

    probe: Probe
    target: Target
    item_id: str
    placements: PlacementSearch = PlacementSearch()
    budget_ms: int | None = None
    wear: WearSearch = WearSearch()


@dataclass(frozen=True)
class TrackQuery:
    """A search of an archive with a picture of a shoe; the other attributes are those of `ShoeQuery`.

    Attributes:
        target: The archive, and its edition.
        where: Which tracks take part.
        k: Tracks wanted, 1 .. 1,000.
        with_thumbnails: Whether the small pictures are wanted.
    """

    probe: Probe
    target: Target
    marks: ShoeMarks = ShoeMarks()
    where: TrackFilter = field(default_factory=TrackFilter)
    k: int = DEFAULT_K
    budget_ms: int | None = None
    with_thumbnails: bool = False


@dataclass(frozen=True)
class TraceQuery:
    """From a print to tracks.

    Attributes:
        search: The search for the print; its ``k`` models are traced, and its budget is that of the whole.
        shoes: The gallery that shows the shoes.
        archives: Archives to look in, with their editions.
        where: Which tracks take part.
        tracks_per_model: Tracks wanted for each model, 1 .. 1,000.
        rows: Rows wanted over all models, 1 .. 1,000.
        order: In which order they come.
        with_thumbnails: Whether the small pictures are wanted.
    """

    search: PrintQuery
    shoes: Target
    archives: tuple[Target, ...]
    where: TrackFilter = field(default_factory=TrackFilter)
    tracks_per_model: int = DEFAULT_TRACKS_PER_MODEL
    rows: int = DEFAULT_TRACE_ROWS
    order: TraceOrder = TraceOrder.JOINT_RANKS
    with_thumbnails: bool = False


@dataclass(frozen=True)
class RefineQuery:
    """A search again, with an examiner's judgement.

    Attributes:
        search: What is searched again.
        relevant, irrelevant: Ids of items or tracks that resemble the probe, and of those that do not.
        method: How they change the search.
    """

    search: ShoeQuery | TrackQuery
    relevant: tuple[str, ...]
    irrelevant: tuple[str, ...]
    method: RefineMethod = RefineMethod.ROCCHIO


@dataclass(frozen=True)
class WearQuery:
    """A question about wear.

    Attributes:
        probe: The print that is given; it has no mask.
        direction: Whether it is taken on in time, or back.
        weeks: Weeks between it and each print that is wanted, see `outsole.wear.weeks`.
        budget_ms: Milliseconds for the whole; None for the service's default.
    """

    probe: Probe
    direction: Direction
    weeks: tuple[int, ...]
    budget_ms: int | None = None


@dataclass(frozen=True)
class FramesQuery:
    """A search of frames that stream in.

    Attributes:
        target: The gallery that shows shoes, and its edition.
        k: Models wanted for each shoe, 1 .. 100.
        camera: Name of the camera, which tracks repeat.
    """

    target: Target
    k: int = DEFAULT_FRAME_K
    camera: str = ""
