"""What adapting the encoder of shoes gains, on a catalogue of twelve models and a few steps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from benchmarks.shoe_systems.adaptation import CATALOGUE_SEED, NAME, Catalogue, main, muted
from benchmarks.shoe_systems.side import ADAPTED
from outsole.synthesis.upper_designs import design_of
from training.made_shoes import LEARNED_SEED, UNSEEN_SEED


def test_the_catalogue_is_of_another_look_and_of_other_models() -> None:
    assert CATALOGUE_SEED not in (LEARNED_SEED, UNSEEN_SEED)
    model = Catalogue.of(1).models[0]
    colours, before = (np.stack([*design.colours.values()]) for design in (muted(model), design_of(model)))
    assert colours.mean() < before.mean() and np.ptp(colours, axis=1).max() < np.ptp(before, axis=1).max()


def test_before_and_after_are_measured_on_models_learned_from_and_left_out(tmp_path: Path) -> None:
    arguments = ["--models", "12", "--preset", "smoke", "--runs", str(tmp_path), "--json", str(tmp_path / "a.json")]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "camera crops of models left out, Rank-1" in result.output
    metrics = json.loads((tmp_path / "a.json").read_text())["metrics"]
    for name in ("learned_rank1", "left_out_rank1", "catalogue_rank1"):
        assert 0 < metrics[name] <= 1 and 0 < metrics[f"{name}_before"] <= 1
    assert metrics["gain_pts"] == pytest.approx(100 * (metrics["learned_rank1"] - metrics["learned_rank1_before"]))
    # The table finds the run under the name that it looks for.
    assert NAME == ADAPTED and (tmp_path / f"{NAME}_smoke" / "result.json").is_file()
    assert (tmp_path / "models" / NAME / "1" / "model.onnx").is_file()
