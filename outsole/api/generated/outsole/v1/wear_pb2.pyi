# Made from protos/ by `python -m outsole.api.generate`; do not edit.
# mypy: ignore-errors
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictWearRequest(_message.Message):
    __slots__ = ("image", "evidence_sha256", "weeks", "budget_ms")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    evidence_sha256: str
    weeks: _containers.RepeatedScalarFieldContainer[int]
    budget_ms: int
    def __init__(self, image: _Optional[bytes] = ..., evidence_sha256: _Optional[str] = ..., weeks: _Optional[_Iterable[int]] = ..., budget_ms: _Optional[int] = ...) -> None: ...

class PredictedPrint(_message.Message):
    __slots__ = ("weeks", "image_png", "unsure_png", "mean_unsure")
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_PNG_FIELD_NUMBER: _ClassVar[int]
    UNSURE_PNG_FIELD_NUMBER: _ClassVar[int]
    MEAN_UNSURE_FIELD_NUMBER: _ClassVar[int]
    weeks: int
    image_png: bytes
    unsure_png: bytes
    mean_unsure: float
    def __init__(self, weeks: _Optional[int] = ..., image_png: _Optional[bytes] = ..., unsure_png: _Optional[bytes] = ..., mean_unsure: _Optional[float] = ...) -> None: ...

class PredictWearResponse(_message.Message):
    __slots__ = ("prints", "model", "model_hash", "trained_on", "simulation_notice", "probe_sha256", "steps", "warnings", "stage_ms", "settings")
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
    PRINTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    TRAINED_ON_FIELD_NUMBER: _ClassVar[int]
    SIMULATION_NOTICE_FIELD_NUMBER: _ClassVar[int]
    PROBE_SHA256_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    STAGE_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    prints: _containers.RepeatedCompositeFieldContainer[PredictedPrint]
    model: str
    model_hash: str
    trained_on: str
    simulation_notice: str
    probe_sha256: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    stage_ms: _containers.ScalarMap[str, float]
    settings: _containers.ScalarMap[str, str]
    def __init__(self, prints: _Optional[_Iterable[_Union[PredictedPrint, _Mapping]]] = ..., model: _Optional[str] = ..., model_hash: _Optional[str] = ..., trained_on: _Optional[str] = ..., simulation_notice: _Optional[str] = ..., probe_sha256: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ..., stage_ms: _Optional[_Mapping[str, float]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ReconstructOutsoleRequest(_message.Message):
    __slots__ = ("image", "evidence_sha256", "weeks", "budget_ms")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    evidence_sha256: str
    weeks: _containers.RepeatedScalarFieldContainer[int]
    budget_ms: int
    def __init__(self, image: _Optional[bytes] = ..., evidence_sha256: _Optional[str] = ..., weeks: _Optional[_Iterable[int]] = ..., budget_ms: _Optional[int] = ...) -> None: ...

class ReconstructOutsoleResponse(_message.Message):
    __slots__ = ("prints", "model", "model_hash", "trained_on", "simulation_notice", "probe_sha256", "steps", "warnings", "stage_ms", "settings")
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
    PRINTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    TRAINED_ON_FIELD_NUMBER: _ClassVar[int]
    SIMULATION_NOTICE_FIELD_NUMBER: _ClassVar[int]
    PROBE_SHA256_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    STAGE_MS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    prints: _containers.RepeatedCompositeFieldContainer[PredictedPrint]
    model: str
    model_hash: str
    trained_on: str
    simulation_notice: str
    probe_sha256: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    stage_ms: _containers.ScalarMap[str, float]
    settings: _containers.ScalarMap[str, str]
    def __init__(self, prints: _Optional[_Iterable[_Union[PredictedPrint, _Mapping]]] = ..., model: _Optional[str] = ..., model_hash: _Optional[str] = ..., trained_on: _Optional[str] = ..., simulation_notice: _Optional[str] = ..., probe_sha256: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[str]] = ..., stage_ms: _Optional[_Mapping[str, float]] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...
