"""How a system is exported: ``ExportPlan``, and where the plans are.

The module that defines a system of ``training.registry`` says how it is exported in one mapping, system name to plan:

    EXPORT_PLANS = {"crisp_lite": ExportPlan(kind="spatial_embedding", ...)}

A variant (``crisp_lite:pooled``) without a plan of its own takes the plan of the name before the colon.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import nn

from outsole.encoders.network_spec import Setting
from outsole.errors import InvalidInput
from outsole.inference.encoder import TensorShape

Arrays = tuple[NDArray[np.generic], ...]
PLANS = "EXPORT_PLANS"


def the_network_itself(network: nn.Module) -> nn.Module:
    """For networks whose ``forward`` takes and returns what is served."""
    return network


@dataclass(frozen=True)
class ExportPlan:
    """What a network looks like when it is served, and what its card says.

    Attributes:
        kind: As in ``NetworkSpec``; ``print_embedding`` is only for networks that take ``image`` and ``cells``.
        inputs: Inputs in the order of ``forward``, dims without the batch; the first is called ``image``.
        outputs: Outputs in the order that ``forward`` returns them (a tensor, or a tuple of them). The network returns
            float32; the cast to the dtype said here is added by the exporter.
        px_per_cm: Resolution of the images on the sole; 0 where it is not fixed.
        summary: What it is: structure, input, output; Markdown.
        trained_on: The data, in words.
        licence: Of the weights.
        limits: Known limits; Markdown.
        settings: What else must be equal for outputs to be comparable.
        module: From the trained network to the module whose ``forward`` is exported.
        examples: From a count N to inputs ``[N, ...]`` like real ones, on which parity is measured and the graph is
            traced; None takes random bytes for every input.
        max_batch: Most images a request or a batch may have.
        preferred_batch: Batch that the server waits for, and the one TensorRT optimises for.
        merges: Whether the server puts requests of several callers into one batch. The matrix products of a few rows
            round in another way than those of many; where the same work has to give the same bytes whenever it is
            done, an answer must not hang on who else asks at that moment.
        precision: Of the weights as shipped: ``fp32``, ``fp16`` or ``int8``; ``--precision`` overrides it.
    """

    kind: str
    inputs: tuple[TensorShape, ...]
    outputs: tuple[TensorShape, ...]
    px_per_cm: float
    summary: str
    trained_on: str
    licence: str
    limits: str
    settings: Mapping[str, Setting] = field(default_factory=dict, hash=False)
    module: Callable[[nn.Module], nn.Module] = the_network_itself
    examples: Callable[[int], Arrays] | None = None
    max_batch: int = 16
    preferred_batch: int = 8
    merges: bool = True
    precision: str = "fp32"

    def example_inputs(self, count: int) -> Arrays:
        """Inputs ``[count, ...]`` in the plan's dtypes; random bytes of one seed where the plan has no examples."""
        if self.examples is not None:
            return self.examples(count)
        generator = np.random.default_rng(0)
        return tuple(
            generator.integers(0, 256, (count, *tensor.dims)).astype(np.dtype(tensor.dtype)) for tensor in self.inputs
        )


def find_plan(name: str, module: str) -> ExportPlan:
    """The plan of a system, from the module that defines it.

    Raises:
        InvalidInput: The module has no plan for it.
    """
    plans: Mapping[str, ExportPlan] = getattr(importlib.import_module(module), PLANS, {})
    plan = plans.get(name) or plans.get(name.partition(":")[0])
    if plan is None:
        raise InvalidInput(f"system {name!r} says nothing about its export", remedy=f"add it to {PLANS} in {module}")
    return plan
