"""From a TFLite file to an ONNX graph, as far back as the wanted outputs reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from outsole.errors import InvalidInput, NotOffered
from training.detectors.onnx_graph import OnnxGraph
from training.detectors.operators import WAYS, Step
from training.detectors.published import PublishedNetwork
from training.detectors.tflite_file import TfliteGraph, TfliteOperator, read_tflite
from training.exporting.graph import compacted

# Half floats widened to float32 when a graph is loaded; here they are constants from the start.
_WIDENING = "DEQUANTIZE"


def to_onnx(network: PublishedNetwork, tflite: bytes) -> bytes:
    """A published network as ONNX bytes: uint8 pictures in, dynamic batch, weights stored as they were published.

    Raises:
        DataCorrupt: The bytes are no TFLite file.
        NotOffered: It holds an operator that is not converted here.
    """
    graph, inputs = OnnxGraph(), network.plan.inputs
    values = graph.add("Cast", [inputs[0].name], to=TensorProto.FLOAT)
    scaled = graph.add("Mul", [values, graph.constant(np.float32((network.high - network.low) / 255))])
    seen = graph.add("Add", [scaled, graph.constant(np.float32(network.low))])
    raw = converted(read_tflite(tflite), graph, image=seen, outputs=network.raw)
    outputs = list(zip(network.head(graph, raw), network.plan.outputs, strict=True))
    return compacted(graph.finish(inputs, outputs), network.plan.precision)


def converted(source: TfliteGraph, graph: OnnxGraph, *, image: str, outputs: Sequence[str]) -> tuple[str, ...]:
    """Add a TFLite graph's nodes to an ONNX graph.

    Args:
        source: With one input, an image [1, H, W, 3].
        graph: Where the nodes go.
        image: Name in ``graph`` of the image, float32 [N, H, W, 3] as the network was trained to see it.
        outputs: TFLite's names of the outputs wanted; what only others need is left out.

    Returns:
        Names in ``graph`` of those outputs, in that order, laid out as TFLite has them.

    Raises:
        NotOffered: An operator, or a use of one, that is not converted here; it is named.
        InvalidInput: The graph has another number of inputs, or no output of a name.
    """
    if len(source.inputs) != 1:
        raise InvalidInput(f"the TFLite model has {len(source.inputs)} inputs", field="model", remedy="one image")
    missing = [name for name in outputs if name not in source.names]
    if missing:
        raise InvalidInput(f"the TFLite model has no output {missing[0]!r}", remedy=f"one of {', '.join(source.names)}")
    wanted = [source.outputs[source.names.index(name)] for name in outputs]
    constants = {n: tensor.values for n, tensor in enumerate(source.tensors) if tensor.values is not None}
    names = {source.inputs[0]: image}
    for operator in _needed(source, wanted):
        if operator.kind == _WIDENING:
            constants[operator.outputs[0]] = _widened(operator, constants)
            continue
        if operator.kind not in WAYS:
            raise NotOffered(
                f"TFLite's operator {operator.kind} is not converted",
                remedy=f"{', '.join((*WAYS, _WIDENING))} are; teach training.detectors.operators the other",
            )
        names[operator.outputs[0]] = WAYS[operator.kind](Step(operator, source, graph, names, constants))
    return tuple(graph.as_plain(names[number]) for number in wanted)


def _needed(source: TfliteGraph, wanted: Sequence[int]) -> list[TfliteOperator]:
    """The operators that the wanted tensors depend on, in their order."""
    needed, found = set(wanted), []
    for operator in reversed(source.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            found.append(operator)
    return found[::-1]


def _widened(operator: TfliteOperator, constants: dict[int, NDArray[np.generic]]) -> NDArray[np.generic]:
    held = constants.get(operator.inputs[0])
    if held is None or held.dtype != np.float16:
        raise NotOffered("TFLite's operator DEQUANTIZE widens something else than constant half floats")
    return held.astype(np.float32)
