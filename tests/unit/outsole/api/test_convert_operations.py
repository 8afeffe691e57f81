"""Long work goes over the wire and comes back as it was."""

from __future__ import annotations

import dataclasses

import pytest

from outsole.api.convert_lifecycle import item_states_from_wire
from outsole.api.convert_operations import operation_from_wire, operation_to_wire, states_from_wire, states_to_wire
from outsole.errors import InvalidInput, OutsoleError
from outsole.operations import INGEST, ItemFailure, OperationInfo, WorkProgress, WorkState

AT = "2026-01-02T03:04:05.000006+00:00"
INFO = OperationInfo(
    "abc-1",
    INGEST,
    "soles",
    "/feeds/a",
    WorkState.FAILED,
    AT,
    progress=WorkProgress(3, 5, "images", "encode", 2.5, 0.8),
    finished=AT,
    item_error_count=2,
    item_errors=(ItemFailure("item-1", "it is no picture"),),
)


@pytest.mark.parametrize("state", WorkState)
def test_an_operation_comes_back_as_it_was(state: WorkState) -> None:
    info = dataclasses.replace(INFO, state=state)
    assert operation_from_wire(operation_to_wire(info)) == info
    assert operation_from_wire(operation_to_wire(dataclasses.replace(info, finished=""))).finished == ""


def test_the_error_of_the_whole_keeps_its_class_field_and_remedy() -> None:
    error = InvalidInput("no image can be used", field="source", remedy="send another")
    found = operation_from_wire(operation_to_wire(dataclasses.replace(INFO, error=error))).error
    assert isinstance(found, InvalidInput)
    assert (found.message, found.field, found.remedy) == (error.message, error.field, error.remedy)
    plain = operation_from_wire(operation_to_wire(dataclasses.replace(INFO, error=OutsoleError("broken")))).error
    assert type(plain) is OutsoleError


def test_states_are_converted_and_one_that_is_none_is_refused() -> None:
    assert states_from_wire(states_to_wire(WorkState)) == frozenset(WorkState)
    for convert in (states_from_wire, item_states_from_wire):
        with pytest.raises(InvalidInput, match="states"):
            convert([0])
