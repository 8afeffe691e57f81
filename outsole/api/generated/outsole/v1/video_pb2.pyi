# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from outsole.api.generated.outsole.v1 import common_pb2 as _common_pb2
from outsole.api.generated.outsole.v1 import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Track(_message.Message):
    __slots__ = ("track_id", "archive", "source", "first_frame", "last_frame", "start_time", "best_frame", "best_box", "score", "model_id")
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    LAST_FRAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    BEST_FRAME_FIELD_NUMBER: _ClassVar[int]
    BEST_BOX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    track_id: str
    archive: str
    source: str
    first_frame: int
    last_frame: int
    start_time: _timestamp_pb2.Timestamp
    best_frame: int
    best_box: _common_pb2.Box
    score: float
    model_id: str
    def __init__(self, track_id: _Optional[str] = ..., archive: _Optional[str] = ..., source: _Optional[str] = ..., first_frame: _Optional[int] = ..., last_frame: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., best_frame: _Optional[int] = ..., best_box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., score: _Optional[float] = ..., model_id: _Optional[str] = ...) -> None: ...

class SearchFramesRequest(_message.Message):
    __slots__ = ("gallery", "k", "frame", "image")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    k: int
    frame: int
    image: bytes
    def __init__(self, gallery: _Optional[str] = ..., k: _Optional[int] = ..., frame: _Optional[int] = ..., image: _Optional[bytes] = ...) -> None: ...

class SearchFramesResponse(_message.Message):
    __slots__ = ("frame", "sightings")
    class Sighting(_message.Message):
        __slots__ = ("box", "hits")
        BOX_FIELD_NUMBER: _ClassVar[int]
        HITS_FIELD_NUMBER: _ClassVar[int]
        box: _common_pb2.Box
        hits: _containers.RepeatedCompositeFieldContainer[_common_pb2.Hit]
        def __init__(self, box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., hits: _Optional[_Iterable[_Union[_common_pb2.Hit, _Mapping]]] = ...) -> None: ...
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    frame: int
    sightings: _containers.RepeatedCompositeFieldContainer[SearchFramesResponse.Sighting]
    def __init__(self, frame: _Optional[int] = ..., sightings: _Optional[_Iterable[_Union[SearchFramesResponse.Sighting, _Mapping]]] = ...) -> None: ...

class StartVideoSearchRequest(_message.Message):
    __slots__ = ("archives", "model_ids", "gallery")
    ARCHIVES_FIELD_NUMBER: _ClassVar[int]
    MODEL_IDS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    archives: _containers.RepeatedScalarFieldContainer[str]
    model_ids: _containers.RepeatedScalarFieldContainer[str]
    gallery: str
    def __init__(self, archives: _Optional[_Iterable[str]] = ..., model_ids: _Optional[_Iterable[str]] = ..., gallery: _Optional[str] = ...) -> None: ...

class StartVideoSearchResponse(_message.Message):
    __slots__ = ("operation",)
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    operation: _operations_pb2.Operation
    def __init__(self, operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class ListTracksRequest(_message.Message):
    __slots__ = ("operation_id", "page")
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    operation_id: str
    page: _common_pb2.Page
    def __init__(self, operation_id: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ...) -> None: ...

class ListTracksResponse(_message.Message):
    __slots__ = ("tracks", "next_page_token")
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    next_page_token: str
    def __init__(self, tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
