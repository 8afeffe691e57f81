"""The way of a query with a shoe in a gallery: receive, decode, crop, encode, candidates, group, report.

One vector describes a crop, so that the vector store's scores are the answer's: nothing is compared more closely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Hit, SearchAnswer, SearchMode
from outsole.gallery.editions import Edition
from outsole.matching.grouping import rank_models
from outsole.matching.shoe_system import SHOE
from services.parts import EditionRef, SearchParts
from services.queries import ShoeQuery
from services.shoe_probes import ShoeProbe, prepared
from services.telemetry import RequestClock

# Pictures of one model may take many places: more are asked for than models are wanted, and again where they were not
# enough.
_PICTURES_A_MODEL = 8
_MOST_CANDIDATES = 16_384


async def search_shoe(query: ShoeQuery, parts: SearchParts) -> SearchAnswer:
    """Answer a search of a gallery with a picture of a shoe.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such gallery, edition or evidence.
        PreconditionFailed: The edition was made by an encoder that is not served.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: A part is away or busy; may be retried.
    """
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    probe = await prepare_shoe(query, parts, clock)
    return await ranked_models(query, probe, probe.vectors, parts=parts, clock=clock)


async def prepare_shoe(query: ShoeQuery, parts: SearchParts, clock: RequestClock) -> ShoeProbe:
    """The probe of a search of a gallery, described; errors are those of `search_shoe`."""

    def opened() -> tuple[Edition, int]:
        edition = parts.catalogue.searchable_by_shoe(query.target.gallery, query.target.edition)
        return edition, len(parts.catalogue.rows(edition, query.where))

    return await prepared(query, opened, parts, clock)


async def ranked_models(
    query: ShoeQuery, probe: ShoeProbe, vectors: NDArray[np.float32], *, parts: SearchParts, clock: RequestClock
) -> SearchAnswer:
    """Rank the models of a gallery by the best score of any vector float32 [Q, D] and any of their pictures."""
    edition = probe.edition
    with clock.stage("candidates"):
        rows, scores = await _candidates(query, probe, vectors, parts, clock)
    with clock.stage("group"):
        order = rank_models(rows, scores, parts.catalogue.model_codes(edition), k=query.k)
    with clock.stage("report"):
        hits = tuple(
            Hit.of(edition.item(int(rows[at])), rank=rank, score=float(scores[at])) for rank, at in enumerate(order, 1)
        )
    return SearchAnswer(
        hits=hits,
        gallery=edition.gallery,
        edition=edition.id,
        encoder_hash=edition.encoder_hash,
        mode=SearchMode.EXHAUSTIVE,
        searched=probe.total,
        total=probe.total,
        visible_fraction=1.0,
        probe_sha256=probe.picture.sha256,
        steps=probe.picture.steps,
        warnings=probe.picture.warnings,
        stage_ms=dict(clock.stage_ms),
        settings=probe.settings(query),
    )


async def _candidates(
    query: ShoeQuery, probe: ShoeProbe, vectors: NDArray[np.float32], parts: SearchParts, clock: RequestClock
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows [n] and their best scores over all crops, of enough pictures for ``k`` models where there are so many."""
    edition = probe.edition
    codes = parts.catalogue.model_codes(edition)
    most = min(probe.total, _MOST_CANDIDATES)
    limit = min(query.k * _PICTURES_A_MODEL, most)
    if not limit:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    while True:
        timed = await parts.candidates.find(
            EditionRef.of(edition),
            {SHOE: vectors},
            limit=limit,
            where=query.where,
            timeout_s=clock.remaining_s(),
        )
        clock.waited("candidates", timed.wait_ms)
        rows, scores = timed.value[SHOE].best()
        if limit == most or len(np.unique(codes[rows])) >= query.k:
            return rows, scores
        limit = min(4 * limit, most)
