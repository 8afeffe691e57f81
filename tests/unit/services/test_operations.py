"""Operations run in real processes: queued, started in turn, cancelled, begun again after a stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from outsole.errors import InvalidInput, NotFound, PreconditionFailed
from outsole.operations import INGEST, VIDEO_SEARCH, OperationInfo, WorkState
from services.operations import Operations

# Works until the file that its request names is there; SIGTERM ends it in order, like the real one.
WORKER = """
import dataclasses, os, signal, sys, time
from pathlib import Path
from outsole.operation_folder import OperationFolder, now
from outsole.operations import WorkState

folder = OperationFolder(Path(sys.argv[1]))
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
with folder.working() as is_ours:
    assert is_ours
    request = folder.request()
    with open(folder.path / "runs", "a") as runs:
        runs.write(f"{os.getpid()}\\n")
    if request.get("crash"):
        sys.exit(7)
    while not stopped and not Path(request["until"]).exists():
        time.sleep(0.02)
    if stopped and folder.should_pause:
        folder.write(dataclasses.replace(folder.info(), state=WorkState.PAUSED))
    elif not stopped or folder.should_stop:
        state = WorkState.CANCELLED if stopped else WorkState.SUCCEEDED
        folder.write(dataclasses.replace(folder.info(), state=state, result="made", finished=now()))
"""


class Bench:
    """Operations whose work a test ends by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.command = [sys.executable, "-c", WORKER]
        self.operations = Operations(root / "operations", command=self.command)

    def start(self, gallery: str, **options: object) -> OperationInfo:
        request_id = str(options.pop("request_id", ""))
        request = {"gallery": gallery, "until": str(self.root / f"done-{gallery}"), **options}
        return self.operations.start(request, kind=INGEST, gallery=gallery, source="/feeds/a", request_id=request_id)

    def finish(self, gallery: str) -> None:
        (self.root / f"done-{gallery}").touch()

    def state(self, info: OperationInfo) -> WorkState:
        self.operations.look()
        return self.operations.get(info.operation_id).state

    def runs(self, info: OperationInfo) -> int:
        return len(self.pids(info))

    def pids(self, info: OperationInfo) -> list[int]:
        path = self.root / "operations" / info.operation_id / "runs"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


def until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.operations.close()


def test_an_operation_runs_in_a_process_and_says_what_it_made(bench: Bench) -> None:
    info = bench.start("soles")
    assert info.state is WorkState.RUNNING
    bench.finish("soles")
    assert until(lambda: bench.state(info) is WorkState.SUCCEEDED)
    assert bench.operations.get(info.operation_id).result == "made"


def test_one_gallery_has_one_at_a_time_and_two_run_in_all(bench: Bench) -> None:
    first, second = bench.start("a"), bench.start("a", again=True)
    third, fourth = bench.start("b"), bench.start("c")
    states = [bench.state(info) for info in (first, second, third, fourth)]
    assert states == [WorkState.RUNNING, WorkState.QUEUED, WorkState.RUNNING, WorkState.QUEUED]
    bench.finish("a")
    # Both of the first gallery are worked off before it is the last one's turn only if they came before it.
    assert until(lambda: bench.state(second) is WorkState.SUCCEEDED)
    assert bench.state(third) is WorkState.RUNNING
    assert until(lambda: bench.state(fourth) is WorkState.RUNNING)
    listed = bench.operations.listed()
    assert [info.operation_id for info in listed] == [i.operation_id for i in (fourth, third, second, first)]
    running = bench.operations.listed((WorkState.RUNNING,))
    assert {info.gallery for info in running} == {"b", "c"}


def test_the_same_request_gives_the_same_operation_while_it_works(bench: Bench) -> None:
    first = bench.start("soles")
    assert bench.start("soles").operation_id == first.operation_id
    bench.finish("soles")
    assert until(lambda: bench.state(first) is WorkState.SUCCEEDED)
    assert bench.start("soles").operation_id != first.operation_id


def test_a_named_request_gives_the_same_operation_for_ever(bench: Bench) -> None:
    first = bench.start("soles", request_id="mine")
    bench.finish("soles")
    assert until(lambda: bench.state(first) is WorkState.SUCCEEDED)
    assert bench.start("soles", request_id="mine").operation_id == first.operation_id
    assert bench.start("soles", request_id="another").operation_id != first.operation_id


def test_a_cancelled_operation_ends_and_one_that_waits_never_begins(bench: Bench) -> None:
    first, second = bench.start("a"), bench.start("a", again=True)
    assert until(lambda: bench.runs(first) == 1)
    assert bench.operations.cancel(second.operation_id).state is WorkState.CANCELLED
    bench.operations.cancel(first.operation_id)
    assert until(lambda: bench.state(first) is WorkState.CANCELLED)
    assert bench.operations.cancel(first.operation_id).state is WorkState.CANCELLED
    assert (bench.runs(first), bench.runs(second)) == (1, 0)


def test_a_process_that_breaks_down_fails_its_operation(bench: Bench) -> None:
    info = bench.start("soles", crash=True)
    assert until(lambda: bench.state(info) is WorkState.FAILED)
    assert "status 7" in str(bench.operations.get(info.operation_id).error)


def test_what_was_at_work_when_the_service_stopped_goes_on_when_it_starts(bench: Bench) -> None:
    working, waiting = bench.start("a"), bench.start("a", again=True)
    assert until(lambda: bench.runs(working) == 1)
    bench.operations.close()
    assert bench.operations.get(working.operation_id).state is WorkState.RUNNING
    bench.operations = Operations(bench.root / "operations", command=bench.command)
    bench.finish("a")
    assert until(lambda: bench.state(waiting) is WorkState.SUCCEEDED)
    assert (bench.state(working), bench.runs(working), bench.runs(waiting)) == (WorkState.SUCCEEDED, 2, 1)


def test_an_operation_whose_process_outlived_its_service_is_not_begun_beside_it(bench: Bench) -> None:
    info = bench.start("a")
    assert until(lambda: bench.runs(info) == 1)
    second = Operations(bench.root / "operations", command=bench.command)
    for _ in range(5):
        second.look()
    assert bench.runs(info) == 1
    bench.finish("a")
    assert until(lambda: second.get(info.operation_id).state is WorkState.SUCCEEDED)


def test_a_paused_operation_has_no_process_and_goes_on_when_it_is_told(bench: Bench) -> None:
    info, other = bench.start("a"), bench.start("a", again=True)
    assert until(lambda: bench.runs(info) == 1)
    bench.operations.pause(info.operation_id)
    assert until(lambda: bench.state(info) is WorkState.PAUSED)
    # It keeps nobody waiting, and stays as it is when the service starts again.
    assert until(lambda: bench.state(other) is WorkState.RUNNING)
    bench.operations.close()
    bench.operations = Operations(bench.root / "operations", command=bench.command)
    assert bench.state(info) is WorkState.PAUSED
    bench.finish("a")
    assert until(lambda: bench.state(other) is WorkState.SUCCEEDED)
    assert bench.runs(info) == 1
    assert not bench.operations.resume(info.operation_id).state.is_over
    assert until(lambda: bench.state(info) is WorkState.SUCCEEDED)
    assert bench.runs(info) == 2


def test_one_that_waits_is_paused_at_once_and_a_paused_one_is_cancelled_at_once(bench: Bench) -> None:
    bench.start("a")
    waiting = bench.start("a", again=True)
    assert bench.operations.pause(waiting.operation_id).state is WorkState.PAUSED
    assert bench.operations.pause(waiting.operation_id).state is WorkState.PAUSED
    assert bench.operations.resume(waiting.operation_id).state is WorkState.QUEUED
    bench.operations.pause(waiting.operation_id)
    assert bench.operations.cancel(waiting.operation_id).state is WorkState.CANCELLED
    assert bench.operations.pause(waiting.operation_id).state is WorkState.CANCELLED
    with pytest.raises(PreconditionFailed):
        bench.operations.resume(waiting.operation_id)
    assert bench.runs(waiting) == 0


def test_one_that_is_told_to_go_on_while_it_stops_goes_on(bench: Bench) -> None:
    info = bench.start("a")
    assert until(lambda: bench.runs(info) == 1)
    bench.operations.pause(info.operation_id)
    bench.operations.resume(info.operation_id)
    bench.finish("a")
    assert until(lambda: bench.state(info) is WorkState.SUCCEEDED)


def test_one_whose_process_is_killed_goes_on_but_not_for_ever(bench: Bench) -> None:
    info = bench.start("a")
    for number in range(1, 4):
        assert until(lambda number=number: bench.state(info) and bench.runs(info) == number)  # type: ignore[misc]
        assert bench.state(info) is WorkState.RUNNING
        os.kill(bench.pids(info)[-1], signal.SIGKILL)
    assert until(lambda: bench.state(info) is WorkState.FAILED)
    # Whoever knows what killed it may begin it again.
    bench.finish("a")
    bench.operations.resume(info.operation_id)
    assert until(lambda: bench.state(info) is WorkState.SUCCEEDED)
    assert bench.operations.get(info.operation_id).error is None


def test_who_writes_to_no_gallery_waits_for_nobody(bench: Bench) -> None:
    request = {"until": str(bench.root / "done-none")}
    started = [
        bench.operations.start({**request, "number": number}, kind=VIDEO_SEARCH, gallery="", source="door")
        for number in range(3)
    ]
    assert [bench.state(info) for info in started] == [WorkState.RUNNING, WorkState.RUNNING, WorkState.QUEUED]
    bench.finish("none")
    assert until(lambda: all(bench.state(info) is WorkState.SUCCEEDED for info in started))


@pytest.mark.parametrize(("name", "kind"), [("nothing", NotFound), ("../escape", InvalidInput)])
def test_an_unknown_operation_is_said_to_be_unknown(bench: Bench, name: str, kind: type[Exception]) -> None:
    owner = bench.operations
    for ask in (owner.get, owner.cancel, owner.pause, owner.resume):
        with pytest.raises(kind):
            ask(name)
