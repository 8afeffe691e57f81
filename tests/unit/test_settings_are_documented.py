"""docs/SETTINGS.md and the code name the same settings with the same defaults."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from outsole.settings import StackSettings
from services.settings import PREFIX, ServiceSettings

_TEXT = (Path(__file__).parents[2] / "docs/SETTINGS.md").read_text(encoding="utf-8")
_ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", _TEXT, re.MULTILINE))
_PATHS = {"home", "model_repository"}


def _defaults(settings: ServiceSettings | StackSettings) -> dict[str, str]:
    values = {entry.name: getattr(settings, entry.name) for entry in dataclasses.fields(settings)}
    return {name: f"`{value}`" if value != "" else "empty" for name, value in values.items() if name not in _PATHS}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    services = {PREFIX + entry.name.upper() for entry in dataclasses.fields(ServiceSettings)}
    stack = {entry.name for entry in dataclasses.fields(StackSettings)}
    assert set(_ROWS) == services | stack


def test_the_documented_defaults_are_those_of_the_code() -> None:
    services = {PREFIX + name.upper(): value for name, value in _defaults(ServiceSettings()).items()}
    wanted = services | _defaults(StackSettings(Path("home")))
    assert {name: _ROWS[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["grpc_port", "http_port", "metrics_port"])
def test_the_stack_and_the_services_agree_on_the_ports_they_share(name: str) -> None:
    assert getattr(StackSettings(Path("home")), name) == getattr(ServiceSettings(), name)
