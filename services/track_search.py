"""The way of a query with a shoe in a video archive: receive, decode, crop, encode, candidates, report.

A track has one vector, so that the vector store's scores are the answer's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outsole.answers import TrackFilter
from outsole.gallery.editions import Edition
from outsole.matching.shoe_system import SHOE
from outsole.video_answers import Coverage, TrackAnswer, TrackHit
from services.parts import EditionRef, SearchParts
from services.queries import TrackQuery
from services.shoe_probes import ShoeProbe, prepared
from services.telemetry import RequestClock


async def search_tracks(query: TrackQuery, parts: SearchParts) -> TrackAnswer:
    """Answer a search of an archive with a picture of a shoe.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such archive, edition or evidence.
        PreconditionFailed: The edition was made by an encoder that is not served.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: A part is away or busy; may be retried.
    """
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    probe = await prepare_tracks(query, parts, clock)
    return await ranked_tracks(query, probe, probe.vectors, parts=parts, clock=clock)


async def prepare_tracks(query: TrackQuery, parts: SearchParts, clock: RequestClock) -> ShoeProbe:
    """The probe of a search of an archive, described; errors are those of `search_tracks`."""

    def opened() -> tuple[Edition, int]:
        edition = parts.archives.searchable(query.target.gallery, query.target.edition)
        return edition, len(parts.archives.rows(edition, query.where))

    return await prepared(query, opened, parts, clock)


async def ranked_tracks(
    query: TrackQuery, probe: ShoeProbe, vectors: NDArray[np.float32], *, parts: SearchParts, clock: RequestClock
) -> TrackAnswer:
    """Rank the tracks of an archive by the best score of any vector float32 [Q, D]."""
    edition = probe.edition
    with clock.stage("candidates"):
        rows, scores = await _candidates(query, probe, vectors, parts, clock)
    with clock.stage("report"):
        tracks = parts.archives.tracks(edition, rows.tolist(), with_thumbnails=query.with_thumbnails)
        coverage = parts.archives.coverage(edition, query.where)
    pairs = zip(scores.tolist(), tracks, strict=True)
    return TrackAnswer(
        hits=tuple(TrackHit(rank, score, track) for rank, (score, track) in enumerate(pairs, 1)),
        archive=edition.gallery,
        edition=edition.id,
        encoder_hash=edition.encoder_hash,
        searched=probe.total,
        total=probe.total,
        coverage=coverage,
        probe_sha256=probe.picture.sha256,
        steps=probe.picture.steps,
        warnings=(*probe.picture.warnings, *coverage_warnings(edition.gallery, coverage)),
        stage_ms=dict(clock.stage_ms),
        settings={**probe.settings(query), **filter_settings(query.where)},
    )


def coverage_warnings(archive: str, coverage: Coverage) -> tuple[str, ...]:
    """What a person should know about how much of an archive was looked at."""
    found = []
    if coverage.sources_untimed:
        found.append(
            f"{coverage.sources_untimed} sources of {archive} are left out: nobody knows when they began, and a range "
            "of times was asked for"
        )
    if coverage.failed:
        found.append(f"{coverage.failed:,} frames of {archive} could not be decoded, and were not searched")
    if coverage.too_small:
        found.append(f"{coverage.too_small:,} sightings in {archive} were too small to search")
    return tuple(found)


def filter_settings(where: TrackFilter) -> dict[str, str]:
    """A filter of tracks as the settings of an answer tell it; what is left free is left out."""
    told = {
        "cameras": ", ".join(where.cameras),
        "places": ", ".join(where.places),
        "since": "" if where.since is None else where.since.isoformat(),
        "until": "" if where.until is None else where.until.isoformat(),
    }
    return {name: text for name, text in told.items() if text}


async def _candidates(
    query: TrackQuery, probe: ShoeProbe, vectors: NDArray[np.float32], parts: SearchParts, clock: RequestClock
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows [n] and their best scores, n at most ``k``, best first, ties by row."""
    if not probe.total:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    timed = await parts.candidates.find(
        EditionRef.of(probe.edition),
        {SHOE: vectors},
        limit=min(query.k, probe.total),
        where=query.where,
        timeout_s=clock.remaining_s(),
    )
    clock.waited("candidates", timed.wait_ms)
    rows, scores = timed.value[SHOE].best()
    return rows[: query.k], scores[: query.k]
