"""One running stack for all end-to-end tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outsole.api import Client
from outsole.errors import MissingPart
from outsole.inference.triton_environment import TritonEnvironment, triton_environment
from tests.end_to_end.stack import STAND_IN, Stack, running_stack, triton_server
from tests.standins import write_partial_print


@pytest.fixture(scope="session")
def triton_parts() -> TritonEnvironment:
    """Where the embedded Triton is installed."""
    try:
        return triton_environment()
    except MissingPart as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def stack(triton_parts: TritonEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Real Triton, Ray Serve and Milvus Lite with a small gallery."""
    home = tmp_path_factory.mktemp("stack")
    encoders = write_partial_print(home / "encoders", STAND_IN).parent
    with (
        triton_server(home / "triton", triton_parts, more=[encoders]) as triton,
        running_stack(home, triton) as running,
    ):
        yield running


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    """A client of the running stack that does not retry."""
    with stack.client() as made:
        yield made
