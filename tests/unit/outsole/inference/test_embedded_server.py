"""The parts of the embedded server that need no server; ``tests/end_to_end`` starts the real one."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from outsole.errors import NotFound, Unavailable
from outsole.inference.embedded_server import (
    EmbeddedTriton,
    EmbeddedTritonSettings,
    assemble_backends,
    stop_process,
)
from outsole.inference.triton_environment import TritonEnvironment

REPOSITORY = Path(__file__).parents[4] / "model_repository"
ANY_PORTS = EmbeddedTritonSettings(models=("self_test",), grpc_port=0, http_port=0, metrics_port=0)


def test_the_backends_are_assembled_with_the_stub_executable_and_again_over_themselves(
    tmp_path: Path, environment: TritonEnvironment
) -> None:
    for _ in range(2):
        backends = assemble_backends(environment, tmp_path / "backends")
    files = sorted(str(path.relative_to(backends)) for path in backends.rglob("*") if path.is_file())
    assert files == ["onnxruntime/model.py", "python/libtriton_python.so", "python/triton_python_backend_stub"]
    assert (backends / "python/triton_python_backend_stub").stat().st_mode & 0o111


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(
    tmp_path: Path, environment: TritonEnvironment
) -> None:
    server = EmbeddedTriton(REPOSITORY, tmp_path, settings=ANY_PORTS, environment=environment)
    with pytest.raises(Unavailable, match="no space left for models"), server:
        pass
    assert server.pid is None


def test_a_model_that_is_not_in_the_repository_is_named(tmp_path: Path, environment: TritonEnvironment) -> None:
    settings = EmbeddedTritonSettings(models=("absent_model",))
    with pytest.raises(NotFound, match="absent_model"):
        EmbeddedTriton(REPOSITORY, tmp_path, settings=settings, environment=environment).start()


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, environment: TritonEnvironment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = EmbeddedTritonSettings(models=("self_test",), grpc_port=port, http_port=0, metrics_port=0)
        with pytest.raises(Unavailable, match=str(port)):
            EmbeddedTriton(REPOSITORY, tmp_path, settings=settings, environment=environment).start()


def test_stopping_a_process_that_is_gone_succeeds() -> None:
    assert stop_process(2**22 - 1)


@pytest.fixture
def environment(tmp_path: Path) -> TritonEnvironment:
    """An installed server in outline: the binary is a script that complains and ends."""
    root = tmp_path / "environment"
    (root / "python").mkdir(parents=True)
    (root / "python/libtriton_python.so").touch()
    (root / "stub").touch()
    server = root / "tritonserver"
    server.write_text("#!/bin/sh\necho no space left for models\nexit 1\n")
    server.chmod(0o755)
    return TritonEnvironment(root, server, root / "python", root / "stub", (), root, root)
