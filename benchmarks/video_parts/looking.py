"""Looking at videos in this process, or through Triton: frames in, sightings with vectors and tracks out."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shoe_systems.outliers import ShoeEncoder, find_encoder, unit_vectors
from indexer.compose import encoder_of
from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import shoe_crop
from outsole.inference.encoder import Encoder
from outsole.matching.shoe_system import ShoeSystem, vectors_of
from outsole.video.finding import DetectedShoes, FoundShoes
from outsole.video.networks import MODELS, ShoeNetworks
from outsole.video.opening import open_source
from outsole.video.records import Frame, Sighting
from outsole.video.tracking import Tracker, TrackingCounts
from outsole.video.tracks import NO_WALK, Track

Crops = NDArray[np.uint8]
"""uint8 [N, 112, 224, 3]."""
EVERY_S = 0.1
BATCH_FRAMES = 8
_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Seen:
    """What a video showed.

    Attributes:
        frames: How many were looked at.
        found: One record a frame.
        sightings: All of them, in the order of the frames.
        vectors: float32 [N, D], one a sighting; NaN where it is too small to be searched.
        tracks: Walk-pasts.
        track_of: Place in ``tracks`` of each sighting, int64 [N]; -1 where it is in none.
        counts: Of the tracker.
    """

    frames: int
    found: tuple[FoundShoes, ...]
    sightings: tuple[Sighting, ...]
    vectors: NDArray[np.float32]
    tracks: tuple[Track, ...]
    track_of: NDArray[np.int64]
    counts: TrackingCounts


@dataclass
class Spent:
    """Seconds that each stage was busy."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Count the time that a block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started


@dataclass(frozen=True)
class Eyes:
    """What finds and describes shoes.

    Attributes:
        finder: Finds them.
        encode: Unit vectors of crops, float32 [N, D].
    """

    finder: DetectedShoes
    encode: ShoeEncoder

    async def find(self, frames: list[Frame]) -> list[FoundShoes]:
        """The shoes of some frames."""
        return await self.finder.find(frames, timeout_s=_TIMEOUT_S)


@asynccontextmanager
async def opened_eyes(repository: Path, encoder: str, *, triton_url: str = "") -> AsyncIterator[Eyes]:
    """Detectors and a shoe encoder.

    Args:
        repository: Folder of the model folders.
        encoder: As `benchmarks.shoe_systems.outliers.find_encoder` takes it.
        triton_url: ``host:port`` of a Triton that serves both; empty for ONNX Runtime in this process.

    Raises:
        NotFound, DataCorrupt: A model is missing or damaged.
    """
    opened: list[Encoder] = []

    def network(name: str) -> Encoder:
        contract = NetworkSpec.load(repository / name).contract()
        opened.append(encoder_of(contract, repository / name, triton_url=triton_url))
        return opened[-1]

    finder = DetectedShoes(ShoeNetworks.of({name: network(name) for name in MODELS}))
    try:
        if triton_url and any(Path(encoder).glob("*/model.onnx")):
            system = ShoeSystem.load(Path(encoder))
            opened.append(encoder_of(system.contract(), system.folder, triton_url=triton_url))
            yield Eyes(finder, _served(opened[-1], asyncio.get_running_loop()))
        else:
            plain = find_encoder(encoder)
            yield Eyes(finder, lambda crops: unit_vectors(plain, crops))
    finally:
        for each in opened:
            await each.close()


def _served(encoder: Encoder, loop: asyncio.AbstractEventLoop) -> ShoeEncoder:
    def encode(crops: Crops) -> NDArray[np.float32]:
        call = encoder.encode(crops, timeout_s=_TIMEOUT_S)
        return vectors_of(asyncio.run_coroutine_threadsafe(call, loop).result()).astype(np.float32)

    return encode


@dataclass(frozen=True)
class Step:
    """What a batch of frames showed.

    Attributes:
        frames: How many there were.
        found: One record a frame.
        vectors: See ``Seen``.
        finished: Tracks that ended.
        walks: See `outsole.video.tracking.TrackingStep`.
    """

    frames: int
    found: list[FoundShoes]
    vectors: NDArray[np.float32]
    finished: tuple[Track, ...]
    walks: NDArray[np.int64]


async def steps_of(
    video: Path, eyes: Eyes, tracker: Tracker, *, every_s: float | None = EVERY_S, spent: Spent | None = None
) -> AsyncIterator[Step]:
    """Look at a video from its first frame to its last, one step after another; nothing is kept.

    Args:
        video: A file.
        eyes: What finds and describes shoes.
        tracker: A new one; it is closed at the end.
        every_s: The first frame at or after each multiple of it, seconds; None for every frame.
        spent: Told how long each stage took.
    """
    spent = Spent() if spent is None else spent
    with open_source(video).frames(every_s=every_s) as reading:
        while batch := batch_of(reading, spent):
            with spent.on("find"):
                found = await eyes.find(batch)
            with spent.on("crop"):
                crops = cut_out(batch, found)
            with spent.on("encode"):
                vectors = await asyncio.to_thread(described, crops, eyes.encode)
            with spent.on("track"):
                step = tracker.update([one for shoes in found for one in shoes.sightings], vectors)
            yield Step(len(batch), found, vectors, step.finished, step.walks)
    last = tracker.close()
    yield Step(0, [], np.empty((0, 1), np.float32), last.finished, last.walks)


async def look_at(video: Path, eyes: Eyes, *, every_s: float | None = EVERY_S, spent: Spent | None = None) -> Seen:
    """Everything that a video shows; arguments as of ``steps_of``."""
    tracker = Tracker("made")
    steps = [step async for step in steps_of(video, eyes, tracker, every_s=every_s, spent=spent)]
    found = tuple(shoes for step in steps for shoes in step.found)
    tracks = tuple(track for step in steps for track in step.finished)
    return Seen(
        frames=sum(step.frames for step in steps),
        found=found,
        sightings=tuple(one for shoes in found for one in shoes.sightings),
        vectors=joined([step.vectors for step in steps]),
        tracks=tracks,
        track_of=_tracks_of(tracks, np.concatenate([step.walks for step in steps])),
        counts=tracker.counts,
    )


def cut_out(frames: list[Frame], found: list[FoundShoes]) -> list[Crops | None]:
    """Crops of all sightings of some frames, see ``crop_of``."""
    return [crop_of(frame, one) for frame, shoes in zip(frames, found, strict=True) for one in shoes.sightings]


def crop_of(frame: Frame, sighting: Sighting) -> Crops | None:
    """The crop of a sighting; None where it is too small to be searched or has no extent."""
    if not sighting.grade.is_large_enough:
        return None
    try:
        return shoe_crop(frame.rgb, view=sighting.view, toe=sighting.toe, heel=sighting.heel, box=sighting.box)
    except InvalidInput:
        return None


def described(crops: list[Crops | None], encode: ShoeEncoder) -> NDArray[np.float32]:
    """Vectors float32 [N, D] of crops, rows of NaN where there is none; D is 1 where there is none at all."""
    there = [row for row, crop in enumerate(crops) if crop is not None]
    if not there:
        return np.full((len(crops), 1), np.nan, np.float32)
    known = encode(np.stack([crop for crop in crops if crop is not None]))
    vectors = np.full((len(crops), known.shape[1]), np.nan, np.float32)
    vectors[there] = known
    return vectors


def joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Vectors of batches one after another; batches without any are as wide as the others."""
    width = max((part.shape[1] for part in parts), default=1)
    wide = [part if part.shape[1] == width else np.full((len(part), width), np.nan, np.float32) for part in parts]
    return np.concatenate(wide) if wide else np.empty((0, width), np.float32)


def batch_of(reading: Iterator[Frame], spent: Spent) -> list[Frame]:
    """The next frames of a reading; none at its end."""
    with spent.on("decode"):
        return list(itertools.islice(reading, BATCH_FRAMES))


def _tracks_of(tracks: Sequence[Track], walks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the track that took each row, by the walks that rows belong to."""
    number = {part.walk: place for place, track in enumerate(tracks) for part in track.parts}
    ordered = walks[np.argsort(walks[:, 0], kind="stable"), 1]
    return np.array([NO_WALK if walk == NO_WALK else number.get(walk, -1) for walk in ordered.tolist()], np.int64)
