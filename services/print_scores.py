"""The steps ``candidates`` and ``rerank`` of a print search: which items are looked at closely, and how they score."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import SearchMode
from outsole.errors import Unavailable
from outsole.matching.candidates import in_turns
from outsole.matching.embedding import PARTIAL
from outsole.matching.features import ProbeFeatures
from outsole.matching.rerank import ItemScores
from outsole.matching.wear_views import joined_views
from services.parts import SearchParts
from services.print_views import Received, View
from services.queries import PrintQuery
from services.telemetry import RequestClock

Encoded = ProbeFeatures | NDArray[np.float16]
"""Features of a probe, or the vectors of an embedding alone."""
Probes = Mapping[int, Encoded]
"""The probe by the weeks that it was taken back by; 0 for as it is."""


@dataclass(frozen=True)
class Scored:
    """What was looked at.

    Attributes:
        scores: Of the items, by rows of the gallery's own edition.
        won: int64 [n], which view of each item won.
        is_short: Whether the vector store gave less than was asked for.
    """

    scores: ItemScores
    won: NDArray[np.int64]
    is_short: bool


async def score_items(
    query: PrintQuery, received: Received, probes: Probes, parts: SearchParts, clock: RequestClock
) -> Scored:
    """Pick the items to look at and look at them; with an embedding alone the vectors are all there is to look at.

    Raises:
        BudgetSpent, Unavailable, Overloaded: The vector store or the reranker did not answer.
    """
    if not received.choice.correlation:
        with clock.stage("candidates"):
            chosen, is_short = await _chosen(query, received, probes, parts, clock)
            return await _compared(received, probes, chosen, is_short=is_short, parts=parts, clock=clock)
    if query.mode is SearchMode.SHORTLIST:
        with clock.stage("candidates"):
            chosen, is_short = await _chosen(query, received, probes, parts, clock)
    else:
        chosen, is_short = received.rows, False
    with clock.stage("rerank"):
        return await _compared(received, probes, chosen, is_short=is_short, parts=parts, clock=clock)


async def _chosen(
    query: PrintQuery, received: Received, probes: Probes, parts: SearchParts, clock: RequestClock
) -> tuple[NDArray[np.int64], bool]:
    """Rows int64 [n] to look at, a shortlist best first, and whether it is short.

    The views take turns, so that an item is in that resembles the probe in one of them. What takes part is the
    gallery's own to say: an item that was retired there does not come in by a companion.
    """
    if query.mode is SearchMode.EXHAUSTIVE or not len(received.rows):
        return received.rows, False
    lists, is_short = [], False
    for view in received.views:
        found = await _candidates(query, view, probes[view.probe_weeks], parts, clock)
        is_short = is_short or len(found) < min(query.shortlist_size, view.total)
        rows = view.of_gallery(found)
        lists.append(rows if view.rows is None else rows[np.isin(rows, received.rows)])
    return in_turns(lists, query.shortlist_size), is_short


async def _candidates(
    query: PrintQuery, view: View, probe: Encoded, parts: SearchParts, clock: RequestClock
) -> NDArray[np.int64]:
    """Rows of a view, best first; a short list is refused where the caller wants it whole."""
    queries = await asyncio.to_thread(parts.system.candidate_queries, probe)
    timed = await parts.candidates.find(
        view.ref, queries, limit=query.shortlist_size, where=query.where, timeout_s=clock.remaining_s()
    )
    clock.waited("candidates", timed.wait_ms)
    found = parts.system.merge_candidates(timed.value, query.shortlist_size)
    wanted = min(query.shortlist_size, view.total)
    if query.require_complete and len(found) < wanted:
        raise Unavailable(f"the vector store gave {len(found)} of {wanted} candidates", retry_after_s=1.0)
    return found


async def _compared(
    received: Received,
    probes: Probes,
    chosen: NDArray[np.int64],
    *,
    is_short: bool,
    parts: SearchParts,
    clock: RequestClock,
) -> Scored:
    found = [await _of_view(view, probes[view.probe_weeks], view.own(chosen), parts, clock) for view in received.views]
    if len(found) == 1:
        return Scored(found[0], np.zeros(len(found[0].rows), np.int64), is_short)
    place = np.zeros(len(received.edition), np.int64)
    place[chosen] = np.arange(len(chosen))
    places = [place[view.of_gallery(each.rows)] for view, each in zip(received.views, found, strict=True)]
    return Scored(*joined_views(found, places, chosen), is_short)


async def _of_view(
    view: View, probe: Encoded, rows: NDArray[np.int64], parts: SearchParts, clock: RequestClock
) -> ItemScores:
    """Scores of rows of one view."""
    if not len(rows):
        return ItemScores.none()
    if not isinstance(probe, ProbeFeatures):
        vectors, deadline = view.edition.array(PARTIAL), time.monotonic() + clock.remaining_s()
        return await asyncio.to_thread(parts.system.embedding_scores, probe, vectors, rows, deadline=deadline)
    # No rows to name saves the reranker from picking them out one by one.
    wanted = None if len(rows) == len(view.edition) else rows
    timed = await parts.reranking.score(view.ref, probe, wanted, timeout_s=clock.remaining_s())
    clock.waited("rerank", timed.wait_ms)
    return timed.value
