"""The first half of every query with a shoe: receive, decode, crop, encode; the same for galleries and archives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.gallery.editions import Edition
from outsole.imaging.decode import DecodedImage, decode_image
from outsole.matching.shoe_system import probe_crops, vectors_of
from services.encoding import encoder_slot
from services.parts import SearchParts
from services.queries import Probe, ShoeQuery, TrackQuery
from services.telemetry import RequestClock

Query = ShoeQuery | TrackQuery
Opened = Callable[[], tuple[Edition, int]]
"""Opens the edition that is searched, and says how many of its rows take part."""


@dataclass(frozen=True)
class ShoeProbe:
    """A shoe that is searched with, and where.

    Attributes:
        edition: What is searched.
        total: How many of its rows take part.
        picture: The probe, decoded.
        vectors: float32 [Q, D], one for each crop that was made of it.
    """

    edition: Edition
    total: int
    picture: DecodedImage
    vectors: NDArray[np.float32]

    def settings(self, query: Query) -> dict[str, str]:
        """The settings of a search in force."""
        return {
            **self.edition.manifest.settings,
            "encoders": self.edition.manifest.encoder_name,
            "k": str(query.k),
            "view": query.marks.view.value if query.marks.view else "not said",
            "crops": str(len(self.vectors)),
        }


async def prepared(query: Query, opened: Opened, parts: SearchParts, clock: RequestClock) -> ShoeProbe:
    """Read the probe of a query and describe it as the edition's encoder does.

    Raises:
        OutsoleError: As of `services.shoe_search.search_shoe`.
    """
    with clock.stage("receive"):
        (edition, total), data = await asyncio.to_thread(lambda: (opened(), _read(query.probe, parts)))
    with clock.stage("decode"):
        picture = await asyncio.to_thread(_decode, data, query.probe, parts)
    with clock.stage("crop"):
        crops = await asyncio.to_thread(probe_crops, picture, query.marks)
    with clock.stage("encode"):
        vectors = await _encode(crops, edition, parts, clock)
    return ShoeProbe(edition, total, picture, vectors)


def _read(probe: Probe, parts: SearchParts) -> bytes:
    return parts.evidence.read(probe.evidence_sha256) if probe.image is None else probe.image


def _decode(data: bytes, probe: Probe, parts: SearchParts) -> DecodedImage:
    field = "image" if probe.image is not None else "evidence_sha256"
    return decode_image(data, field=field, limits=parts.defaults.decode_limits, with_color=True)


async def _encode(
    crops: NDArray[np.uint8], edition: Edition, parts: SearchParts, clock: RequestClock
) -> NDArray[np.float32]:
    served = parts.shoes[edition.manifest.encoder_name]
    async with encoder_slot(parts, clock):
        outputs = await served.encoder.encode(crops, timeout_s=clock.remaining_s())
    return vectors_of(outputs).astype(np.float32)
