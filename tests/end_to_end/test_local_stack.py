"""``outsole up`` and ``outsole down``: a stack that outlives its starter, mends itself, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.memory import descendants
from outsole import cli
from outsole.api import Client
from outsole.commands.stack import READY, LocalStack, read_state, stop_running
from outsole.errors import MissingPart
from outsole.inference.triton_environment import triton_environment
from outsole.settings import StackSettings


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def test_a_stack_starts_mends_itself_and_stops_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        triton_environment()
    except MissingPart as error:
        pytest.skip(str(error))
    home = tmp_path / "home"
    try:
        assert cli.run(["up", "--detach", "--free-ports", "--home", str(home)]) == 0
        state = read_state(home)
        assert state is not None
        assert state.phase == READY
        assert f":{state.ports['grpc_port']}" in capsys.readouterr().out
        with Client(state.settings(home).target) as client:
            assert client.list_galleries() == ()

        os.kill(state.triton_pid, signal.SIGKILL)

        def is_mended() -> bool:
            found = read_state(home)
            return found is not None and found.triton_restarts == 1

        assert _within(15, is_mended)
        family = descendants(state.pid)
        assert len(family) > 3
        assert cli.run(["down", "--home", str(home)]) == 0
        assert _within(10, lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and _runs(pid) for pid in family))
    finally:
        stop_running(home)


def test_a_stack_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    ray_dirs = set(Path(tempfile.gettempdir()).glob("outsole-ray-*"))
    stack = LocalStack(StackSettings(tmp_path / "home").on_free_ports())
    stack.start()
    try:
        # Ray's agents start late, and are what would be left.
        assert _within(30, lambda: any(_is_agent(pid) for pid in descendants(stack.pid)))
        family = descendants(stack.pid)
        state = read_state(tmp_path / "home")
        assert state is not None
        assert state.phase != READY
    finally:
        stack.stop()
    assert not [pid for pid in family if _runs(pid)]
    assert set(Path(tempfile.gettempdir()).glob("outsole-ray-*")) == ray_dirs


def _is_agent(pid: int) -> bool:
    try:
        return b"Agent" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _runs(pid: int) -> bool:
    """Whether a process runs, as opposed to one that ended and is not yet noticed by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
