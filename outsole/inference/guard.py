"""Runs one command and takes it down, whole, when it should end; a program of the standard library only.

It sits between Outsole and the server because only a separate process can be relied on to clean up after the parent
was killed: the kernel's parent-death signal follows the *thread* that started the child and leaves shared memory.

    python -I -S guard.py --parent PID --grace-s S --shm-prefix NAME -- COMMAND...

``--parent 0`` lets the command outlive whoever started it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

POLL_S = 0.2
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the command until it ends, the parent is gone or SIGTERM / SIGINT arrives; return its exit status."""
    options = _parser().parse_args(arguments)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: asked.append(received))
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_guard() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    # A group of its own, so that the whole of it can be killed without this process; one thread, so preexec is safe.
    child = subprocess.Popen(options.command, stdin=subprocess.DEVNULL, preexec_fn=die_with_guard, process_group=0)
    while child.poll() is None and not asked and options.parent in (0, os.getppid()):
        time.sleep(POLL_S)
    _end(child, options.grace_s)
    for region in Path("/dev/shm").glob(f"{options.shm_prefix}*"):
        with contextlib.suppress(OSError):
            region.unlink()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask the child to stop, wait, then kill whatever is left of its group."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="guard")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--grace-s", type=float, required=True)
    parser.add_argument("--shm-prefix", required=True)
    parser.add_argument("command", nargs="+")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
