"""Ray on this machine, for the tests of what is spread by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outsole import local_ray as rays

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    environment = {"env_vars": {"PYTHONPATH": str(PROJECT), "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}}
    with rays.local_ray(address="local", num_cpus=3, runtime_env=environment, _node_ip_address="127.0.0.1"):
        yield
