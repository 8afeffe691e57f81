"""An ONNX graph under construction: nodes and constants by name, fixed sizes, dynamic batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import helper, numpy_helper

from outsole.inference.encoder import TensorShape
from training.exporting.graph import serialised

_OPSET, _IR_VERSION = 17, 8
_TO_PLANES, _TO_PLAIN = (0, 3, 1, 2), (0, 2, 3, 1)


class OnnxGraph:
    """Nodes in the order in which they were added; every method returns the name of what it made.

    TFLite keeps channels last, ONNX's convolutions want them second. So a tensor of four dimensions lies either way
    (``planes``: channels second), and ``as_planes`` and ``as_plain`` turn it where a node needs the other.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._planes: set[str] = set()
        self._turned: dict[str, str] = {}

    def constant(self, array: NDArray[np.generic] | np.float32) -> str:
        """Store an array, or one number, in the graph."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def numbers(self, values: ArrayLike) -> str:
        """Store whole numbers: axes, sizes, where to cut."""
        return self.constant(np.asarray(values, np.int64))

    def add(self, kind: str, inputs: Sequence[str], *, planes: bool = False, **attributes: Any) -> str:
        """Add a node with one output; ``planes`` says that the output has its channels second."""
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=f"n{len(self._nodes)}", **attributes))
        if planes:
            self._planes.add(name)
        return name

    def is_planes(self, name: str) -> bool:
        """Whether the tensor has its channels second."""
        return name in self._planes

    def as_planes(self, name: str) -> str:
        """The tensor [N, H, W, C] as [N, C, H, W]."""
        return name if name in self._planes else self._turn(name, _TO_PLANES)

    def as_plain(self, name: str) -> str:
        """The tensor as TFLite has it."""
        return name if name not in self._planes else self._turn(name, _TO_PLAIN)

    def columns(self, name: str, first: int, last: int) -> str:
        """Numbers ``first`` .. ``last - 1`` along the last axis."""
        return self.add("Slice", [name, self.numbers([first]), self.numbers([last]), self.numbers([-1])])

    def finish(self, inputs: Sequence[TensorShape], outputs: Sequence[tuple[str, TensorShape]]) -> bytes:
        """The whole graph as ONNX bytes; the same calls give the same bytes.

        Args:
            inputs: As nodes refer to them, dims without the batch.
            outputs: Name of the tensor here, and name, dtype and dims as served.
        """
        named = [helper.make_node("Identity", [made], [tensor.name]) for made, tensor in outputs]
        graph = helper.make_graph(
            [*self._nodes, *named],
            "converted",
            [_described(tensor) for tensor in inputs],
            [_described(tensor) for _, tensor in outputs],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return serialised(model)

    def _turn(self, name: str, order: tuple[int, ...]) -> str:
        turned = self._turned.get(name)
        if turned is None:
            turned = self.add("Transpose", [name], planes=order == _TO_PLANES, perm=order)
            self._turned[name], self._turned[turned] = turned, name
        return turned


def _described(tensor: TensorShape) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
    return helper.make_tensor_value_info(tensor.name, kind, ["batch", *tensor.dims])
