"""Answers about wear for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

from typing import Any

from outsole.api.generated.outsole.v1 import wear_pb2
from outsole.wear_answers import WearAnswer, WornPrint

WearResponse = wear_pb2.PredictWearResponse | wear_pb2.ReconstructOutsoleResponse
# Called alike in the record and on the wire.
_PLAIN = ("model", "model_hash", "trained_on", "simulation_notice", "probe_sha256")
_LISTS, _MAPS = ("steps", "warnings"), ("stage_ms", "settings")


def prediction_to_wire(answer: WearAnswer) -> wear_pb2.PredictWearResponse:
    """Prints from after the one that was given, for the wire."""
    response = wear_pb2.PredictWearResponse()
    _fill(response, answer)
    return response


def reconstruction_to_wire(answer: WearAnswer) -> wear_pb2.ReconstructOutsoleResponse:
    """Prints from before the one that was given, for the wire."""
    response = wear_pb2.ReconstructOutsoleResponse()
    _fill(response, answer)
    return response


def wear_answer_from_wire(message: WearResponse) -> WearAnswer:
    """The answer of a service; its kind of message says whether it looks back."""
    return WearAnswer(
        prints=tuple(
            WornPrint(worn.weeks, worn.image_png, worn.unsure_png, worn.mean_unsure) for worn in message.prints
        ),
        backward=isinstance(message, wear_pb2.ReconstructOutsoleResponse),
        **_facts(message),
    )


def _facts(message: WearResponse) -> dict[str, Any]:
    return {
        **{name: getattr(message, name) for name in _PLAIN},
        **{name: tuple(getattr(message, name)) for name in _LISTS},
        **{name: dict(getattr(message, name)) for name in _MAPS},
    }


def _fill(response: WearResponse, answer: WearAnswer) -> None:
    for name in _PLAIN:
        setattr(response, name, getattr(answer, name))
    for name in _LISTS:
        getattr(response, name).extend(getattr(answer, name))
    for name in _MAPS:
        getattr(response, name).update(getattr(answer, name))
    for worn in answer.prints:
        response.prints.add(
            weeks=worn.weeks,
            image_png=worn.image_png,
            unsure_png=worn.unsure_png,
            mean_unsure=worn.mean_unsure,
        )
