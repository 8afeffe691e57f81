"""How far an exported graph is from the network that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from outsole.errors import PreconditionFailed
from training.export_plan import Arrays, ExportPlan
from training.exporting.graph import as_tuple, with_float_outputs

LARGEST_DIFFERENCE = 1e-4
SMALLEST_COSINE = 0.999
# One more than the graph was traced with, so that a batch baked into it shows.
_ITEMS = 3


@dataclass(frozen=True)
class Parity:
    """The measured distance between what ran the network before and ONNX Runtime.

    Attributes:
        precision: Of the stored weights.
        difference: Largest absolute difference before the last cast, relative to the largest value.
        cosine: Smallest cosine of an item's output as it is served with the reference's.
        reference: What ran the network before.
    """

    precision: str
    difference: float
    cosine: float
    reference: str = "torch"

    def check(self, name: str) -> None:
        """Raise PreconditionFailed unless the graph may stand for the network: fp32 by difference, all by cosine."""
        # Written so that NaN fails.
        if self.precision == "fp32" and not self.difference <= LARGEST_DIFFERENCE:
            raise PreconditionFailed(
                f"{name}: ONNX differs from {self.reference} by {self.difference:.2e} of the largest value; "
                f"at most {LARGEST_DIFFERENCE:g}"
            )
        if not self.cosine >= SMALLEST_COSINE:
            raise PreconditionFailed(
                f"{name}: cosine of {self.precision} with {self.reference} is {self.cosine:.5f}; "
                f"at least {SMALLEST_COSINE}",
                remedy="" if self.precision == "fp32" else "export with --precision fp32",
            )


def measure(network: nn.Module, weights: bytes, plan: ExportPlan, precision: str) -> Parity:
    """Run the network and the graph on the plan's example inputs, as one batch and the first item alone.

    Args:
        network: What was exported, in evaluation mode, float32 out.
        weights: The graph as shipped.
        plan: For names and examples.
        precision: Of the stored weights.
    """
    inputs = plan.example_inputs(_ITEMS)
    with torch.no_grad():
        tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in inputs)
        expected = [tensor.numpy() for tensor in as_tuple(network(*tensors))]
    return compared(weights, plan, inputs, expected, precision=precision)


def compared(
    weights: bytes,
    plan: ExportPlan,
    inputs: Arrays,
    expected: Sequence[NDArray[Any]],
    *,
    precision: str,
    reference: str = "torch",
) -> Parity:
    """Run a graph on inputs whose outputs are known, as one batch and the first item alone.

    Args:
        weights: The graph as shipped.
        plan: For names.
        inputs: In the plan's order.
        expected: What the network says of them, in the plan's order.
        precision: Of the stored weights.
        reference: What said so.
    """
    wide = run(with_float_outputs(weights), plan, inputs)
    served = run(weights, plan, inputs)
    alone = run(weights, plan, tuple(array[:1] for array in inputs))
    return Parity(
        precision=precision,
        difference=max(_difference(got, want) for got, want in zip(wide, expected, strict=True)),
        cosine=min(
            *(_cosine(got, want) for got, want in zip(served, expected, strict=True)),
            *(_cosine(got, want[:1]) for got, want in zip(alone, expected, strict=True)),
        ),
        reference=reference,
    )


def run(weights: bytes, plan: ExportPlan, inputs: Arrays) -> list[NDArray[Any]]:
    """Outputs of a graph in the plan's order, computed by ONNX Runtime in this process."""
    import onnxruntime

    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    feed = {tensor.name: np.ascontiguousarray(array) for tensor, array in zip(plan.inputs, inputs, strict=True)}
    outputs: list[NDArray[Any]] = session.run(None, feed)
    return outputs


def _difference(got: NDArray[Any], want: NDArray[Any]) -> float:
    return float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max() / np.abs(want).max())


def _cosine(got: NDArray[Any], want: NDArray[Any]) -> float:
    """Smallest cosine over items of two arrays [N, ...]."""
    first, second = (array.reshape(len(array), -1).astype(np.float64) for array in (got, want))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(((first * second).sum(1) / lengths).min())
