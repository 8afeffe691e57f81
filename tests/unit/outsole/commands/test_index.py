"""``outsole index`` before it indexes."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsole import cli
from outsole.commands import index
from outsole.commands.stack import StackState
from outsole.settings import StackSettings
from outsole.synthesis.galleries import make_print_gallery

ENCODER = Path(__file__).resolve().parents[4] / "model_repository/print_lite2_b6"


def test_worn_views_without_a_model_of_wear_are_refused_before_anything_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, repository = tmp_path / "home", tmp_path / "models"
    repository.mkdir()
    (repository / ENCODER.name).symlink_to(ENCODER)
    monkeypatch.setenv("OUTSOLE_MODEL_REPOSITORY", str(repository))
    state = StackState(1, "ready", "in_process", "", 0, 0, 0.0, StackSettings(home).ports())
    monkeypatch.setattr(index, "read_state", lambda _: state)
    source = make_print_gallery(tmp_path / "source", models=1, probes=1, seed=5).manifest
    assert cli.run(["index", str(source), "--gallery", "soles", "--worn", "26", "--home", str(home)]) == 1
    assert "no model of wear" in capsys.readouterr().err
    assert not list(home.rglob("*soles*"))
