"""The way of frames that stream in: decode, find, crop, encode, candidates, group; tracks are told as they end.

Networks and encoder are those of the indexing of videos (`outsole.video.looking`), the comparison is that of a search
with a shoe (`services.shoe_search`); here is only how they are joined for a stream.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.answers import Hit, ItemFilter
from outsole.errors import BudgetSpent, InvalidInput, NotFound, PreconditionFailed
from outsole.frame_answers import FrameAnswer, FramesEnd, FrameSighting, Walk
from outsole.video.finding import FoundShoes
from outsole.video.frame_streams import FrameStream, SentFrame
from outsole.video.looking import Looker, SeenFrames, Vectors, sighting_counts
from outsole.video.records import Frame
from outsole.video.tracking import Tracker
from outsole.video.tracks import Track
from outsole.video_answers import Coverage, TrackInfo
from services.frame_flow import FlowLimits, in_order
from services.parts import SearchParts, ServedFinder
from services.queries import FramesQuery
from services.shoe_search import ModelSearch, models_for_each
from services.telemetry import RequestClock
from services.track_search import coverage_warnings

RawFrame = tuple[int, bytes, float | None]
"""A frame as a message has it: number, bytes, time; see ``FrameStream.take``."""
_SOURCE = "stream"
# Triton that dies is there again within seconds; a stream outlives that.
_PATIENCE_S = 15.0


@dataclass(frozen=True)
class _LookedAt:
    """A frame that was searched, or could not be decoded.

    Attributes:
        sent: The frame.
        found: Its shoes; None where it could not be decoded.
        vectors: One a shoe; None where it was not encoded.
        hits: Of each shoe.
        error: Why it could not be decoded.
    """

    sent: SentFrame
    found: FoundShoes | None = None
    vectors: Sequence[NDArray[np.float16] | None] = ()
    hits: Sequence[tuple[Hit, ...]] = ()
    error: InvalidInput | None = None


async def search_frames(
    query: FramesQuery, frames: AsyncIterator[RawFrame], parts: SearchParts
) -> AsyncGenerator[FrameAnswer | FramesEnd, None]:
    """Answer frames in their order, and say at the end what became of them.

    Raises:
        InvalidInput: The gallery shows something else, or the order or the times of frames are wrong.
        NotFound: No such gallery or edition.
        PreconditionFailed: Its encoder, or the detectors, are not there.
        BudgetSpent, Unavailable, Overloaded: A network or the vector store did not answer for long; may be begun again.
    """
    search = await asyncio.to_thread(_opened, query, parts)
    finder = await asyncio.to_thread(_finder, parts)
    stream = _Stream(query, search, finder, parts)
    limits = FlowLimits(in_flight=parts.frames.in_flight)
    async with aclosing(in_order(stream.taken(frames), stream.look, limits)) as looked_at:
        async for looked in looked_at:
            yield await stream.answer(looked)
    yield await stream.end()


def _opened(query: FramesQuery, parts: SearchParts) -> ModelSearch:
    edition = parts.catalogue.searchable_by_shoe(query.target.gallery, query.target.edition)
    return ModelSearch(edition, len(parts.catalogue.rows(edition, ItemFilter())), query.k)


def _finder(parts: SearchParts) -> ServedFinder:
    try:
        return parts.frames.open_finder()
    except NotFound as error:
        raise PreconditionFailed(
            f"the detectors of shoes are not there: {error.message}",
            remedy="put their folders back into the model repository",
        ) from error


class _Stream:
    """One stream from its first frame to its last."""

    def __init__(self, query: FramesQuery, search: ModelSearch, finder: ServedFinder, parts: SearchParts) -> None:
        self._query, self._search, self._finder, self._parts = query, search, finder, parts
        budget_s = parts.defaults.budget_ms / 1000
        encoder = parts.shoes[search.edition.manifest.encoder_name].encoder
        self._looker = Looker(finder.finder, encoder, budget_s, budget_s, _PATIENCE_S)
        self._frames = FrameStream()
        self._decoding = asyncio.Lock()
        self._tracker = Tracker(_SOURCE)
        self._seen: Counter[str] = Counter()

    async def taken(self, frames: AsyncIterator[RawFrame]) -> AsyncGenerator[SentFrame, None]:
        """Frames whose place in the stream was checked."""
        async for number, data, time_s in frames:
            yield self._frames.take(number, data, time_s)

    async def look(self, batch: list[SentFrame]) -> list[_LookedAt]:
        """Search some frames."""
        clock = self._clock()
        try:
            # Frames are decoded in their order; while the networks have them, those after them are.
            async with self._decoding:
                with clock.stage("decode"):
                    pictures = await asyncio.to_thread(self._decoded, batch)
            frames = [picture for picture in pictures if isinstance(picture, Frame)]
            seen = await self._looker.look(frames, clock.stage) if frames else SeenFrames((), [], [])
            hits = await self._hits(seen.vectors, clock)
        except BudgetSpent as error:
            raise BudgetSpent(
                f"frames {batch[0].number} to {batch[-1].number} were not searched in time: {error.message}",
                remedy="begin another stream, with fewer or smaller frames a second",
            ) from error
        self._seen.update(sighting_counts(seen.found, seen.vectors))
        return _by_frame(batch, pictures, seen, hits)

    def _clock(self) -> RequestClock:
        parts = self._parts
        return RequestClock(parts.defaults.budget_ms + 1000 * _PATIENCE_S, recorder=parts.recorder)

    def _decoded(self, batch: Sequence[SentFrame]) -> list[Frame | InvalidInput]:
        pictures: list[Frame | InvalidInput] = []
        for sent in batch:
            try:
                pictures.append(self._frames.decoded(sent))
            except InvalidInput as error:
                pictures.append(error)
        return pictures

    async def _hits(self, vectors: Vectors, clock: RequestClock) -> list[tuple[Hit, ...]]:
        """Models for each vector, none where there is no vector."""
        searched = [vector.astype(np.float32) for vector in vectors if vector is not None]
        queries = np.stack(searched) if searched else np.empty((0, 0), np.float32)
        found = iter(await models_for_each(self._search, queries, parts=self._parts, clock=clock))
        return [() if vector is None else next(found) for vector in vectors]

    async def answer(self, looked: _LookedAt) -> FrameAnswer:
        """What a frame is answered with; frames come here in their order."""
        ended = self._followed(looked) if self._frames.is_timed else []
        walks = await self._walks(ended)
        if looked.found is None:
            return FrameAnswer(looked.sent.number, walks=walks, error=looked.error)
        sightings = tuple(
            FrameSighting(
                box=sighting.box,
                toe=sighting.toe,
                heel=sighting.heel,
                view=sighting.view,
                weight=sighting.grade.weight,
                length_px=sighting.grade.length_px,
                too_small=not sighting.grade.is_large_enough,
                hits=hits,
            )
            for sighting, hits in zip(looked.found.sightings, looked.hits, strict=True)
        )
        return FrameAnswer(looked.sent.number, sightings, walks)

    def _followed(self, looked: _LookedAt) -> list[Track]:
        ended = [*self._tracker.reach(looked.sent.time_s).finished]
        if looked.found is not None:
            ended += self._tracker.update(looked.found.sightings, _stacked(looked.vectors)).finished
        return ended

    async def _walks(self, tracks: Sequence[Track]) -> tuple[Walk, ...]:
        embeddings = [track.embedding for track in tracks]
        halves: Vectors = [None if vector is None else vector.astype(np.float16) for vector in embeddings]
        hits = await self._hits(halves, self._clock())
        return tuple(Walk(self._told(track), found) for track, found in zip(tracks, hits, strict=True))

    def _told(self, track: Track) -> TrackInfo:
        return TrackInfo(
            track_id=track.track_id,
            archive="",
            source_id="",
            source_name="",
            source_sha256="",
            camera=self._query.camera,
            place="",
            start=None,
            end=None,
            native_start=None,
            native_end=None,
            time_origin="",
            **track.told(),
        )

    async def end(self) -> FramesEnd:
        """What was searched, and what became of every frame."""
        edition, counts = self._search.edition, self._frames.counts
        walks = await self._walks(self._tracker.close().finished)
        tracked = self._tracker.counts
        coverage = Coverage(
            sources=1,
            duration_s=self._frames.duration_s,
            received=counts.received,
            decoded=counts.decoded,
            failed=counts.failed,
            **self._seen,
            tracks=tracked.tracks,
            static=tracked.static,
            short=tracked.short,
        )
        untimed = () if self._frames.is_timed else ("frames came without times: no walk-pasts are told",)
        issues = tuple(map(str, self._frames.issues))
        return FramesEnd(
            gallery=edition.gallery,
            edition=edition.id,
            encoder_hash=edition.encoder_hash,
            coverage=coverage,
            walks=walks,
            warnings=(*untimed, *issues, *coverage_warnings("the stream", coverage)),
            settings={
                **edition.manifest.settings,
                **self._finder.hashes,
                "encoders": edition.manifest.encoder_name,
                "k": str(self._query.k),
            },
        )


def _by_frame(
    batch: Sequence[SentFrame],
    pictures: Sequence[Frame | InvalidInput],
    seen: SeenFrames,
    hits: Sequence[tuple[Hit, ...]],
) -> list[_LookedAt]:
    looked: list[_LookedAt] = []
    found, first = iter(seen.found), 0
    for sent, picture in zip(batch, pictures, strict=True):
        if isinstance(picture, InvalidInput):
            looked.append(_LookedAt(sent, error=picture))
            continue
        shoes = next(found)
        end = first + len(shoes.sightings)
        looked.append(_LookedAt(sent, shoes, seen.vectors[first:end], hits[first:end]))
        first = end
    return looked


def _stacked(vectors: Sequence[NDArray[np.float16] | None]) -> NDArray[np.float32] | None:
    """Vectors float32 [N, D] as the tracker takes them, rows of NaN where there is none; None where all are missing."""
    length = next((len(vector) for vector in vectors if vector is not None), 0)
    if not length:
        return None
    missing = np.full(length, np.nan, np.float32)
    return np.stack([missing if vector is None else vector.astype(np.float32) for vector in vectors])
