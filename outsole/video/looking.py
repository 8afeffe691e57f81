"""From frames to vectors: shoes are found, cut out and described; the same for archives and for streams of frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, Overloaded, Unavailable
from outsole.imaging.shoe_crops import shoe_crop
from outsole.inference.encoder import Encoder
from outsole.matching.shoe_system import vectors_of
from outsole.video.finding import FoundShoes, ShoeFinder
from outsole.video.records import Frame, Sighting

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0
_T = TypeVar("_T")
Timing = Callable[[str], AbstractContextManager[None]]
"""Measures a block as a stage of this name: ``find``, ``crop`` or ``encode``."""
Vectors = list[NDArray[np.float16] | None]


@dataclass(frozen=True)
class SeenFrames:
    """What some frames show.

    Attributes:
        found: One record a frame, in their order.
        crops: uint8 [112, 224, 3], one a sighting in the order of ``found``; None where it is not worth a search.
        vectors: float16 [D] of unit length, one a sighting; None where there is no crop.
    """

    found: tuple[FoundShoes, ...]
    crops: list[NDArray[np.uint8] | None]
    vectors: Vectors


@dataclass(frozen=True)
class Looker:
    """Finds and describes the shoes of frames.

    Attributes:
        finder: Finds them.
        encoder: Describes crops, uint8 [N, 112, 224, 3], by output ``embedding`` [N, D] of unit length.
        find_timeout_s, encode_timeout_s: Seconds for one call.
        patience_s: How long a network that is away, or has too much to do, is waited for.
    """

    finder: ShoeFinder
    encoder: Encoder
    find_timeout_s: float
    encode_timeout_s: float
    patience_s: float

    async def look(self, frames: Sequence[Frame], timing: Timing) -> SeenFrames:
        """Look at some frames, which may differ in size.

        Raises:
            BudgetSpent, Unavailable, Overloaded: A network did not answer; may be retried.
            PreconditionFailed: Another network is served than expected.
        """
        with timing("find"):
            found = await patiently(
                lambda: self.finder.find(frames, timeout_s=self.find_timeout_s), patience_s=self.patience_s
            )
        with timing("crop"):
            crops = await asyncio.to_thread(_cut_out, frames, found)
        return SeenFrames(tuple(found), crops, await self._described(crops, timing))

    async def _described(self, crops: Sequence[NDArray[np.uint8] | None], timing: Timing) -> Vectors:
        cropped = [crop for crop in crops if crop is not None]
        if not cropped:
            return [None] * len(crops)
        with timing("encode"):
            outputs = await patiently(
                lambda: self.encoder.encode(np.stack(cropped), timeout_s=self.encode_timeout_s),
                patience_s=self.patience_s,
            )
        rows = iter(vectors_of(outputs))
        return [None if crop is None else next(rows) for crop in crops]


async def patiently(call: Callable[[], Awaitable[_T]], *, patience_s: float) -> _T:
    """The result of a call to a network, which is repeated while the network is away or has too much to do.

    Raises:
        Unavailable, Overloaded: It stayed so for ``patience_s``.
        OutsoleError: Any other error of the call.
    """
    until, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            return await call()
        except (Unavailable, Overloaded):
            if time.monotonic() + pause_s > until:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def crop_of(frame: Frame, sighting: Sighting) -> NDArray[np.uint8] | None:
    """The crop of a sighting as the shoe encoder takes it; None where it is too small, or has no extent."""
    if not sighting.grade.is_large_enough:
        return None
    try:
        return shoe_crop(frame.rgb, view=sighting.view, toe=sighting.toe, heel=sighting.heel, box=sighting.box)
    except InvalidInput:
        return None


def sighting_counts(found: Sequence[FoundShoes], vectors: Vectors) -> dict[str, int]:
    """What was seen, by the names of the coverage report: ``with_people`` to ``searched``."""
    return {
        "with_people": sum(shoes.persons > 0 for shoes in found),
        "with_shoes": sum(bool(shoes.sightings) for shoes in found),
        "shoes": sum(len(shoes.sightings) for shoes in found),
        "too_small": sum(shoes.too_small for shoes in found),
        "searched": sum(vector is not None for vector in vectors),
    }


def _cut_out(frames: Sequence[Frame], found: Sequence[FoundShoes]) -> list[NDArray[np.uint8] | None]:
    return [
        crop_of(frame, sighting) for frame, shoes in zip(frames, found, strict=True) for sighting in shoes.sightings
    ]
