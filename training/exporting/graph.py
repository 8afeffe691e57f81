"""A torch network as ONNX bytes: dynamic batch, uint8 in, weights as small as asked."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import nn

from training.export_plan import ExportPlan

PRECISIONS = ("fp32", "fp16", "int8")
_OPSET = 17
# Biases and the like stay float32: they are a hundredth of the size, and halving them costs accuracy.
_SMALLEST_COMPACTED = 1024
_HALF_MAX = 65504.0


class CastOutputs(nn.Module):
    """A network whose float32 outputs are cast to the dtypes that are served."""

    def __init__(self, network: nn.Module, dtypes: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.dtypes = [getattr(torch, dtype) for dtype in dtypes]

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run the network; returns its outputs as a tuple, each in its dtype."""
        found = as_tuple(self.network(*inputs))
        return tuple(tensor.to(dtype) for tensor, dtype in zip(found, self.dtypes, strict=True))


def as_tuple(outputs: Any) -> tuple[torch.Tensor, ...]:
    """The outputs of a network, of which there may be one."""
    return (outputs,) if isinstance(outputs, torch.Tensor) else tuple(outputs)


def to_onnx(network: nn.Module, plan: ExportPlan) -> bytes:
    """The network as ONNX bytes, float32 weights, with a dynamic batch and fixed sizes (TensorRT builds one engine).

    The same network gives the same bytes.
    """
    names = [tensor.name for tensor in (*plan.inputs, *plan.outputs)]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "model.onnx"
        # The tracing exporter is deprecated, but it needs no further package and its output is stable.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            CastOutputs(network, tuple(tensor.dtype for tensor in plan.outputs)).eval(),
            tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in plan.example_inputs(2)),
            path,
            input_names=names[: len(plan.inputs)],
            output_names=names[len(plan.inputs) :],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=_OPSET,
            dynamo=False,
        )
        model = onnx.load(path)
    onnx.checker.check_model(model)
    return serialised(model)


def serialised(model: onnx.ModelProto) -> bytes:
    """A graph as bytes; the same graph is the same bytes."""
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def compacted(weights: bytes, precision: str) -> bytes:
    """The graph with its large weights stored small and widened to float32 inside the graph.

    All arithmetic stays float32. ``fp16`` stores half floats: ONNX Runtime widens them once, when it loads. ``int8``
    stores one byte a weight and one scale a output channel, symmetric around zero. (Arithmetic in int8 with static
    scales was tried on EfficientNet-Lite2: its cosine with torch is 0.98 at best, so it is not offered.)

    Args:
        weights: ONNX bytes with float32 weights.
        precision: One of ``PRECISIONS``; ``fp32`` returns the bytes as they are.
    """
    if precision == "fp32":
        return weights
    model = onnx.load_from_string(weights)
    large = [tensor for tensor in model.graph.initializer if _is_large(tensor)]
    small = [tensor for tensor in model.graph.initializer if not _is_large(tensor)]
    stored: list[onnx.TensorProto] = []
    widening: list[onnx.NodeProto] = []
    for tensor in large:
        make = _half if precision == "fp16" else _quantised
        tensors, node = make(tensor.name, numpy_helper.to_array(tensor), _output_axis(model.graph, tensor.name))
        stored += tensors
        widening.append(node)
    nodes = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(small + stored)
    model.graph.node.extend(widening + nodes)
    onnx.checker.check_model(model)
    return serialised(model)


def with_float_outputs(weights: bytes) -> bytes:
    """A twin of the graph that gives its outputs before the last cast, in float32: parity is measured there."""
    model = onnx.load_from_string(weights)
    makers = {name: node for node in model.graph.node for name in node.output}
    for output in model.graph.output:
        node = makers[output.name]
        if node.op_type == "Cast" and output.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
            output.CopyFrom(helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, None))
            model.graph.node.remove(node)
    return serialised(model)


def _is_large(tensor: onnx.TensorProto) -> bool:
    array = numpy_helper.to_array(tensor)
    matrix = array.dtype == np.float32 and array.ndim >= 2 and array.size >= _SMALLEST_COMPACTED
    return matrix and bool(np.abs(array).max() <= _HALF_MAX)


def _half(name: str, array: NDArray[np.float32], _: int) -> tuple[list[onnx.TensorProto], onnx.NodeProto]:
    stored = numpy_helper.from_array(array.astype(np.float16), f"{name}_fp16")
    return [stored], helper.make_node("Cast", [stored.name], [name], f"widen_{name}", to=onnx.TensorProto.FLOAT)


def _quantised(name: str, array: NDArray[np.float32], axis: int) -> tuple[list[onnx.TensorProto], onnx.NodeProto]:
    others = tuple(i for i in range(array.ndim) if i != axis)
    scale = np.maximum(np.abs(array).max(others, keepdims=True) / 127, np.finfo(np.float32).tiny)
    levels = np.rint(array / scale).astype(np.int8)
    tensors = [
        numpy_helper.from_array(levels, f"{name}_int8"),
        numpy_helper.from_array(scale.reshape(-1).astype(np.float32), f"{name}_scale"),
        numpy_helper.from_array(np.zeros(array.shape[axis], np.int8), f"{name}_zero"),
    ]
    return tensors, helper.make_node("DequantizeLinear", [t.name for t in tensors], [name], f"widen_{name}", axis=axis)


def _output_axis(graph: onnx.GraphProto, name: str) -> int:
    """The axis of a weight that runs over the outputs of the layer that uses it."""
    users = [node for node in graph.node if name in node.input]
    across = any(
        node.op_type == "MatMul" or (node.op_type == "Gemm" and not _attribute(node, "transB")) for node in users
    )
    dims = next(len(tensor.dims) for tensor in graph.initializer if tensor.name == name)
    return dims - 1 if across else 0


def _attribute(node: onnx.NodeProto, name: str) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), 0)
