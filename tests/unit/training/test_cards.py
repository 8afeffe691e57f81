"""The parts of a model card that are worked out."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tests.unit.training.exported_system import PLAN
from training.cards import card_text, duration, without_paths
from training.exporting.parity import Parity


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("python -m training.crisp --preset cpu", "python -m training.crisp --preset cpu"),
        ("python -m x --output /home/someone/runs/a", "python -m x --output a"),
        ("python -m x --output=/home/someone/runs/a", "python -m x --output=a"),
        ("python -m x --checkpoint '/home/some one/a.pt'", "python -m x --checkpoint 'a.pt'"),
        (
            "python -m x --checkpoint build/training/a/checkpoint.pt",
            "python -m x --checkpoint build/training/a/checkpoint.pt",
        ),
        ("python -m x --output ../runs/a", "python -m x --output ../runs/a"),
    ],
)
def test_a_command_is_shown_without_the_machines_folders(command: str, wanted: str) -> None:
    assert without_paths(command) == wanted


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_a_duration_is_told_as_a_person_would(seconds: float, wanted: str) -> None:
    assert duration(seconds) == wanted


def test_a_model_that_was_not_trained_says_so_and_its_lines_are_short() -> None:
    plan = replace(PLAN, summary="word " * 100, limits="- first\n- second", px_per_cm=0.0)
    card = card_text(
        "small", plan, run=None, parity=Parity("fp16", 1e-3, 0.9999), weights_bytes=2_500_000, command="python -m x"
    )
    assert card.startswith("# small\n\n**What it is.** word")
    assert "None: the weights are used as they come." in card
    assert "No fixed scale." in card
    assert "2.5 MB; weights stored as float16" in card
    assert "\n    python -m x\n" in card
    assert max(map(len, card.splitlines())) <= 120
