"""What Ray started is gone when it has stopped, the orphans of its node too; and what is forked gets to its work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from outsole.local_ray import local_ray, see_off

# A process that calls over gRPC all the time, and starts others by fork as Ray does.
_FORKS = """
import outsole
import subprocess, threading
from concurrent import futures
import grpc

server = grpc.server(futures.ThreadPoolExecutor(2))
method = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("outsole.Test", {"Echo": method}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
call = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/outsole.Test/Echo")
calling = threading.Event()

def call_on():
    while not calling.is_set():
        call(b"", timeout=5)

caller = threading.Thread(target=call_on)
caller.start()
crashed = sum(subprocess.Popen(["true"], preexec_fn=lambda: None).wait() != 0 for _ in range(300))
calling.set()
caller.join()
print(crashed)
"""

# Cycles of references that hold objects of Ray's, and a thread for which Python collects garbage while Ray stops.
_COLLECTS = """
import threading, time
import ray
from outsole.local_ray import local_ray

class Cycle:
    def __init__(self):
        self.itself, self.held = self, ray.put(b"")

def allocate():
    while ray.is_initialized():
        time.sleep(0.001)
    kept = []
    while True:
        kept += [[] for _ in range(5_000)]
        time.sleep(0.002)

with local_ray(address="local", num_cpus=1, _node_ip_address="127.0.0.1"):
    threading.Thread(target=allocate, daemon=True).start()
    for _ in range(50):
        Cycle()
print("alive")
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that would not end by itself."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as started:
        try:
            yield started
        finally:
            started.kill()


def test_nothing_that_ray_started_runs_when_it_has_stopped() -> None:
    others = set(psutil.Process().children(recursive=True))
    with local_ray(address="local", num_cpus=1, _node_ip_address="127.0.0.1"):
        family = set(psutil.Process().children(recursive=True)) - others
        assert {"raylet", "gcs_server"} <= {each.name() for each in family}
    assert [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []


def test_what_does_not_end_is_killed(process: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture) -> None:
    see_off([psutil.Process(process.pid)], within_s=0.2)
    assert process.wait(1.0) == -9
    assert f"process {process.pid} of Ray did not end within 0.2 s" in caplog.text


def test_what_has_ended_and_is_not_noticed_is_not_waited_for(
    process: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    # Nobody asks for its exit status before the fixture does.
    psutil.Process(process.pid).kill()
    see_off([psutil.Process(process.pid)], within_s=5.0)
    assert caplog.text == ""


def test_a_program_that_uses_grpc_loses_none_of_the_processes_that_it_forks() -> None:
    done = subprocess.run([sys.executable, "-c", _FORKS], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr[-2000:]


def test_a_program_outlives_ray_whatever_its_threads_collect_meanwhile() -> None:
    done = subprocess.run([sys.executable, "-c", _COLLECTS], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr[-2000:]
