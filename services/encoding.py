"""The step ``encode`` of a query: a placed probe through the encoders that its search uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outsole.errors import BudgetSpent
from outsole.inference.encoder import all_or_none
from outsole.wear.canvas import lay_print
from outsole.wear.model import Direction, predicted_prints, wear_inputs
from services.catalogue import EncoderChoice
from services.parts import SearchParts
from services.telemetry import RequestClock

if TYPE_CHECKING:
    from outsole.imaging.canvas import PlacedProbe
    from outsole.matching.features import ProbeFeatures


async def encode_probe(
    placed: PlacedProbe, choice: EncoderChoice, parts: SearchParts, clock: RequestClock
) -> ProbeFeatures | NDArray[np.float16]:
    """Encode a probe as its search compares it.

    Returns:
        Features, with the embedding where both are chosen; the embedding's vectors [Q, D] where it is chosen alone.

    Raises:
        BudgetSpent: The encoders were busy, or did not answer in time.
        PreconditionFailed, Unavailable, Overloaded: As of ``Encoder.encode``.
    """
    if choice.correlation:
        return await encode_features(placed, choice.embedding, parts, clock)
    async with encoder_slot(parts, clock):
        inputs = parts.system.embedding_probe_inputs(placed)
        outputs = await parts.embeddings[choice.embedding].encode(inputs, timeout_s=clock.remaining_s())
    return parts.system.probe_embedding(outputs)


async def encode_features(
    placed: PlacedProbe, embedding: str, parts: SearchParts, clock: RequestClock
) -> ProbeFeatures:
    """Encode a probe for the correlation, and beside it with an embedding where one is named; see `encode_probe`."""
    system = parts.system
    async with encoder_slot(parts, clock):
        timeout_s = clock.remaining_s()
        calls = [parts.encoder.encode(placed.images, timeout_s=timeout_s)]
        if embedding:
            inputs = system.embedding_probe_inputs(placed)
            calls.append(parts.embeddings[embedding].encode(inputs, timeout_s=timeout_s))
        outputs = await all_or_none(calls)
    vectors = system.probe_embedding(outputs[1]) if embedding else None
    return await asyncio.to_thread(system.probe_features, outputs[0], placed, embedding=vectors)


async def probe_pictures(
    gray: NDArray[np.uint8], weeks: int | None, parts: SearchParts, clock: RequestClock
) -> dict[int, NDArray[np.uint8]]:
    """A probe by the weeks of wear that it was taken back by: as it is, 0, and as a model says that it was.

    Args:
        gray: uint8 [H, W].
        weeks: Weeks to take it back by; None for not.
        parts, clock: Of the search.

    Returns:
        uint8 [H, W] each: the mask and the placements of the probe are those of all.

    Raises:
        NotFound, DataCorrupt: There is no model that looks back.
        BudgetSpent, PreconditionFailed, Unavailable, Overloaded: It did not answer.
    """
    if weeks is None:
        return {0: gray}
    with clock.stage("lay"):
        laid = await asyncio.to_thread(lay_print, gray)
    with clock.stage("predict"):
        served = await asyncio.to_thread(parts.wear.open, Direction.BACKWARD)
        async with encoder_slot(parts, clock, stage="predict"):
            outputs = await served.encoder.encode(wear_inputs(laid, [weeks]), timeout_s=clock.remaining_s())
        (before,) = await asyncio.to_thread(predicted_prints, outputs, laid, [weeks])
    return {0: gray, weeks: before.gray}


@asynccontextmanager
async def encoder_slot(parts: SearchParts, clock: RequestClock, *, stage: str = "encode") -> AsyncIterator[None]:
    """A place among the searches that use the encoders at once; the wait for it is kept apart from the stage's work."""
    asked = time.perf_counter()
    try:
        async with asyncio.timeout(clock.remaining_s()):
            await parts.encoder_slots.acquire()
    except TimeoutError as error:
        raise BudgetSpent("the encoder was busy with other searches") from error
    try:
        clock.waited(stage, (time.perf_counter() - asked) * 1000)
        yield
    finally:
        parts.encoder_slots.release()
