"""Work that ends in order when its process is told to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
from outsole.stopping import until_told

def work(stop):
    print("begun", flush=True)
    assert stop.wait(30)
    print("cleaned up", flush=True)
    return 7

raise SystemExit(until_told(work))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_between_its_steps(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.wait(10) == 7
        assert process.stdout.read() == "cleaned up\n"


def test_what_the_work_raises_is_raised() -> None:
    program = PROGRAM.replace("assert stop.wait(30)", "raise ValueError('no')")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "ValueError: no" in done.stderr
