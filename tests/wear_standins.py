"""A stand-in for a trained model of wear: the same inputs and outputs, made in a moment."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outsole.encoders.network_spec import NetworkSpec
from outsole.inference.encoder import TensorShape
from outsole.wear.canvas import CANVAS_PX
from outsole.wear.model import DIRECTION, KIND, Direction

TRAINED_ON = "nothing: a stand-in for tests <b>& more</b>"
_FADED_WEEKS = 104.0


def faded(contact: float, weeks: int, direction: Direction = Direction.FORWARD) -> float:
    """The contact 0 .. 1 that the stand-in predicts: half of it is gone after a year, or is there again."""
    sign = -1 if direction is Direction.FORWARD else 1
    return min(max(contact * (1 + sign * weeks / _FADED_WEEKS), 0.0), 1.0)


def write_wear_model(repository: Path, direction: Direction = Direction.FORWARD) -> Path:
    """A model folder in Triton's layout: contact changes as `faded` says, and what is unsure is the change."""
    return write_folder(repository, direction, _model(-1.0 if direction is Direction.FORWARD else 1.0))


def write_folder(repository: Path, direction: Direction, weights: bytes) -> Path:
    """The model folder of a stand-in whose graph is given."""
    name = f"wear_{direction}"
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    (folder / "1/model.onnx").write_bytes(weights)
    NetworkSpec(
        name=name,
        kind=KIND,
        inputs=(TensorShape("image", "uint8", CANVAS_PX), TensorShape("weeks", "uint8", (1,))),
        outputs=(TensorShape("print", "float16", CANVAS_PX), TensorShape("unsure", "float16", CANVAS_PX)),
        px_per_cm=20.0,
        settings={DIRECTION: direction.value},
        trained_on=TRAINED_ON,
        licence="Apache-2.0",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    ).dump(folder)
    (folder / "config.pbtxt").write_text(
        f"""name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input [
  {{ name: "image" data_type: TYPE_UINT8 dims: [ 640, 256 ] }},
  {{ name: "weeks" data_type: TYPE_UINT8 dims: [ 1 ] }}
]
output [
  {{ name: "print" data_type: TYPE_FP16 dims: [ 640, 256 ] }},
  {{ name: "unsure" data_type: TYPE_FP16 dims: [ 640, 256 ] }}
]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""
    )
    return folder


def _model(sign: float) -> bytes:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    numbers = {"white": 255.0, "one": 1.0, "zero": 0.0, "slope": sign / _FADED_WEEKS}
    constants = [onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers.items()]
    constants.append(onnx.numpy_helper.from_array(np.array([-1, 1, 1], np.int64), "column"))
    nodes = [
        helper.make_node("Cast", ["image"], ["gray"], to=kind.FLOAT),
        helper.make_node("Div", ["gray", "white"], ["light"]),
        helper.make_node("Sub", ["one", "light"], ["contact"]),
        helper.make_node("Cast", ["weeks"], ["number"], to=kind.FLOAT),
        helper.make_node("Reshape", ["number", "column"], ["each"]),
        helper.make_node("Mul", ["each", "slope"], ["share"]),
        helper.make_node("Mul", ["contact", "share"], ["change"]),
        helper.make_node("Add", ["contact", "change"], ["changed"]),
        helper.make_node("Clip", ["changed", "zero", "one"], ["within"]),
        helper.make_node("Abs", ["change"], ["size"]),
        helper.make_node("Cast", ["within"], ["print"], to=kind.FLOAT16),
        helper.make_node("Cast", ["size"], ["unsure"], to=kind.FLOAT16),
    ]
    return write_weights(nodes, constants)


def write_weights(nodes: list[Any], constants: list[Any]) -> bytes:
    """The bytes of a graph from ``image`` and ``weeks`` to ``print`` and ``unsure``."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        nodes,
        "wear_stand_in",
        [
            helper.make_tensor_value_info("image", kind.UINT8, ["n", *CANVAS_PX]),
            helper.make_tensor_value_info("weeks", kind.UINT8, ["n", 1]),
        ],
        [
            helper.make_tensor_value_info("print", kind.FLOAT16, ["n", *CANVAS_PX]),
            helper.make_tensor_value_info("unsure", kind.FLOAT16, ["n", *CANVAS_PX]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
