from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outsole.commands.stack import LocalStack, StackState, is_supervisor, read_state, stop_running
from outsole.errors import InvalidInput, Unavailable
from outsole.settings import StackSettings


def _state(home: Path, pid: int) -> StackState:
    return StackState(pid, "ready", "triton", "", 0, 0, 0.0, StackSettings(home).ports())


def test_a_home_without_a_stack_has_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert not stop_running(tmp_path)


def test_the_number_of_another_program_is_no_stack(tmp_path: Path) -> None:
    _state(tmp_path, os.getppid()).write(tmp_path)
    assert read_state(tmp_path) is None


def test_a_state_that_is_no_json_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    assert read_state(tmp_path) is None


def test_the_state_is_read_as_it_was_written_and_its_process_can_be_stopped(tmp_path: Path) -> None:
    # The name on the command line is what a supervisor is known by.
    command = [sys.executable, "-c", "print(flush=True); input()", "outsole.commands.supervisor"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        state = _state(tmp_path, process.pid)
        state.write(tmp_path)
        assert read_state(tmp_path) == state
        assert state.settings(tmp_path) == StackSettings(tmp_path)
        with pytest.raises(InvalidInput, match="runs here already"):
            LocalStack(StackSettings(tmp_path)).start()
        assert stop_running(tmp_path)
        process.communicate()
    assert not is_supervisor(process.pid)


def test_a_stack_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    stack = LocalStack(StackSettings(tmp_path).on_free_ports(), variables={"OUTSOLE_NONSENSE": "1"})
    with pytest.raises(Unavailable, match="OUTSOLE_NONSENSE"):
        stack.__enter__()
    assert read_state(tmp_path) is None
