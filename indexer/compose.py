"""The composition root of the indexer: from model folders and an address to what makes arrays of pictures."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.crawl import ProgressOf, progress_bar
from indexer.index_pictures import CrawlOptions, IndexReport, index_pictures
from indexer.model import IndexEmbedding, IndexModel
from indexer.preparing import Contact, Preparer, Worn
from indexer.preparing_shoes import prepare_shoe
from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import InvalidInput, PreconditionFailed
from outsole.gallery.layout import SHOES, SOLES
from outsole.gallery.worn import worn_gallery, worn_settings
from outsole.inference.encoder import Encoder, ModelContract
from outsole.matching.embedding import DEFAULT_EMBEDDING, PrintEmbedding
from outsole.matching.print_system import DEPTH_PREDICTOR, PrintSystem
from outsole.matching.shoe_system import DEFAULT_SHOE_ENCODER, SHOE, VIEWS, ShoeSystem, find_shoe_encoders
from outsole.wear.canvas import lay_print
from outsole.wear.model import Direction, WearModel, find_wear_models, predicted_prints, wear_inputs

NO_EMBEDDING = "none"
_PREDICTOR_TIMEOUT_S = 60.0
_PRINT = "print"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Wearing:
    """How impressions are worn before they are indexed.

    Attributes:
        weeks: Weeks of wear.
        model_hash: Of the model's specification.
        worn: Predicts them.
    """

    weeks: int
    model_hash: str
    worn: Worn


class _Open(Protocol):
    """Opens the encoder of a model folder for as long as the indexing lasts."""

    def __call__(self, contract: ModelContract, folder: Path, *, load_missing: bool = False) -> Encoder: ...


@dataclass(frozen=True)
class IndexPlace:
    """Where an indexing finds its encoders and puts its editions; it can be sent to other processes.

    Attributes:
        model_dir: Folder of the correlation encoder in its repository.
        encoders_dir: A second model repository, of embeddings that were adapted; it need not exist.
        editions_dir: Directory of all galleries.
        triton_url: ``host:port`` of Triton; empty to encode with ONNX Runtime in the process.
    """

    model_dir: Path
    encoders_dir: Path
    editions_dir: Path
    triton_url: str = ""

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> IndexPlace:
        """The place that a request names, paths as text."""
        paths = {name: Path(text) for name, text in texts.items() if name != "triton_url"}
        return cls(**paths, triton_url=texts["triton_url"])

    @asynccontextmanager
    async def opened(
        self, embedding: str = "", *, shows: str = SOLES, worn_weeks: int = 0
    ) -> AsyncIterator[IndexModel]:
        """The model, for as long as the block lasts.

        Args:
            embedding: Of soles the name of the embedding beside the correlation encoder; empty for the shipped one
                where there is one, ``none`` for none. Of shoes the name of the encoder; empty for the shipped one.
            shows: What the pictures show, ``soles`` or ``shoes``.
            worn_weeks: Of soles: every impression is predicted after so many weeks of wear, and that is indexed.

        Raises:
            InvalidInput: There is no embedding or encoder of that name.
            PreconditionFailed: Triton does not serve it, or there is no model of wear.
            NotFound, DataCorrupt: As of ``PrintSystem.load``, ``ShoeSystem.load`` and ``find_wear_models``.
        """
        async with contextlib.AsyncExitStack() as closing:

            def opened(contract: ModelContract, folder: Path, *, load_missing: bool = False) -> Encoder:
                encoder = encoder_of(contract, folder, triton_url=self.triton_url, load_missing=load_missing)
                closing.push_async_callback(encoder.close)
                return encoder

            if shows == SHOES:
                yield await self._shoes(embedding, opened)
            else:
                yield await self._soles(embedding, opened, worn_weeks)

    def wear_model(self) -> WearModel:
        """The model that wears impressions.

        Raises:
            PreconditionFailed: There is none that looks forward.
            NotFound, DataCorrupt: A model's folder is not what it should be.
        """
        found = find_wear_models((self.model_dir.parent, self.encoders_dir)).get(Direction.FORWARD)
        if found is None:
            raise PreconditionFailed(
                "there is no model of wear that looks forward", field="worn", remedy="serve wear_forward"
            )
        return found

    async def _soles(self, embedding: str, opened: _Open, worn_weeks: int) -> IndexModel:
        system = PrintSystem.load(self.model_dir, more=[self.encoders_dir])
        chosen = chosen_embedding(system, embedding)
        encoder = opened(system.spec.contract(), self.model_dir)
        wearing = self._wearing(opened, worn_weeks) if worn_weeks else None
        model = print_model(system, encoder, contact=self._contact(opened), wearing=wearing)
        if chosen is None:
            return model
        second = opened(chosen.contract(), chosen.folder)
        await _check_served(chosen.name, second, encoder)
        part = IndexEmbedding(chosen.name, chosen.hash, second, system.embedding_item_inputs)
        return dataclasses.replace(model, embedding=part)

    async def _shoes(self, name: str, opened: _Open) -> IndexModel:
        system = chosen_shoe_encoder((self.model_dir.parent, self.encoders_dir), name)
        return shoe_model(system, opened(system.contract(), system.folder))

    def _contact(self, opened: _Open) -> Contact | None:
        """Predicts the print of a sole's photograph; None where the repository has no predictor."""
        folder = self.model_dir.parent / DEPTH_PREDICTOR
        if not folder.is_dir():
            return None
        encoder, loop = opened(NetworkSpec.load(folder).contract(), folder), asyncio.get_running_loop()

        def contact(picture: NDArray[np.uint8]) -> NDArray[np.floating]:
            found = _awaited(encoder.encode(picture[None], timeout_s=_PREDICTOR_TIMEOUT_S), loop)
            return np.asarray(found[_PRINT][0], np.float32)

        return contact

    def _wearing(self, opened: _Open, weeks: int) -> Wearing:
        """Predicts impressions after some weeks of wear."""
        wear = self.wear_model()
        # The stack does not load models of wear by itself: whoever wants no wear does without their memory.
        encoder, loop = opened(wear.contract(), wear.folder, load_missing=True), asyncio.get_running_loop()

        def worn(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
            laid = lay_print(gray)
            # One at a time, so that the same picture is the same bits whatever is indexed beside it.
            outputs = _awaited(encoder.encode(wear_inputs(laid, [weeks]), timeout_s=_PREDICTOR_TIMEOUT_S), loop)
            return predicted_prints(outputs, laid, [weeks])[0].gray

        return Wearing(weeks, wear.hash, worn)


async def index_into(
    source: Path,
    gallery: str,
    *,
    place: IndexPlace,
    embedding: str = "",
    shows: str = SOLES,
    options: CrawlOptions | None = None,
    progress: ProgressOf = progress_bar,
) -> IndexReport:
    """Index a source into a gallery.

    Args:
        source: A directory of images or a manifest.
        gallery: Name of the gallery.
        place: Encoders and galleries.
        embedding, shows: See ``IndexPlace.opened``.
        options: How the source is crawled.
        progress: Told how far it is.

    Raises:
        OutsoleError: See ``IndexPlace.opened`` and ``indexer.index_pictures.index_pictures``.
    """
    async with place.opened(embedding, shows=shows) as model:
        return await index_pictures(
            source, gallery, root=place.editions_dir, model=model, options=options, progress=progress
        )


async def index_worn(
    source: Path,
    gallery: str,
    *,
    weeks: int,
    place: IndexPlace,
    embedding: str = "",
    options: CrawlOptions | None = None,
) -> IndexReport:
    """Index a source of soles into the companion of a gallery: its items as they will print after some weeks of wear.

    Args:
        source: What the gallery itself was indexed from.
        gallery: Name of the gallery, not of the companion.
        weeks: Even weeks of wear, 2 to 52.
        place, embedding: As of the gallery itself.
        options: How the source is crawled; Ray's workers are given the model of the companion.

    Raises:
        OutsoleError: As of ``index_into``; ``PreconditionFailed`` where there is no model of wear.
    """
    opener = functools.partial(place.opened, embedding, worn_weeks=weeks)
    how = options or CrawlOptions()
    # What is left out of searches is left out by the gallery itself; a worn view is judged by nobody.
    how = dataclasses.replace(how, find_outliers=False, on_ray=None if how.on_ray is None else opener)
    async with opener() as model:
        return await index_pictures(
            source, worn_gallery(gallery, weeks), root=place.editions_dir, model=model, options=how
        )


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


def chosen_shoe_encoder(repositories: Iterable[Path], name: str) -> ShoeSystem:
    """The shoe encoder of a name; the shipped one where it is empty.

    Raises:
        InvalidInput: There is none of that name.
        NotFound, DataCorrupt: As of ``find_shoe_encoders``.
    """
    known = find_shoe_encoders(repositories)
    wanted = name or DEFAULT_SHOE_ENCODER
    if wanted not in known:
        remedy = f"one of {', '.join(known)}" if known else "serve one"
        raise InvalidInput(f"there is no shoe encoder {wanted[:100]!r}", field="embedding", remedy=remedy)
    return known[wanted]


def encoder_of(contract: ModelContract, model_dir: Path, *, triton_url: str, load_missing: bool = False) -> Encoder:
    """An encoder at a Triton server, or in this process where ``triton_url`` is empty.

    Args:
        contract: What the model must look like.
        model_dir: Its folder.
        triton_url: ``host:port`` of the server.
        load_missing: See ``TritonClientSettings``.
    """
    if triton_url:
        from outsole.inference.triton_client import TritonClientSettings, TritonEncoder

        settings = TritonClientSettings(load_missing=load_missing)
        return TritonEncoder(triton_url, contract.model, contract=contract, settings=settings)
    from outsole.inference.in_process import InProcessEncoder

    return InProcessEncoder(model_dir, contract=contract)


def print_model(
    system: PrintSystem, encoder: Encoder, *, contact: Contact | None = None, wearing: Wearing | None = None
) -> IndexModel:
    """What the indexer makes of sole pictures with the correlation encoder; worn ones, where ``wearing`` is given."""
    worn = {} if wearing is None else worn_settings(wearing.weeks, wearing.model_hash)
    return IndexModel(
        name=system.spec.name,
        hash=system.spec.hash,
        encoder=encoder,
        prepare=Preparer(system.spec, contact, None if wearing is None else wearing.worn),
        derive=system.derive,
        settings={**system.index_settings, **worn},
    )


def _awaited(call: Coroutine[Any, Any, _T], loop: asyncio.AbstractEventLoop) -> _T:
    """What an encoder answers: pictures are prepared in threads, and the encoder lives in the loop."""
    return asyncio.run_coroutine_threadsafe(call, loop).result()


def shoe_model(system: ShoeSystem, encoder: Encoder) -> IndexModel:
    """What the indexer makes of pictures of shoes."""
    return IndexModel(
        name=system.spec.name,
        hash=system.spec.hash,
        encoder=encoder,
        prepare=prepare_shoe,
        derive=lambda outputs, _: system.derive(outputs),
        settings=system.index_settings,
        shows=SHOES,
        roles=tuple(VIEWS),
        vectors=(SHOE,),
    )


async def _check_served(name: str, second: Encoder, first: Encoder) -> None:
    """A model that was made after the stack started is not served yet; where nothing answers, indexing says so."""
    if not await second.is_ready() and await first.is_ready():
        raise PreconditionFailed(
            f"the stack does not serve {name!r}", field="embedding", remedy="start it again: outsole down, outsole up"
        )
