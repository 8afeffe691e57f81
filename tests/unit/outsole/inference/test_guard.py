"""The guard, as the program it is, around small shell commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

import outsole.inference.guard as guard

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the guard uses Linux's parent-death signal")


def guarded(*command: str, parent: int, grace_s: float = 1.0, shm_prefix: str = "outsole-test-none-") -> list[str]:
    options = ["--parent", str(parent), "--grace-s", str(grace_s), "--shm-prefix", shm_prefix, "--"]
    return [sys.executable, "-I", "-S", guard.__file__, *options, *command]


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_the_exit_status_of_the_command_is_handed_on() -> None:
    assert subprocess.run(guarded("sh", "-c", "exit 7", parent=os.getpid()), timeout=20).returncode == 7


def test_a_command_that_ignores_sigterm_is_killed_with_its_children_and_its_shared_memory(tmp_path: Path) -> None:
    prefix = f"outsole-test-{uuid.uuid4()}-"
    region = Path("/dev/shm") / f"{prefix}region"
    region.touch()
    script = f"trap '' TERM; sleep 60 & echo $! $$ > {tmp_path}/pids; while true; do sleep 0.1; done"
    process = subprocess.Popen(guarded("sh", "-c", script, parent=os.getpid(), grace_s=0.3, shm_prefix=prefix))
    assert within(10, lambda: (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) == 2)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGKILL
    assert within(5, lambda: not any(map(runs, pids)))
    assert not region.exists()


@pytest.mark.parametrize("stays", [False, True])
def test_the_command_ends_with_a_killed_parent_unless_it_may_outlive_it(tmp_path: Path, stays: bool) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(stays), str(tmp_path), guard.__file__])
    pid_file = tmp_path / "pid"
    assert within(10, lambda: pid_file.exists() and pid_file.read_text().strip() != "")
    pid = int(pid_file.read_text())
    parent.kill()
    parent.wait()
    if not stays:
        assert within(5, lambda: not runs(pid))
        return
    time.sleep(0.6)
    assert runs(pid)
    os.kill(int((tmp_path / "guard").read_text()), signal.SIGTERM)
    assert within(5, lambda: not runs(pid))


_PARENT = """
import os, pathlib, subprocess, sys, time
stays, folder, guard = sys.argv[1] == "True", pathlib.Path(sys.argv[2]), sys.argv[3]
options = ["--parent", "0" if stays else str(os.getpid()), "--grace-s", "1", "--shm-prefix", "outsole-test-none-", "--"]
command = ["sh", "-c", f"echo $$ > {folder}/pid; exec sleep 60"]
process = subprocess.Popen([sys.executable, "-I", "-S", guard, *options, *command], start_new_session=True)
(folder / "guard").write_text(str(process.pid))
time.sleep(60)
"""
