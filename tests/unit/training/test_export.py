"""The exported print encoder against torch, and the export against what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

from click.testing import CliRunner

from outsole.encoders.spec import EncoderSpec
from training.export import NAME, build_trunk, config_text, largest_difference, main

MODEL = Path(__file__).parents[3] / "model_repository" / NAME


def test_the_shipped_weights_agree_with_torch_to_1e_4() -> None:
    weights = (MODEL / "1" / "model.onnx").read_bytes()
    assert largest_difference(build_trunk(), weights, (672, 352)) <= 1e-4


def test_exporting_again_gives_the_shipped_specification_bit_for_bit(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--repository", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert EncoderSpec.load(tmp_path / NAME).hash == EncoderSpec.load(MODEL).hash
    assert (tmp_path / NAME / "config.pbtxt").read_text() == (MODEL / "config.pbtxt").read_text()


def test_the_configuration_parses_against_tritons_own_schema() -> None:
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    config = text_format.Parse(config_text(EncoderSpec.load(MODEL)), model_config_pb2.ModelConfig())
    assert config.backend == "onnxruntime"
    assert list(config.output[0].dims) == [48, 84, 44]
