"""Every shipped model on the real Triton server, through gRPC, against ONNX Runtime in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tritonclient.grpc as triton
from numpy.typing import NDArray
from tritonclient.utils import np_to_triton_dtype

from outsole.encoders.network_spec import load_spec
from outsole.inference.embedded_server import EmbeddedTriton, EmbeddedTritonSettings
from outsole.inference.triton_environment import TritonEnvironment

REPOSITORY = Path(__file__).parents[2] / "model_repository"
MODELS = sorted(path.parent.name for path in REPOSITORY.glob("*/spec.json"))
SETTINGS = EmbeddedTritonSettings(models=tuple(MODELS), grpc_port=0, http_port=0, metrics_port=0, threads=1)


@pytest.fixture(scope="module")
def client(
    triton_parts: TritonEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[triton.InferenceServerClient]:
    """A client of a server that has loaded everything that is shipped."""
    state = tmp_path_factory.mktemp("triton")
    with EmbeddedTriton(REPOSITORY, state, settings=SETTINGS, environment=triton_parts) as server:
        made = triton.InferenceServerClient(server.grpc_url, channel_args=[("grpc.enable_http_proxy", 0)])
        yield made
        made.close()


def made_inputs(model: str, count: int) -> dict[str, NDArray[Any]]:
    """Noise in every input's shape; masks (``cells``) show the middle."""
    generator = np.random.default_rng(count)
    inputs: dict[str, NDArray[Any]] = {}
    for tensor in load_spec(REPOSITORY / model).contract().inputs:
        values = generator.integers(0, 256, (count, *tensor.dims)).astype(tensor.dtype)
        if tensor.name == "cells":
            values[:] = 0
            values[:, 12:-12, 8:-8] = 1
        inputs[tensor.name] = values
    return inputs


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("model", MODELS)
def test_a_shipped_model_answers_as_onnx_runtime_does(
    client: triton.InferenceServerClient, model: str, count: int
) -> None:
    contract = load_spec(REPOSITORY / model).contract()
    inputs = made_inputs(model, count)
    sent = []
    for name, array in inputs.items():
        tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        sent.append(tensor)
    answer = client.infer(model, sent, client_timeout=60.0)
    session = onnxruntime.InferenceSession(str(REPOSITORY / model / "1/model.onnx"), providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in contract.outputs]
    for tensor, wanted in zip(contract.outputs, session.run(names, inputs), strict=True):
        got = answer.as_numpy(tensor.name)
        assert got is not None
        assert str(got.dtype) == tensor.dtype
        assert got.shape == (count, *tensor.dims)
        largest = float(np.abs(wanted.astype(np.float32)).max())
        assert largest > 0
        np.testing.assert_allclose(got.astype(np.float32), wanted.astype(np.float32), rtol=0, atol=2e-3 * largest)


def test_every_shipped_model_is_ready(client: triton.InferenceServerClient) -> None:
    assert MODELS
    assert all(client.is_model_ready(model) for model in MODELS)
