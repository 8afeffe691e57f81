"""Searching again with marked hits: the probe is described once, and searched with as it is and as it was refined."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outsole.errors import NotFound
from outsole.gallery.editions import Edition
from outsole.matching.refinement import refined_vectors
from outsole.matching.shoe_system import SHOE
from outsole.video_answers import Refinable, RefinedAnswer
from services.fields import within
from services.parts import SearchParts
from services.queries import RefineQuery, ShoeQuery, TrackQuery
from services.shoe_probes import ShoeProbe
from services.shoe_search import prepare_shoe, ranked_models
from services.telemetry import RequestClock
from services.track_search import prepare_tracks, ranked_tracks


async def refine_search(query: RefineQuery, parts: SearchParts) -> RefinedAnswer:
    """Answer a search again, and once more as the marked hits change it.

    Raises:
        NotFound: A marked item is not in the edition; else as of the search that is refined.
        InvalidInput, PreconditionFailed, BudgetSpent, Unavailable, Overloaded: As of that search.
    """
    search = query.search
    clock = RequestClock(search.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with within("shoe"):
        probe = await _prepared(search, parts, clock)
    with clock.stage("refine"):
        vectors = await asyncio.to_thread(_refined, query, probe)
    before = await _ranked(search, probe, probe.vectors, parts, clock)
    after = await _ranked(search, probe, vectors, parts, clock)
    told = {
        "refined": query.method.value,
        "relevant": " ".join(query.relevant),
        "irrelevant": " ".join(query.irrelevant),
    }
    return RefinedAnswer(dataclasses.replace(after, settings={**after.settings, **told}), before)


async def _prepared(search: ShoeQuery | TrackQuery, parts: SearchParts, clock: RequestClock) -> ShoeProbe:
    if isinstance(search, ShoeQuery):
        return await prepare_shoe(search, parts, clock)
    return await prepare_tracks(search, parts, clock)


async def _ranked(
    search: ShoeQuery | TrackQuery,
    probe: ShoeProbe,
    vectors: NDArray[np.float32],
    parts: SearchParts,
    clock: RequestClock,
) -> Refinable:
    if isinstance(search, ShoeQuery):
        return await ranked_models(search, probe, vectors, parts=parts, clock=clock)
    return await ranked_tracks(search, probe, vectors, parts=parts, clock=clock)


def _refined(query: RefineQuery, probe: ShoeProbe) -> NDArray[np.float32]:
    relevant = _marked(probe.edition, query.relevant, field="relevant_ids")
    irrelevant = _marked(probe.edition, query.irrelevant, field="irrelevant_ids")
    return refined_vectors(probe.vectors, relevant, irrelevant, method=query.method)


def _marked(edition: Edition, ids: Sequence[str], *, field: str) -> NDArray[np.floating]:
    """The vectors [n, D] of marked rows. Raises ``NotFound`` naming the id that the edition does not have."""
    rows = []
    for number, name in enumerate(ids):
        try:
            rows.append(edition.row_of(name))
        except NotFound as error:
            error.field = f"{field}[{number}]"
            raise
    found: NDArray[np.floating] = edition.array(SHOE)[np.array(rows, np.int64)]
    return found
