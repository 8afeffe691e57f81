"""The way of a query about wear: receive, decode, lay, predict, report.

Nothing here knows Ray or protobuf; see ``services.print_search``.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput, Unavailable
from outsole.imaging.decode import DecodedImage
from outsole.wear.canvas import CANVAS_PX, LaidPrint, lay_print
from outsole.wear.intake import print_from_bytes
from outsole.wear.model import Direction, PredictedPrint, predicted_prints, wear_inputs
from outsole.wear_answers import WearAnswer, WornPrint
from services.encoding import encoder_slot
from services.parts import SearchParts, ServedWear
from services.queries import WearQuery
from services.telemetry import RequestClock

# All predictions of a request together: an answer has to fit into one message, and each comes with its map.
MOST_PIXELS = 40_000_000
_FULL = 255.0


@dataclass(frozen=True)
class _Received:
    """A query whose probe is at hand and whose model is open."""

    data: bytes
    served: ServedWear


async def simulate_wear(query: WearQuery, parts: SearchParts) -> WearAnswer:
    """Predict a print for some weeks.

    Raises:
        InvalidInput: Something in the query cannot be used; ``field`` names it.
        NotFound: No such evidence, or no model that looks this way in time.
        DataCorrupt, PreconditionFailed: The model is damaged, or not the one that is served.
        BudgetSpent: The budget ran out; the message names the stage.
        Unavailable, Overloaded: The model is away or busy; may be retried.
    """
    clock = RequestClock(query.budget_ms or parts.defaults.budget_ms, recorder=parts.recorder)
    with clock.stage("receive"):
        received = await asyncio.to_thread(_receive, query, parts)
    with clock.stage("decode"):
        picture = await asyncio.to_thread(_decode, received.data, query, parts)
    with clock.stage("lay"):
        laid = await asyncio.to_thread(lay_print, picture.gray)
    with clock.stage("predict"):
        outputs = await _predict(laid, query, received.served, parts, clock)
    with clock.stage("report"):
        prints = await _worn_prints(outputs, laid, query)
        answer = _report(query, received.served, picture=picture, laid=laid, prints=prints)
    return dataclasses.replace(answer, stage_ms=dict(clock.stage_ms))


def _receive(query: WearQuery, parts: SearchParts) -> _Received:
    served = parts.wear.open(query.direction)
    probe = query.probe
    return _Received(parts.evidence.read(probe.evidence_sha256) if probe.image is None else probe.image, served)


def _decode(data: bytes, query: WearQuery, parts: SearchParts) -> DecodedImage:
    field = "image" if query.probe.image is not None else "evidence_sha256"
    picture = print_from_bytes(data, field=field, limits=parts.defaults.decode_limits)
    height, width = picture.gray.shape
    if len(query.weeks) * height * width > MOST_PIXELS:
        raise InvalidInput(
            f"{len(query.weeks)} predictions of {width} x {height} px are asked for",
            field=field,
            remedy=f"at most {MOST_PIXELS:,} pixels together: ask for fewer weeks, or send the print at 20 px/cm",
        )
    return picture


async def _predict(
    laid: LaidPrint, query: WearQuery, served: ServedWear, parts: SearchParts, clock: RequestClock
) -> Mapping[str, NDArray[Any]]:
    async with encoder_slot(parts, clock, stage="predict"):
        return await served.encoder.encode(wear_inputs(laid, query.weeks), timeout_s=clock.remaining_s())


async def _worn_prints(outputs: Mapping[str, NDArray[Any]], laid: LaidPrint, query: WearQuery) -> tuple[WornPrint, ...]:
    predicted = await asyncio.to_thread(predicted_prints, outputs, laid, query.weeks)
    return tuple(await asyncio.gather(*map(_worn_print, predicted)))


async def _worn_print(predicted: PredictedPrint) -> WornPrint:
    # Writing a PNG takes longer than anything else here, and as many are written at once as there are cores.
    image, unsure = await asyncio.gather(
        *(asyncio.to_thread(_png, map_) for map_ in (predicted.gray, predicted.unsure))
    )
    return WornPrint(predicted.weeks, image, unsure, mean_unsure=float(predicted.unsure.mean()) / _FULL)


def _png(gray: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", gray)
    if not done:
        raise Unavailable(f"a picture of shape {gray.shape} could not be written as PNG")
    return data.tobytes()


def _report(
    query: WearQuery, served: ServedWear, *, picture: DecodedImage, laid: LaidPrint, prints: tuple[WornPrint, ...]
) -> WearAnswer:
    spec = served.model.spec
    return WearAnswer(
        prints=prints,
        backward=query.direction is Direction.BACKWARD,
        model=spec.name,
        model_hash=spec.hash,
        trained_on=spec.trained_on,
        probe_sha256=picture.sha256,
        steps=(*picture.steps, *_steps(laid)),
        warnings=picture.warnings,
        settings={
            **{name: str(value) for name, value in spec.settings.items()},
            "weeks": " ".join(map(str, query.weeks)),
        },
    )


def _steps(laid: LaidPrint) -> tuple[str, ...]:
    """What was done to the decoded picture, and is undone in the predictions where it can be."""
    height, width = laid.size_px
    reduced = (f"reduced from {width} x {height} px to {laid.width} x {laid.height} px",)
    return (
        "paper and ink brought to the levels 255 and 0",
        *(reduced if (laid.height, laid.width) != laid.size_px else ()),
        f"laid on the model's canvas of {CANVAS_PX[1]} x {CANVAS_PX[0]} px",
    )
