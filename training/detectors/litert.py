"""What a published network says when its makers' own runtime runs it, and how far the converted graph is from that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.errors import MissingPart, PreconditionFailed
from training.detectors.published import PublishedNetwork
from training.exporting.parity import Parity, compared

REFERENCE = "ai-edge-litert"
LARGEST_DIFFERENCE = 2e-3
_ITEMS = 3


def measured(network: PublishedNetwork, tflite: bytes, weights: bytes) -> Parity:
    """Run the graph and the TFLite file on the plan's example inputs.

    Raises:
        MissingPart: ai-edge-litert is not installed.
        PreconditionFailed: They differ by more than ``LARGEST_DIFFERENCE`` of an output's largest value.
    """
    inputs = network.plan.example_inputs(_ITEMS)
    raw = run_tflite(tflite, _as_trained(network, inputs[0]), network.raw)
    expected = network.head_in_numpy(raw)
    found = compared(weights, network.plan, inputs, expected, precision=network.plan.precision, reference=REFERENCE)
    # Written so that NaN fails.
    if not found.difference <= LARGEST_DIFFERENCE:
        raise PreconditionFailed(
            f"the converted graph differs from {REFERENCE} by {found.difference:.2e}; at most {LARGEST_DIFFERENCE:g}"
        )
    return found


def run_tflite(tflite: bytes, images: NDArray[np.float32], names: tuple[str, ...]) -> list[NDArray[np.float32]]:
    """Outputs of a TFLite model by name, one image at a time, as one batch.

    Args:
        tflite: The file's bytes.
        images: float32 [N, H, W, 3] as the network was trained to see them.
        names: TFLite's names of the outputs.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingPart(f"{REFERENCE} is not installed", remedy="pip install 'outsole[convert]'") from error
    interpreter = Interpreter(model_content=tflite, num_threads=1)
    interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]["index"]
    places = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    rows: list[list[NDArray[np.float32]]] = []
    for picture in images:
        interpreter.set_tensor(image, picture[None])
        interpreter.invoke()
        rows.append([interpreter.get_tensor(places[name]) for name in names])
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def _as_trained(network: PublishedNetwork, images: NDArray[np.generic]) -> NDArray[np.float32]:
    span = network.high - network.low
    return (images.astype(np.float32) * np.float32(span / 255) + np.float32(network.low)).astype(np.float32)
