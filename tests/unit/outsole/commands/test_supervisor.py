"""Which models a stack loads."""

from __future__ import annotations

from pathlib import Path

from outsole.commands.supervisor import asked_models
from outsole.video.networks import MODELS
from tests.standins import write_partial_print
from tests.wear_standins import write_wear_model

REPOSITORY = Path(__file__).resolve().parents[4] / "model_repository"


def test_models_that_nobody_asks_are_not_loaded(tmp_path: Path) -> None:
    write_partial_print(tmp_path, "partial_print_shop")
    wear = write_wear_model(tmp_path)
    models = asked_models((REPOSITORY, tmp_path, tmp_path / "nowhere"))
    assert {"print_lite2_b6", "partial_print", "depth_unet", "self_test", "partial_print_shop"} <= set(models)
    assert "shoe_attention" in models
    assert not {"crisp_lite", wear.name, *MODELS} & set(models)
