"""Small untrained networks in the shape of the real ones, so that every row can be measured in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_embedding(folder: Path) -> None:
    """A model that takes ``image`` and ``cells`` and returns the grey levels of a coarse picture as a unit vector."""
    nodes = [
        helper.make_node("Cast", ["image"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["grey", "mid"], ["centred"]),
        helper.make_node("Unsqueeze", ["centred", "one"], ["plane"]),
        helper.make_node("AveragePool", ["plane"], ["coarse"], kernel_shape=[56, 44], strides=[56, 44]),
        helper.make_node("Flatten", ["coarse"], ["flat"], axis=1),
        helper.make_node("Cast", ["cells"], ["shown"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["shown"], ["any"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["any", "one"], ["column"]),
        helper.make_node("Mul", ["flat", "column"], ["seen"]),
        helper.make_node("LpNormalization", ["seen"], ["unit"], axis=1, p=2),
        helper.make_node("Cast", ["unit"], ["embedding"], to=TensorProto.FLOAT16),
    ]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 672, 352]),
        helper.make_tensor_value_info("cells", TensorProto.UINT8, ["N", 84, 44]),
    ]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT16, ["N", 96])]
    constants = [
        numpy_helper.from_array(np.array(128.0, np.float32), "mid"),
        numpy_helper.from_array(np.array([1], np.int64), "one"),
    ]
    _write(folder, nodes, inputs, outputs, constants)


def write_spatial(folder: Path) -> None:
    """A model that takes pictures [N, 2, 384, 192] and returns mean and spread of 32 px cells, of unit length."""
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["levels", "weights"], ["edges"], strides=[32, 32]),
        helper.make_node("LpNormalization", ["edges"], ["unit"], axis=1, p=2),
        helper.make_node("Cast", ["unit"], ["map"], to=TensorProto.FLOAT16),
    ]
    weights = np.random.default_rng(0).normal(size=(8, 2, 32, 32)).astype(np.float32)
    weights -= weights.mean((2, 3), keepdims=True)
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 2, 384, 192])]
    outputs = [helper.make_tensor_value_info("map", TensorProto.FLOAT16, ["N", 8, 12, 6])]
    _write(folder, nodes, inputs, outputs, [numpy_helper.from_array(weights, "weights")])


def _write(
    folder: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
) -> None:
    graph = helper.make_graph(nodes, folder.name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "1").mkdir(parents=True)
    onnx.save(model, str(folder / "1" / "model.onnx"))
    (folder / "spec.json").write_text(json.dumps({"trained_on": "nothing"}))
