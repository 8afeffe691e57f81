"""Small clips in which a shoe walks past, who marks it, and a tiny encoder: videos without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from indexer.crawl import Progress
from indexer.video.index_videos import VideoOptions
from indexer.video.model import VideoModel, VideoSettings
from indexer.video.slices import Unheard
from indexer.video.sources import CameraPlan
from outsole.errors import Unavailable
from outsole.video.finding import FoundShoes
from outsole.video.given import GivenShoe, GivenShoes
from outsole.video.records import Frame
from outsole.video.tracking_settings import TrackingSettings

HASH = "cd" * 32
RATE = 25
FRAMES = 60
SIZE_PX = (480, 120)
CAMERA = CameraPlan("door", "hall")
_TRACKING = TrackingSettings(longest_gap_s=0.2)
SETTINGS = VideoSettings(every_s=None, slice_s=0.5, tracking=_TRACKING, batch_frames=4, patience_s=0.0)
_LENGTH = 60


def walk(first: int, end: int, *, start_px: float = 10.0, speed_px: float = 12.0) -> list[GivenShoe]:
    """A shoe that goes to the right from a frame on."""
    return [
        GivenShoe(
            number,
            toe=(start_px + speed_px * (number - first) + _LENGTH, 100.0),
            heel=(start_px + speed_px * (number - first), 100.0),
        )
        for number in range(first, end)
    ]


SHOES = walk(4, 26) + walk(32, 56)
"""Two walk-pasts, a little more than the tests' longest gap apart."""


class MeanShoeEncoder:
    """A tiny encoder: block means of a crop, of unit length; it can be slow, and can go away after some crops."""

    def __init__(self, *, seconds_a_crop: float = 0.0, gone_after: int | None = None) -> None:
        self.crops = 0
        self._seconds = seconds_a_crop
        self._gone_after = gone_after

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        if self._gone_after is not None and self.crops + len(images) > self._gone_after:
            raise Unavailable("the encoder is away")
        await asyncio.sleep(self._seconds * len(images))
        self.crops += len(images)
        means = images.reshape(len(images), 4, 28, 8, 28, 3).mean(axis=(2, 4)).reshape(len(images), -1) + 1.0
        return {"embedding": (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float16)}

    async def is_ready(self) -> bool:
        return True

    async def close(self) -> None:
        return None


class CountingFinder:
    """Hands out marked shoes, and counts the frames that it is asked about."""

    def __init__(self, shoes: Sequence[GivenShoe] = SHOES) -> None:
        self.frames = 0
        self._given = GivenShoes(shoes)

    async def find(self, frames: Sequence[Frame], *, timeout_s: float) -> list[FoundShoes]:
        self.frames += len(frames)
        return await self._given.find(frames, timeout_s=timeout_s)


def walk_model(
    finder: CountingFinder | None = None, encoder: MeanShoeEncoder | None = None, **shaped: str
) -> VideoModel:
    return VideoModel("mean_shoe", HASH, finder or CountingFinder(), encoder or MeanShoeEncoder(), shaped)


@asynccontextmanager
async def opened_model() -> AsyncIterator[VideoModel]:
    """The model as other processes open it."""
    yield walk_model()


def quiet(total: int) -> AbstractContextManager[Progress]:
    return nullcontext(Unheard())


OPTIONS = VideoOptions(settings=SETTINGS, progress=quiet)


def write_walk(path: Path, *, seed: int = 0, count: int = FRAMES) -> Path:
    """A clip of noise with a box of one colour where the marked shoe is; a key frame every ten frames."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 190, (SIZE_PX[1], SIZE_PX[0], 3)).astype(np.uint8)
    colour = rng.integers(0, 255, 3).astype(np.uint8)
    marked = {shoe.frame: shoe for shoe in SHOES}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 10
        for number in range(count):
            picture = ground.copy()
            shoe = marked.get(number)
            if shoe is not None and shoe.heel is not None and shoe.toe is not None:
                picture[75:100, int(shoe.heel[0]) : int(shoe.toe[0])] = colour
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
