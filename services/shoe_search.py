"""The way of a query with a shoe in a gallery: receive, decode, crop, encode, candidates, group, report.

One vector describes a crop, so that the vector store's scores are the answer's: nothing is compared more closely.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Hit, ItemFilter, SearchAnswer, SearchMode
from outsole.gallery.editions import Edition
from outsole.gallery.store import Candidates
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


@dataclass(frozen=True)
class ModelSearch:
    """Which pictures are compared with, and how many models are wanted.

    Attributes:
        edition: A gallery that shows shoes.
        total: How many of its rows take part.
        k: Models wanted, at least 1.
        where: Which items take part.
    """

    edition: Edition
    total: int
    k: int
    where: ItemFilter = field(default_factory=ItemFilter)

    def has_all(self, rows: NDArray[np.int64], codes: NDArray[np.int64]) -> bool:
        """Whether rows (-1 where there is none) show as many models as are wanted."""
        return len(np.unique(codes[rows[rows >= 0]])) >= self.k


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
    search = ModelSearch(edition, probe.total, query.k, query.where)
    codes = parts.catalogue.model_codes(edition)

    def enough(found: Candidates) -> bool:
        return search.has_all(found.rows, codes)

    with clock.stage("candidates"):
        rows, scores = (await pictures_like(search, vectors, enough, parts=parts, clock=clock)).best()
    with clock.stage("group"):
        order = rank_models(rows, scores, codes, k=query.k)
    with clock.stage("report"):
        hits = hits_of(edition, rows[order], scores[order])
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


async def models_for_each(
    search: ModelSearch, vectors: NDArray[np.float32], *, parts: SearchParts, clock: RequestClock
) -> list[tuple[Hit, ...]]:
    """The models that resemble each of some vectors float32 [Q, D], best first; the vector store is asked once."""
    if not len(vectors):
        return []
    codes = parts.catalogue.model_codes(search.edition)

    def enough(found: Candidates) -> bool:
        return all(search.has_all(rows, codes) for rows in found.rows)

    with clock.stage("candidates"):
        found = await pictures_like(search, vectors, enough, parts=parts, clock=clock)
    with clock.stage("group"):
        each = []
        for rows, scores in zip(found.rows, found.scores, strict=True):
            held = rows >= 0
            order = rank_models(rows[held], scores[held], codes, k=search.k)
            each.append(hits_of(search.edition, rows[held][order], scores[held][order]))
    return each


async def pictures_like(
    search: ModelSearch,
    vectors: NDArray[np.float32],
    enough: Callable[[Candidates], bool],
    *,
    parts: SearchParts,
    clock: RequestClock,
) -> Candidates:
    """The best pictures for each vector float32 [Q, D], of enough models where there are so many."""
    most = min(search.total, _MOST_CANDIDATES)
    limit = min(search.k * _PICTURES_A_MODEL, most)
    if not limit:
        return Candidates(np.empty((len(vectors), 0), np.int64), np.empty((len(vectors), 0), np.float32))
    while True:
        timed = await parts.candidates.find(
            EditionRef.of(search.edition),
            {SHOE: vectors},
            limit=limit,
            where=search.where,
            timeout_s=clock.remaining_s(),
        )
        clock.waited("candidates", timed.wait_ms)
        found = timed.value[SHOE]
        if limit == most or enough(found):
            return found
        limit = min(4 * limit, most)


def hits_of(edition: Edition, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> tuple[Hit, ...]:
    """The items in rows of an edition as hits, in their order."""
    pairs = enumerate(zip(rows.tolist(), scores.tolist(), strict=True), 1)
    return tuple(Hit.of(edition.item(row), rank=rank, score=score) for rank, (row, score) in pairs)
