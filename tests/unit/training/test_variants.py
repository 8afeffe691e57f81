"""All variants of a system are trained alike, each once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from outsole.errors import InvalidInput
from tests.unit.training.tiny_system import tiny_system
from training import variants
from training.system import System


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> System:
    other = dataclasses.replace(tiny_system(), name="tiny:other", settings={"other": True})
    system = dataclasses.replace(tiny_system(), name="tiny", variants={"other": other})
    monkeypatch.setattr(variants, "find_system", lambda name: system)
    return system


def test_every_variant_gets_a_run_and_a_second_call_trains_none_again(tiny: System, tmp_path: Path) -> None:
    arguments = ["shoe_attention", "--preset", "smoke", "--runs", str(tmp_path)]
    first = CliRunner().invoke(variants.main, arguments, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    results = sorted(tmp_path.glob("*/result.json"))
    assert [path.parent.name for path in results] == ["tiny_other_smoke", "tiny_smoke"]
    before = [path.stat().st_mtime_ns for path in results]
    again = CliRunner().invoke(variants.main, arguments, catch_exceptions=False)
    assert [line for line in again.stdout.splitlines() if line.startswith("tiny")] == [
        line for line in first.stdout.splitlines() if line.startswith("tiny")
    ]
    assert [path.stat().st_mtime_ns for path in results] == before


def test_a_run_that_was_cut_short_or_begun_otherwise_is_not_complete(tiny: System, tmp_path: Path) -> None:
    CliRunner().invoke(variants.main, ["shoe_attention", "--preset", "smoke", "--runs", str(tmp_path)])
    assert variants.is_complete(tiny, "smoke", runs=tmp_path)
    assert not variants.is_complete(dataclasses.replace(tiny, settings={"else": 1}), "smoke", runs=tmp_path)
    path = tmp_path / "tiny_smoke" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"complete": False}))
    assert not variants.is_complete(tiny, "smoke", runs=tmp_path)


def test_a_preset_that_a_system_has_not_ends_with_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(variants.main, ["depth_unet", "--preset", "short", "--runs", str(tmp_path)])
    assert result.exit_code == 2
    assert "has no preset 'short'" in result.output


def test_a_variant_that_is_left_out_is_not_trained(tiny: System) -> None:
    assert [system.name for system in variants.with_variants("tiny", without=["other"])] == ["tiny"]
    with pytest.raises(InvalidInput, match="no variant 'another'"):
        variants.with_variants("tiny", without=["another"])
