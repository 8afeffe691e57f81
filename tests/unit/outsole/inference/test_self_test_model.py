"""The committed self-test model is what its generator makes."""

from __future__ import annotations

from pathlib import Path

import pytest

MODEL = Path(__file__).parents[4] / "model_repository/self_test/1/model.onnx"


def made_self_test_model() -> bytes:
    """The self-test graph as ONNX bytes: ``echo = image``, ``half = float16(image) / 256``."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Identity", ["image"], ["echo"]),
            helper.make_node("Cast", ["image"], ["wide"], to=kind.FLOAT16),
            helper.make_node("Mul", ["wide", "factor"], ["half"]),
        ],
        "self_test",
        [helper.make_tensor_value_info("image", kind.UINT8, ["n", 16, 16])],
        [
            helper.make_tensor_value_info("echo", kind.UINT8, ["n", 16, 16]),
            helper.make_tensor_value_info("half", kind.FLOAT16, ["n", 16, 16]),
        ],
        [helper.make_tensor("factor", kind.FLOAT16, [], [1 / 256])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="outsole")
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def test_the_committed_model_is_the_generated_one() -> None:
    assert MODEL.read_bytes() == made_self_test_model()
