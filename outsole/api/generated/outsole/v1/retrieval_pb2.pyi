# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
from outsole.api.generated.outsole.v1 import common_pb2 as _common_pb2
from outsole.api.generated.outsole.v1 import video_pb2 as _video_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TraceOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACE_ORDER_UNSPECIFIED: _ClassVar[TraceOrder]
    TRACE_ORDER_JOINT_RANKS: _ClassVar[TraceOrder]
    TRACE_ORDER_SHOE_SCORE: _ClassVar[TraceOrder]
    TRACE_ORDER_PRINT_RANK: _ClassVar[TraceOrder]

class RefineMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFINE_METHOD_UNSPECIFIED: _ClassVar[RefineMethod]
    REFINE_METHOD_ROCCHIO: _ClassVar[RefineMethod]
    REFINE_METHOD_BEST_SCORE: _ClassVar[RefineMethod]
TRACE_ORDER_UNSPECIFIED: TraceOrder
TRACE_ORDER_JOINT_RANKS: TraceOrder
TRACE_ORDER_SHOE_SCORE: TraceOrder
TRACE_ORDER_PRINT_RANK: TraceOrder
REFINE_METHOD_UNSPECIFIED: RefineMethod
REFINE_METHOD_ROCCHIO: RefineMethod
REFINE_METHOD_BEST_SCORE: RefineMethod

class SearchPrintRequest(_message.Message):
    __slots__ = ("image", "evidence_sha256", "gallery", "edition", "k", "mode", "mask_png", "mask_polygon", "placement_search", "filter", "budget_ms", "require_complete", "encoder", "shortlist_size", "wear")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MASK_PNG_FIELD_NUMBER: _ClassVar[int]
    MASK_POLYGON_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_SEARCH_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    SHORTLIST_SIZE_FIELD_NUMBER: _ClassVar[int]
    WEAR_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    evidence_sha256: str
    gallery: str
    edition: str
    k: int
    mode: _common_pb2.SearchMode
    mask_png: bytes
    mask_polygon: _common_pb2.Polygon
    placement_search: _common_pb2.PlacementSearch
    filter: _common_pb2.ItemFilter
    budget_ms: int
    require_complete: bool
    encoder: str
    shortlist_size: int
    wear: WearSearch
    def __init__(self, image: _Optional[bytes] = ..., evidence_sha256: _Optional[str] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., k: _Optional[int] = ..., mode: _Optional[_Union[_common_pb2.SearchMode, str]] = ..., mask_png: _Optional[bytes] = ..., mask_polygon: _Optional[_Union[_common_pb2.Polygon, _Mapping]] = ..., placement_search: _Optional[_Union[_common_pb2.PlacementSearch, _Mapping]] = ..., filter: _Optional[_Union[_common_pb2.ItemFilter, _Mapping]] = ..., budget_ms: _Optional[int] = ..., require_complete: _Optional[bool] = ..., encoder: _Optional[str] = ..., shortlist_size: _Optional[int] = ..., wear: _Optional[_Union[WearSearch, _Mapping]] = ...) -> None: ...

class WearSearch(_message.Message):
    __slots__ = ("gallery_weeks", "probe_weeks", "gallery_editions")
    class GalleryEditionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    GALLERY_WEEKS_FIELD_NUMBER: _ClassVar[int]
    PROBE_WEEKS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_EDITIONS_FIELD_NUMBER: _ClassVar[int]
    gallery_weeks: _containers.RepeatedScalarFieldContainer[int]
    probe_weeks: int
    gallery_editions: _containers.ScalarMap[int, str]
    def __init__(self, gallery_weeks: _Optional[_Iterable[int]] = ..., probe_weeks: _Optional[int] = ..., gallery_editions: _Optional[_Mapping[int, str]] = ...) -> None: ...

class SearchPrintResponse(_message.Message):
    __slots__ = ("hits", "gallery", "edition", "encoder_hash", "mode", "searched", "total", "degraded", "visible_fraction", "probe_sha256", "steps", "warnings", "stage_ms", "settings")
    class StageMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    HITS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    PROBE_SHA256_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    STAGE_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[_common_pb2.Hit]
    gallery: str
    edition: str
    encoder_hash: str
    mode: _common_pb2.SearchMode
    searched: int
    total: int
    degraded: _containers.RepeatedScalarFieldContainer[str]
    visible_fraction: float
    probe_sha256: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    stage_ms: _containers.ScalarMap[str, float]
    settings: _containers.ScalarMap[str, str]
    def __init__(self, hits: _Optional[_Iterable[_Union[_common_pb2.Hit, _Mapping]]] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., mode: _Optional[_Union[_common_pb2.SearchMode, str]] = ..., searched: _Optional[int] = ..., total: _Optional[int] = ..., degraded: _Optional[_Iterable[str]] = ..., visible_fraction: _Optional[float] = ..., probe_sha256: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ..., stage_ms: _Optional[_Mapping[str, float]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ExplainHitRequest(_message.Message):
    __slots__ = ("image", "evidence_sha256", "gallery", "edition", "item_id", "mask_png", "mask_polygon", "placement_search", "encoder", "budget_ms", "worn_weeks", "worn_edition", "probe_weeks")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    MASK_PNG_FIELD_NUMBER: _ClassVar[int]
    MASK_POLYGON_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_SEARCH_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    WORN_WEEKS_FIELD_NUMBER: _ClassVar[int]
    WORN_EDITION_FIELD_NUMBER: _ClassVar[int]
    PROBE_WEEKS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    evidence_sha256: str
    gallery: str
    edition: str
    item_id: str
    mask_png: bytes
    mask_polygon: _common_pb2.Polygon
    placement_search: _common_pb2.PlacementSearch
    encoder: str
    budget_ms: int
    worn_weeks: int
    worn_edition: str
    probe_weeks: int
    def __init__(self, image: _Optional[bytes] = ..., evidence_sha256: _Optional[str] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., item_id: _Optional[str] = ..., mask_png: _Optional[bytes] = ..., mask_polygon: _Optional[_Union[_common_pb2.Polygon, _Mapping]] = ..., placement_search: _Optional[_Union[_common_pb2.PlacementSearch, _Mapping]] = ..., encoder: _Optional[str] = ..., budget_ms: _Optional[int] = ..., worn_weeks: _Optional[int] = ..., worn_edition: _Optional[str] = ..., probe_weeks: _Optional[int] = ...) -> None: ...

class ExplainHitResponse(_message.Message):
    __slots__ = ("hit", "heat", "rows", "columns", "cell_px", "probe_png", "item_png")
    HIT_FIELD_NUMBER: _ClassVar[int]
    HEAT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CELL_PX_FIELD_NUMBER: _ClassVar[int]
    PROBE_PNG_FIELD_NUMBER: _ClassVar[int]
    ITEM_PNG_FIELD_NUMBER: _ClassVar[int]
    hit: _common_pb2.Hit
    heat: _containers.RepeatedScalarFieldContainer[float]
    rows: int
    columns: int
    cell_px: int
    probe_png: bytes
    item_png: bytes
    def __init__(self, hit: _Optional[_Union[_common_pb2.Hit, _Mapping]] = ..., heat: _Optional[_Iterable[float]] = ..., rows: _Optional[int] = ..., columns: _Optional[int] = ..., cell_px: _Optional[int] = ..., probe_png: _Optional[bytes] = ..., item_png: _Optional[bytes] = ...) -> None: ...

class EvidenceMetadata(_message.Message):
    __slots__ = ("file_name", "sha256")
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    file_name: str
    sha256: str
    def __init__(self, file_name: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class UploadEvidenceRequest(_message.Message):
    __slots__ = ("metadata", "chunk")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    metadata: EvidenceMetadata
    chunk: bytes
    def __init__(self, metadata: _Optional[_Union[EvidenceMetadata, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class UploadEvidenceResponse(_message.Message):
    __slots__ = ("sha256", "size_bytes")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class SearchShoeRequest(_message.Message):
    __slots__ = ("image", "evidence_sha256", "gallery", "edition", "k", "box", "filter", "budget_ms", "view", "toe", "heel", "archive", "track_filter", "with_thumbnails")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    TOE_FIELD_NUMBER: _ClassVar[int]
    HEEL_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    TRACK_FILTER_FIELD_NUMBER: _ClassVar[int]
    WITH_THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    evidence_sha256: str
    gallery: str
    edition: str
    k: int
    box: _common_pb2.Box
    filter: _common_pb2.ItemFilter
    budget_ms: int
    view: _common_pb2.ShoeView
    toe: _common_pb2.Point
    heel: _common_pb2.Point
    archive: str
    track_filter: _common_pb2.TrackFilter
    with_thumbnails: bool
    def __init__(self, image: _Optional[bytes] = ..., evidence_sha256: _Optional[str] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., k: _Optional[int] = ..., box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., filter: _Optional[_Union[_common_pb2.ItemFilter, _Mapping]] = ..., budget_ms: _Optional[int] = ..., view: _Optional[_Union[_common_pb2.ShoeView, str]] = ..., toe: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., heel: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., archive: _Optional[str] = ..., track_filter: _Optional[_Union[_common_pb2.TrackFilter, _Mapping]] = ..., with_thumbnails: _Optional[bool] = ...) -> None: ...

class SearchShoeResponse(_message.Message):
    __slots__ = ("hits", "gallery", "edition", "encoder_hash", "probe_sha256", "searched", "total", "steps", "warnings", "stage_ms", "settings", "track_hits", "coverage")
    class StageMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    HITS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    PROBE_SHA256_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    STAGE_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TRACK_HITS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[_common_pb2.Hit]
    gallery: str
    edition: str
    encoder_hash: str
    probe_sha256: str
    searched: int
    total: int
    steps: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    stage_ms: _containers.ScalarMap[str, float]
    settings: _containers.ScalarMap[str, str]
    track_hits: _containers.RepeatedCompositeFieldContainer[_video_pb2.TrackHit]
    coverage: _video_pb2.Coverage
    def __init__(self, hits: _Optional[_Iterable[_Union[_common_pb2.Hit, _Mapping]]] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., probe_sha256: _Optional[str] = ..., searched: _Optional[int] = ..., total: _Optional[int] = ..., steps: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ..., stage_ms: _Optional[_Mapping[str, float]] = ..., settings: _Optional[_Mapping[str, str]] = ..., track_hits: _Optional[_Iterable[_Union[_video_pb2.TrackHit, _Mapping]]] = ..., coverage: _Optional[_Union[_video_pb2.Coverage, _Mapping]] = ...) -> None: ...

class TracePrintRequest(_message.Message):
    __slots__ = ("search", "archives", "tracks_per_model", "shoe_gallery", "shoe_edition", "archive_editions", "track_filter", "order", "rows", "with_thumbnails")
    class ArchiveEditionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    TRACKS_PER_MODEL_FIELD_NUMBER: _ClassVar[int]
    SHOE_GALLERY_FIELD_NUMBER: _ClassVar[int]
    SHOE_EDITION_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_EDITIONS_FIELD_NUMBER: _ClassVar[int]
    TRACK_FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WITH_THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    search: SearchPrintRequest
    archives: _containers.RepeatedScalarFieldContainer[str]
    tracks_per_model: int
    shoe_gallery: str
    shoe_edition: str
    archive_editions: _containers.ScalarMap[str, str]
    track_filter: _common_pb2.TrackFilter
    order: TraceOrder
    rows: int
    with_thumbnails: bool
    def __init__(self, search: _Optional[_Union[SearchPrintRequest, _Mapping]] = ..., archives: _Optional[_Iterable[str]] = ..., tracks_per_model: _Optional[int] = ..., shoe_gallery: _Optional[str] = ..., shoe_edition: _Optional[str] = ..., archive_editions: _Optional[_Mapping[str, str]] = ..., track_filter: _Optional[_Union[_common_pb2.TrackFilter, _Mapping]] = ..., order: _Optional[_Union[TraceOrder, str]] = ..., rows: _Optional[int] = ..., with_thumbnails: _Optional[bool] = ...) -> None: ...

class TraceRow(_message.Message):
    __slots__ = ("rank", "track", "model_id", "print_rank", "print_score", "shoe_score", "look_rank")
    RANK_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PRINT_RANK_FIELD_NUMBER: _ClassVar[int]
    PRINT_SCORE_FIELD_NUMBER: _ClassVar[int]
    SHOE_SCORE_FIELD_NUMBER: _ClassVar[int]
    LOOK_RANK_FIELD_NUMBER: _ClassVar[int]
    rank: int
    track: _video_pb2.Track
    model_id: str
    print_rank: int
    print_score: float
    shoe_score: float
    look_rank: int
    def __init__(self, rank: _Optional[int] = ..., track: _Optional[_Union[_video_pb2.Track, _Mapping]] = ..., model_id: _Optional[str] = ..., print_rank: _Optional[int] = ..., print_score: _Optional[float] = ..., shoe_score: _Optional[float] = ..., look_rank: _Optional[int] = ...) -> None: ...

class TracePrintResponse(_message.Message):
    __slots__ = ("traces", "print", "rows", "archives", "shoe_gallery", "shoe_edition", "encoder_hash", "warnings", "stage_ms", "settings")
    class Trace(_message.Message):
        __slots__ = ("hit", "tracks", "pictures")
        HIT_FIELD_NUMBER: _ClassVar[int]
        TRACKS_FIELD_NUMBER: _ClassVar[int]
        PICTURES_FIELD_NUMBER: _ClassVar[int]
        hit: _common_pb2.Hit
        tracks: _containers.RepeatedCompositeFieldContainer[_video_pb2.TrackHit]
        pictures: int
        def __init__(self, hit: _Optional[_Union[_common_pb2.Hit, _Mapping]] = ..., tracks: _Optional[_Iterable[_Union[_video_pb2.TrackHit, _Mapping]]] = ..., pictures: _Optional[int] = ...) -> None: ...
    class StageMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TRACES_FIELD_NUMBER: _ClassVar[int]
    PRINT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    SHOE_GALLERY_FIELD_NUMBER: _ClassVar[int]
    SHOE_EDITION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    STAGE_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[TracePrintResponse.Trace]
    print: SearchPrintResponse
    rows: _containers.RepeatedCompositeFieldContainer[TraceRow]
    archives: _containers.RepeatedCompositeFieldContainer[_video_pb2.TracedArchive]
    shoe_gallery: str
    shoe_edition: str
    encoder_hash: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    stage_ms: _containers.ScalarMap[str, float]
    settings: _containers.ScalarMap[str, str]
    def __init__(self, traces: _Optional[_Iterable[_Union[TracePrintResponse.Trace, _Mapping]]] = ..., print: _Optional[_Union[SearchPrintResponse, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[TraceRow, _Mapping]]] = ..., archives: _Optional[_Iterable[_Union[_video_pb2.TracedArchive, _Mapping]]] = ..., shoe_gallery: _Optional[str] = ..., shoe_edition: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., stage_ms: _Optional[_Mapping[str, float]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RefineSearchRequest(_message.Message):
    __slots__ = ("print", "shoe", "relevant_ids", "irrelevant_ids", "method")
    PRINT_FIELD_NUMBER: _ClassVar[int]
    SHOE_FIELD_NUMBER: _ClassVar[int]
    RELEVANT_IDS_FIELD_NUMBER: _ClassVar[int]
    IRRELEVANT_IDS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    print: SearchPrintRequest
    shoe: SearchShoeRequest
    relevant_ids: _containers.RepeatedScalarFieldContainer[str]
    irrelevant_ids: _containers.RepeatedScalarFieldContainer[str]
    method: RefineMethod
    def __init__(self, print: _Optional[_Union[SearchPrintRequest, _Mapping]] = ..., shoe: _Optional[_Union[SearchShoeRequest, _Mapping]] = ..., relevant_ids: _Optional[_Iterable[str]] = ..., irrelevant_ids: _Optional[_Iterable[str]] = ..., method: _Optional[_Union[RefineMethod, str]] = ...) -> None: ...

class RefineSearchResponse(_message.Message):
    __slots__ = ("refined", "unrefined")
    REFINED_FIELD_NUMBER: _ClassVar[int]
    UNREFINED_FIELD_NUMBER: _ClassVar[int]
    refined: SearchShoeResponse
    unrefined: SearchShoeResponse
    def __init__(self, refined: _Optional[_Union[SearchShoeResponse, _Mapping]] = ..., unrefined: _Optional[_Union[SearchShoeResponse, _Mapping]] = ...) -> None: ...
