"""Long work for the wire and back; see ``outsole.api.convert``."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from outsole.api.errors import from_status, to_status
from outsole.api.generated.outsole.v1 import operations_pb2
from outsole.errors import InvalidInput
from outsole.operations import ItemFailure, OperationInfo, WorkProgress, WorkState

_TO_WIRE = {
    WorkState.QUEUED: operations_pb2.OPERATION_STATE_QUEUED,
    WorkState.RUNNING: operations_pb2.OPERATION_STATE_RUNNING,
    WorkState.SUCCEEDED: operations_pb2.OPERATION_STATE_SUCCEEDED,
    WorkState.FAILED: operations_pb2.OPERATION_STATE_FAILED,
    WorkState.CANCELLED: operations_pb2.OPERATION_STATE_CANCELLED,
    WorkState.PAUSED: operations_pb2.OPERATION_STATE_PAUSED,
}
_FROM_WIRE: dict[int, WorkState] = {number: state for state, number in _TO_WIRE.items()}


def operation_to_wire(info: OperationInfo) -> operations_pb2.Operation:
    """An operation for the wire."""
    message = operations_pb2.Operation(
        operation_id=info.operation_id,
        kind=info.kind,
        state=_TO_WIRE[info.state],
        progress=operations_pb2.Progress(**vars(info.progress)),
        item_error_count=info.item_error_count,
        created_time=_time_to_wire(info.created),
        result=info.result,
        gallery=info.gallery,
        source_uri=info.source,
    )
    for failure in info.item_errors:
        status = to_status(InvalidInput(failure.reason))
        message.item_errors.append(operations_pb2.ItemError(item=failure.item, error=status))
    if info.error is not None:
        message.error.CopyFrom(to_status(info.error))
    if info.finished:
        message.finished_time.CopyFrom(_time_to_wire(info.finished))
    return message


def operation_from_wire(message: operations_pb2.Operation) -> OperationInfo:
    """An operation as it was sent."""
    progress = message.progress
    return OperationInfo(
        operation_id=message.operation_id,
        kind=message.kind,
        gallery=message.gallery,
        source=message.source_uri,
        state=_FROM_WIRE.get(message.state, WorkState.QUEUED),
        created=_time_from_wire(message.created_time),
        progress=WorkProgress(
            done=progress.done,
            total=progress.total,
            unit=progress.unit,
            stage=progress.stage,
            units_per_second=progress.units_per_second,
            seconds_left=progress.seconds_left,
        ),
        finished=_time_from_wire(message.finished_time) if message.HasField("finished_time") else "",
        result=message.result,
        error=from_status(message.error) if message.HasField("error") else None,
        item_error_count=message.item_error_count,
        item_errors=tuple(ItemFailure(each.item, from_status(each.error).message) for each in message.item_errors),
    )


def states_to_wire(states: Iterable[WorkState]) -> list[operations_pb2.OperationState]:
    """States for the wire."""
    return [_TO_WIRE[state] for state in states]


def states_from_wire(numbers: Iterable[int]) -> frozenset[WorkState]:
    """States as they were sent. Raises ``InvalidInput`` for one that is none."""
    numbers = list(numbers)
    wrong = next((number for number in numbers if number not in _FROM_WIRE), None)
    if wrong is not None:
        raise InvalidInput(f"{wrong} is no state", field="states", remedy="leave it out for all")
    return frozenset(_FROM_WIRE[number] for number in numbers)


def _time_to_wire(text: str) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(datetime.datetime.fromisoformat(text))
    return message


def _time_from_wire(message: Timestamp) -> str:
    return message.ToDatetime(tzinfo=datetime.UTC).isoformat(timespec="microseconds")
