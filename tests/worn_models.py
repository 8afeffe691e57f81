"""Stand-ins for trained models of wear: the same inputs and outputs, made in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.wear.canvas import CANVAS_PX
from outsole.wear.model import Direction
from tests.wear_standins import write_folder, write_weights

# Elements grow, or shrink, by so many pixels to each side in a year.
REACH_PX = 6
_YEAR = 52.0


def write_wear_model(repository: Path, direction: Direction = Direction.FORWARD) -> Path:
    """A model folder in Triton's layout: elements grow with the weeks, or shrink; less and less sure of it."""
    return write_folder(repository, direction, _model(direction))


def _model(direction: Direction) -> bytes:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    of_direction = np.array(1 if direction is Direction.FORWARD else -1, np.float32)
    constants = [
        onnx.numpy_helper.from_array(np.array(255, np.float32), "white"),
        onnx.numpy_helper.from_array(np.array(_YEAR, np.float32), "year"),
        onnx.numpy_helper.from_array(of_direction, "direction"),
        onnx.numpy_helper.from_array(np.array([-1, 1, *CANVAS_PX], np.int64), "planes"),
        onnx.numpy_helper.from_array(np.array([-1, *CANVAS_PX], np.int64), "canvas"),
        onnx.numpy_helper.from_array(np.array([-1, 1, 1, 1], np.int64), "one_each"),
    ]
    reach = {"kernel_shape": [2 * REACH_PX + 1] * 2, "pads": [REACH_PX] * 4}
    nodes = [
        helper.make_node("Cast", ["image"], ["gray"], to=kind.FLOAT),
        helper.make_node("Sub", ["white", "gray"], ["pressed"]),
        helper.make_node("Div", ["pressed", "white"], ["flat_contact"]),
        helper.make_node("Reshape", ["flat_contact", "planes"], ["contact"]),
        # The greatest contact around each pixel, or minus the greatest of minus the contact: the least.
        helper.make_node("Mul", ["contact", "direction"], ["turned"]),
        helper.make_node("MaxPool", ["turned"], ["turned_reached"], **reach),
        helper.make_node("Mul", ["turned_reached", "direction"], ["reached"]),
        helper.make_node("Cast", ["weeks"], ["weeks_float"], to=kind.FLOAT),
        helper.make_node("Reshape", ["weeks_float", "one_each"], ["weeks_each"]),
        helper.make_node("Div", ["weeks_each", "year"], ["share"]),
        helper.make_node("Sub", ["reached", "contact"], ["change"]),
        helper.make_node("Mul", ["change", "share"], ["part"]),
        helper.make_node("Add", ["contact", "part"], ["worn"]),
        helper.make_node("Abs", ["part"], ["doubt"]),
        helper.make_node("Reshape", ["worn", "canvas"], ["worn_flat"]),
        helper.make_node("Reshape", ["doubt", "canvas"], ["doubt_flat"]),
        helper.make_node("Cast", ["worn_flat"], ["print"], to=kind.FLOAT16),
        helper.make_node("Cast", ["doubt_flat"], ["unsure"], to=kind.FLOAT16),
    ]
    return write_weights(nodes, constants)
