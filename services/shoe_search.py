"""The way of a query with a shoe: receive, decode, crop, encode, candidates, group, report.

One vector describes a crop, so that the vector store's scores are the answer's: nothing is compared more closely.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Hit, SearchAnswer, SearchMode
from outsole.gallery.editions import Edition
from outsole.gallery.store import Candidates
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.matching.grouping import rank_models
from outsole.matching.shoe_system import SHOE, probe_crops, vectors_of
from services.encoding import encoder_slot
from services.parts import EditionRef, SearchParts
from services.queries import ShoeQuery
from services.telemetry import RequestClock

# Pictures of one model may take many places: more are asked for than models are wanted, and again where they were not
# enough.
_PICTURES_A_MODEL = 8
_MOST_CANDIDATES = 16_384


@dataclass(frozen=True)
class _Received:
    """A query whose probe is at hand and whose edition is open."""

    data: bytes
    edition: Edition
    total: int


async def search_shoe(query: ShoeQuery, parts: SearchParts) -> SearchAnswer:
    """Answer a search with a picture of a shoe.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such gallery, edition or evidence.
        PreconditionFailed: The edition was made by an encoder that is not served.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: A part is away or busy; may be retried.
    """
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        received = await asyncio.to_thread(_receive, query, parts)
    with clock.stage("decode"):
        picture = await asyncio.to_thread(_decode, received.data, query, parts)
    with clock.stage("crop"):
        crops = await asyncio.to_thread(probe_crops, picture, query.marks)
    with clock.stage("encode"):
        vectors = await _encode(crops, received.edition, parts, clock)
    with clock.stage("candidates"):
        rows, scores = await _candidates(query, received, vectors, parts, clock)
    with clock.stage("group"):
        order = rank_models(rows, scores, parts.catalogue.model_codes(received.edition), k=query.k)
    with clock.stage("report"):
        hits = tuple(_hit(received.edition, int(rows[at]), float(scores[at]), rank) for rank, at in enumerate(order, 1))
    return SearchAnswer(
        hits=hits,
        gallery=received.edition.gallery,
        edition=received.edition.id,
        encoder_hash=received.edition.encoder_hash,
        mode=SearchMode.EXHAUSTIVE,
        searched=received.total,
        total=received.total,
        visible_fraction=1.0,
        probe_sha256=picture.sha256,
        steps=picture.steps,
        warnings=picture.warnings,
        stage_ms=dict(clock.stage_ms),
        settings=_settings(query, received.edition, len(crops)),
    )


def _receive(query: ShoeQuery, parts: SearchParts) -> _Received:
    edition = parts.catalogue.searchable_shoes(query.target.gallery, query.target.edition)
    total = len(parts.catalogue.rows(edition, query.where))
    data = query.probe.image
    if data is None:
        data = parts.evidence.read(query.probe.evidence_sha256)
    return _Received(data, edition, total)


def _decode(data: bytes, query: ShoeQuery, parts: SearchParts) -> DecodedImage:
    field = "image" if query.probe.image is not None else "evidence_sha256"
    return decode_image(data, field=field, limits=parts.defaults.decode_limits, with_color=True)


async def _encode(
    crops: NDArray[np.uint8], edition: Edition, parts: SearchParts, clock: RequestClock
) -> NDArray[np.float32]:
    served = parts.shoes[edition.manifest.encoder_name]
    async with encoder_slot(parts, clock):
        outputs = await served.encoder.encode(crops, timeout_s=clock.remaining_s())
    return vectors_of(outputs).astype(np.float32)


async def _candidates(
    query: ShoeQuery, received: _Received, vectors: NDArray[np.float32], parts: SearchParts, clock: RequestClock
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows [n] and their best scores over all crops, of enough pictures for ``k`` models where there are so many."""
    edition = received.edition
    codes = parts.catalogue.model_codes(edition)
    most = min(received.total, _MOST_CANDIDATES)
    limit = min(query.k * _PICTURES_A_MODEL, most)
    while True:
        if not limit:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        timed = await parts.candidates.find(
            EditionRef(edition.gallery, edition.id),
            {SHOE: vectors},
            limit=limit,
            where=query.where,
            timeout_s=clock.remaining_s(),
        )
        clock.waited("candidates", timed.wait_ms)
        rows, scores = _best(timed.value[SHOE])
        if limit == most or len(np.unique(codes[rows])) >= query.k:
            return rows, scores
        limit = min(4 * limit, most)


def _best(found: Candidates) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Every row that any crop found, ascending, with its best score."""
    held = found.rows >= 0
    rows, place = np.unique(found.rows[held], return_inverse=True)
    scores = np.full(len(rows), -np.inf, np.float32)
    np.maximum.at(scores, place, found.scores[held])
    return rows, scores


def _hit(edition: Edition, row: int, score: float, rank: int) -> Hit:
    item = edition.item(row)
    return Hit(
        rank=rank,
        model_id=item.model_id,
        item_id=item.item_id,
        score=score,
        brand=item.brand,
        side=item.side,
        category=item.category,
        tread_family=item.tread_family,
    )


def _settings(query: ShoeQuery, edition: Edition, crops: int) -> dict[str, str]:
    return {
        **edition.manifest.settings,
        "encoders": edition.manifest.encoder_name,
        "k": str(query.k),
        "view": query.marks.view.value if query.marks.view else "not said",
        "crops": str(crops),
    }
