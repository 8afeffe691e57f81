"""TFLite's operators in ONNX, one function a kind: those that the detectors hold, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tflite
from numpy.typing import NDArray

from outsole.errors import NotOffered
from training.detectors.onnx_graph import OnnxGraph
from training.detectors.tflite_file import TfliteGraph, TfliteOperator

_SAME = tflite.Padding.SAME
_PLAIN_TO_PLANES = [0, 3, 1, 2]


@dataclass(frozen=True)
class Step:
    """An operator with what its function needs to see.

    Attributes:
        operator: The operator.
        source: The TFLite graph.
        graph: Where the nodes go.
        names: TFLite's number of a computed tensor -> its name in ``graph``.
        constants: TFLite's number -> array.
    """

    operator: TfliteOperator
    source: TfliteGraph
    graph: OnnxGraph
    names: Mapping[int, str]
    constants: Mapping[int, NDArray[np.generic]]

    def computed(self, position: int) -> str:
        """The name of an input that is computed."""
        return self.names[self._given(position, self.names)]

    def held(self, position: int) -> NDArray[np.generic]:
        """The values of an input that is a constant."""
        return self.constants[self._given(position, self.constants)]

    def option(self, name: str) -> int:
        """One of TFLite's options."""
        return self.operator.options[name]

    def shape(self, position: int) -> tuple[int, ...]:
        """Shape of an input, as TFLite says it."""
        return self.source.tensors[self.operator.inputs[position]].shape

    def refuse(self, what: str) -> NotOffered:
        """The error for a use of the operator that is not converted."""
        return NotOffered(f"TFLite's operator {self.operator.kind} {what}", remedy="teach training.detectors.operators")

    def _given(self, position: int, among: Mapping[int, object]) -> int:
        number = self.operator.inputs[position] if position < len(self.operator.inputs) else -1
        if number not in among:
            raise self.refuse(
                f"has an input {position} that is no {'constant' if among is self.constants else 'result'}"
            )
        return number


def _convolution(step: Step) -> str:
    weights = step.held(1).transpose(0, 3, 1, 2)
    return _convolved(step, weights, groups=1)


def _depthwise(step: Step) -> str:
    weights = step.held(1).transpose(3, 0, 1, 2)
    return _convolved(step, weights, groups=step.shape(0)[3])


def _convolved(step: Step, weights: NDArray[np.generic], *, groups: int) -> str:
    graph = step.graph
    kernel = (weights.shape[2], weights.shape[3])
    dilations = (step.option("DilationHFactor"), step.option("DilationWFactor"))
    reach = tuple((size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True))
    inputs = [graph.as_planes(step.computed(0)), graph.constant(weights), graph.constant(step.held(2))]
    made = graph.add(
        "Conv",
        inputs,
        planes=True,
        kernel_shape=kernel,
        strides=_strides(step),
        dilations=dilations,
        pads=_pads(step, reach),
        group=groups,
    )
    return _activated(step, made)


def _strides(step: Step) -> tuple[int, int]:
    return step.option("StrideH"), step.option("StrideW")


def _pads(step: Step, reach: tuple[int, ...]) -> list[int]:
    """Rows and columns before and after; what SAME adds depends on the size, and the odd one goes behind."""
    if step.option("Padding") != _SAME:
        return [0, 0, 0, 0]
    sizes, strides = np.array(step.shape(0)[1:3]), np.array(_strides(step))
    total = np.maximum((-(-sizes // strides) - 1) * strides + np.array(reach) - sizes, 0)
    return [int(pad) for pad in (*(total // 2), *(total - total // 2))]


def _activated(step: Step, made: str) -> str:
    activation, graph = step.option("FusedActivationFunction"), step.graph
    planes = graph.is_planes(made)
    if activation == tflite.ActivationFunctionType.NONE:
        return made
    if activation == tflite.ActivationFunctionType.RELU:
        return graph.add("Relu", [made], planes=planes)
    if activation == tflite.ActivationFunctionType.RELU6:
        bounds = [graph.constant(np.float32(bound)) for bound in (0, 6)]
        return graph.add("Clip", [made, *bounds], planes=planes)
    raise step.refuse(f"has the fused activation {activation}")


def _sum(step: Step) -> str:
    if step.shape(0) != step.shape(1):
        raise step.refuse(f"adds shapes {step.shape(0)} and {step.shape(1)}")
    graph, names = step.graph, [step.computed(0), step.computed(1)]
    planes = any(map(graph.is_planes, names))
    inputs = [graph.as_planes(name) if planes else name for name in names]
    return _activated(step, graph.add("Add", inputs, planes=planes))


def _largest(step: Step) -> str:
    kernel = (step.option("FilterHeight"), step.option("FilterWidth"))
    image = step.graph.as_planes(step.computed(0))
    made = step.graph.add(
        "MaxPool", [image], planes=True, kernel_shape=kernel, strides=_strides(step), pads=_pads(step, kernel)
    )
    return _activated(step, made)


def _padded(step: Step) -> str:
    amounts = step.held(1)
    if amounts.shape != (4, 2):
        raise step.refuse(f"pads {len(amounts)} dimensions")
    graph, pads = step.graph, amounts[_PLAIN_TO_PLANES].T.reshape(-1)
    return graph.add("Pad", [graph.as_planes(step.computed(0)), graph.numbers(pads)], planes=True)


def _resized(step: Step) -> str:
    if step.option("AlignCorners") or not step.option("HalfPixelCenters"):
        raise step.refuse("does not count from the middles of pixels")
    graph, size = step.graph, np.asarray(step.held(1), np.float32)
    scales = np.array([1, 1, *(size / np.array(step.shape(0)[1:3], np.float32))], np.float32)
    inputs = [graph.as_planes(step.computed(0)), "", graph.constant(scales)]
    return graph.add("Resize", inputs, planes=True, mode="linear", coordinate_transformation_mode="half_pixel")


def _mean(step: Step) -> str:
    if sorted(np.atleast_1d(step.held(1)).tolist()) != [1, 2] or step.option("KeepDims"):
        raise step.refuse("takes the mean over other axes than height and width")
    return step.graph.add("ReduceMean", [step.graph.as_planes(step.computed(0))], axes=[2, 3], keepdims=0)


def _connected(step: Step) -> str:
    if len(step.shape(0)) != 2:
        raise step.refuse(f"has an input of shape {step.shape(0)}")
    graph = step.graph
    inputs = [step.computed(0), graph.constant(step.held(1)), graph.constant(step.held(2))]
    return _activated(step, graph.add("Gemm", inputs, transB=1))


def _sigmoid(step: Step) -> str:
    name = step.computed(0)
    return step.graph.add("Sigmoid", [name], planes=step.graph.is_planes(name))


def _reshaped(step: Step) -> str:
    graph, shape = step.graph, step.source.tensors[step.operator.outputs[0]].shape
    if shape[0] != step.shape(0)[0]:
        raise step.refuse(f"takes {step.shape(0)} to {shape}, across the batch")
    return graph.add("Reshape", [graph.as_plain(step.computed(0)), graph.numbers([-1, *shape[1:]])])


def _joined(step: Step) -> str:
    if step.option("Axis") == 0:
        raise step.refuse("joins along the batch")
    graph = step.graph
    parts = [graph.as_plain(step.computed(position)) for position in range(len(step.operator.inputs))]
    return _activated(step, graph.add("Concat", parts, axis=step.option("Axis")))


WAYS: Mapping[str, Callable[[Step], str]] = {
    "ADD": _sum,
    "CONCATENATION": _joined,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _connected,
    "LOGISTIC": _sigmoid,
    "MAX_POOL_2D": _largest,
    "MEAN": _mean,
    "PAD": _padded,
    "RESHAPE": _reshaped,
    "RESIZE_BILINEAR": _resized,
}
