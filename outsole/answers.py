"""What a search answers: plain records shared by the services, the client, the command line and the report.

Only the standard library is imported: the client SDK uses these with grpcio and protobuf alone.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# Years that a release can have.
FIRST_YEAR, LAST_YEAR = 1900, 2100


class SearchMode(enum.Enum):
    """How much of the gallery is looked at closely."""

    SHORTLIST = "shortlist"
    EXHAUSTIVE = "exhaustive"


class Side(enum.Enum):
    """Which foot an item is for."""

    UNKNOWN = "unknown"
    LEFT = "left"
    RIGHT = "right"


class ItemState(enum.Enum):
    """Whether an item is on sale, and whether it takes part in searches.

    A shoe that is no longer sold is still worn: a discontinued item is searched like an active one.
    """

    ACTIVE = "active"
    DISCONTINUED = "discontinued"
    RETIRED = "retired"
    QUARANTINED = "quarantined"

    @property
    def is_searched(self) -> bool:
        """Whether it takes part in searches."""
        return self in (ItemState.ACTIVE, ItemState.DISCONTINUED)


class Role(enum.Enum):
    """What a retailer's picture shows of a shoe."""

    SOLE = "SOLE"
    SIDE = "SIDE"
    TOP = "TOP"
    FRONT = "FRONT"
    HEEL = "HEEL"
    PAIR = "PAIR"
    BOX = "BOX"
    OTHER = "OTHER"


Point = tuple[float, float]
"""(x, y) in pixels."""
Box = tuple[float, float, float, float]
"""(left, top, right, bottom) in pixels; a box may reach beyond the picture."""


class View(enum.Enum):
    """From where a shoe is seen."""

    SIDE = "side"
    FRONT = "front"
    BACK = "back"


@dataclass(frozen=True)
class ShoeMarks:
    """What is known of a shoe in a picture; everything may be left out.

    Attributes:
        view: From where it is seen.
        toe, heel: Both ends of its sole, pixels of the picture; both or neither.
        box: Around it; the whole picture where None.
    """

    view: View | None = None
    toe: Point | None = None
    heel: Point | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Placement:
    """Where on an item a probe was laid to be compared.

    Attributes:
        rotation_deg: Counter-clockwise rotation given to the probe, degrees.
        shift_x_px: Shift to the right of the probe's centre from the item's centre, canvas pixels (20 px/cm).
        shift_y_px: Shift downwards, canvas pixels.
        scale: Factor by which the probe was enlarged.
        mirrored: Whether the probe was flipped left to right.
        inverted: Whether the probe's polarity was turned.
    """

    rotation_deg: float = 0.0
    shift_x_px: float = 0.0
    shift_y_px: float = 0.0
    scale: float = 1.0
    mirrored: bool = False
    inverted: bool = False


@dataclass(frozen=True)
class Hit:
    """One row of an answer: a shoe model, its best item, the score and the placement.

    Attributes:
        rank: 1-based rank among the groups of the answer.
        model_id: The shoe model.
        item_id: The best item of that model.
        score: Similarity: the correlation, about -1 .. 1, and with an embedding its weighted cosine on top. Comparable
            across probes of searches with the same encoders. It is no probability.
        brand, side, category, tread_family: The item's metadata; empty where unknown.
        placement: The placement that won.
        score_parts: What the score was made of, by name: ``correlation``, ``embedding``, each about -1 .. 1. Where
            worn views were compared too, of the view that won; the score is the soft maximum of all of them.
        worn_weeks: The view that won shows the item as it is predicted to be worn for so many weeks; 0 for as it is.
        probe_weeks: In the view that won the probe was taken back by so many weeks; 0 for as it is.
    """

    rank: int
    model_id: str
    item_id: str
    score: float
    placement: Placement = Placement()
    brand: str = ""
    side: Side = Side.UNKNOWN
    category: str = ""
    tread_family: str = ""
    score_parts: dict[str, float] = field(default_factory=dict, hash=False)
    worn_weeks: int = 0
    probe_weeks: int = 0

    @classmethod
    def of(
        cls,
        item: ItemInfo,
        *,
        rank: int,
        score: float,
        placement: Placement = Placement(),
        score_parts: Mapping[str, float] | None = None,
    ) -> Hit:
        """The row of an answer that shows an item."""
        return cls(
            rank=rank,
            model_id=item.model_id,
            item_id=item.item_id,
            score=score,
            placement=placement,
            brand=item.brand,
            side=item.side,
            category=item.category,
            tread_family=item.tread_family,
            score_parts=dict(score_parts or {}),
        )


@dataclass(frozen=True)
class ItemFilter:
    """Which items take part in a search; an empty tuple leaves a field free.

    Attributes:
        brands: Brands allowed, compared exactly.
        sides: Sides allowed.
        categories: Categories allowed, compared exactly.
        first_year, last_year: Years of release allowed, both included; 0 leaves an end open. An item of unknown year
            is in no such range.
    """

    brands: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    categories: tuple[str, ...] = ()
    first_year: int = 0
    last_year: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether every item takes part."""
        return self == ItemFilter()


@dataclass(frozen=True)
class TrackFilter:
    """Which tracks of a video archive take part in a search; an empty tuple leaves a field free.

    Attributes:
        cameras: Cameras allowed, compared exactly.
        places: Places allowed, compared exactly.
        since, until: A track takes part where any of it was seen between them, both included; with their time zone;
            None leaves an end open. A track whose time nobody knows is in no such range.
    """

    cameras: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class SearchAnswer:
    """A ranked answer and everything that is needed to compute it again.

    Attributes:
        hits: Best first; ties broken by item id.
        gallery, edition: What it was computed on.
        encoder_hash: Of the correlation encoder; of the embedding where that alone was asked.
        mode: SHORTLIST or EXHAUSTIVE.
        searched, total: Items compared closely, and items in the edition after the filter.
        degraded: Names of stages that were skipped or cut short; empty on a whole answer.
        visible_fraction: Part of a full sole's area that the probe shows, 0 .. 1.
        probe_sha256: Hex digest of the untouched probe bytes.
        steps: Processing steps applied to the probe, in order.
        warnings: What a person should know about the probe.
        stage_ms: Milliseconds by stage of the query's way.
        settings: The search settings in force, as text.
    """

    hits: tuple[Hit, ...]
    gallery: str
    edition: str
    encoder_hash: str
    mode: SearchMode
    searched: int
    total: int
    degraded: tuple[str, ...] = ()
    visible_fraction: float = 0.0
    probe_sha256: str = ""
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """Why an item scored as it did.

    Attributes:
        hit: The item compared, with placement; its score is the correlation alone, also where a search adds an
            embedding: that is one vector of the whole print, and no cell owns a share of it.
        heat: Per-cell contributions, row-major, ``rows x columns``; they sum to the hit's score, here the correlation.
        rows, columns: Shape of the heat map over the probe's canvas.
        cell_px: Side of one cell in canvas pixels.
        probe_png, item_png: Both as compared (canvas, placed), PNG bytes.
    """

    hit: Hit
    heat: tuple[float, ...]
    rows: int
    columns: int
    cell_px: int
    probe_png: bytes = b""
    item_png: bytes = b""


@dataclass(frozen=True)
class GalleryInfo:
    """A gallery and the edition that answers for it.

    Attributes:
        name, edition: What they are called.
        items, models: How many of each.
        encoder_hash: Of the correlation encoder.
        created: UTC time of the first indexing.
        encoders: Hash by name of every encoder that the edition was indexed with; a search can name each of them.
    """

    name: str
    edition: str
    items: int
    models: int
    encoder_hash: str
    created: str
    encoders: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ItemInfo:
    """One item of a gallery."""

    item_id: str
    model_id: str
    brand: str = ""
    side: Side = Side.UNKNOWN
    category: str = ""
    tread_family: str = ""
    sha256: str = ""
    thumbnail_png: bytes = b""
    year: int = 0
    state: ItemState = ItemState.ACTIVE
    state_reason: str = ""
