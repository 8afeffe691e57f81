"""A stand-in for a trained partial-print embedding: the same inputs and outputs, made in a moment."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from outsole.encoders.network_spec import NetworkSpec
from outsole.inference.encoder import TensorShape

DIMENSIONS = 256
_CANVAS, _CELLS = (672, 352), (84, 44)


def write_partial_print(repository: Path, name: str = "partial_print", *, seed: int = 0) -> Path:
    """A model folder in Triton's layout: mean grey of the visible cells, projected at random, to unit length."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    weights = _model(seed)
    (folder / "1/model.onnx").write_bytes(weights)
    _spec(name, hashlib.sha256(weights).hexdigest()).dump(folder)
    (folder / "config.pbtxt").write_text(
        f"""name: "{name}"
backend: "onnxruntime"
max_batch_size: 16
input [
  {{ name: "image" data_type: TYPE_UINT8 dims: [ 672, 352 ] }},
  {{ name: "cells" data_type: TYPE_UINT8 dims: [ 84, 44 ] }}
]
output [ {{ name: "embedding" data_type: TYPE_FP16 dims: [ {DIMENSIONS} ] }} ]
dynamic_batching {{ max_queue_delay_microseconds: 500 }}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""
    )
    return folder


def _spec(name: str, weights_sha256: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        kind="print_embedding",
        inputs=(TensorShape("image", "uint8", _CANVAS), TensorShape("cells", "uint8", _CELLS)),
        outputs=(TensorShape("embedding", "float16", (DIMENSIONS,)),),
        px_per_cm=20.0,
        settings={"made_for": "tests"},
        trained_on="nothing",
        licence="Apache-2.0",
        weights_sha256=weights_sha256,
    )


def _model(seed: int) -> bytes:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    cells = _CELLS[0] * _CELLS[1]
    projection = np.random.default_rng(seed).normal(size=(cells, DIMENSIONS)).astype(np.float32)
    constants = [
        onnx.numpy_helper.from_array(projection, "projection"),
        onnx.numpy_helper.from_array(np.array(128, np.float32), "middle"),
        onnx.numpy_helper.from_array(np.array([-1, 1, *_CANVAS], np.int64), "canvas"),
        onnx.numpy_helper.from_array(np.array([-1, cells], np.int64), "flat"),
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["gray"], to=kind.FLOAT),
        helper.make_node("Sub", ["gray", "middle"], ["centred"]),
        helper.make_node("Reshape", ["centred", "canvas"], ["planes"]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Reshape", ["means", "flat"], ["row"]),
        helper.make_node("Cast", ["cells"], ["shown"], to=kind.FLOAT),
        helper.make_node("Reshape", ["shown", "flat"], ["weight"]),
        helper.make_node("Mul", ["row", "weight"], ["visible"]),
        helper.make_node("MatMul", ["visible", "projection"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["unit"], axis=1, p=2),
        helper.make_node("Cast", ["unit"], ["embedding"], to=kind.FLOAT16),
    ]
    graph = helper.make_graph(
        nodes,
        "stand_in",
        [
            helper.make_tensor_value_info("image", kind.UINT8, ["n", *_CANVAS]),
            helper.make_tensor_value_info("cells", kind.UINT8, ["n", *_CELLS]),
        ],
        [helper.make_tensor_value_info("embedding", kind.FLOAT16, ["n", DIMENSIONS])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


SHOE_DIMENSIONS = 64
_CROP = (112, 224, 3)


def write_shoe_encoder(repository: Path, name: str = "shoe_stand_in", *, seed: int = 0) -> Path:
    """A model folder of an encoder of shoes: mean colours of 16 x 16 places, projected at random, to unit length."""
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    weights = _shoe_model(seed)
    (folder / "1/model.onnx").write_bytes(weights)
    NetworkSpec(
        name=name,
        kind="shoe_embedding",
        inputs=(TensorShape("image", "uint8", _CROP),),
        outputs=(TensorShape("embedding", "float16", (SHOE_DIMENSIONS,)),),
        px_per_cm=0.0,
        settings={"made_for": "tests"},
        trained_on="nothing",
        licence="Apache-2.0",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    ).dump(folder)
    (folder / "config.pbtxt").write_text(
        f"""name: "{name}"
backend: "onnxruntime"
max_batch_size: 16
input [ {{ name: "image" data_type: TYPE_UINT8 dims: [ 112, 224, 3 ] }} ]
output [ {{ name: "embedding" data_type: TYPE_FP16 dims: [ {SHOE_DIMENSIONS} ] }} ]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""
    )
    return folder


def _shoe_model(seed: int) -> bytes:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    places = 7 * 14 * 3
    projection = np.random.default_rng(seed).normal(size=(places, SHOE_DIMENSIONS)).astype(np.float32)
    constants = [
        onnx.numpy_helper.from_array(projection, "projection"),
        onnx.numpy_helper.from_array(np.array(128, np.float32), "middle"),
        onnx.numpy_helper.from_array(np.array([-1, places], np.int64), "flat"),
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["colours"], to=kind.FLOAT),
        helper.make_node("Sub", ["colours", "middle"], ["centred"]),
        helper.make_node("Transpose", ["centred"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Reshape", ["means", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "projection"], ["projected"]),
        helper.make_node("LpNormalization", ["projected"], ["unit"], axis=1, p=2),
        helper.make_node("Cast", ["unit"], ["embedding"], to=kind.FLOAT16),
    ]
    graph = helper.make_graph(
        nodes,
        "shoe_stand_in",
        [helper.make_tensor_value_info("image", kind.UINT8, ["n", *_CROP])],
        [helper.make_tensor_value_info("embedding", kind.FLOAT16, ["n", SHOE_DIMENSIONS])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
