"""Settings come from the environment, and a misspelt key stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import InvalidInput
from services.settings import ServiceSettings


def test_values_are_read_by_name_and_kind() -> None:
    environ = {"OUTSOLE_GRPC_PORT": "9000", "OUTSOLE_HOME": "/state", "OUTSOLE_ROTATION_STEP_DEG": "2.5", "PATH": "x"}
    settings = ServiceSettings.from_environment(environ, overrides={"reranker_replicas": 2})
    assert (settings.grpc_port, settings.rotation_step_deg, settings.reranker_replicas) == (9000, 2.5, 2)
    assert settings.home == Path("/state")
    assert settings.milvus == "/state/milvus.db"


def test_keys_of_other_parts_are_left_alone() -> None:
    assert ServiceSettings.from_environment({"OUTSOLE_TRITON_ENV": "/somewhere"}) == ServiceSettings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OUTSOLE_GRPC_PROT", "9000"),
        ("OUTSOLE_GRPC_PORT", "many"),
        ("OUTSOLE_GRPC_PORT", "70000"),
        ("OUTSOLE_ENCODER_BACKEND", "magic"),
        ("OUTSOLE_DEFAULT_BUDGET_MS", "0"),
        ("OUTSOLE_RERANKER_REPLICAS", "0"),
    ],
)
def test_what_cannot_be_used_is_named(key: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=key):
        ServiceSettings.from_environment({key: value})
