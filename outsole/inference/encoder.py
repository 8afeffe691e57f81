"""What every encoder offers, and what a model must look like for it to be one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, PreconditionFailed

IMAGE = "image"
"""Name of the input that every encoder has."""
Inputs = NDArray[np.uint8] | Mapping[str, NDArray[Any]]
"""Images alone, or input name -> array ``[N, ...]`` where a model takes more than images."""
Outputs = dict[str, NDArray[np.generic]]
"""Output name -> array ``[N, ...]`` in the model's own dtype. The arrays may be read-only."""


class Encoder(Protocol):
    """Turns canvases into embeddings and feature maps."""

    async def encode(self, images: Inputs, *, timeout_s: float) -> Outputs:
        """Encode any number of canvases.

        Args:
            images: ``[N, H, W]`` uint8, 0 .. 255; H and W are the model's canvas. N may be 0. For a model with more
                inputs all of them by name, each ``[N, ...]``.
            timeout_s: Seconds for the whole call, batches and waiting included.

        Returns:
            Every output of the model by name, ``[N, ...]``, rows in the order of the images.

        Raises:
            InvalidInput: An input has another dtype or shape than the model takes, or is missing or one too many.
            PreconditionFailed: The model served is not the one expected.
            BudgetSpent: ``timeout_s`` ran out.
            Unavailable: The server or the model is away; may be retried.
            Overloaded: The server's queue is full; may be retried.
        """
        ...

    async def is_ready(self) -> bool:
        """Whether the model can answer now; never raises."""
        ...

    async def close(self) -> None:
        """Release connections and memory; closing twice is allowed."""
        ...


@dataclass(frozen=True)
class TensorShape:
    """One input or output of a model.

    Attributes:
        name: The tensor's name.
        dtype: numpy's name of the element type, for example ``uint8`` or ``float16``.
        dims: Shape without the batch dimension; -1 where the model leaves it open.
    """

    name: str
    dtype: str
    dims: tuple[int, ...]

    def accepts(self, other: TensorShape) -> bool:
        """Whether the other tensor has this name, dtype and shape; -1 on either side fits any size."""
        same_kind = (self.name, self.dtype, len(self.dims)) == (other.name, other.dtype, len(other.dims))
        return same_kind and all(a == b or -1 in (a, b) for a, b in zip(self.dims, other.dims, strict=True))

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {list(self.dims)}"


@dataclass(frozen=True)
class ModelContract:
    """The inputs and outputs that a client and a model agree on.

    Attributes:
        model: The model's name.
        image: The first input, dtype ``uint8``, dims ``(H, W)``.
        outputs: The outputs; a model may have more of them than a client expects.
        others: Further inputs, for example which cells of a canvas show the sole.
    """

    model: str
    image: TensorShape
    outputs: tuple[TensorShape, ...]
    others: tuple[TensorShape, ...] = ()

    @property
    def inputs(self) -> tuple[TensorShape, ...]:
        """All inputs, the image first."""
        return (self.image, *self.others)

    def check(self, found: ModelContract) -> None:
        """Raise PreconditionFailed unless the model found offers everything that this contract names."""
        remedy = "serve the model repository that this release was made with"
        for wanted_tensors, found_tensors in ((self.inputs, found.inputs), (self.outputs, found.outputs)):
            offered = {tensor.name: tensor for tensor in found_tensors}
            for wanted in wanted_tensors:
                got = offered.get(wanted.name)
                if got is None or not wanted.accepts(got):
                    raise PreconditionFailed(
                        f"model {self.model!r} should have tensor {wanted} but has {got or 'none of that name'}",
                        remedy=remedy,
                    )
        unfed = {tensor.name for tensor in found.inputs} - {tensor.name for tensor in self.inputs}
        if unfed:
            raise PreconditionFailed(f"model {self.model!r} also wants the input {min(unfed)}", remedy=remedy)

    def named(self, inputs: Inputs) -> dict[str, NDArray[Any]]:
        """The inputs by name, as they were given; images alone become the input ``image``.

        Raises:
            InvalidInput: An input is missing or one too many, has another dtype or shape, or another length.
        """
        given = dict(inputs) if isinstance(inputs, Mapping) else {IMAGE: inputs}
        if given.keys() != {tensor.name for tensor in self.inputs}:
            names = ", ".join(tensor.name for tensor in self.inputs)
            raise InvalidInput(f"model {self.model!r} takes {names} but was given {', '.join(given)}", field="inputs")
        for tensor in self.inputs:
            array = given[tensor.name]
            found = TensorShape(tensor.name, str(array.dtype), array.shape[1:])
            if array.ndim != len(tensor.dims) + 1 or not tensor.accepts(found):
                field = "images" if tensor.name == IMAGE else tensor.name
                raise InvalidInput(f"model {self.model!r} takes {tensor} but was given {found}", field=field)
        lengths = {len(array) for array in given.values()}
        if len(lengths) > 1:
            raise InvalidInput(f"the inputs have {sorted(lengths)} rows", field="inputs", remedy="one row an image")
        return given

    def empty_outputs(self) -> Outputs:
        """The answer to no images at all: every output with ``N == 0``."""
        return {t.name: np.empty((0, *(max(d, 0) for d in t.dims)), np.dtype(t.dtype)) for t in self.outputs}


def joined(parts: list[Outputs]) -> Outputs:
    """The outputs of consecutive batches as one; a single batch is handed on without a copy."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def batch_slices(count: int, largest: int) -> list[slice]:
    """Consecutive slices of at most ``largest`` that cover ``range(count)``, as equal in size as can be.

    Equal sizes keep the number of distinct shapes small, and no batch of one trails behind full ones.
    """
    batches = -(-count // largest)
    edges = [count * i // batches for i in range(batches + 1)] if batches else [0]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


async def all_or_none(calls: Sequence[Coroutine[Any, Any, Outputs]]) -> list[Outputs]:
    """Await all calls; the first failure cancels the others and is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        raise
