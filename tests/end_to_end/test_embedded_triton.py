"""The real Triton server with Outsole's onnxruntime backend, through the real client."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import BudgetSpent, InvalidInput, MissingPart, PreconditionFailed, Unavailable
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.encoder import ModelContract, TensorShape
from outsole.inference.in_process import InProcessEncoder
from outsole.inference.triton_client import TritonClientSettings, TritonEncoder
from outsole.inference.triton_environment import TritonEnvironment, triton_environment
from tests.end_to_end.stack import wait_until
from tests.standins import write_partial_print

PROJECT = Path(__file__).parents[2]
REPOSITORY = PROJECT / "model_repository"
SETTINGS = EmbeddedTritonSettings(models=("self_test",), grpc_port=0, http_port=0, metrics_port=0, threads=1)


def images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """``[count, 16, 16]`` uint8 noise."""
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16), dtype=np.uint8)


def test_more_images_than_a_batch_holds_come_back_exact_and_in_order(server: EmbeddedTriton) -> None:
    async def scenario() -> None:
        encoder = TritonEncoder(server.grpc_url, "self_test")
        outputs = await encoder.encode(images(50), timeout_s=10.0)
        assert np.array_equal(outputs["echo"], images(50))
        assert outputs["half"].dtype == np.float16
        assert np.array_equal(outputs["half"], images(50) / 256)
        assert (await encoder.encode(images(0), timeout_s=10.0))["half"].shape == (0, 16, 16)
        await encoder.close()

    asyncio.run(scenario())


def test_requests_that_are_batched_together_get_their_own_rows(server: EmbeddedTriton) -> None:
    async def scenario() -> None:
        encoder = TritonEncoder(server.grpc_url, "self_test", settings=TritonClientSettings(max_in_flight=32))
        sent = [images(1 + i % 3, seed=i) for i in range(60)]
        got = await asyncio.gather(*(encoder.encode(batch, timeout_s=20.0) for batch in sent))
        assert all(np.array_equal(g["echo"], s) for g, s in zip(got, sent, strict=True))
        await encoder.close()

    asyncio.run(scenario())


def test_one_encoder_serves_several_event_loops(server: EmbeddedTriton) -> None:
    encoder = TritonEncoder(server.grpc_url, "self_test")
    for seed in range(2):
        outputs = asyncio.run(encoder.encode(images(2, seed), timeout_s=10.0))
        assert np.array_equal(outputs["echo"], images(2, seed))


def test_bad_images_and_spent_budgets_are_told_apart(server: EmbeddedTriton) -> None:
    async def scenario() -> None:
        encoder = TritonEncoder(server.grpc_url, "self_test")
        with pytest.raises(InvalidInput):
            await encoder.encode(np.zeros((1, 16, 17), np.uint8), timeout_s=10.0)
        with pytest.raises(BudgetSpent):
            await encoder.encode(images(16), timeout_s=1e-4)
        assert len((await encoder.encode(images(3), timeout_s=10.0))["echo"]) == 3
        await encoder.close()

    asyncio.run(scenario())


def test_a_model_that_is_not_the_expected_one_is_refused_at_first_use(server: EmbeddedTriton) -> None:
    contract = ModelContract("self_test", TensorShape("image", "uint8", (640, 320)), ())
    with pytest.raises(PreconditionFailed, match="640"):
        asyncio.run(TritonEncoder(server.grpc_url, "self_test", contract=contract).encode(images(1), timeout_s=10.0))


def test_a_model_that_is_not_loaded_is_not_ready_and_unavailable(server: EmbeddedTriton) -> None:
    async def scenario() -> None:
        encoder = TritonEncoder(server.grpc_url, "absent_model")
        assert not await encoder.is_ready()
        with pytest.raises(Unavailable, match="absent_model"):
            await encoder.encode(images(1), timeout_s=10.0)
        await encoder.close()

    asyncio.run(scenario())


def test_a_model_with_two_inputs_is_served_from_a_second_repository(
    tmp_path: Path, environment: TritonEnvironment
) -> None:
    folder = write_partial_print(tmp_path / "encoders", "partial_print_elsewhere")
    settings = replace(SETTINGS, models=("self_test", folder.name))
    rng = np.random.default_rng(0)
    given = {
        "image": rng.integers(0, 256, (20, 672, 352), dtype=np.uint8),
        "cells": rng.integers(0, 2, (20, 84, 44), dtype=np.uint8),
    }
    more = [folder.parent, tmp_path / "nowhere"]

    async def answer(encoder: TritonEncoder | InProcessEncoder) -> NDArray[np.generic]:
        vectors = (await encoder.encode(given, timeout_s=20.0))["embedding"]
        with pytest.raises(InvalidInput, match="takes image, cells"):
            await encoder.encode(given["image"], timeout_s=5.0)
        await encoder.close()
        return vectors

    with EmbeddedTriton(
        REPOSITORY, tmp_path / "state", settings=settings, environment=environment, more=more
    ) as running:
        served = asyncio.run(answer(TritonEncoder(running.grpc_url, folder.name)))
    local = asyncio.run(answer(InProcessEncoder(folder)))
    assert served.dtype == local.dtype == np.float16
    np.testing.assert_allclose(served.astype(np.float32), local.astype(np.float32), atol=2e-3)


def test_the_metrics_count_the_images(server: EmbeddedTriton) -> None:
    def counted() -> float:
        with urllib.request.urlopen(server.metrics_url, timeout=5) as answer:
            text = answer.read().decode()
        lines = [line for line in text.splitlines() if line.startswith('nv_inference_count{model="self_test"')]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    # The server brings its figures up to date every two seconds.
    assert wait_until(lambda: counted() >= 3, 10.0)


def test_the_encoder_recovers_by_itself_when_the_server_comes_back(
    tmp_path: Path, environment: TritonEnvironment
) -> None:
    async def scenario(first: EmbeddedTriton, ports: EmbeddedTritonSettings) -> None:
        encoder = TritonEncoder(first.grpc_url, "self_test")
        await encoder.encode(images(1), timeout_s=10.0)
        first.stop()
        assert not await encoder.is_ready()
        with pytest.raises(Unavailable):
            await encoder.encode(images(1), timeout_s=3.0)
        with EmbeddedTriton(REPOSITORY, tmp_path, settings=ports, environment=environment):
            await asyncio.sleep(1.1)  # gRPC's longest pause between two attempts to connect
            outputs = await encoder.encode(images(2), timeout_s=10.0)
            assert np.array_equal(outputs["echo"], images(2))
        await encoder.close()

    with EmbeddedTriton(REPOSITORY, tmp_path, settings=SETTINGS, environment=environment) as first:
        asyncio.run(scenario(first, replace(SETTINGS, grpc_port=int(first.grpc_url.rpartition(":")[2]))))


def test_a_self_test_with_wrong_numbers_keeps_the_server_from_being_ready(
    tmp_path: Path, environment: TritonEnvironment
) -> None:
    model = shutil.copytree(REPOSITORY / "self_test", tmp_path / "repository/self_test") / "1/model.onnx"
    good = model.read_bytes()
    assert good.count(b"\x80\x38") == 1  # the factor 1/256, as the varint of its float16 bits
    model.write_bytes(good.replace(b"\x80\x38", b"\x80\x3c"))
    server = EmbeddedTriton(tmp_path / "repository", tmp_path, settings=SETTINGS, environment=environment)
    with pytest.raises(Unavailable, match="wrong numbers in half"), server:
        pass
    assert not server.is_alive()


def test_a_model_that_does_not_load_is_reported_with_the_log(tmp_path: Path, environment: TritonEnvironment) -> None:
    model = shutil.copytree(REPOSITORY / "self_test", tmp_path / "repository/self_test") / "1/model.onnx"
    model.write_bytes(b"no model")
    server = EmbeddedTriton(tmp_path / "repository", tmp_path, settings=SETTINGS, environment=environment)
    with pytest.raises(Unavailable, match="self_test"), server:
        pass


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path, environment: TritonEnvironment) -> None:
    arguments = [str(REPOSITORY), str(tmp_path), str(environment.root)]
    with subprocess.Popen([sys.executable, "-c", _PARENT, *arguments], stdout=subprocess.PIPE, cwd=PROJECT) as parent:
        assert parent.stdout is not None
        started = _descendants(int(parent.stdout.readline()))
        assert len(started) >= 3  # the guard, the server, the model's stub
        parent.send_signal(signal.SIGKILL)
    assert _within(15.0, lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    assert not list(Path("/dev/shm").glob(f"outsole-{parent.pid}-*"))


_PARENT = """
import sys, time
from pathlib import Path
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.triton_environment import triton_environment
settings = EmbeddedTritonSettings(models=("self_test",), grpc_port=0, http_port=0, metrics_port=0)
repository, state, root = map(Path, sys.argv[1:])
with EmbeddedTriton(repository, state, settings=settings, environment=triton_environment(root)) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""


def _descendants(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
    found = {root}
    while fresh := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= fresh
    return found


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


@pytest.fixture(scope="module")
def environment() -> TritonEnvironment:
    try:
        return triton_environment()
    except MissingPart as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server(environment: TritonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    state = tmp_path_factory.mktemp("triton")
    with EmbeddedTriton(REPOSITORY, state, settings=SETTINGS, environment=environment) as running:
        assert running.pid is not None
        assert os.getpgid(running.pid) == running.pid
        yield running
