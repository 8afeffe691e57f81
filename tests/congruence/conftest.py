"""The vector stores that are held against each other, a real Milvus server among them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from outsole.gallery.exact_store import ExactStore
from outsole.gallery.milvus_store import MilvusStore
from outsole.gallery.store import VectorStore

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def milvus_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Milvus server that lives as long as the tests, or of the one that OUTSOLE_MILVUS_URL names."""
    if running := os.environ.get("OUTSOLE_MILVUS_URL"):
        yield running
        return
    python = Path(os.environ.get("OUTSOLE_MILVUS_PYTHON", _ROOT / "build" / "env" / "milvus" / "bin" / "python"))
    if not python.is_file():
        pytest.skip(f"no Milvus server: {python} is missing; `make env-test` makes it in build/env/milvus")
    command = [str(python), str(Path(__file__).with_name("milvus_server.py")), str(tmp_path_factory.mktemp("milvus"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"  # type: ignore[union-attr]
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            process.wait(60)


@pytest.fixture(scope="session", params=["exact", "lite", "server"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorStore]:
    """Each back end in turn."""
    made: VectorStore
    if request.param == "exact":
        made = ExactStore()
    elif request.param == "lite":
        made = MilvusStore(str(tmp_path_factory.mktemp("lite") / "vectors.db"))
    else:
        made = MilvusStore(request.getfixturevalue("milvus_server_url"))
    yield made
    made.close()


@pytest.fixture(scope="module", params=["lite", "server"])
def milvus_uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of each kind of Milvus in turn; a new directory or a server that others use too."""
    if request.param == "lite":
        return str(tmp_path_factory.mktemp("lite") / "vectors.db")
    return str(request.getfixturevalue("milvus_server_url"))
