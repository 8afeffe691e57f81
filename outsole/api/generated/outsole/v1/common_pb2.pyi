# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_UNKNOWN: _ClassVar[Side]
    SIDE_LEFT: _ClassVar[Side]
    SIDE_RIGHT: _ClassVar[Side]

class SearchMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_MODE_UNSPECIFIED: _ClassVar[SearchMode]
    SEARCH_MODE_SHORTLIST: _ClassVar[SearchMode]
    SEARCH_MODE_EXHAUSTIVE: _ClassVar[SearchMode]

class ShoeView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHOE_VIEW_UNSPECIFIED: _ClassVar[ShoeView]
    SHOE_VIEW_SIDE: _ClassVar[ShoeView]
    SHOE_VIEW_FRONT: _ClassVar[ShoeView]
    SHOE_VIEW_BACK: _ClassVar[ShoeView]

class ItemState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ITEM_STATE_UNSPECIFIED: _ClassVar[ItemState]
    ITEM_STATE_ACTIVE: _ClassVar[ItemState]
    ITEM_STATE_DISCONTINUED: _ClassVar[ItemState]
    ITEM_STATE_RETIRED: _ClassVar[ItemState]
    ITEM_STATE_QUARANTINED: _ClassVar[ItemState]
SIDE_UNSPECIFIED: Side
SIDE_UNKNOWN: Side
SIDE_LEFT: Side
SIDE_RIGHT: Side
SEARCH_MODE_UNSPECIFIED: SearchMode
SEARCH_MODE_SHORTLIST: SearchMode
SEARCH_MODE_EXHAUSTIVE: SearchMode
SHOE_VIEW_UNSPECIFIED: ShoeView
SHOE_VIEW_SIDE: ShoeView
SHOE_VIEW_FRONT: ShoeView
SHOE_VIEW_BACK: ShoeView
ITEM_STATE_UNSPECIFIED: ItemState
ITEM_STATE_ACTIVE: ItemState
ITEM_STATE_DISCONTINUED: ItemState
ITEM_STATE_RETIRED: ItemState
ITEM_STATE_QUARANTINED: ItemState

class Point(_message.Message):
    __slots__ = ("x_px", "y_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: float
    y_px: float
    def __init__(self, x_px: _Optional[float] = ..., y_px: _Optional[float] = ...) -> None: ...

class Polygon(_message.Message):
    __slots__ = ("points",)
    POINTS_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[Point]
    def __init__(self, points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("left_px", "top_px", "width_px", "height_px")
    LEFT_PX_FIELD_NUMBER: _ClassVar[int]
    TOP_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    left_px: float
    top_px: float
    width_px: float
    height_px: float
    def __init__(self, left_px: _Optional[float] = ..., top_px: _Optional[float] = ..., width_px: _Optional[float] = ..., height_px: _Optional[float] = ...) -> None: ...

class Placement(_message.Message):
    __slots__ = ("rotation_deg", "shift_x_px", "shift_y_px", "scale", "mirrored", "inverted")
    ROTATION_DEG_FIELD_NUMBER: _ClassVar[int]
    SHIFT_X_PX_FIELD_NUMBER: _ClassVar[int]
    SHIFT_Y_PX_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    MIRRORED_FIELD_NUMBER: _ClassVar[int]
    INVERTED_FIELD_NUMBER: _ClassVar[int]
    rotation_deg: float
    shift_x_px: float
    shift_y_px: float
    scale: float
    mirrored: bool
    inverted: bool
    def __init__(self, rotation_deg: _Optional[float] = ..., shift_x_px: _Optional[float] = ..., shift_y_px: _Optional[float] = ..., scale: _Optional[float] = ..., mirrored: _Optional[bool] = ..., inverted: _Optional[bool] = ...) -> None: ...

class PlacementSearch(_message.Message):
    __slots__ = ("rotation_min_deg", "rotation_max_deg", "rotation_step_deg", "try_mirrored", "try_inverted", "scales", "pinned")
    ROTATION_MIN_DEG_FIELD_NUMBER: _ClassVar[int]
    ROTATION_MAX_DEG_FIELD_NUMBER: _ClassVar[int]
    ROTATION_STEP_DEG_FIELD_NUMBER: _ClassVar[int]
    TRY_MIRRORED_FIELD_NUMBER: _ClassVar[int]
    TRY_INVERTED_FIELD_NUMBER: _ClassVar[int]
    SCALES_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    rotation_min_deg: float
    rotation_max_deg: float
    rotation_step_deg: float
    try_mirrored: bool
    try_inverted: bool
    scales: _containers.RepeatedScalarFieldContainer[float]
    pinned: Placement
    def __init__(self, rotation_min_deg: _Optional[float] = ..., rotation_max_deg: _Optional[float] = ..., rotation_step_deg: _Optional[float] = ..., try_mirrored: _Optional[bool] = ..., try_inverted: _Optional[bool] = ..., scales: _Optional[_Iterable[float]] = ..., pinned: _Optional[_Union[Placement, _Mapping]] = ...) -> None: ...

class ItemFilter(_message.Message):
    __slots__ = ("brands", "sides", "categories", "first_year", "last_year")
    BRANDS_FIELD_NUMBER: _ClassVar[int]
    SIDES_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    FIRST_YEAR_FIELD_NUMBER: _ClassVar[int]
    LAST_YEAR_FIELD_NUMBER: _ClassVar[int]
    brands: _containers.RepeatedScalarFieldContainer[str]
    sides: _containers.RepeatedScalarFieldContainer[Side]
    categories: _containers.RepeatedScalarFieldContainer[str]
    first_year: int
    last_year: int
    def __init__(self, brands: _Optional[_Iterable[str]] = ..., sides: _Optional[_Iterable[_Union[Side, str]]] = ..., categories: _Optional[_Iterable[str]] = ..., first_year: _Optional[int] = ..., last_year: _Optional[int] = ...) -> None: ...

class TrackFilter(_message.Message):
    __slots__ = ("cameras", "places", "since", "until")
    CAMERAS_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    cameras: _containers.RepeatedScalarFieldContainer[str]
    places: _containers.RepeatedScalarFieldContainer[str]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    def __init__(self, cameras: _Optional[_Iterable[str]] = ..., places: _Optional[_Iterable[str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("rank", "model_id", "item_id", "score", "placement", "brand", "side", "category", "tread_family", "score_parts", "worn_weeks", "probe_weeks")
    class ScorePartsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    RANK_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TREAD_FAMILY_FIELD_NUMBER: _ClassVar[int]
    SCORE_PARTS_FIELD_NUMBER: _ClassVar[int]
    WORN_WEEKS_FIELD_NUMBER: _ClassVar[int]
    PROBE_WEEKS_FIELD_NUMBER: _ClassVar[int]
    rank: int
    model_id: str
    item_id: str
    score: float
    placement: Placement
    brand: str
    side: Side
    category: str
    tread_family: str
    score_parts: _containers.ScalarMap[str, float]
    worn_weeks: int
    probe_weeks: int
    def __init__(self, rank: _Optional[int] = ..., model_id: _Optional[str] = ..., item_id: _Optional[str] = ..., score: _Optional[float] = ..., placement: _Optional[_Union[Placement, _Mapping]] = ..., brand: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., category: _Optional[str] = ..., tread_family: _Optional[str] = ..., score_parts: _Optional[_Mapping[str, float]] = ..., worn_weeks: _Optional[int] = ..., probe_weeks: _Optional[int] = ...) -> None: ...

class Page(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...
