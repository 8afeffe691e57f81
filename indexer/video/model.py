"""What turns frames into tracks: the finder of shoes, the shoe encoder, and how both are used."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.gallery.layout import SHOWS, TRACKS
from outsole.imaging.shoe_crops import CROP_PX
from outsole.inference.encoder import Encoder
from outsole.matching.shoe_system import vectors_of
from outsole.video.finding import ShoeFinder
from outsole.video.tracking_settings import TrackingSettings

# Part of an edition's settings: another number means that sightings are made or kept in another way.
_SIGHTINGS_VERSION = "1"
TRACKING = "tracking"
"""The setting that shapes tracks, and not the sightings that they are made of."""


@dataclass(frozen=True)
class VideoModel:
    """What finds and describes shoes in frames.

    Attributes:
        name, hash: Of the shoe encoder's specification.
        finder: Finds shoes.
        encoder: Describes crops, uint8 [N, 112, 224, 3], by output ``embedding`` [N, D] of unit length.
        settings: All else that shapes sightings, hashes of the finder's networks among it; part of an edition's id.
    """

    name: str
    hash: str
    finder: ShoeFinder
    encoder: Encoder
    settings: Mapping[str, str] = field(default_factory=dict)

    async def encode(self, crops: NDArray[np.uint8], *, timeout_s: float) -> NDArray[np.float16]:
        """Vectors float16 [N, D] of crops; errors as of ``Encoder.encode``."""
        return vectors_of(await self.encoder.encode(crops, timeout_s=timeout_s))

    async def vector_length(self, *, timeout_s: float) -> int:
        """How many numbers a vector has; errors as of ``Encoder.encode``."""
        return int((await self.encode(np.zeros((1, *CROP_PX, 3), np.uint8), timeout_s=timeout_s)).shape[1])


Opener = Callable[[], AbstractAsyncContextManager[VideoModel]]
"""Makes the model in whatever process it is needed; it travels there by pickle."""


@dataclass(frozen=True)
class VideoSettings:
    """How videos are indexed. The first three shape the result, the others only how the work is spread.

    Attributes:
        every_s: The first frame at or after each multiple of it is looked at, seconds; None for every frame.
        slice_s: Length of a slice, seconds: what is lost at most when the work is interrupted.
        tracking: How sightings are joined to tracks.
        batch_frames: Frames that are looked for shoes at once.
        requests_in_flight: Batches that are found and encoded at once, while the next ones are decoded.
        find_timeout_s, encode_timeout_s: Seconds for one batch.
        patience_s: How long a network that is away is waited for.

    Raises:
        InvalidInput: A value that cannot be.
    """

    every_s: float | None = 0.1
    slice_s: float = 30.0
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    batch_frames: int = 8
    requests_in_flight: int = 2
    find_timeout_s: float = 120.0
    encode_timeout_s: float = 120.0
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("every_s", "slice_s", "batch_frames", "requests_in_flight"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InvalidInput(f"{value}", field=name, remedy="more than 0")

    def sightings_of(self, model: VideoModel) -> dict[str, str]:
        """Everything besides the shoe encoder that shapes the sightings of a source."""
        every = "" if self.every_s is None else f"{self.every_s:g}"
        own = {"sightings_version": _SIGHTINGS_VERSION, "every_s": every, "slice_s": f"{self.slice_s:g}"}
        return {SHOWS: TRACKS, **own, **model.settings}

    def edition_of(self, model: VideoModel) -> dict[str, str]:
        """Everything besides the shoe encoder that shapes an edition."""
        return {**self.sightings_of(model), TRACKING: as_text(self.tracking)}


def as_text(settings: object) -> str:
    """A settings record as one line of JSON, as an edition's settings hold it."""
    return json.dumps(dataclasses.asdict(settings), sort_keys=True)  # type: ignore[call-overload]
