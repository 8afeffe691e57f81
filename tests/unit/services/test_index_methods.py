"""The RPCs of the index service refuse what cannot be asked before anything is started."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from outsole.api.generated.outsole.v1 import index_pb2, operations_pb2
from outsole.errors import NotFound
from outsole.operations import INGEST, OperationInfo, WorkState
from services.index_methods import IndexMethods
from services.indexing import Asked
from services.telemetry import NullRecorder

INFO = OperationInfo("abc-1", INGEST, "soles", "/feeds/a", WorkState.QUEUED, "2026-01-02T03:04:05.000006+00:00")


class Context:
    """Notes the status of a call."""

    code = grpc.StatusCode.OK
    details = ""

    def set_code(self, code: grpc.StatusCode) -> None:
        self.code = code

    def set_details(self, details: str) -> None:
        self.details = details

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        pass


class Indexing:
    """Knows one operation."""

    def __init__(self) -> None:
        self.asked: list[Asked | str] = []

    async def one(self, method: str, argument: Asked | str) -> OperationInfo:
        self.asked.append(argument)
        if argument not in ("abc-1", Asked("soles", "/feeds/a", request_id="mine")):
            raise NotFound("there is no operation", field="operation_id")
        return INFO

    async def page(
        self, states: frozenset[WorkState], *, size: int, token: str
    ) -> tuple[tuple[OperationInfo, ...], str]:
        return (INFO,) * size, "more"


class Service(IndexMethods):
    """The methods over an owner in this process."""

    recorder = NullRecorder()

    def __init__(self) -> None:
        self.indexing = Indexing()  # type: ignore[assignment]


def ask(method: str, request: Any) -> tuple[Any, Context, Indexing]:
    service, context = Service(), Context()
    answer = asyncio.run(getattr(service, method)(request, context))
    return answer, context, service.indexing  # type: ignore[return-value]


def test_an_ingest_reaches_the_owner_as_it_was_asked_for() -> None:
    request = index_pb2.StartIngestRequest(gallery="soles", source_uri="/feeds/a", request_id="mine")
    answer, context, _ = ask("StartIngest", request)
    assert (context.code, answer.operation.operation_id) == (grpc.StatusCode.OK, "abc-1")
    assert answer.operation.state == operations_pb2.OPERATION_STATE_QUEUED


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gallery": "../escape"}, "gallery"),
        ({"gallery": ""}, "gallery"),
        ({"request_id": "x" * 101}, "request_id"),
        ({"feed": "x" * 201}, "feed"),
        ({"encoder": "a\nb"}, "encoder"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(change: dict[str, str], field: str) -> None:
    request = index_pb2.StartIngestRequest(gallery="soles", source_uri="/feeds/a")
    for name, value in change.items():
        setattr(request, name, value)
    answer, context, indexing = ask("StartIngest", request)
    assert context.code is grpc.StatusCode.INVALID_ARGUMENT
    assert context.details.startswith(f"{field}: ")
    assert (indexing.asked, answer) == ([], index_pb2.StartIngestResponse())


@pytest.mark.parametrize("method", ["GetOperation", "CancelOperation"])
def test_an_operation_is_asked_for_by_name(method: str) -> None:
    kind = getattr(index_pb2, f"{method}Request")
    answer, context, _ = ask(method, kind(operation_id="abc-1"))
    assert (context.code, answer.operation.operation_id) == (grpc.StatusCode.OK, "abc-1")
    for name, code in (
        ("", grpc.StatusCode.INVALID_ARGUMENT),
        ("../escape", grpc.StatusCode.INVALID_ARGUMENT),
        ("nothing", grpc.StatusCode.NOT_FOUND),
    ):
        assert ask(method, kind(operation_id=name))[1].code is code


def test_a_list_has_pages() -> None:
    request = index_pb2.ListOperationsRequest()
    request.page.page_size = 3
    answer, _, _ = ask("ListOperations", request)
    assert (len(answer.operations), answer.next_page_token) == (3, "more")
    request.states.append(operations_pb2.OPERATION_STATE_UNSPECIFIED)
    assert ask("ListOperations", request)[1].code is grpc.StatusCode.INVALID_ARGUMENT
