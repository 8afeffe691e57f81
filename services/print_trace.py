"""From a print to tracks: print search, pictures of its models, tracks that resemble them, order, report."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Hit, ItemFilter, SearchAnswer
from outsole.gallery.editions import Edition
from outsole.gallery.layout import SHOES
from outsole.matching.model_tracks import ModelPictures, ModelTracks, check_comparable
from outsole.matching.shoe_system import SHOE
from outsole.matching.trace_order import TracePairs, look_ranks, order_rows
from outsole.video_answers import Trace, TraceAnswer, TracedArchive, TraceRow, TrackHit
from services.catalogue import check_shows
from services.fields import naming, within
from services.parts import EditionRef, SearchParts
from services.print_search import search_print
from services.queries import PrintQuery, TraceQuery
from services.telemetry import RequestClock
from services.track_search import coverage_warnings, filter_settings

# The stages of a print search, and those that follow it.
_STAGES = (
    *("receive", "decode", "canvas", "encode", "candidates", "rerank", "group"),
    *("pictures", "tracks", "order", "report"),
)
_NAMED_MODELS = 5


@dataclass(frozen=True)
class _Places:
    """Where is looked: the gallery that shows the shoes, and the archives with the rows that take part."""

    shoes: Edition
    archives: tuple[Edition, ...]
    totals: tuple[int, ...]


@dataclass(frozen=True)
class _Ordered:
    """Which pairs become rows."""

    places: _Places
    seen: ModelTracks
    pairs: TracePairs
    order: NDArray[np.int64]


async def trace_print(query: TraceQuery, parts: SearchParts) -> TraceAnswer:
    """Answer a trace.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such gallery, archive, edition or evidence.
        PreconditionFailed: An archive and the gallery of shoes are of different encoders, or as of a print search.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: A part is away or busy; may be retried.
    """
    clock = RequestClock(query.search.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        places = await asyncio.to_thread(_opened, query, parts)
    with within("search"):
        found = await search_print(_in_time(query, clock), parts)
    with clock.stage("pictures"):
        pictures = await asyncio.to_thread(_pictures, places.shoes, found.hits, parts)
    with clock.stage("tracks"):
        seen = await _seen(query, places, pictures, parts, clock)
    with clock.stage("order"):
        pairs = await asyncio.to_thread(_pairs, places, found.hits, pictures, seen)
        order = order_rows(pairs, order=query.order, limit=query.rows)
    with clock.stage("report"):
        rows = await asyncio.to_thread(_rows, query, found.hits, _Ordered(places, seen, pairs, order), parts)
        traces = await asyncio.to_thread(_traces, places, found.hits, pictures, seen, parts)
        answer = _answer(query, places, found, traces, parts)
    # A search of worn views has stages that others have not.
    stages = dict.fromkeys((*_STAGES, *found.stage_ms))
    stage_ms = {stage: found.stage_ms.get(stage, 0.0) + clock.stage_ms.get(stage, 0.0) for stage in stages}
    return dataclasses.replace(answer, rows=rows, stage_ms=stage_ms)


def _opened(query: TraceQuery, parts: SearchParts) -> _Places:
    with naming("shoe_gallery"):
        shoes = parts.catalogue.edition(query.shoes.gallery, query.shoes.edition)
        check_shows(shoes, SHOES)
    archives = []
    for number, target in enumerate(query.archives):
        with naming(f"archives[{number}]", "archive"):
            archive = parts.archives.edition(target.gallery, target.edition)
        check_comparable(archive, shoes, field=f"archives[{number}]")
        archives.append(archive)
    totals = tuple(len(parts.archives.rows(archive, query.where)) for archive in archives)
    return _Places(shoes, tuple(archives), totals)


def _in_time(query: TraceQuery, clock: RequestClock) -> PrintQuery:
    """The search for the print, in what is left of the budget."""
    return dataclasses.replace(query.search, budget_ms=max(int(clock.remaining_s() * 1000), 1))


def _pictures(shoes: Edition, hits: Sequence[Hit], parts: SearchParts) -> ModelPictures:
    rows, codes = parts.catalogue.rows(shoes, ItemFilter()), parts.catalogue.model_codes(shoes)
    return ModelPictures.of([hit.model_id for hit in hits], shoes, rows=rows, codes=codes)


async def _seen(
    query: TraceQuery, places: _Places, pictures: ModelPictures, parts: SearchParts, clock: RequestClock
) -> ModelTracks:
    """The best tracks of each candidate over all archives, in order of the candidates, best first."""
    vectors = np.asarray(places.shoes.array(SHOE)[pictures.shown], np.float32)

    async def of_archive(number: int) -> ModelTracks:
        archive, total = places.archives[number], places.totals[number]
        if not total or not len(vectors):
            return ModelTracks.joined([])
        timed = await parts.candidates.find(
            EditionRef.of(archive),
            {SHOE: vectors},
            limit=min(query.tracks_per_model, total),
            where=query.where,
            timeout_s=clock.remaining_s(),
        )
        clock.waited("tracks", timed.wait_ms)
        return ModelTracks.of_archive(timed.value[SHOE], pictures.owner, number)

    found = [await of_archive(number) for number in range(len(places.archives))]
    return ModelTracks.joined(found).best(query.tracks_per_model)


def _pairs(places: _Places, hits: Sequence[Hit], pictures: ModelPictures, seen: ModelTracks) -> TracePairs:
    tracks, numbers = np.unique(np.stack([seen.archives, seen.rows], axis=1), axis=0, return_inverse=True)
    numbers = numbers.ravel().astype(np.int64)
    models = pictures.of_models[seen.models]
    arrays = [archive.array(SHOE)[tracks[tracks[:, 0] == at, 1]] for at, archive in enumerate(places.archives)]
    of_shoes = places.shoes.array(SHOE)
    every = of_shoes if len(pictures.rows) == len(of_shoes) else of_shoes[pictures.rows]
    return TracePairs(
        tracks=numbers,
        models=models,
        print_ranks=np.array([hit.rank for hit in hits], np.int64)[seen.models],
        shoe_scores=seen.scores,
        look_ranks=look_ranks(np.concatenate(arrays), every, pictures.codes, of_tracks=numbers, of_models=models),
    )


def _rows(query: TraceQuery, hits: Sequence[Hit], ordered: _Ordered, parts: SearchParts) -> tuple[TraceRow, ...]:
    seen, ranks = ordered.seen.picked(ordered.order), ordered.pairs.look_ranks[ordered.order].tolist()
    tracks = parts.archives.tracks_of(ordered.places.archives, seen, with_thumbnails=query.with_thumbnails)
    return tuple(
        TraceRow(number, track, hits[hit].model_id, hits[hit].rank, hits[hit].score, score, rank)
        for number, (track, hit, score, rank) in enumerate(
            zip(tracks, seen.models.tolist(), seen.scores.tolist(), ranks, strict=True), 1
        )
    )


def _traces(
    places: _Places, hits: Sequence[Hit], pictures: ModelPictures, seen: ModelTracks, parts: SearchParts
) -> tuple[Trace, ...]:
    tracks, scores = parts.archives.tracks_of(places.archives, seen), seen.scores.tolist()
    ends = np.searchsorted(seen.models, np.arange(len(hits) + 1)).tolist()
    return tuple(
        Trace(
            hit,
            tuple(TrackHit(rank, scores[at], tracks[at]) for rank, at in enumerate(range(ends[m], ends[m + 1]), 1)),
            pictures.counts[m],
        )
        for m, hit in enumerate(hits)
    )


def _answer(
    query: TraceQuery, places: _Places, found: SearchAnswer, traces: tuple[Trace, ...], parts: SearchParts
) -> TraceAnswer:
    """The answer without its rows and times."""
    archives = tuple(
        TracedArchive(archive.gallery, archive.id, total, total, parts.archives.coverage(archive, query.where))
        for archive, total in zip(places.archives, places.totals, strict=True)
    )
    told = (line for archive in archives for line in coverage_warnings(archive.archive, archive.coverage))
    return TraceAnswer(
        rows=(),
        traces=traces,
        print=found,
        archives=archives,
        shoe_gallery=places.shoes.gallery,
        shoe_edition=places.shoes.id,
        encoder_hash=places.shoes.encoder_hash,
        warnings=(*_unseen(traces, places.shoes.gallery), *told),
        settings={
            "order": query.order.value,
            "tracks_per_model": str(query.tracks_per_model),
            "rows": str(query.rows),
            "shoe_encoder": places.shoes.manifest.encoder_name,
            **filter_settings(query.where),
        },
    )


def _unseen(traces: Sequence[Trace], gallery: str) -> tuple[str, ...]:
    """Which candidates could not be looked for."""
    models = [trace.hit.model_id for trace in traces if not trace.pictures]
    if not models:
        return ()
    named = ", ".join(models[:_NAMED_MODELS]) + (" and others" if len(models) > _NAMED_MODELS else "")
    return (
        f"{len(models)} of {len(traces)} candidate models have no picture in {gallery}, and could not be looked for: "
        f"{named}",
    )
