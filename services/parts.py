"""The parts that a search is put together from, as it sees them: the same inside of one process and across Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsole.errors import NotFound, OutsoleError
from outsole.imaging.decode import DecodeLimits
from services.telemetry import NullRecorder, Recorder

if TYPE_CHECKING:
    from outsole.gallery.editions import Edition
    from outsole.gallery.filters import RowFilter
    from outsole.gallery.store import Candidates
    from outsole.inference.encoder import Encoder
    from outsole.matching.features import ProbeFeatures
    from outsole.matching.print_system import PrintSystem
    from outsole.matching.rerank import HeatMap, ItemScores
    from outsole.matching.shoe_system import ShoeSystem
    from outsole.video.finding import ShoeFinder
    from outsole.wear.model import Direction, WearModel
    from services.archives import Archives
    from services.catalogue import Catalogue
    from services.evidence import EvidenceStore

T = TypeVar("T")


@dataclass(frozen=True)
class EditionRef:
    """Names an edition; each process opens it for itself."""

    gallery: str
    id: str

    @classmethod
    def of(cls, edition: Edition) -> EditionRef:
        """The name of an edition that is open."""
        return cls(edition.gallery, edition.id)


@dataclass(frozen=True)
class Timed(Generic[T]):
    """What a part answered, and how long the call had waited before the part took it up, milliseconds."""

    value: T
    wait_ms: float


class CandidateFinder(Protocol):
    """Finds candidates in the vector store."""

    async def find(
        self,
        edition: EditionRef,
        queries: Mapping[str, NDArray[np.float32]],
        *,
        limit: int,
        where: RowFilter,
        timeout_s: float,
    ) -> Timed[dict[str, Candidates]]:
        """Search every field with its queries.

        Args:
            edition: What is searched.
            queries: Field name -> float32 [Q, D].
            limit: Rows wanted for each query.
            where: Which items take part.
            timeout_s: Seconds for the whole call.

        Returns:
            Field name -> the best rows.

        Raises:
            BudgetSpent, Unavailable, Overloaded: The store did not answer.
        """
        ...


class Reranking(Protocol):
    """Compares a probe closely with items of an edition."""

    async def score(
        self, edition: EditionRef, features: ProbeFeatures, rows: NDArray[np.int64] | None, *, timeout_s: float
    ) -> Timed[ItemScores]:
        """Score rows int64 [n], all of them where None.

        Raises:
            BudgetSpent, Unavailable, Overloaded: The reranker did not answer.
        """
        ...

    async def explain(
        self, edition: EditionRef, features: ProbeFeatures, row: int, *, timeout_s: float
    ) -> Timed[HeatMap]:
        """The heat map of one row; errors as of `score`."""
        ...


@dataclass(frozen=True)
class SearchDefaults:
    """What a request leaves to the service.

    Attributes:
        budget_ms: Time limit, milliseconds.
        rotation_limit_deg, rotation_step_deg: Rotations from minus the limit to it in these steps, degrees.
        decode_limits: What a probe may be.
    """

    budget_ms: int = 30_000
    rotation_limit_deg: float = 16.0
    rotation_step_deg: float = 4.0
    decode_limits: DecodeLimits = field(default_factory=DecodeLimits)


@dataclass(frozen=True)
class ServedShoes:
    """An encoder of shoes that is served: how crops are made for it, and the encoder itself."""

    system: ShoeSystem
    encoder: Encoder


@dataclass(frozen=True)
class ServedFinder:
    """What finds shoes in frames, and the hashes of its networks by name."""

    finder: ShoeFinder
    hashes: Mapping[str, str] = field(default_factory=dict)


def _no_finder() -> ServedFinder:
    raise NotFound("nothing that finds shoes is named")


@dataclass(frozen=True)
class FrameParts:
    """What streams of frames need beside the other parts.

    Attributes:
        open_finder: Gives what finds shoes, the same one each time. Raises ``NotFound`` or ``DataCorrupt`` where a
            model folder is missing or damaged.
        in_flight: Frames of a stream that are taken while they are not answered yet.
        streams: Streams at once.
        wait_s: Seconds that a stream waits for its client.
    """

    open_finder: Callable[[], ServedFinder] = _no_finder
    in_flight: int = 16
    streams: int = 2
    wait_s: float = 60.0


@dataclass(frozen=True)
class ServedWear:
    """A wear model that is served, and the encoder that runs it."""

    model: WearModel
    encoder: Encoder


def _no_wear(direction: Direction) -> ServedWear:
    raise NotFound(f"no model of wear that looks {direction} is named")


@dataclass(frozen=True)
class WearParts:
    """What simulations of wear need beside the other parts.

    Attributes:
        open: Gives the model that looks one way in time and its encoder, the same each time. Raises ``NotFound`` or
            ``DataCorrupt`` where there is none, or a damaged one.
        find: Gives the models that there are, and opens none of them. Raises ``DataCorrupt`` for a damaged one.
    """

    open: Callable[[Direction], ServedWear] = _no_wear
    find: Callable[[], Mapping[Direction, WearModel]] = dict


@dataclass(frozen=True)
class SearchParts:
    """Everything that a search needs.

    Attributes:
        system: The print system of the encoders served.
        encoder: Encodes canvases for the correlation.
        catalogue: Editions and their items.
        archives: The same as video archives.
        candidates: The vector store.
        reranking: The reranker.
        evidence: Uploads.
        defaults: What requests leave open.
        recorder: Where measurements go.
        encoder_slots: Bounds the searches that use the encoders at once.
        embeddings: Encoders of the embeddings served, by name.
        shoes: Encoders of shoes, by name.
        frames: What streams of frames need.
        wear: What simulations of wear need.
    """

    system: PrintSystem
    encoder: Encoder
    catalogue: Catalogue
    archives: Archives
    candidates: CandidateFinder
    reranking: Reranking
    evidence: EvidenceStore
    defaults: SearchDefaults = field(default_factory=SearchDefaults)
    recorder: Recorder = field(default_factory=NullRecorder)
    encoder_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    embeddings: Mapping[str, Encoder] = field(default_factory=dict)
    shoes: Mapping[str, ServedShoes] = field(default_factory=dict)
    frames: FrameParts = field(default_factory=FrameParts)
    wear: WearParts = field(default_factory=WearParts)

    async def encoders_ready(self) -> bool:
        """Whether every encoder answers that a gallery needs now; never raises."""
        needed = await asyncio.to_thread(self.catalogue.encoders_in_use)
        further = {**self.embeddings, **{name: served.encoder for name, served in self.shoes.items()}}
        encoders = (self.encoder, *(further[name] for name in needed if name in further))
        return all(await asyncio.gather(*(encoder.is_ready() for encoder in encoders)))

    async def video_ready(self) -> bool:
        """Whether there is an archive that can be opened, or an encoder of shoes that answers; never raises."""
        if await asyncio.to_thread(self.archives.any_opens):
            return True
        return any(await asyncio.gather(*(served.encoder.is_ready() for served in self.shoes.values())))

    async def wear_found(self) -> bool:
        """Whether there is a model of wear; never raises, and loads none."""
        try:
            return bool(await asyncio.to_thread(self.wear.find))
        except OutsoleError:
            return False
