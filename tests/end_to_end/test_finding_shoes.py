"""Shoes found through the real Triton server are those found in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from outsole.encoders.network_spec import NetworkSpec
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.encoder import Encoder
from outsole.inference.in_process import InProcessEncoder
from outsole.inference.triton_client import TritonClientSettings, TritonEncoder
from outsole.inference.triton_environment import TritonEnvironment
from outsole.video.finding import DetectedShoes, FoundShoes
from outsole.video.networks import MODELS, ShoeNetworks
from outsole.video.records import Frame
from training.detectors.figures import figures

REPOSITORY = Path(__file__).parents[2] / "model_repository"
# The detectors are loaded when they are asked for.
SETTINGS = EmbeddedTritonSettings(models=("self_test",), grpc_port=0, http_port=0, metrics_port=0, threads=1)


LOADING = TritonClientSettings(load_missing=True)


async def find(encoders: dict[str, Encoder]) -> list[FoundShoes]:
    frames = [Frame(number, number / 5, picture) for number, picture in enumerate(figures(3, 360))]
    found = await DetectedShoes(ShoeNetworks.of(encoders)).find(frames, timeout_s=60)
    for encoder in encoders.values():
        await encoder.close()
    return found


def test_triton_and_this_process_find_the_same_shoes(triton_parts: TritonEnvironment, tmp_path: Path) -> None:
    contracts = {name: NetworkSpec.load(REPOSITORY / name).contract() for name in MODELS}
    with EmbeddedTriton(REPOSITORY, tmp_path, settings=SETTINGS, environment=triton_parts) as server:
        served = asyncio.run(
            find(
                {
                    name: TritonEncoder(server.grpc_url, name, contract=contracts[name], settings=LOADING)
                    for name in MODELS
                }
            )
        )
    here = asyncio.run(
        find({name: InProcessEncoder(REPOSITORY / name, contract=contracts[name], threads=1) for name in MODELS})
    )
    assert [len(found.sightings) for found in served] == [2, 2, 2]
    for first, second in zip(served, here, strict=True):
        assert first.persons == second.persons == 1
        for there, local in zip(first.sightings, second.sightings, strict=True):
            np.testing.assert_allclose(there.box, local.box, atol=0.05)
            np.testing.assert_allclose([there.toe, there.heel], [local.toe, local.heel], atol=0.05)
            assert there.view is local.view
