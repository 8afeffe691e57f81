"""A TFLite file read into plain records: tensors, constants, operators in their order."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, NotOffered

_IDENTIFIER = b"TFL3"
_DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.FLOAT16: "float16",
    tflite.TensorType.INT32: "int32",
}
_KINDS = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}
_STRIDES = ("Padding", "StrideH", "StrideW")
_CONVOLUTION = (*_STRIDES, "DilationHFactor", "DilationWFactor", "FusedActivationFunction")
# What is read of an operator's options; those of operators that are not here have none that matter.
_OPTIONS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "ADD": (tflite.AddOptions, ("FusedActivationFunction",)),
    "CONCATENATION": (tflite.ConcatenationOptions, ("Axis", "FusedActivationFunction")),
    "CONV_2D": (tflite.Conv2DOptions, _CONVOLUTION),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, _CONVOLUTION),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, ("FusedActivationFunction", "KeepNumDims")),
    "MAX_POOL_2D": (tflite.Pool2DOptions, (*_STRIDES, "FilterHeight", "FilterWidth", "FusedActivationFunction")),
    "MEAN": (tflite.ReducerOptions, ("KeepDims",)),
    "RESIZE_BILINEAR": (tflite.ResizeBilinearOptions, ("AlignCorners", "HalfPixelCenters")),
}


@dataclass(frozen=True)
class TfliteTensor:
    """A tensor of a graph.

    Attributes:
        shape: As the file says it, batch of one included; channels come last.
        values: What it holds where it is a constant; None where it is computed.
    """

    shape: tuple[int, ...]
    values: NDArray[np.generic] | None


@dataclass(frozen=True)
class TfliteOperator:
    """One step of a graph.

    Attributes:
        kind: TFLite's name of it, for example ``CONV_2D``.
        inputs, outputs: Numbers of tensors; an input that is left out is -1.
        options: The options that matter, by TFLite's names.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True)
class TfliteGraph:
    """The only graph of a file.

    Attributes:
        tensors: By number.
        operators: In the order in which they are computed.
        inputs, outputs: Numbers of tensors.
        names: Names of the outputs, in the order of ``outputs``.
    """

    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    names: tuple[str, ...]


def read_tflite(data: bytes) -> TfliteGraph:
    """Read a file's bytes.

    Raises:
        DataCorrupt: They are no TFLite file, or one that was cut short.
        NotOffered: It has several graphs, or a tensor of a type that is not read here.
    """
    if data[4:8] != _IDENTIFIER:
        raise DataCorrupt("the file is no TFLite model", remedy="fetch the package again")
    try:
        return _graph(tflite.Model.GetRootAs(data, 0))
    except (struct.error, IndexError, ValueError, TypeError) as error:
        raise DataCorrupt(f"the TFLite model cannot be read: {error}", remedy="fetch the package again") from error


def _graph(model: Any) -> TfliteGraph:
    if model.SubgraphsLength() != 1:
        raise NotOffered(f"the TFLite model has {model.SubgraphsLength()} graphs", remedy="one is read")
    graph = model.Subgraphs(0)
    outputs = _numbers(graph.OutputsAsNumpy())
    return TfliteGraph(
        tensors=tuple(_tensor(model, graph.Tensors(number)) for number in range(graph.TensorsLength())),
        operators=tuple(_operator(model, graph.Operators(number)) for number in range(graph.OperatorsLength())),
        inputs=_numbers(graph.InputsAsNumpy()),
        outputs=outputs,
        names=tuple(graph.Tensors(number).Name().decode() for number in outputs),
    )


def _tensor(model: Any, tensor: Any) -> TfliteTensor:
    name, shape = tensor.Name().decode(), _numbers(tensor.ShapeAsNumpy())
    dtype = _DTYPES.get(tensor.Type())
    if dtype is None or tensor.Sparsity() is not None:
        held = "sparse" if dtype else f"of TFLite's type {tensor.Type()}"
        raise NotOffered(f"tensor {name!r} is {held}", remedy=f"dense {', '.join(_DTYPES.values())} are read")
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        return TfliteTensor(shape, None)
    # The file is little-endian on every machine.
    stored = np.frombuffer(buffer.DataAsNumpy().tobytes(), np.dtype(dtype).newbyteorder("<"))
    return TfliteTensor(shape, stored.astype(dtype).reshape(shape))


def _operator(model: Any, operator: Any) -> TfliteOperator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Files of before 2020 say the number in a field of one byte.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _KINDS.get(number, str(number))
    if code.CustomCode():
        kind = code.CustomCode().decode()
    return TfliteOperator(
        kind, _numbers(operator.InputsAsNumpy()), _numbers(operator.OutputsAsNumpy()), _options(kind, operator)
    )


def _options(kind: str, operator: Any) -> dict[str, int]:
    if kind not in _OPTIONS:
        return {}
    make, names = _OPTIONS[kind]
    options, table = make(), operator.BuiltinOptions()
    if table is None:
        raise DataCorrupt(f"an operator {kind} has no options", remedy="fetch the package again")
    options.Init(table.Bytes, table.Pos)
    return {name: int(getattr(options, name)()) for name in names}


def _numbers(array: Any) -> tuple[int, ...]:
    # The reader gives 0 in place of an empty list.
    return tuple(int(number) for number in np.atleast_1d(array)) if not isinstance(array, int) else ()
