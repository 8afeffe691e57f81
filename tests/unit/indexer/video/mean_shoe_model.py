"""A shoe encoder of a few ONNX nodes in a model folder: block means of a crop, of unit length."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from outsole.encoders.network_spec import NetworkSpec
from outsole.imaging.shoe_crops import CROP_PX
from outsole.inference.encoder import TensorShape

NAME = "mean_shoe"
LENGTH = 96


def write_mean_shoe(repository: Path) -> Path:
    """Write the folder of the model into a repository."""
    folder = repository / NAME
    (folder / "1").mkdir(parents=True)
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[28, 28], strides=[28, 28]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("LpNormalization", ["flat"], ["unit"], axis=1, p=2),
        helper.make_node("Cast", ["unit"], ["embedding"], to=TensorProto.FLOAT16),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *CROP_PX, 3])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT16, ["N", LENGTH])
    graph = helper.make_graph(nodes, NAME, [image], [embedding])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "1" / "model.onnx"))
    NetworkSpec(
        name=NAME,
        kind="shoe_embedding",
        inputs=(TensorShape("image", "uint8", (*CROP_PX, 3)),),
        outputs=(TensorShape("embedding", "float16", (LENGTH,)),),
        px_per_cm=0.0,
        settings={},
        trained_on="nothing",
        licence="none",
        weights_sha256=hashlib.sha256((folder / "1" / "model.onnx").read_bytes()).hexdigest(),
    ).dump(folder)
    return folder
