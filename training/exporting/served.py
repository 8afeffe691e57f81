"""A model as Triton serves it, and its ``config.pbtxt`` for both back ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from outsole.inference.encoder import TensorShape

_TYPES = {
    "uint8": "TYPE_UINT8",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
}
_QUEUE_DELAY_US = 500
_QUEUE_SIZE = 64
_CONFIG = """\
# Written by python -m training.export
name: "{name}"
backend: "{backend}"
{file}max_batch_size: {max_batch}
{inputs}
{outputs}
{merging}instance_group [ {{ kind: {kind} count: 1 }} ]
"""
_MERGING = """\
dynamic_batching {{
  preferred_batch_size: [ {preferred_batch} ]
  max_queue_delay_microseconds: {delay}
  default_queue_policy {{ max_queue_size: {queue} }}
}}
"""


@dataclass(frozen=True)
class ServedModel:
    """What all configurations of a model are written from.

    Attributes:
        name: The model's folder in the repository.
        inputs, outputs: Tensors in the order of the graph, dims without the batch.
        max_batch: Most items a batch.
        preferred_batch: Batch that the server waits for.
        merges: See ``training.export_plan.ExportPlan``.
    """

    name: str
    inputs: tuple[TensorShape, ...]
    outputs: tuple[TensorShape, ...]
    max_batch: int
    preferred_batch: int
    merges: bool = True


def onnxruntime_config(model: ServedModel) -> str:
    """``config.pbtxt`` of the model repository: ONNX Runtime on the CPU."""
    return _config(model, backend="onnxruntime", file="", kind="KIND_CPU")


def tensorrt_config(model: ServedModel) -> str:
    """``config.pbtxt`` beside a TensorRT engine: the same tensors and the same batching, on a GPU."""
    return _config(model, backend="tensorrt", file='default_model_filename: "model.plan"\n', kind="KIND_GPU")


def _config(model: ServedModel, *, backend: str, file: str, kind: str) -> str:
    merging = _MERGING.format(
        preferred_batch=min(model.preferred_batch, model.max_batch), delay=_QUEUE_DELAY_US, queue=_QUEUE_SIZE
    )
    return _CONFIG.format(
        name=model.name,
        backend=backend,
        file=file,
        max_batch=model.max_batch,
        inputs=_tensors("input", model.inputs),
        outputs=_tensors("output", model.outputs),
        merging=merging if model.merges else "",
        kind=kind,
    )


def _tensors(word: str, tensors: Sequence[TensorShape]) -> str:
    lines = [
        f'{{ name: "{tensor.name}" data_type: {_TYPES[tensor.dtype]} dims: [ {", ".join(map(str, tensor.dims))} ] }}'
        for tensor in tensors
    ]
    if len(lines) == 1:
        return f"{word} [ {lines[0]} ]"
    inner = ",\n  ".join(lines)
    return f"{word} [\n  {inner}\n]"
