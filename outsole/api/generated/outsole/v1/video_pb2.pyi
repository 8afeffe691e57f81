# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outsole.api.generated.outsole.v1 import common_pb2 as _common_pb2
from outsole.api.generated.outsole.v1 import errors_pb2 as _errors_pb2
from outsole.api.generated.outsole.v1 import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Track(_message.Message):
    __slots__ = ("track_id", "archive", "source_id", "source_name", "source_sha256", "camera", "place", "start", "end", "native_start", "native_end", "time_origin", "first_frame", "last_frame", "best_frame", "first_time_s", "last_time_s", "best_time_s", "best_box", "toe", "heel", "view", "weight", "length_px", "sightings", "side_views", "front_views", "back_views", "too_small", "state", "state_reason", "thumbnail_png")
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    NATIVE_START_FIELD_NUMBER: _ClassVar[int]
    NATIVE_END_FIELD_NUMBER: _ClassVar[int]
    TIME_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    BEST_FRAME_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_S_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_S_FIELD_NUMBER: _ClassVar[int]
    BEST_TIME_S_FIELD_NUMBER: _ClassVar[int]
    BEST_BOX_FIELD_NUMBER: _ClassVar[int]
    TOE_FIELD_NUMBER: _ClassVar[int]
    HEEL_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LENGTH_PX_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    SIDE_VIEWS_FIELD_NUMBER: _ClassVar[int]
    FRONT_VIEWS_FIELD_NUMBER: _ClassVar[int]
    BACK_VIEWS_FIELD_NUMBER: _ClassVar[int]
    TOO_SMALL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_PNG_FIELD_NUMBER: _ClassVar[int]
    track_id: str
    archive: str
    source_id: str
    source_name: str
    source_sha256: str
    camera: str
    place: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    native_start: str
    native_end: str
    time_origin: str
    first_frame: int
    last_frame: int
    best_frame: int
    first_time_s: float
    last_time_s: float
    best_time_s: float
    best_box: _common_pb2.Box
    toe: _common_pb2.Point
    heel: _common_pb2.Point
    view: _common_pb2.ShoeView
    weight: float
    length_px: float
    sightings: int
    side_views: int
    front_views: int
    back_views: int
    too_small: int
    state: _common_pb2.ItemState
    state_reason: str
    thumbnail_png: bytes
    def __init__(self, track_id: _Optional[str] = ..., archive: _Optional[str] = ..., source_id: _Optional[str] = ..., source_name: _Optional[str] = ..., source_sha256: _Optional[str] = ..., camera: _Optional[str] = ..., place: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., native_start: _Optional[str] = ..., native_end: _Optional[str] = ..., time_origin: _Optional[str] = ..., first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ..., best_frame: _Optional[int] = ..., first_time_s: _Optional[float] = ..., last_time_s: _Optional[float] = ..., best_time_s: _Optional[float] = ..., best_box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., toe: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., heel: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., view: _Optional[_Union[_common_pb2.ShoeView, str]] = ..., weight: _Optional[float] = ..., length_px: _Optional[float] = ..., sightings: _Optional[int] = ..., side_views: _Optional[int] = ..., front_views: _Optional[int] = ..., back_views: _Optional[int] = ..., too_small: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.ItemState, str]] = ..., state_reason: _Optional[str] = ..., thumbnail_png: _Optional[bytes] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("sources", "duration_s", "received", "decoded", "skipped", "failed", "with_people", "with_shoes", "shoes", "too_small", "searched", "tracks", "static", "short", "sources_left_out", "sources_untimed")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    DECODED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    WITH_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    WITH_SHOES_FIELD_NUMBER: _ClassVar[int]
    SHOES_FIELD_NUMBER: _ClassVar[int]
    TOO_SMALL_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    STATIC_FIELD_NUMBER: _ClassVar[int]
    SHORT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_UNTIMED_FIELD_NUMBER: _ClassVar[int]
    sources: int
    duration_s: float
    received: int
    decoded: int
    skipped: int
    failed: int
    with_people: int
    with_shoes: int
    shoes: int
    too_small: int
    searched: int
    tracks: int
    static: int
    short: int
    sources_left_out: int
    sources_untimed: int
    def __init__(self, sources: _Optional[int] = ..., duration_s: _Optional[float] = ..., received: _Optional[int] = ..., decoded: _Optional[int] = ..., skipped: _Optional[int] = ..., failed: _Optional[int] = ..., with_people: _Optional[int] = ..., with_shoes: _Optional[int] = ..., shoes: _Optional[int] = ..., too_small: _Optional[int] = ..., searched: _Optional[int] = ..., tracks: _Optional[int] = ..., static: _Optional[int] = ..., short: _Optional[int] = ..., sources_left_out: _Optional[int] = ..., sources_untimed: _Optional[int] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("source_id", "name", "path", "sha256", "size_bytes", "camera", "place", "zone", "clock_offset_s", "start", "start_origin", "times_from", "codec", "width_px", "height_px", "coverage", "issues")
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_S_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    START_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TIMES_FROM_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
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
    issues: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, source_id: _Optional[str] = ..., name: _Optional[str] = ..., path: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., camera: _Optional[str] = ..., place: _Optional[str] = ..., zone: _Optional[str] = ..., clock_offset_s: _Optional[float] = ..., start: _Optional[str] = ..., start_origin: _Optional[str] = ..., times_from: _Optional[str] = ..., codec: _Optional[str] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., issues: _Optional[_Iterable[str]] = ...) -> None: ...

class Archive(_message.Message):
    __slots__ = ("name", "edition", "created", "encoder", "encoder_hash", "tracks", "coverage")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    edition: str
    created: str
    encoder: str
    encoder_hash: str
    tracks: int
    coverage: Coverage
    def __init__(self, name: _Optional[str] = ..., edition: _Optional[str] = ..., created: _Optional[str] = ..., encoder: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., tracks: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ...) -> None: ...

class ListTracksRequest(_message.Message):
    __slots__ = ("archive", "edition", "filter", "states", "page", "with_thumbnails")
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    WITH_THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    archive: str
    edition: str
    filter: _common_pb2.TrackFilter
    states: _containers.RepeatedScalarFieldContainer[_common_pb2.ItemState]
    page: _common_pb2.Page
    with_thumbnails: bool
    def __init__(self, archive: _Optional[str] = ..., edition: _Optional[str] = ..., filter: _Optional[_Union[_common_pb2.TrackFilter, _Mapping]] = ..., states: _Optional[_Iterable[_Union[_common_pb2.ItemState, str]]] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ..., with_thumbnails: _Optional[bool] = ...) -> None: ...

class ListTracksResponse(_message.Message):
    __slots__ = ("tracks", "next_page_token", "total_tracks", "edition")
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TRACKS_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    next_page_token: str
    total_tracks: int
    edition: str
    def __init__(self, tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_tracks: _Optional[int] = ..., edition: _Optional[str] = ...) -> None: ...

class GetArchiveRequest(_message.Message):
    __slots__ = ("archive", "edition", "page")
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    archive: str
    edition: str
    page: _common_pb2.Page
    def __init__(self, archive: _Optional[str] = ..., edition: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ...) -> None: ...

class GetArchiveResponse(_message.Message):
    __slots__ = ("archive", "sources", "next_page_token")
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    archive: Archive
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    next_page_token: str
    def __init__(self, archive: _Optional[_Union[Archive, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SearchFramesRequest(_message.Message):
    __slots__ = ("gallery", "k", "frame", "image", "time_s", "camera", "edition")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    k: int
    frame: int
    image: bytes
    time_s: float
    camera: str
    edition: str
    def __init__(self, gallery: _Optional[str] = ..., k: _Optional[int] = ..., frame: _Optional[int] = ..., image: _Optional[bytes] = ..., time_s: _Optional[float] = ..., camera: _Optional[str] = ..., edition: _Optional[str] = ...) -> None: ...

class SearchFramesResponse(_message.Message):
    __slots__ = ("frame", "sightings", "walks", "error", "end")
    class Sighting(_message.Message):
        __slots__ = ("box", "toe", "heel", "view", "weight", "length_px", "too_small", "hits")
        BOX_FIELD_NUMBER: _ClassVar[int]
        TOE_FIELD_NUMBER: _ClassVar[int]
        HEEL_FIELD_NUMBER: _ClassVar[int]
        VIEW_FIELD_NUMBER: _ClassVar[int]
        WEIGHT_FIELD_NUMBER: _ClassVar[int]
        LENGTH_PX_FIELD_NUMBER: _ClassVar[int]
        TOO_SMALL_FIELD_NUMBER: _ClassVar[int]
        HITS_FIELD_NUMBER: _ClassVar[int]
        box: _common_pb2.Box
        toe: _common_pb2.Point
        heel: _common_pb2.Point
        view: _common_pb2.ShoeView
        weight: float
        length_px: float
        too_small: bool
        hits: _containers.RepeatedCompositeFieldContainer[_common_pb2.Hit]
        def __init__(self, box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., toe: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., heel: _Optional[_Union[_common_pb2.Point, _Mapping]] = ..., view: _Optional[_Union[_common_pb2.ShoeView, str]] = ..., weight: _Optional[float] = ..., length_px: _Optional[float] = ..., too_small: _Optional[bool] = ..., hits: _Optional[_Iterable[_Union[_common_pb2.Hit, _Mapping]]] = ...) -> None: ...
    class Walk(_message.Message):
        __slots__ = ("track", "hits")
        TRACK_FIELD_NUMBER: _ClassVar[int]
        HITS_FIELD_NUMBER: _ClassVar[int]
        track: Track
        hits: _containers.RepeatedCompositeFieldContainer[_common_pb2.Hit]
        def __init__(self, track: _Optional[_Union[Track, _Mapping]] = ..., hits: _Optional[_Iterable[_Union[_common_pb2.Hit, _Mapping]]] = ...) -> None: ...
    class End(_message.Message):
        __slots__ = ("gallery", "edition", "encoder_hash", "coverage", "warnings", "settings")
        class SettingsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        GALLERY_FIELD_NUMBER: _ClassVar[int]
        EDITION_FIELD_NUMBER: _ClassVar[int]
        ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
        COVERAGE_FIELD_NUMBER: _ClassVar[int]
        WARNINGS_FIELD_NUMBER: _ClassVar[int]
        SETTINGS_FIELD_NUMBER: _ClassVar[int]
        gallery: str
        edition: str
        encoder_hash: str
        coverage: Coverage
        warnings: _containers.RepeatedScalarFieldContainer[str]
        settings: _containers.ScalarMap[str, str]
        def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    WALKS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    frame: int
    sightings: _containers.RepeatedCompositeFieldContainer[SearchFramesResponse.Sighting]
    walks: _containers.RepeatedCompositeFieldContainer[SearchFramesResponse.Walk]
    error: _errors_pb2.Status
    end: SearchFramesResponse.End
    def __init__(self, frame: _Optional[int] = ..., sightings: _Optional[_Iterable[_Union[SearchFramesResponse.Sighting, _Mapping]]] = ..., walks: _Optional[_Iterable[_Union[SearchFramesResponse.Walk, _Mapping]]] = ..., error: _Optional[_Union[_errors_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[SearchFramesResponse.End, _Mapping]] = ...) -> None: ...

class TrackHit(_message.Message):
    __slots__ = ("rank", "score", "track")
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    rank: int
    score: float
    track: Track
    def __init__(self, rank: _Optional[int] = ..., score: _Optional[float] = ..., track: _Optional[_Union[Track, _Mapping]] = ...) -> None: ...

class TracedArchive(_message.Message):
    __slots__ = ("archive", "edition", "searched", "total", "coverage")
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    SEARCHED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    archive: str
    edition: str
    searched: int
    total: int
    coverage: Coverage
    def __init__(self, archive: _Optional[str] = ..., edition: _Optional[str] = ..., searched: _Optional[int] = ..., total: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ...) -> None: ...

class Camera(_message.Message):
    __slots__ = ("camera", "place", "zone", "clock_offset_s", "start")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_S_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    camera: str
    place: str
    zone: str
    clock_offset_s: float
    start: str
    def __init__(self, camera: _Optional[str] = ..., place: _Optional[str] = ..., zone: _Optional[str] = ..., clock_offset_s: _Optional[float] = ..., start: _Optional[str] = ...) -> None: ...

class StartVideoSearchRequest(_message.Message):
    __slots__ = ("archives", "files", "model_ids", "gallery", "track_filter", "camera", "files_archive", "tracks_per_model", "every_s", "request_id")
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    MODEL_IDS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    TRACK_FILTER_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    FILES_ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    TRACKS_PER_MODEL_FIELD_NUMBER: _ClassVar[int]
    EVERY_S_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    archives: _containers.RepeatedScalarFieldContainer[str]
    files: _containers.RepeatedScalarFieldContainer[str]
    model_ids: _containers.RepeatedScalarFieldContainer[str]
    gallery: str
    track_filter: _common_pb2.TrackFilter
    camera: Camera
    files_archive: str
    tracks_per_model: int
    every_s: float
    request_id: str
    def __init__(self, archives: _Optional[_Iterable[str]] = ..., files: _Optional[_Iterable[str]] = ..., model_ids: _Optional[_Iterable[str]] = ..., gallery: _Optional[str] = ..., track_filter: _Optional[_Union[_common_pb2.TrackFilter, _Mapping]] = ..., camera: _Optional[_Union[Camera, _Mapping]] = ..., files_archive: _Optional[str] = ..., tracks_per_model: _Optional[int] = ..., every_s: _Optional[float] = ..., request_id: _Optional[str] = ...) -> None: ...

class StartVideoSearchResponse(_message.Message):
    __slots__ = ("operation",)
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    operation: _operations_pb2.Operation
    def __init__(self, operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class GetVideoSearchRequest(_message.Message):
    __slots__ = ("operation_id", "page", "with_thumbnails")
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    WITH_THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    operation_id: str
    page: _common_pb2.Page
    with_thumbnails: bool
    def __init__(self, operation_id: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ..., with_thumbnails: _Optional[bool] = ...) -> None: ...

class GetVideoSearchResponse(_message.Message):
    __slots__ = ("rows", "next_page_token", "total_rows", "models", "archives", "coverage", "gallery", "edition", "encoder_hash", "warnings", "settings")
    class Model(_message.Message):
        __slots__ = ("model_id", "pictures", "tracks")
        MODEL_ID_FIELD_NUMBER: _ClassVar[int]
        PICTURES_FIELD_NUMBER: _ClassVar[int]
        TRACKS_FIELD_NUMBER: _ClassVar[int]
        model_id: str
        pictures: int
        tracks: int
        def __init__(self, model_id: _Optional[str] = ..., pictures: _Optional[int] = ..., tracks: _Optional[int] = ...) -> None: ...
    class Row(_message.Message):
        __slots__ = ("model_id", "hit")
        MODEL_ID_FIELD_NUMBER: _ClassVar[int]
        HIT_FIELD_NUMBER: _ClassVar[int]
        model_id: str
        hit: TrackHit
        def __init__(self, model_id: _Optional[str] = ..., hit: _Optional[_Union[TrackHit, _Mapping]] = ...) -> None: ...
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[GetVideoSearchResponse.Row]
    next_page_token: str
    total_rows: int
    models: _containers.RepeatedCompositeFieldContainer[GetVideoSearchResponse.Model]
    archives: _containers.RepeatedCompositeFieldContainer[TracedArchive]
    coverage: Coverage
    gallery: str
    edition: str
    encoder_hash: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    settings: _containers.ScalarMap[str, str]
    def __init__(self, rows: _Optional[_Iterable[_Union[GetVideoSearchResponse.Row, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_rows: _Optional[int] = ..., models: _Optional[_Iterable[_Union[GetVideoSearchResponse.Model, _Mapping]]] = ..., archives: _Optional[_Iterable[_Union[TracedArchive, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., gallery: _Optional[str] = ..., edition: _Optional[str] = ..., encoder_hash: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...
