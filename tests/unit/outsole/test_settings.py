from __future__ import annotations

from pathlib import Path

import pytest

from outsole.errors import InvalidInput
from outsole.settings import StackSettings


def test_free_ports_are_all_different(tmp_path: Path) -> None:
    ports = StackSettings(tmp_path).on_free_ports().ports()
    assert len(set(ports.values())) == len(ports) == 6


def test_a_port_that_two_parts_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="same port"):
        StackSettings(tmp_path, grpc_port=8601)


def test_a_number_that_is_no_port_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="grpc_port"):
        StackSettings(tmp_path, grpc_port=0)
