"""Editions, verifications and rebuilds for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

from collections.abc import Iterable

from outsole.answers import ItemState
from outsole.api.convert_gallery import STATE_FROM_WIRE
from outsole.api.generated.outsole.v1 import gallery_pb2
from outsole.errors import InvalidInput
from outsole.lifecycle import EditionCheck, EditionInfo, RebuildProgress


def edition_to_wire(info: EditionInfo) -> gallery_pb2.Edition:
    """An edition for the wire."""
    return gallery_pb2.Edition(**vars(info))


def edition_from_wire(message: gallery_pb2.Edition) -> EditionInfo:
    """An edition as it was sent."""
    return EditionInfo(
        edition=message.edition,
        created=message.created,
        items=message.items,
        models=message.models,
        states=dict(message.states),
        in_force=message.in_force,
        in_force_since=message.in_force_since,
        retired=message.retired,
        damage=message.damage,
    )


def check_to_wire(check: EditionCheck) -> gallery_pb2.VerifyEditionResponse:
    """A verification, the store's part included, for the wire."""
    return gallery_pb2.VerifyEditionResponse(
        edition=check.edition,
        files=check.files,
        size_bytes=check.size_bytes,
        vectors=check.vectors,
        store_rows=check.store_rows or 0,
        own_vectors=check.own_vectors,
        difference=check.difference,
    )


def check_from_wire(message: gallery_pb2.VerifyEditionResponse, gallery: str) -> EditionCheck:
    """A verification as it was sent."""
    return EditionCheck(
        gallery=gallery,
        edition=message.edition,
        files=message.files,
        size_bytes=message.size_bytes,
        vectors=message.vectors,
        store_rows=message.store_rows,
        own_vectors=message.own_vectors,
        difference=message.difference,
    )


def rebuild_to_wire(edition: str, progress: RebuildProgress) -> gallery_pb2.RebuildStoreResponse:
    """How far a rebuild is, for the wire."""
    return gallery_pb2.RebuildStoreResponse(edition=edition, **vars(progress))


def rebuild_from_wire(message: gallery_pb2.RebuildStoreResponse) -> RebuildProgress:
    """How far a rebuild is, as it was sent."""
    return RebuildProgress(message.done, message.total, message.field)


def item_states_from_wire(numbers: Iterable[int]) -> tuple[ItemState, ...]:
    """States wanted in a list, as they were sent. Raises ``InvalidInput`` for one that is none."""
    numbers = list(numbers)
    wrong = next((number for number in numbers if number not in STATE_FROM_WIRE), None)
    if wrong is not None:
        raise InvalidInput(f"{wrong} is no state", field="states", remedy="leave it out for all")
    return tuple(STATE_FROM_WIRE[number] for number in numbers)
