"""The specification of a network in its folder: it comes back as written, and nothing else is taken for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from outsole.encoders.network_spec import NetworkSpec, load_spec
from outsole.encoders.spec import EncoderSpec
from outsole.errors import DataCorrupt, NotFound
from outsole.inference.encoder import TensorShape

WEIGHTS = b"stands for a graph"
SPEC = NetworkSpec(
    name="made",
    kind="print_embedding",
    inputs=(TensorShape("image", "uint8", (672, 352)), TensorShape("cells", "uint8", (84, 44))),
    outputs=(TensorShape("embedding", "float16", (256,)),),
    px_per_cm=20.0,
    settings={"polarity": "contact is dark", "power": 3, "scale": 0.5},
    trained_on="nothing",
    licence="Apache-2.0",
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/model.onnx").write_bytes(WEIGHTS)
    SPEC.dump(tmp_path)
    return tmp_path


def test_a_specification_comes_back_as_it_was_written(folder: Path) -> None:
    loaded = NetworkSpec.load(folder)
    assert loaded == SPEC
    assert loaded.hash == SPEC.hash
    assert isinstance(hash(loaded), int)


def test_the_hash_covers_settings_and_tensors_but_not_the_order_of_settings() -> None:
    assert replace(SPEC, settings=dict(reversed(list(SPEC.settings.items())))).hash == SPEC.hash
    assert replace(SPEC, settings={**SPEC.settings, "power": 4}).hash != SPEC.hash
    assert replace(SPEC, inputs=SPEC.inputs[::-1]).hash != SPEC.hash


def test_other_weights_are_refused(folder: Path) -> None:
    (folder / "1/model.onnx").write_bytes(WEIGHTS + b"\0")
    with pytest.raises(DataCorrupt, match="weights"):
        NetworkSpec.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"kind": None},
        {"inputs": None},
        {"inputs": []},
        {"inputs": "image"},
        {"inputs": 5},
        {"px_per_cm": "20"},
        {"settings": {"deep": {"er": 1}}},
        {"settings": []},
        {"outputs": [{"name": "embedding", "dtype": "float16"}, 3]},
        {"outputs": [{"name": "embedding", "dtype": "float17", "dims": [256]}]},
        {"outputs": [{"name": "embedding", "dtype": "float16", "dims": [0]}]},
        {"outputs": [{"name": "embedding", "dtype": "float16", "dims": 256}]},
        {"outputs": [{"name": "embedding", "dtype": "float16", "dims": [256], "order": "C"}]},
    ],
)
def test_unknown_missing_and_malformed_values_are_refused(folder: Path, change: dict[str, object]) -> None:
    values = json.loads((folder / "spec.json").read_text()) | change
    (folder / "spec.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    with pytest.raises(DataCorrupt, match=r"spec\.json"):
        NetworkSpec.load(folder)


@pytest.mark.parametrize("text", ["{", "[]", "null", "\x00"])
def test_a_file_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / "spec.json").write_text(text)
    with pytest.raises(DataCorrupt, match=r"spec\.json"):
        NetworkSpec.load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "1/model.onnx").unlink()
    with pytest.raises(NotFound, match=r"model\.onnx"):
        NetworkSpec.load(folder)


def test_the_contract_has_the_image_first_and_the_other_inputs_after_it() -> None:
    contract = SPEC.contract()
    assert contract.image.name == "image"
    assert contract.inputs == SPEC.inputs
    assert contract.outputs == SPEC.outputs


def test_either_kind_of_specification_is_recognised(folder: Path) -> None:
    assert load_spec(folder) == SPEC
    shipped = Path(__file__).parents[4] / "model_repository/print_lite2_b6"
    assert load_spec(shipped) == EncoderSpec.load(shipped)
