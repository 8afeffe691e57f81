"""Requests of the wire to checked queries: what can be refused without reading a pixel is refused here."""

from __future__ import annotations

from google.protobuf.message import Message

from outsole.answers import ItemFilter
from outsole.api import convert, convert_shoes, convert_worn
from outsole.api.convert_lifecycle import item_states_from_wire
from outsole.api.generated.outsole.v1 import common_pb2, gallery_pb2, retrieval_pb2, wear_pb2
from outsole.api.records import PlacementSearch, WearSearch
from outsole.errors import InvalidInput
from outsole.gallery.layout import checked_name
from outsole.wear.model import Direction
from outsole.wear.weeks import checked_weeks
from services.catalogue import DEFAULT_PAGE, MAX_PAGE, ItemsWanted
from services.evidence import checked_digest
from services.queries import (
    DEFAULT_K,
    LONGEST_BUDGET_MS,
    MAX_K,
    MAX_SHORTLIST,
    ExplainQuery,
    PrintQuery,
    Probe,
    ShoeQuery,
    Target,
    TrackQuery,
    WearQuery,
)

PrintRequest = retrieval_pb2.SearchPrintRequest | retrieval_pb2.ExplainHitRequest
_REQUEST_ID_CHARACTERS = 100
_Request = PrintRequest | retrieval_pb2.SearchShoeRequest
WearRequest = wear_pb2.PredictWearRequest | wear_pb2.ReconstructOutsoleRequest


def print_query(request: retrieval_pb2.SearchPrintRequest) -> PrintQuery:
    """The search that is asked for.

    Raises:
        InvalidInput: A field that is missing or out of its range; ``field`` names it and ``remedy`` the limit.
    """
    return PrintQuery(
        probe=_probe(request),
        target=_target(request),
        placements=_placements(request),
        where=item_filter(request),
        k=in_range(request, "k", (1, MAX_K)) or DEFAULT_K,
        mode=convert.mode_from_wire(request.mode),
        shortlist_size=in_range(request, "shortlist_size", (1, MAX_SHORTLIST)) or MAX_SHORTLIST,
        budget_ms=in_range(request, "budget_ms", (1, LONGEST_BUDGET_MS)),
        require_complete=request.require_complete,
        wear=convert_worn.wear_search_from_wire(request.wear),
    )


def explain_query(request: retrieval_pb2.ExplainHitRequest) -> ExplainQuery:
    """The explanation that is asked for. Raises ``InvalidInput`` as `print_query`."""
    if not request.item_id:
        raise InvalidInput("no item is named", field="item_id", remedy="the item_id of a hit")
    return ExplainQuery(
        probe=_probe(request),
        target=_target(request),
        item_id=request.item_id,
        placements=_placements(request),
        budget_ms=in_range(request, "budget_ms", (1, LONGEST_BUDGET_MS)),
        wear=_explained_view(request),
    )


def _explained_view(request: retrieval_pb2.ExplainHitRequest) -> WearSearch:
    """The one worn view that is explained, off where none is."""
    if request.probe_weeks and request.worn_weeks:
        raise InvalidInput("the probe is taken back and the item worn", field="probe_weeks", remedy="what the hit says")
    if request.probe_weeks:
        return WearSearch(probe_weeks=convert_worn.one_worn_view(request.probe_weeks, field="probe_weeks"))
    if not request.worn_weeks:
        return WearSearch()
    weeks = convert_worn.one_worn_view(request.worn_weeks, field="worn_weeks")
    return WearSearch((weeks,), gallery_editions={weeks: request.worn_edition} if request.worn_edition else {})


def shoe_query(request: retrieval_pb2.SearchShoeRequest) -> ShoeQuery | TrackQuery:
    """The search with a shoe that is asked for, of one gallery or archive. Raises ``InvalidInput`` as `print_query`."""
    image, digest = _picture(request)
    _check_one_target(request)
    probe, marks = Probe(image, digest), convert_shoes.marks_from_wire(request)
    k = in_range(request, "k", (1, MAX_K)) or DEFAULT_K
    budget_ms = in_range(request, "budget_ms", (1, LONGEST_BUDGET_MS))
    if request.archive:
        tracks = convert_shoes.track_filter_from_wire(request.track_filter)
        target = Target(request.archive, request.edition)
        return TrackQuery(probe, target, marks, tracks, k, budget_ms, request.with_thumbnails)
    items = convert.item_filter_from_wire(request.filter)
    return ShoeQuery(probe, Target(_gallery(request), request.edition), marks, items, k, budget_ms)


def wear_query(request: WearRequest, direction: Direction) -> WearQuery:
    """The question about wear that is asked. Raises ``InvalidInput`` as `print_query`."""
    image, digest = _picture(request)
    budget_ms = in_range(request, "budget_ms", (1, LONGEST_BUDGET_MS))
    return WearQuery(Probe(image, digest), direction, checked_weeks(request.weeks), budget_ms)


def _check_one_target(request: retrieval_pb2.SearchShoeRequest) -> None:
    if request.gallery and request.archive:
        raise InvalidInput("both a gallery and an archive are named", field="archive", remedy="one of them")
    stray = "filter" if request.archive else "track_filter"
    if request.HasField(stray):
        raise InvalidInput(
            f"{stray} is not for what is searched",
            field=stray,
            remedy="filter: galleries; track_filter: archives",
        )


def item_filter(request: retrieval_pb2.SearchPrintRequest | gallery_pb2.ListItemsRequest) -> ItemFilter:
    """The filter of a request; see `outsole.api.convert.item_filter_from_wire`."""
    return convert.item_filter_from_wire(request.filter)


def items_wanted(request: gallery_pb2.ListItemsRequest) -> ItemsWanted:
    """Which items a list is of. Raises ``InvalidInput`` for a filter or state that is none."""
    states = item_states_from_wire(request.states)
    return ItemsWanted(item_filter(request), states, request.with_thumbnails)


def budget_s(request: gallery_pb2.VerifyEditionRequest, default_ms: int) -> float:
    """Seconds for the whole. Raises ``InvalidInput`` for a budget out of its range."""
    if not request.HasField("budget_ms"):
        return default_ms / 1000
    if not 1 <= request.budget_ms <= LONGEST_BUDGET_MS:
        raise InvalidInput(f"budget_ms is {request.budget_ms}", field="budget_ms", remedy=f"1 to {LONGEST_BUDGET_MS:,}")
    return request.budget_ms / 1000


def page(message: common_pb2.Page) -> tuple[int, str]:
    """Rows wanted and the token. Raises ``InvalidInput`` for a size out of 0 .. 1,000."""
    if not 0 <= message.page_size <= MAX_PAGE:
        raise InvalidInput(f"{message.page_size} rows", field="page.page_size", remedy=f"1 to {MAX_PAGE:,}, or 0")
    return message.page_size or DEFAULT_PAGE, message.page_token


def operation_id(text: str) -> str:
    """The operation that is named. Raises ``InvalidInput`` where none is."""
    if not text:
        raise InvalidInput("no operation is named", field="operation_id", remedy="one of ListOperations")
    return checked_name(text, field="operation_id")


def request_id(text: str) -> str:
    """The caller's name for a request. Raises ``InvalidInput`` for one that is too long."""
    if len(text) > _REQUEST_ID_CHARACTERS:
        raise InvalidInput("a long request_id", field="request_id", remedy=f"at most {_REQUEST_ID_CHARACTERS}")
    return text


def _probe(request: PrintRequest) -> Probe:
    image, digest = _picture(request)
    mask = request.WhichOneof("mask")
    return Probe(
        image=image,
        evidence_sha256=digest,
        mask_png=request.mask_png if mask == "mask_png" else None,
        mask_polygon=convert.polygon_from_wire(request.mask_polygon) if mask == "mask_polygon" else None,
    )


def _picture(request: _Request | WearRequest) -> tuple[bytes | None, str]:
    """The bytes of the probe, or the name of the evidence that holds them."""
    kind = request.WhichOneof("probe")
    if kind is None:
        raise InvalidInput("no probe was sent", field="image", remedy="exactly one of image and evidence_sha256")
    if kind == "image":
        return request.image, ""
    return None, checked_digest(request.evidence_sha256, field="evidence_sha256")


def _target(request: PrintRequest) -> Target:
    return Target(gallery=_gallery(request), edition=request.edition, encoder=request.encoder)


def _gallery(request: _Request) -> str:
    if not request.gallery:
        raise InvalidInput("no gallery is named", field="gallery", remedy="the name of a gallery; see ListGalleries")
    return request.gallery


def _placements(request: PrintRequest) -> PlacementSearch:
    return convert.placement_search_from_wire(request.placement_search)


def in_range(request: Message, name: str, bounds: tuple[int, int]) -> int | None:
    """The value of an optional field, None where it was left out."""
    if not request.HasField(name):
        return None
    value = int(getattr(request, name))
    if not bounds[0] <= value <= bounds[1]:
        raise InvalidInput(f"{name} is {value}", field=name, remedy=f"{bounds[0]:,} to {bounds[1]:,}")
    return value
