"""Small TFLite files for tests, written through the format's own schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

_TYPES = {"float32": tflite.TensorType.FLOAT32, "float16": tflite.TensorType.FLOAT16, "int32": tflite.TensorType.INT32}


class TfliteWriter:
    """Builds one graph: tensors and operators in the order in which they are added."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)
        self._buffers: list[int] = [self._buffer(b"")]
        self._tensors: list[int] = []
        self._codes: list[int] = []
        self._operators: list[int] = []

    def tensor(self, name: str, shape: Sequence[int], dtype: str = "float32") -> int:
        """Add a tensor that is computed; returns its number."""
        return self._add_tensor(name, shape, _TYPES[dtype], 0)

    def constant(self, name: str, array: NDArray[Any]) -> int:
        """Add a constant; returns its number."""
        self._buffers.append(self._buffer(array.tobytes()))
        return self._add_tensor(name, array.shape, _TYPES[array.dtype.name], len(self._buffers) - 1)

    def operator(self, kind: str, inputs: Sequence[int], outputs: Sequence[int], **options: int) -> None:
        """Add an operator with options of TFLite's names (``Padding=0``)."""
        builder = self._builder
        number = getattr(tflite.BuiltinOperator, kind)
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddBuiltinCode(builder, number)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
        tflite.OperatorCodeAddVersion(builder, 3 if kind == "DEQUANTIZE" else 1)
        self._codes.append(tflite.OperatorCodeEnd(builder))
        table, table_kind = self._options(kind, options)
        given, made = self._numbers(inputs), self._numbers(outputs)
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, len(self._codes) - 1)
        tflite.OperatorAddInputs(builder, given)
        tflite.OperatorAddOutputs(builder, made)
        if table:
            tflite.OperatorAddBuiltinOptionsType(builder, table_kind)
            tflite.OperatorAddBuiltinOptions(builder, table)
        self._operators.append(tflite.OperatorEnd(builder))

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file's bytes."""
        builder = self._builder
        parts = [self._tables(part) for part in (self._tensors, self._operators)]
        given, made = self._numbers(inputs), self._numbers(outputs)
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, parts[0])
        tflite.SubGraphAddOperators(builder, parts[1])
        tflite.SubGraphAddInputs(builder, given)
        tflite.SubGraphAddOutputs(builder, made)
        graphs = self._tables([tflite.SubGraphEnd(builder)])
        codes, buffers = self._tables(self._codes), self._tables(self._buffers)
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return bytes(builder.Output())

    def _options(self, kind: str, options: dict[str, int]) -> tuple[int, int]:
        if not options:
            return 0, 0
        name = "".join(word.capitalize() for word in kind.replace("2D", "2d").split("_")).replace("2d", "2D")
        name = {"MaxPool2D": "Pool2D", "Mean": "Reducer", "Depthwiseconv2D": "DepthwiseConv2D"}.get(name, name)
        getattr(tflite, f"{name}OptionsStart")(self._builder)
        for option, value in options.items():
            getattr(tflite, f"{name}OptionsAdd{option}")(self._builder, value)
        return getattr(tflite, f"{name}OptionsEnd")(self._builder), getattr(tflite.BuiltinOptions, f"{name}Options")

    def _add_tensor(self, name: str, shape: Sequence[int], kind: int, buffer: int) -> int:
        text, sizes = self._builder.CreateString(name), self._numbers(shape)
        tflite.TensorStart(self._builder)
        tflite.TensorAddShape(self._builder, sizes)
        tflite.TensorAddType(self._builder, kind)
        tflite.TensorAddBuffer(self._builder, buffer)
        tflite.TensorAddName(self._builder, text)
        self._tensors.append(tflite.TensorEnd(self._builder))
        return len(self._tensors) - 1

    def _buffer(self, data: bytes) -> int:
        held = self._builder.CreateByteVector(data) if data else 0
        tflite.BufferStart(self._builder)
        if held:
            tflite.BufferAddData(self._builder, held)
        return int(tflite.BufferEnd(self._builder))

    def _numbers(self, values: Sequence[int]) -> int:
        return int(self._builder.CreateNumpyVector(np.asarray(values, np.int32)))

    def _tables(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())
