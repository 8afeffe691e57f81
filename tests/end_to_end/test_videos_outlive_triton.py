"""Triton's server is killed while a video is indexed: the indexing waits for it, or says so and is gone on with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.killing import same_edition
from benchmarks.video_parts.kills import kill_pids, servers_of
from indexer.video.index_videos import VideoOptions, index_videos
from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import Unavailable
from outsole.free_ports import free_ports
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.triton_client import TritonClientSettings, TritonEncoder
from outsole.inference.triton_environment import TritonEnvironment
from tests.standins import write_shoe_encoder
from tests.unit.indexer.video.walks import CAMERA, OPTIONS, SETTINGS, walk_model, write_walk

REPOSITORY = Path(__file__).parents[2] / "model_repository"
ARCHIVE, NAME = "hall", "shoe_stand_in"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_shoe_encoder(folder, NAME)
    return folder


@pytest.fixture
def server(triton_parts: TritonEnvironment, models: Path, tmp_path: Path) -> Iterator[EmbeddedTriton]:
    grpc_port, http_port, metrics_port = free_ports(3, host="127.0.0.1")
    settings = EmbeddedTritonSettings(
        models=("self_test",), grpc_port=grpc_port, http_port=http_port, metrics_port=metrics_port, threads=1
    )
    with EmbeddedTriton(REPOSITORY, tmp_path, settings=settings, environment=triton_parts, more=[models]) as running:
        yield running


def killed(server: EmbeddedTriton) -> None:
    (pid,) = servers_of(server.pid or 0)
    kill_pids([pid])


def restarted(server: EmbeddedTriton) -> None:
    server.stop()
    server.start()
    server.wait_ready()


async def index(clip: Path, root: Path, server: EmbeddedTriton, models: Path, options: VideoOptions = OPTIONS) -> None:
    contract = NetworkSpec.load(models / NAME).contract()
    loading = TritonClientSettings(load_missing=True)
    encoder = TritonEncoder(server.grpc_url, NAME, contract=contract, settings=loading)
    model = replace(walk_model(), encoder=encoder)
    try:
        await index_videos([clip], ARCHIVE, root=root, model=model, camera=CAMERA, options=options)
    finally:
        await encoder.close()


def test_an_indexing_waits_for_a_triton_that_was_killed(server: EmbeddedTriton, models: Path, tmp_path: Path) -> None:
    clip = write_walk(tmp_path / "walk.mp4")
    asyncio.run(index(clip, tmp_path / "calm", server, models))
    begun: list[asyncio.Task[None]] = []

    async def gate() -> None:
        if not begun:
            killed(server)
            begun.append(asyncio.create_task(asyncio.to_thread(restarted, server)))

    patient = replace(OPTIONS, gate=gate, settings=replace(SETTINGS, patience_s=30.0))
    asyncio.run(index(clip, tmp_path / "rough", server, models, patient))
    assert begun and begun[0].done()
    assert same_edition(tmp_path / "calm", tmp_path / "rough", ARCHIVE)
    # Where it stays away the indexing says so, and the next one goes on with what was seen.
    killed(server)
    other = write_walk(tmp_path / "other.mp4", seed=1)
    with pytest.raises(Unavailable, match="Triton at") as away:
        asyncio.run(index(other, tmp_path / "rough", server, models))
    assert away.value.retryable
    restarted(server)
    for root in ("rough", "calm"):
        asyncio.run(index(other, tmp_path / root, server, models))
    assert same_edition(tmp_path / "calm", tmp_path / "rough", ARCHIVE)
