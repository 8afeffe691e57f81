# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PredictWearRequest(_message.Message):
    __slots__ = ("image", "wear_days")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    WEAR_DAYS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    wear_days: int
    def __init__(self, image: _Optional[bytes] = ..., wear_days: _Optional[int] = ...) -> None: ...

class PredictWearResponse(_message.Message):
    __slots__ = ("image_png", "model_hash")
    IMAGE_PNG_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    image_png: bytes
    model_hash: str
    def __init__(self, image_png: _Optional[bytes] = ..., model_hash: _Optional[str] = ...) -> None: ...

class ReconstructOutsoleRequest(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    def __init__(self, image: _Optional[bytes] = ...) -> None: ...

class ReconstructOutsoleResponse(_message.Message):
    __slots__ = ("image_png", "model_hash")
    IMAGE_PNG_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    image_png: bytes
    model_hash: str
    def __init__(self, image_png: _Optional[bytes] = ..., model_hash: _Optional[str] = ...) -> None: ...
