"""Wire messages to records and back: one pair of functions a record.

``*_to_wire`` never fails on a valid record. ``*_from_wire`` of what a caller sends raises ``InvalidInput`` naming the
field; of what a service answers it is lenient, so that an older client reads a newer service.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from outsole.answers import (
    FIRST_YEAR,
    LAST_YEAR,
    Box,
    Explanation,
    Hit,
    ItemFilter,
    Placement,
    Point,
    SearchAnswer,
    SearchMode,
    Side,
)
from outsole.api.generated.outsole.v1 import common_pb2, retrieval_pb2
from outsole.api.records import EvidenceRef, PlacementSearch
from outsole.errors import InvalidInput

MIN_POLYGON_POINTS = 3
MAX_POLYGON_POINTS = 10_000
MAX_FILTER_VALUES = 1_000
MAX_SCALES = 16
SCALE_RANGE = (0.5, 2.0)

# Facts of every ranked answer that are called alike in its record and on the wire.
_PLAIN = ("edition", "encoder_hash", "searched", "total", "probe_sha256")
_LISTS, _MAPS = ("steps", "warnings"), ("stage_ms", "settings")

_SIDE_TO_WIRE = {
    Side.UNKNOWN: common_pb2.SIDE_UNKNOWN,
    Side.LEFT: common_pb2.SIDE_LEFT,
    Side.RIGHT: common_pb2.SIDE_RIGHT,
}
_SIDE_FROM_WIRE: dict[int, Side] = {number: side for side, number in _SIDE_TO_WIRE.items()}
_MODE_TO_WIRE = {
    SearchMode.SHORTLIST: common_pb2.SEARCH_MODE_SHORTLIST,
    SearchMode.EXHAUSTIVE: common_pb2.SEARCH_MODE_EXHAUSTIVE,
}
_MODE_FROM_WIRE: dict[int, SearchMode] = {number: mode for mode, number in _MODE_TO_WIRE.items()}


def side_to_wire(side: Side) -> common_pb2.Side:
    """The enum value of a side."""
    return _SIDE_TO_WIRE[side]


def side_from_wire(number: int) -> Side:
    """The side of a record; UNKNOWN for a value that this release does not know."""
    return _SIDE_FROM_WIRE.get(number, Side.UNKNOWN)


def mode_to_wire(mode: SearchMode) -> common_pb2.SearchMode:
    """The enum value of a mode."""
    return _MODE_TO_WIRE[mode]


def mode_from_wire(number: int, *, field: str = "mode") -> SearchMode:
    """The mode; SHORTLIST where none is said. Raises ``InvalidInput`` for a value that is not one."""
    if number == common_pb2.SEARCH_MODE_UNSPECIFIED:
        return SearchMode.SHORTLIST
    mode = _MODE_FROM_WIRE.get(number)
    if mode is None:
        raise InvalidInput(f"{number} is not a search mode", field=field, remedy="1 SHORTLIST or 2 EXHAUSTIVE")
    return mode


def placement_to_wire(placement: Placement) -> common_pb2.Placement:
    """A placement for the wire."""
    return common_pb2.Placement(
        rotation_deg=placement.rotation_deg,
        shift_x_px=placement.shift_x_px,
        shift_y_px=placement.shift_y_px,
        scale=placement.scale,
        mirrored=placement.mirrored,
        inverted=placement.inverted,
    )


def placement_from_wire(message: common_pb2.Placement) -> Placement:
    """A placement as it was sent; scale 0, which is what an absent scale reads as, becomes 1."""
    return Placement(
        rotation_deg=message.rotation_deg,
        shift_x_px=message.shift_x_px,
        shift_y_px=message.shift_y_px,
        scale=message.scale or 1.0,
        mirrored=message.mirrored,
        inverted=message.inverted,
    )


def placement_search_to_wire(search: PlacementSearch) -> common_pb2.PlacementSearch:
    """The placements to try, for the wire."""
    return common_pb2.PlacementSearch(
        rotation_min_deg=search.rotation_min_deg,
        rotation_max_deg=search.rotation_max_deg,
        rotation_step_deg=search.rotation_step_deg,
        try_mirrored=search.try_mirrored,
        try_inverted=search.try_inverted,
        scales=search.scales,
        pinned=placement_to_wire(search.pinned) if search.pinned is not None else None,
    )


def placement_search_from_wire(
    message: common_pb2.PlacementSearch, *, field: str = "placement_search"
) -> PlacementSearch:
    """The placements that a caller wants tried.

    Raises:
        InvalidInput: A rotation, step or scale is not finite or out of its range; ``field`` names it.
    """
    low, high, step = (
        _optional_in_range(message, name, bounds, field)
        for name, bounds in (
            ("rotation_min_deg", (-180.0, 180.0)),
            ("rotation_max_deg", (-180.0, 180.0)),
            ("rotation_step_deg", (1e-3, 180.0)),
        )
    )
    if low is not None and high is not None and low > high:
        raise InvalidInput(
            f"{low:g} is above rotation_max_deg {high:g}", field=f"{field}.rotation_min_deg", remedy="swap them"
        )
    if len(message.scales) > MAX_SCALES:
        raise InvalidInput(f"{len(message.scales)} scales", field=f"{field}.scales", remedy=f"at most {MAX_SCALES}")
    for index, scale in enumerate(message.scales):
        _check_range(scale, SCALE_RANGE, f"{field}.scales[{index}]")
    return PlacementSearch(
        rotation_min_deg=low,
        rotation_max_deg=high,
        rotation_step_deg=step,
        try_mirrored=message.try_mirrored,
        try_inverted=message.try_inverted,
        scales=tuple(message.scales),
        pinned=_pinned_from_wire(message.pinned, f"{field}.pinned") if message.HasField("pinned") else None,
    )


def _pinned_from_wire(message: common_pb2.Placement, field: str) -> Placement:
    placement = placement_from_wire(message)
    _check_range(placement.rotation_deg, (-180.0, 180.0), f"{field}.rotation_deg")
    _check_range(placement.scale, SCALE_RANGE, f"{field}.scale")
    _check_range(placement.shift_x_px, (-1e4, 1e4), f"{field}.shift_x_px")
    _check_range(placement.shift_y_px, (-1e4, 1e4), f"{field}.shift_y_px")
    return placement


def _optional_in_range(
    message: common_pb2.PlacementSearch, name: str, bounds: tuple[float, float], field: str
) -> float | None:
    if not message.HasField(name):
        return None
    value = float(getattr(message, name))
    _check_range(value, bounds, f"{field}.{name}")
    return value


def _check_range(value: float, bounds: tuple[float, float], field: str) -> None:
    if not math.isfinite(value) or not bounds[0] <= value <= bounds[1]:
        raise InvalidInput(f"{value:g} is out of range", field=field, remedy=f"{bounds[0]:g} to {bounds[1]:g}")


def polygon_to_wire(points: Sequence[tuple[float, float]]) -> common_pb2.Polygon:
    """An outline of (x, y) in image pixels for the wire."""
    return common_pb2.Polygon(points=[common_pb2.Point(x_px=float(x), y_px=float(y)) for x, y in points])


def polygon_from_wire(message: common_pb2.Polygon, *, field: str = "mask_polygon") -> tuple[tuple[float, float], ...]:
    """The outline as (x, y) in image pixels.

    Raises:
        InvalidInput: Fewer than 3 or more than 10,000 points, or one that is not finite; ``field`` names it.
    """
    points = tuple((point.x_px, point.y_px) for point in message.points)
    if not MIN_POLYGON_POINTS <= len(points) <= MAX_POLYGON_POINTS:
        remedy = f"{MIN_POLYGON_POINTS} to {MAX_POLYGON_POINTS:,} points"
        raise InvalidInput(f"{len(points)} points", field=field, remedy=remedy)
    for index, point in enumerate(points):
        if not all(map(math.isfinite, point)):
            raise InvalidInput(f"{point} is not finite", field=f"{field}.points[{index}]", remedy="finite pixels")
    return points


def item_filter_to_wire(where: ItemFilter) -> common_pb2.ItemFilter:
    """A filter for the wire."""
    return common_pb2.ItemFilter(
        brands=where.brands,
        sides=[side_to_wire(side) for side in where.sides],
        categories=where.categories,
        first_year=where.first_year,
        last_year=where.last_year,
    )


def item_filter_from_wire(message: common_pb2.ItemFilter, *, field: str = "filter") -> ItemFilter:
    """The filter that a caller wants.

    Raises:
        InvalidInput: A side that is not one, an empty entry, a list that is too long, or a field that this release does
            not know: to leave it unread would widen the search behind the caller's back.
    """
    unknown = UnknownFieldSet(message)
    if len(unknown):
        raise InvalidInput(
            f"unknown filter field {unknown[0].field_number}", field=field, remedy="brands, sides, categories or years"
        )
    for name, values in (("brands", message.brands), ("categories", message.categories)):
        if len(values) > MAX_FILTER_VALUES:
            raise InvalidInput(
                f"{len(values)} values", field=f"{field}.{name}", remedy=f"at most {MAX_FILTER_VALUES:,}"
            )
        if "" in values:
            raise InvalidInput("an empty value", field=f"{field}.{name}[{list(values).index('')}]", remedy="a name")
    for index, number in enumerate(message.sides):
        if number not in _SIDE_FROM_WIRE:
            raise InvalidInput(
                f"{number} is not a side", field=f"{field}.sides[{index}]", remedy="1 UNKNOWN, 2 LEFT or 3 RIGHT"
            )
    sides = tuple(side_from_wire(number) for number in message.sides)
    for name, year in (("first_year", message.first_year), ("last_year", message.last_year)):
        if year and not FIRST_YEAR <= year <= LAST_YEAR:
            raise InvalidInput(
                f"{year} is no year", field=f"{field}.{name}", remedy=f"{FIRST_YEAR} to {LAST_YEAR}, or 0"
            )
    return ItemFilter(
        brands=tuple(message.brands),
        sides=sides,
        categories=tuple(message.categories),
        first_year=message.first_year,
        last_year=message.last_year,
    )


def hit_to_wire(hit: Hit) -> common_pb2.Hit:
    """A hit for the wire."""
    return common_pb2.Hit(
        rank=hit.rank,
        model_id=hit.model_id,
        item_id=hit.item_id,
        score=hit.score,
        placement=placement_to_wire(hit.placement),
        brand=hit.brand,
        side=side_to_wire(hit.side),
        category=hit.category,
        tread_family=hit.tread_family,
        score_parts=hit.score_parts,
        worn_weeks=hit.worn_weeks,
        probe_weeks=hit.probe_weeks,
    )


def hit_from_wire(message: common_pb2.Hit) -> Hit:
    """A hit as it was sent."""
    return Hit(
        rank=message.rank,
        model_id=message.model_id,
        item_id=message.item_id,
        score=message.score,
        placement=placement_from_wire(message.placement),
        brand=message.brand,
        side=side_from_wire(message.side),
        category=message.category,
        tread_family=message.tread_family,
        score_parts=dict(message.score_parts),
        worn_weeks=message.worn_weeks,
        probe_weeks=message.probe_weeks,
    )


def facts_to_wire(answer: Any) -> dict[str, Any]:
    """What every ranked answer says of how it was computed, by the names that record and message share."""
    return {name: getattr(answer, name) for name in (*_PLAIN, *_LISTS, *_MAPS)}


def facts_from_wire(message: Any) -> dict[str, Any]:
    """The same of a message, as a record holds it."""
    return {
        **{name: getattr(message, name) for name in _PLAIN},
        **{name: tuple(getattr(message, name)) for name in _LISTS},
        **{name: dict(getattr(message, name)) for name in _MAPS},
    }


def box_to_wire(box: Box) -> common_pb2.Box:
    """A box for the wire."""
    left, top, right, bottom = box
    return common_pb2.Box(left_px=left, top_px=top, width_px=right - left, height_px=bottom - top)


def box_from_wire(message: common_pb2.Box) -> Box:
    """A box as it was sent."""
    left, top = message.left_px, message.top_px
    return left, top, left + message.width_px, top + message.height_px


def point_from_wire(message: common_pb2.Point) -> Point:
    """A point as it was sent."""
    return message.x_px, message.y_px


def answer_to_wire(answer: SearchAnswer) -> retrieval_pb2.SearchPrintResponse:
    """An answer for the wire."""
    return retrieval_pb2.SearchPrintResponse(
        **facts_to_wire(answer),
        hits=[hit_to_wire(hit) for hit in answer.hits],
        gallery=answer.gallery,
        mode=mode_to_wire(answer.mode),
        degraded=answer.degraded,
        visible_fraction=answer.visible_fraction,
    )


def answer_from_wire(message: retrieval_pb2.SearchPrintResponse) -> SearchAnswer:
    """An answer as it was sent."""
    return SearchAnswer(
        **facts_from_wire(message),
        hits=tuple(hit_from_wire(hit) for hit in message.hits),
        gallery=message.gallery,
        mode=mode_from_wire(message.mode),
        degraded=tuple(message.degraded),
        visible_fraction=message.visible_fraction,
    )


def explanation_to_wire(explanation: Explanation) -> retrieval_pb2.ExplainHitResponse:
    """An explanation for the wire."""
    return retrieval_pb2.ExplainHitResponse(
        hit=hit_to_wire(explanation.hit),
        heat=explanation.heat,
        rows=explanation.rows,
        columns=explanation.columns,
        cell_px=explanation.cell_px,
        probe_png=explanation.probe_png,
        item_png=explanation.item_png,
    )


def explanation_from_wire(message: retrieval_pb2.ExplainHitResponse) -> Explanation:
    """An explanation as it was sent."""
    return Explanation(
        hit=hit_from_wire(message.hit),
        heat=tuple(message.heat),
        rows=message.rows,
        columns=message.columns,
        cell_px=message.cell_px,
        probe_png=message.probe_png,
        item_png=message.item_png,
    )


def evidence_to_wire(evidence: EvidenceRef) -> retrieval_pb2.UploadEvidenceResponse:
    """Stored evidence for the wire."""
    return retrieval_pb2.UploadEvidenceResponse(sha256=evidence.sha256, size_bytes=evidence.size_bytes)


def evidence_from_wire(message: retrieval_pb2.UploadEvidenceResponse) -> EvidenceRef:
    """Stored evidence as it was said."""
    return EvidenceRef(sha256=message.sha256, size_bytes=message.size_bytes)
