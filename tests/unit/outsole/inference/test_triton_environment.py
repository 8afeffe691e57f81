from __future__ import annotations

import platform
from pathlib import Path

import pytest

from outsole.errors import MissingPart
from outsole.inference.triton_environment import default_environment_path, is_supported, triton_environment


@pytest.mark.parametrize(
    ("system", "machine", "libc", "supported", "word"),
    [
        ("Linux", "x86_64", ("glibc", "2.35"), True, ""),
        ("Linux", "x86_64", ("glibc", "2.100"), True, ""),
        ("Linux", "x86_64", ("glibc", "2.31"), False, "2.31"),
        ("Linux", "x86_64", ("", ""), False, "another C library"),
        ("Linux", "aarch64", ("glibc", "2.36"), False, "aarch64"),
        ("Darwin", "arm64", ("", ""), False, "Darwin"),
    ],
)
def test_support_is_decided_by_system_and_glibc_and_says_why_not(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: tuple[str, str], supported: bool, word: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    support = is_supported()
    assert bool(support) is supported
    assert word in support.reason


needs_support = pytest.mark.skipif(not is_supported(), reason=is_supported().reason)


@needs_support
def test_a_missing_environment_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="make env"):
        triton_environment(tmp_path / "nowhere")


@needs_support
def test_an_interpreter_that_does_not_run_is_named(tmp_path: Path) -> None:
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(MissingPart, match="does not run"):
        triton_environment(tmp_path)


def test_the_setting_wins_over_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTSOLE_TRITON_ENV", str(tmp_path))
    assert default_environment_path() == tmp_path
    monkeypatch.delenv("OUTSOLE_TRITON_ENV")
    assert default_environment_path().parts[-3:] == ("build", "env", "triton")
