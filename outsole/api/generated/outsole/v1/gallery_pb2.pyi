# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
from outsole.api.generated.outsole.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Gallery(_message.Message):
    __slots__ = ("name", "edition", "items", "models", "encoder_hash", "created", "encoders")
    class EncodersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ENCODER_HASH_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ENCODERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    edition: str
    items: int
    models: int
    encoder_hash: str
    created: str
    encoders: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., edition: _Optional[str] = ..., items: _Optional[int] = ..., models: _Optional[int] = ..., encoder_hash: _Optional[str] = ..., created: _Optional[str] = ..., encoders: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("item_id", "model_id", "brand", "side", "category", "tread_family", "sha256", "thumbnail_png", "year", "state", "state_reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TREAD_FAMILY_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_PNG_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    model_id: str
    brand: str
    side: _common_pb2.Side
    category: str
    tread_family: str
    sha256: str
    thumbnail_png: bytes
    year: int
    state: _common_pb2.ItemState
    state_reason: str
    def __init__(self, item_id: _Optional[str] = ..., model_id: _Optional[str] = ..., brand: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., category: _Optional[str] = ..., tread_family: _Optional[str] = ..., sha256: _Optional[str] = ..., thumbnail_png: _Optional[bytes] = ..., year: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.ItemState, str]] = ..., state_reason: _Optional[str] = ...) -> None: ...

class ListGalleriesRequest(_message.Message):
    __slots__ = ("page",)
    PAGE_FIELD_NUMBER: _ClassVar[int]
    page: _common_pb2.Page
    def __init__(self, page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ...) -> None: ...

class ListGalleriesResponse(_message.Message):
    __slots__ = ("galleries", "next_page_token")
    GALLERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    galleries: _containers.RepeatedCompositeFieldContainer[Gallery]
    next_page_token: str
    def __init__(self, galleries: _Optional[_Iterable[_Union[Gallery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetGalleryRequest(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    def __init__(self, gallery: _Optional[str] = ...) -> None: ...

class GetGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class ListItemsRequest(_message.Message):
    __slots__ = ("gallery", "edition", "filter", "page", "with_thumbnails", "states")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    WITH_THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    edition: str
    filter: _common_pb2.ItemFilter
    page: _common_pb2.Page
    with_thumbnails: bool
    states: _containers.RepeatedScalarFieldContainer[_common_pb2.ItemState]
    def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ..., filter: _Optional[_Union[_common_pb2.ItemFilter, _Mapping]] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ..., with_thumbnails: _Optional[bool] = ..., states: _Optional[_Iterable[_Union[_common_pb2.ItemState, str]]] = ...) -> None: ...

class ListItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "total_items", "edition")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    next_page_token: str
    total_items: int
    edition: str
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_items: _Optional[int] = ..., edition: _Optional[str] = ...) -> None: ...

class GetItemRequest(_message.Message):
    __slots__ = ("gallery", "edition", "item_id")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    edition: str
    item_id: str
    def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ..., item_id: _Optional[str] = ...) -> None: ...

class GetItemResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class RetireItemRequest(_message.Message):
    __slots__ = ("gallery", "item_id", "reason", "by")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    item_id: str
    reason: str
    by: str
    def __init__(self, gallery: _Optional[str] = ..., item_id: _Optional[str] = ..., reason: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class RetireItemResponse(_message.Message):
    __slots__ = ("edition",)
    EDITION_FIELD_NUMBER: _ClassVar[int]
    edition: str
    def __init__(self, edition: _Optional[str] = ...) -> None: ...

class RestoreItemRequest(_message.Message):
    __slots__ = ("gallery", "item_id", "reason", "by")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    item_id: str
    reason: str
    by: str
    def __init__(self, gallery: _Optional[str] = ..., item_id: _Optional[str] = ..., reason: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class RestoreItemResponse(_message.Message):
    __slots__ = ("edition",)
    EDITION_FIELD_NUMBER: _ClassVar[int]
    edition: str
    def __init__(self, edition: _Optional[str] = ...) -> None: ...

class Edition(_message.Message):
    __slots__ = ("edition", "created", "items", "models", "states", "in_force", "in_force_since", "retired", "damage")
    class StatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    EDITION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_SINCE_FIELD_NUMBER: _ClassVar[int]
    RETIRED_FIELD_NUMBER: _ClassVar[int]
    DAMAGE_FIELD_NUMBER: _ClassVar[int]
    edition: str
    created: str
    items: int
    models: int
    states: _containers.ScalarMap[str, int]
    in_force: bool
    in_force_since: str
    retired: bool
    damage: str
    def __init__(self, edition: _Optional[str] = ..., created: _Optional[str] = ..., items: _Optional[int] = ..., models: _Optional[int] = ..., states: _Optional[_Mapping[str, int]] = ..., in_force: _Optional[bool] = ..., in_force_since: _Optional[str] = ..., retired: _Optional[bool] = ..., damage: _Optional[str] = ...) -> None: ...

class ListEditionsRequest(_message.Message):
    __slots__ = ("gallery", "page")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    page: _common_pb2.Page
    def __init__(self, gallery: _Optional[str] = ..., page: _Optional[_Union[_common_pb2.Page, _Mapping]] = ...) -> None: ...

class ListEditionsResponse(_message.Message):
    __slots__ = ("editions", "next_page_token")
    EDITIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    editions: _containers.RepeatedCompositeFieldContainer[Edition]
    next_page_token: str
    def __init__(self, editions: _Optional[_Iterable[_Union[Edition, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class VerifyEditionRequest(_message.Message):
    __slots__ = ("gallery", "edition", "every_vector", "store_only", "budget_ms")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    EVERY_VECTOR_FIELD_NUMBER: _ClassVar[int]
    STORE_ONLY_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    edition: str
    every_vector: bool
    store_only: bool
    budget_ms: int
    def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ..., every_vector: _Optional[bool] = ..., store_only: _Optional[bool] = ..., budget_ms: _Optional[int] = ...) -> None: ...

class VerifyEditionResponse(_message.Message):
    __slots__ = ("edition", "files", "size_bytes", "vectors", "store_rows", "own_vectors", "difference")
    EDITION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    STORE_ROWS_FIELD_NUMBER: _ClassVar[int]
    OWN_VECTORS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    edition: str
    files: int
    size_bytes: int
    vectors: int
    store_rows: int
    own_vectors: int
    difference: str
    def __init__(self, edition: _Optional[str] = ..., files: _Optional[int] = ..., size_bytes: _Optional[int] = ..., vectors: _Optional[int] = ..., store_rows: _Optional[int] = ..., own_vectors: _Optional[int] = ..., difference: _Optional[str] = ...) -> None: ...

class RebuildStoreRequest(_message.Message):
    __slots__ = ("gallery", "edition")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    edition: str
    def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ...) -> None: ...

class RebuildStoreResponse(_message.Message):
    __slots__ = ("edition", "done", "total", "field")
    EDITION_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    edition: str
    done: int
    total: int
    field: str
    def __init__(self, edition: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., field: _Optional[str] = ...) -> None: ...

class RetireEditionRequest(_message.Message):
    __slots__ = ("gallery", "edition", "reason")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    edition: str
    reason: str
    def __init__(self, gallery: _Optional[str] = ..., edition: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RetireEditionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
