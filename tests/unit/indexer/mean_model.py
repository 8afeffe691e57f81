"""A tiny encoder and what goes with it: indexing without a network, also in other processes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from indexer.crawl import Progress
from indexer.model import IndexModel
from outsole.answers import Role
from outsole.errors import Unavailable
from outsole.imaging.decode import decode_image
from outsole.imaging.picture_hash import hash_text, picture_hash

HASH = "ab" * 32
HEIGHT, WIDTH = 32, 16


@dataclass(frozen=True)
class Prepared:
    image: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    width_px: int
    height_px: int
    thumbnail_png: bytes
    picture_hash: str


class MeanEncoder:
    """A tiny encoder: block means as a map; it can be slow, and can go away after some images."""

    def __init__(self, *, seconds_an_image: float = 0.0, gone_after: int | None = None) -> None:
        self.batches: list[int] = []
        self.busy = self.most_busy = 0
        self._seconds = seconds_an_image
        self._gone_after = gone_after
        self._one = asyncio.Lock()

    async def encode(self, images: Any, *, timeout_s: float) -> dict[str, NDArray[Any]]:
        if self._gone_after is not None and sum(self.batches) + len(images) > self._gone_after:
            raise Unavailable("the encoder is away")
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        async with self._one:
            await asyncio.sleep(self._seconds * len(images))
        self.busy -= 1
        self.batches.append(len(images))
        cells = images.reshape(len(images), HEIGHT // 8, 8, WIDTH // 8, 8).mean(axis=(2, 4))
        return {"map": cells[..., None].astype(np.float16)}

    async def is_ready(self) -> bool:
        return True

    async def close(self) -> None:
        return None


def prepare(data: bytes, role: Role = Role.SOLE) -> Prepared:
    gray = decode_image(data).gray
    image = cv2.resize(gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
    valid = np.ones((HEIGHT // 8, WIDTH // 8), bool)
    thumbnail = cv2.imencode(".png", image)[1].tobytes()
    return Prepared(image, valid, gray.shape[1], gray.shape[0], thumbnail, hash_text(picture_hash(gray)))


def derive(outputs: dict[str, NDArray[Any]], valid: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    maps = outputs["map"] * valid[..., None]
    return {"maps": maps, "coarse": maps.reshape(len(maps), -1).astype(np.float32)}


def quiet(total: int) -> AbstractContextManager[Progress]:
    class Silent:
        def update(self, n: int) -> None:
            return None

    return nullcontext(Silent())


def write_images(folder: Path, count: int, first: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    for i in range(first, first + count):
        pixels = np.random.default_rng(i).integers(0, 256, (60 + i % 7, 40), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{i:05d}.png"), pixels)
    return folder


@asynccontextmanager
async def opened_model() -> AsyncIterator[IndexModel]:
    """The model as other processes open it."""
    yield mean_model(MeanEncoder())


def mean_model(encoder: MeanEncoder, **shaped: str) -> IndexModel:
    return IndexModel("mean", HASH, encoder, prepare, derive, settings=shaped)


@asynccontextmanager
async def opened_without_predictor() -> AsyncIterator[IndexModel]:
    """A model whose pictures cannot be prepared for the moment."""

    def away(data: bytes, role: Role) -> Prepared:
        raise Unavailable("the predictor is away")

    yield dataclasses.replace(mean_model(MeanEncoder()), prepare=away)
