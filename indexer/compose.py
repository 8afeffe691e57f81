"""What an indexing is put together from: the encoders of a model repository, and a place for editions."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from indexer.index_prints import (
    IndexEmbedding,
    IndexModel,
    IndexReport,
    Progress,
    index_prints,
    progress_bar,
)
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.inference.encoder import Encoder, ModelContract
from outsole.matching.embedding import DEFAULT_EMBEDDING, PrintEmbedding
from outsole.matching.print_system import PrintSystem

NO_EMBEDDING = "none"


@dataclass(frozen=True)
class IndexPlace:
    """Where an indexing finds its encoders and puts its editions.

    Attributes:
        model_dir: Folder of the correlation encoder.
        encoders_dir: A second model repository, of embeddings that were adapted; it need not exist.
        editions_dir: Directory of all galleries.
        triton_url: ``host:port`` of Triton; empty to encode with ONNX Runtime in this process.
    """

    model_dir: Path
    encoders_dir: Path
    editions_dir: Path
    triton_url: str = ""


async def index_into(
    source: Path,
    gallery: str,
    *,
    place: IndexPlace,
    embedding: str = "",
    progress: Callable[[int], AbstractContextManager[Progress]] = progress_bar,
) -> IndexReport:
    """Index a source into a gallery.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        place: Encoders and galleries.
        embedding: Name of the embedding beside the correlation encoder; empty for the shipped one where there is one,
            ``none`` for none.
        progress: Told how far it is.

    Raises:
        InvalidInput: There is no embedding of that name.
        PreconditionFailed: Triton does not serve it.
        OutsoleError: See ``indexer.index_prints.index_prints``.
    """
    system = PrintSystem.load(place.model_dir, more=[place.encoders_dir])
    chosen = chosen_embedding(system, embedding)
    encoder = print_encoder(system.spec.contract(), place.model_dir, triton_url=place.triton_url)
    model = print_model(system, encoder)
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(encoder.close)
        if chosen is not None:
            second = print_encoder(chosen.contract(), chosen.folder, triton_url=place.triton_url)
            closing.push_async_callback(second.close)
            await _check_served(chosen.name, second, encoder)
            part = IndexEmbedding(chosen.name, chosen.hash, second, system.embedding_item_inputs)
            model = dataclasses.replace(model, embedding=part)
        return await index_prints(source, gallery, root=place.editions_dir, model=model, progress=progress)


def chosen_embedding(system: PrintSystem, name: str) -> PrintEmbedding | None:
    """The embedding to index with: the one named, or the shipped one where none is; None for ``none``.

    Raises:
        InvalidInput: There is none of that name.
    """
    if name == NO_EMBEDDING:
        return None
    if not name:
        return system.embeddings.get(DEFAULT_EMBEDDING)
    if name not in system.embeddings:
        known = ", ".join((*system.embeddings, NO_EMBEDDING))
        raise InvalidInput(f"there is no embedding {name[:100]!r}", field="embedding", remedy=f"one of {known}")
    return system.embeddings[name]


async def _check_served(name: str, second: Encoder, first: Encoder) -> None:
    """A model that was made after the stack started is not served yet; where nothing answers, indexing says so."""
    if not await second.is_ready() and await first.is_ready():
        raise PreconditionFailed(
            f"the stack does not serve {name!r}", field="embedding", remedy="start it again: outsole down, outsole up"
        )


def print_encoder(contract: ModelContract, model_dir: Path, *, triton_url: str) -> Encoder:
    """An encoder at a Triton server, or in this process where ``triton_url`` is empty."""
    if triton_url:
        from outsole.inference.triton_client import TritonEncoder

        return TritonEncoder(triton_url, contract.model, contract=contract)
    from outsole.inference.in_process import InProcessEncoder

    return InProcessEncoder(model_dir, contract=contract)


def print_model(system: PrintSystem, encoder: Encoder) -> IndexModel:
    """What the indexer makes of print images with the correlation encoder."""
    return IndexModel(
        name=system.spec.name,
        hash=system.spec.hash,
        encoder=encoder,
        prepare=system.prepare_item,
        derive=system.derive,
        settings=system.index_settings,
    )
