"""Both clients ask about wear of a real gRPC server in this process."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

from outsole.api import AsyncClient, Client, convert_wear
from outsole.api.generated.outsole.v1 import wear_pb2_grpc
from outsole.api.records import EvidenceRef
from outsole.errors import InvalidInput
from tests.unit.outsole.api.made_wear import WEAR

BACKWARD = dataclasses.replace(WEAR, backward=True, model="wear_backward")


class ScriptedService(wear_pb2_grpc.WearServiceServicer):
    """Answers from constants."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def PredictWear(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return convert_wear.prediction_to_wire(WEAR)

    def ReconstructOutsole(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        return convert_wear.reconstruction_to_wire(BACKWARD)


class Running:
    """A server on a free port, and a way to call it with either client."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.service = ScriptedService()
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        wear_pb2_grpc.add_WearServiceServicer_to_server(self.service, self.server)  # type: ignore[no-untyped-call]
        self.target = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        if self.kind == "async":
            return asyncio.run(self._called(name, *arguments, **options))
        with Client(self.target) as client:
            return getattr(client, name)(*arguments, **options)

    async def _called(self, name: str, *arguments: Any, **options: Any) -> Any:
        async with AsyncClient(self.target) as client:
            return await getattr(client, name)(*arguments, **options)


@pytest.fixture(params=["blocking", "async"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    made = Running(request.param)
    yield made
    made.server.stop(None).wait(5)


def test_answers_come_back_as_they_were_sent_and_say_which_way_they_look(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "print.png"
    path.write_bytes(b"picture")
    assert running.call("predict_wear", path, weeks=(12, 52)) == WEAR
    assert running.call("reconstruct_outsole", EvidenceRef("ab" * 32, 7), weeks=[4], budget_ms=900) == BACKWARD
    forward, backward = running.service.requests
    assert (forward.image, list(forward.weeks), forward.budget_ms) == (b"picture", [12, 52], 30_000)
    assert (backward.evidence_sha256, list(backward.weeks), backward.budget_ms) == ("ab" * 32, [4], 900)


def test_what_makes_no_sense_is_left_to_the_service_and_what_cannot_be_sent_is_refused(running: Running) -> None:
    running.call("predict_wear", b"x", weeks=(-2, 53))
    assert list(running.service.requests[-1].weeks) == [-2, 53]
    for week in (2**31, 1.5, "4"):
        with pytest.raises(InvalidInput, match=r"weeks\[1\]"):
            running.call("predict_wear", b"x", weeks=(4, week))
    with pytest.raises(TypeError, match="gallery"):
        running.call("predict_wear", b"x", weeks=(4,), gallery="soles")
    assert len(running.service.requests) == 1
