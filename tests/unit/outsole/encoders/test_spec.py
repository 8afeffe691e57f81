from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from outsole.encoders.spec import EncoderSpec
from outsole.errors import DataCorrupt, NotFound

MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def test_the_shipped_encoder_loads_and_its_shapes_fit_together() -> None:
    spec = EncoderSpec.load(MODEL)
    assert spec.canvas_cells == (84, 44)
    assert spec.item_cells == (76, 36)
    assert spec.contract().outputs[0].dims == (48, 84, 44)


def test_writing_a_specification_gives_the_same_file_and_hash(folder: Path) -> None:
    spec = EncoderSpec.load(folder)
    before = (folder / "spec.json").read_text()
    spec.dump(folder)
    assert (folder / "spec.json").read_text() == before
    assert EncoderSpec.load(folder).hash == spec.hash


def test_other_weights_are_refused(folder: Path) -> None:
    with (folder / "1" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DataCorrupt, match="weights"):
        EncoderSpec.load(folder)


@pytest.mark.parametrize("change", [{"unknown": 1}, {"channels": None}])
def test_unknown_and_missing_keys_are_refused(folder: Path, change: dict[str, object]) -> None:
    values = json.loads((folder / "spec.json").read_text()) | change
    (folder / "spec.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    with pytest.raises(DataCorrupt, match=r"spec\.json"):
        EncoderSpec.load(folder)


def test_a_missing_specification_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"spec\.json"):
        EncoderSpec.load(tmp_path)
