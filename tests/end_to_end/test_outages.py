"""Triton and Milvus go away and come back: callers are told, and service resumes by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from outsole.answers import SearchMode
from outsole.api.errors import DETAILS_KEY
from outsole.api.generated.outsole.v1 import common_pb2, errors_pb2, retrieval_pb2, retrieval_pb2_grpc
from outsole.free_ports import free_ports
from outsole.inference.embedded_server import EmbeddedTriton
from outsole.inference.triton_environment import TritonEnvironment
from tests.end_to_end.stack import GALLERY, Stack, is_healthy, running_stack, triton_server, wait_until

_BACK_LIMIT_S = 40.0


def test_searches_are_unavailable_without_triton_and_come_back_with_it(stack: Stack) -> None:
    with grpc.insecure_channel(stack.target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=120)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        stack.triton.stop()
        try:
            assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
            retry_after_s, text = unavailable(stack, SearchMode.EXHAUSTIVE)
            assert retry_after_s > 0
            assert "Traceback" not in text
            with stack.client() as client:
                assert not client.health("outsole.v1.RetrievalService")
                assert client.health("outsole.v1.GalleryService")
                assert client.get_item(GALLERY, "00001").item_id == "00001"
        finally:
            restart(stack.triton)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
    with stack.client() as client:
        assert client.search_print(stack.probe(), gallery=GALLERY).hits


def test_a_client_that_retries_does_not_see_a_short_outage(stack: Stack) -> None:
    stack.triton.stop()
    with stack.client(retries=20, timeout_s=60.0) as client:
        restart(stack.triton)
        assert client.search_print(stack.probe(), gallery=GALLERY).hits


def test_a_reranker_that_is_killed_is_replaced_and_nothing_of_it_reaches_the_caller(stack: Stack) -> None:
    os.kill(reranker_pid(stack), signal.SIGKILL)
    with stack.client(retries=40, timeout_s=60.0) as client:
        assert client.search_print(stack.probe(), gallery=GALLERY).hits


def test_without_milvus_a_shortlist_is_refused_and_the_whole_gallery_still_searched(
    tmp_path: Path, triton_parts: TritonEnvironment
) -> None:
    (port,) = free_ports(1, host="127.0.0.1")
    home, data = tmp_path / "home", tmp_path / "milvus"
    with (
        triton_server(tmp_path / "triton", triton_parts) as triton,
        milvus(data, port) as server,
        running_stack(home, triton, milvus_uri=f"http://127.0.0.1:{port}") as stack,
        stack.client() as client,
    ):
        before = client.search_print(stack.probe(), gallery=GALLERY)
        server.terminate()
        server.wait(20)
        retry_after_s, _ = unavailable(stack, SearchMode.SHORTLIST)
        assert retry_after_s > 0
        assert client.search_print(stack.probe(), gallery=GALLERY, mode=SearchMode.EXHAUSTIVE).hits
        assert wait_until(lambda: not is_healthy(client), _BACK_LIMIT_S)
        with milvus(data, port):
            assert wait_until(lambda: is_healthy(client), _BACK_LIMIT_S)
            assert client.search_print(stack.probe(), gallery=GALLERY).hits == before.hits


def reranker_pid(stack: Stack) -> int:
    """Process id of the stack's reranker: Ray puts what a worker does into its name."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name, status = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
        except OSError:
            continue
        # Other stacks may run on this machine; the home directory is ours alone.
        if b"ServeReplica:outsole:Reranker" in name and str(stack.settings.home).encode() in status:
            found.append(int(entry.name))
    (pid,) = found
    return pid


def unavailable(stack: Stack, mode: SearchMode) -> tuple[float, str]:
    """Seconds that RetryInfo names, and the text, of a search that must be UNAVAILABLE."""
    wire = common_pb2.SEARCH_MODE_SHORTLIST if mode is SearchMode.SHORTLIST else common_pb2.SEARCH_MODE_EXHAUSTIVE
    request = retrieval_pb2.SearchPrintRequest(image=stack.probe(), gallery=GALLERY, mode=wire)
    with grpc.insecure_channel(stack.target) as channel:
        stub = retrieval_pb2_grpc.RetrievalServiceStub(channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.RpcError) as caught:
            stub.SearchPrint(request, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE, caught.value.details()
    status = errors_pb2.Status.FromString(dict(caught.value.trailing_metadata())[DETAILS_KEY])
    delays = [
        errors_pb2.RetryInfo.FromString(detail.value).retry_delay.ToNanoseconds() / 1e9
        for detail in status.details
        if detail.type_url.endswith("google.rpc.RetryInfo")
    ]
    return (delays or [0.0])[0], caught.value.details()


def restart(triton: EmbeddedTriton) -> None:
    """Start a stopped server on the ports it had."""
    triton.start()
    triton.wait_ready()


@contextmanager
def milvus(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Milvus that is reached over the network, and can go away: Milvus Lite's own server."""
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=30)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
