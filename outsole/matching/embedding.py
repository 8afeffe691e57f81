"""The partial-print embedding: one vector a print, from the same canvases as the correlation encoder's maps.

It is a family of models of one kind: the one that is shipped, and those adapted to a gallery (``outsole adapt``),
each in a folder of its own with a ``NetworkSpec``. An edition is indexed with at most one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.encoders.network_spec import NetworkSpec, folders_of_kind
from outsole.encoders.spec import EncoderSpec
from outsole.errors import DataCorrupt
from outsole.inference.encoder import IMAGE, ModelContract, TensorShape
from outsole.matching.fusion import EMBEDDING

KIND = "print_embedding"
DEFAULT_EMBEDDING = "partial_print"
# The array of an edition, and the field of the vector store.
PARTIAL = "partial"
CELLS = "cells"
# Neighbouring rotations have nearly the same vector; of nine placements five are asked for.
EVERY_EMBEDDED_PLACEMENT = 2


@dataclass(frozen=True)
class PrintEmbedding:
    """One embedding and where it lies.

    Attributes:
        spec: Its specification.
        folder: Its model folder.
    """

    spec: NetworkSpec
    folder: Path

    @property
    def name(self) -> str:
        """The model's name, which is also the encoder's name in a search."""
        return self.spec.name

    @property
    def hash(self) -> str:
        """Hex digest of its specification."""
        return self.spec.hash

    def contract(self) -> ModelContract:
        """What a served model must look like to be this embedding."""
        inputs = {tensor.name: tensor for tensor in self.spec.inputs}
        return ModelContract(self.name, inputs[IMAGE], self.spec.outputs, (inputs[CELLS],))


def find_embeddings(repositories: Iterable[Path], rules: EncoderSpec) -> dict[str, PrintEmbedding]:
    """The embeddings in model repositories, by name in order of name.

    Args:
        repositories: Folders of model folders; one that does not exist holds none.
        rules: The correlation encoder, whose canvases they have to take.

    Raises:
        NotFound: One has no weights.
        DataCorrupt: A specification cannot be understood, does not fit its weights, its folder or the canvas, or two
            models have one name.
    """
    found: dict[str, PrintEmbedding] = {}
    for folder in folders_of_kind(repositories, KIND):
        embedding = PrintEmbedding(NetworkSpec.load(folder), folder)
        _check(embedding, rules)
        if embedding.name in found:
            raise DataCorrupt(f"two model folders hold an encoder {embedding.name!r}", remedy="rename or remove one")
        found[embedding.name] = embedding
    return dict(sorted(found.items()))


def item_inputs(
    images: NDArray[np.uint8], valid: NDArray[np.bool_], rules: EncoderSpec
) -> dict[str, NDArray[np.uint8]]:
    """What an embedding takes of items.

    Args:
        images: uint8 [N, Hc, Wc], the canvases that the correlation encoder takes; not copied.
        valid: bool [N, h, w], the cells of the item maps, whose margin is dropped.
        rules: The correlation encoder.

    Returns:
        ``image`` uint8 [N, Hc, Wc], ``cells`` uint8 [N, H, W].
    """
    margin = rules.margin_px // rules.stride_px
    return {IMAGE: images, CELLS: np.pad(valid.astype(np.uint8), ((0, 0), (margin, margin), (margin, margin)))}


def probe_inputs(images: NDArray[np.uint8], cells: NDArray[np.bool_]) -> dict[str, NDArray[np.uint8]]:
    """What an embedding takes of a placed probe, for every ``EVERY_EMBEDDED_PLACEMENT``-th of its P placements.

    Args:
        images: uint8 [P, Hc, Wc].
        cells: bool [P, H, W].

    Returns:
        ``image`` uint8 [Q, Hc, Wc] and ``cells`` uint8 [Q, H, W], views of what was given.
    """
    return {IMAGE: images[::EVERY_EMBEDDED_PLACEMENT], CELLS: cells[::EVERY_EMBEDDED_PLACEMENT].view(np.uint8)}


def vectors_of_outputs(outputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float16]:
    """The vectors float16 [N, D] of an embedding's outputs."""
    return np.asarray(outputs[EMBEDDING], np.float16)


def _check(embedding: PrintEmbedding, rules: EncoderSpec) -> None:
    spec = embedding.spec
    if spec.name != embedding.folder.name:
        raise DataCorrupt(f"spec.json in model folder {embedding.folder.name!r} is of encoder {spec.name!r}")
    inputs = {tensor.name: tensor for tensor in spec.inputs}
    outputs = {tensor.name: tensor for tensor in spec.outputs}
    wanted = (
        (inputs, TensorShape(IMAGE, "uint8", (rules.canvas_height_px, rules.canvas_width_px))),
        (inputs, TensorShape(CELLS, "uint8", rules.canvas_cells)),
        (outputs, TensorShape(EMBEDDING, "float16", (-1,))),
    )
    for tensors, tensor in wanted:
        if tensor.name not in tensors or not tensor.accepts(tensors[tensor.name]):
            raise DataCorrupt(
                f"encoder {spec.name!r} should have tensor {tensor} but has {tensors.get(tensor.name) or 'none'}",
                remedy="export it again for the canvas of " + rules.name,
            )
