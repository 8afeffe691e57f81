"""``outsole ingest``, ``retire`` and ``restore`` against a gRPC server in this process."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from outsole import cli
from outsole.api.convert_operations import operation_to_wire, states_from_wire
from outsole.api.generated.outsole.v1 import gallery_pb2, gallery_pb2_grpc, index_pb2, index_pb2_grpc
from outsole.errors import InvalidInput
from outsole.operations import ItemFailure, OperationInfo, WorkProgress, WorkState

INFO = OperationInfo(
    "abc-1",
    "ingest",
    "soles",
    "/feeds/a",
    WorkState.RUNNING,
    "2026-01-02T03:04:05.000006+00:00",
    progress=WorkProgress(3, 5, "images", "encode", 2.5, 0.8),
)
ENDED = dataclasses.replace(
    INFO,
    state=WorkState.SUCCEEDED,
    progress=WorkProgress(5, 5, "images", "write edition"),
    result="edition-1",
    item_error_count=1,
    item_errors=(ItemFailure("item-4", "it is no picture"),),
)


class Service(index_pb2_grpc.IndexServiceServicer, gallery_pb2_grpc.GalleryServiceServicer):
    """One operation that goes on a step each time that somebody looks."""

    def __init__(self) -> None:
        self.steps = [INFO, ENDED]
        self.asked: list[Any] = []

    def StartIngest(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return index_pb2.StartIngestResponse(operation=operation_to_wire(self.steps[0]))

    def GetOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        if len(self.steps) > 1:
            self.steps.pop(0)
        return index_pb2.GetOperationResponse(operation=operation_to_wire(self.steps[0]))

    def ListOperations(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return index_pb2.ListOperationsResponse(operations=[operation_to_wire(INFO)])

    def CancelOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        stopped = dataclasses.replace(INFO, state=WorkState.CANCELLED)
        return index_pb2.CancelOperationResponse(operation=operation_to_wire(stopped))

    def PauseOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        paused = dataclasses.replace(INFO, state=WorkState.PAUSED)
        return index_pb2.PauseOperationResponse(operation=operation_to_wire(paused))

    def ResumeOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        return index_pb2.ResumeOperationResponse(operation=operation_to_wire(INFO))

    def RetireItem(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return gallery_pb2.RetireItemResponse(edition="edition-2")

    def RestoreItem(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        return gallery_pb2.RestoreItemResponse(edition="edition-1")


class Running:
    """The server, and commands against it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.service = Service()
        self._capsys = capsys
        self.server = grpc.server(ThreadPoolExecutor(2))
        index_pb2_grpc.add_IndexServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and standard output."""
        status = cli.run([*arguments, "--target", self.target])
        return status, self._capsys.readouterr().out


@pytest.fixture
def running(capsys: pytest.CaptureFixture[str]) -> Iterator[Running]:
    made = Running(capsys)
    yield made
    made.server.stop(None).wait(5)


def test_an_ingest_is_started_and_its_operation_is_said(running: Running) -> None:
    status, text = running.run("ingest", "start", "/feeds/a", "--gallery", "soles", "--dry-run", "--request-id", "mine")
    assert status == 0
    assert "abc-1" in text
    assert "encode 3 of 5 images, 2.5 a second" in text
    (asked,) = running.service.asked
    assert (asked.gallery, asked.source_uri, asked.dry_run, asked.request_id) == ("soles", "/feeds/a", True, "mine")


@pytest.mark.parametrize(("state", "wanted"), [(WorkState.SUCCEEDED, 0), (WorkState.FAILED, 1)])
def test_an_ingest_is_followed_to_its_end(running: Running, state: WorkState, wanted: int) -> None:
    error = InvalidInput("no image can be used") if state is WorkState.FAILED else None
    running.service.steps[-1] = dataclasses.replace(ENDED, state=state, error=error)
    status, text = running.run("ingest", "start", "/feeds/a", "--gallery", "soles", "--wait")
    assert status == wanted
    assert "it is no picture" in text
    assert ("no image can be used" in text) == (state is WorkState.FAILED)


def test_an_operation_is_json_with_what_could_not_be_used(running: Running) -> None:
    status, text = running.run("ingest", "status", "abc-1", "--json")
    found = json.loads(text)
    assert (status, found["state"], found["result"]) == (0, "succeeded", "edition-1")
    assert found["item_errors"] == [{"item": "item-4", "reason": "it is no picture"}]


def test_operations_are_listed_by_state_and_cancelled(running: Running) -> None:
    status, text = running.run("ingest", "list", "--state", "running")
    assert (status, "abc-1" in text) == (0, True)
    assert states_from_wire(running.service.asked[-1].states) == {WorkState.RUNNING}
    assert "cancelled" in running.run("ingest", "cancel", "abc-1")[1]
    assert "cancelled" in running.run("operations", "cancel", "abc-1")[1]


def test_an_operation_is_paused_and_goes_on(running: Running) -> None:
    assert "paused" in running.run("operations", "pause", "abc-1")[1]
    status, text = running.run("operations", "resume", "abc-1")
    assert (status, "running" in text) == (0, True)


def test_an_item_is_retired_and_restored_with_a_reason(running: Running) -> None:
    assert "edition-2" in running.run("retire", "soles", "item-7", "--reason", "withdrawn")[1]
    asked = running.service.asked[-1]
    assert (asked.gallery, asked.item_id, asked.reason) == ("soles", "item-7", "withdrawn")
    assert asked.by
    assert "edition-1" in running.run("restore", "soles", "item-7", "--reason", "it was another")[1]
    assert running.run("retire", "soles", "item-7")[0] == 2
