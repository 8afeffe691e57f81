"""The weights of a served model back into torch: what ``training.exporting.graph`` wrote, read by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from outsole.encoders.network_spec import NetworkSpec
from outsole.encoders.spec_file import WEIGHTS_FILE
from outsole.errors import DataCorrupt

_GRAPH_PREFIX, _HALF_SUFFIX = "network.", "_fp16"
# Of these nodes the output is what went in, under another name.
_SAME = ("Cast", "Identity")


def served_weights(
    folder: Path, wanted: Mapping[str, torch.Tensor], *, not_served: Sequence[str] = ()
) -> dict[str, torch.Tensor]:
    """The weights that a model folder has of a network.

    Layers without bias lose their names on the way: the graph multiplies with their transposed weights, which are told
    by their order.

    Args:
        folder: Of the model repository.
        wanted: The network's state; names, order and shapes count.
        not_served: Names of the state that no graph has.

    Returns:
        Those of ``wanted`` that are served, float32.

    Raises:
        NotFound: There is no such model.
        DataCorrupt: Its weights are not those of this network.
    """
    NetworkSpec.load(folder)
    graph = onnx.load(str(folder / WEIGHTS_FILE)).graph
    arrays = {tensor.name.removesuffix(_HALF_SUFFIX): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name.removeprefix(_GRAPH_PREFIX): array for name, array in arrays.items()}
    nameless = [name for name in wanted if name not in found and name not in not_served]
    turned = [arrays[name] for name in _factors(graph, set(arrays)) if name.removeprefix(_GRAPH_PREFIX) not in wanted]
    for name, array in zip(nameless, turned, strict=False):
        found[name] = array.T
    for name, tensor in wanted.items():
        if name not in not_served and (name not in found or found[name].shape != tuple(tensor.shape)):
            raise DataCorrupt(
                f"model {folder.name!r} has no weights {name!r}", remedy="export it again as fp32 or fp16"
            )
    return {name: _tensor(found[name]) for name in wanted if name in found}


def _factors(graph: onnx.GraphProto, constants: set[str]) -> list[str]:
    """Names of the constants that matrices are multiplied with, in the order of their first use."""
    source = {name: name for name in constants}
    order: dict[str, None] = {}
    for node in graph.node:
        if node.op_type in _SAME and node.input[0].removesuffix(_HALF_SUFFIX) in source:
            source[node.output[0]] = source[node.input[0].removesuffix(_HALF_SUFFIX)]
        elif node.op_type == "MatMul" and node.input[1] in source:
            order[source[node.input[1]]] = None
    return list(order)


def _tensor(array: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.astype(np.float32)))
