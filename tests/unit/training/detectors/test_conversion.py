"""Converted graphs against the runtime that TFLite files are made for, on small files written here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("tflite")
pytest.importorskip("onnx")
pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

import onnxruntime
from numpy.typing import NDArray

from outsole.errors import DataCorrupt, InvalidInput, NotOffered
from outsole.inference.encoder import TensorShape
from tests.unit.training.detectors.tflite_writer import TfliteWriter
from training.detectors.conversion import converted
from training.detectors.litert import run_tflite
from training.detectors.onnx_graph import OnnxGraph
from training.detectors.tflite_file import read_tflite

SAME, VALID = 0, 1
NONE, RELU, RELU6, TANH = 0, 1, 3, 4
SIZE = (11, 8, 3)
generator = np.random.default_rng(0)


def noise(*shape: int) -> NDArray[np.float32]:
    return generator.normal(size=shape).astype(np.float32)


def widened(writer: TfliteWriter, name: str, array: NDArray[np.float32]) -> int:
    """A constant stored as half floats and widened by an operator, as the published files have it."""
    stored = writer.constant(f"{name}_half", array.astype(np.float16))
    made = writer.tensor(name, array.shape)
    writer.operator("DEQUANTIZE", [stored], [made])
    return made


def convolution(
    writer: TfliteWriter, image: int, shape: tuple[int, ...], kernel: tuple[int, int], **options: int
) -> int:
    """Add a convolution from ``image`` of 3 channels to ``shape``."""
    return _convolution(writer, "CONV_2D", image, shape, noise(shape[-1], *kernel, 3), **options)


def _convolution(
    writer: TfliteWriter, kind: str, image: int, shape: tuple[int, ...], weights: NDArray[np.float32], **options: int
) -> int:
    made = writer.tensor(f"t{image}_{shape}", shape)
    settings = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1} | options
    inputs = [image, widened(writer, f"w{made}", weights), widened(writer, f"b{made}", noise(shape[-1]))]
    writer.operator(kind, inputs, [made], **settings)
    return made


def strided(writer: TfliteWriter, image: int) -> int:
    return convolution(
        writer, image, (1, 6, 4, 5), (3, 3), Padding=SAME, StrideH=2, StrideW=2, FusedActivationFunction=RELU6
    )


def dilated(writer: TfliteWriter, image: int) -> int:
    options = {"DilationHFactor": 2, "DilationWFactor": 3, "Padding": SAME, "FusedActivationFunction": RELU}
    return convolution(writer, image, (1, 11, 8, 4), (3, 2), **options)


def depthwise(writer: TfliteWriter, image: int) -> int:
    options = {"Padding": VALID, "StrideH": 2, "StrideW": 2, "DepthMultiplier": 1, "FusedActivationFunction": NONE}
    return _convolution(writer, "DEPTHWISE_CONV_2D", image, (1, 4, 2, 3), noise(1, 5, 5, 3), **options)


def skipped(writer: TfliteWriter, image: int) -> int:
    wide = convolution(writer, image, (1, 11, 8, 3), (3, 3), Padding=SAME, FusedActivationFunction=NONE)
    made = writer.tensor("sum", (1, 11, 8, 3))
    writer.operator("ADD", [image, wide], [made], FusedActivationFunction=RELU)
    return made


def pooled(writer: TfliteWriter, image: int) -> int:
    made = writer.tensor("pooled", (1, 5, 4, 3))
    options = {
        "Padding": VALID,
        "StrideH": 2,
        "StrideW": 2,
        "FilterHeight": 2,
        "FilterWidth": 2,
        "FusedActivationFunction": NONE,
    }
    writer.operator("MAX_POOL_2D", [image], [made], **options)
    return made


def padded(writer: TfliteWriter, image: int) -> int:
    made = writer.tensor("padded", (1, 14, 13, 3))
    amounts = writer.constant("amounts", np.array([[0, 0], [1, 2], [0, 5], [0, 0]], np.int32))
    writer.operator("PAD", [image, amounts], [made])
    return made


def resized(writer: TfliteWriter, image: int) -> int:
    made = writer.tensor("resized", (1, 22, 24, 3))
    size = writer.constant("size", np.array([22, 24], np.int32))
    writer.operator("RESIZE_BILINEAR", [image, size], [made], AlignCorners=0, HalfPixelCenters=1)
    return made


def connected(writer: TfliteWriter, image: int) -> int:
    mean, made, odds = (writer.tensor(name, (1, size)) for name, size in (("mean", 3), ("row", 7), ("odds", 7)))
    writer.operator("MEAN", [image, writer.constant("axes", np.array([1, 2], np.int32))], [mean], KeepDims=0)
    inputs = [mean, widened(writer, "weights", noise(7, 3)), widened(writer, "bias", noise(7))]
    writer.operator("FULLY_CONNECTED", inputs, [made], FusedActivationFunction=NONE)
    writer.operator("LOGISTIC", [made], [odds])
    return odds


def two_levels(writer: TfliteWriter, image: int) -> int:
    """Rows of two levels of different size joined, as an SSD's heads are."""
    fine = convolution(writer, image, (1, 11, 8, 6), (1, 1), Padding=SAME, FusedActivationFunction=NONE)
    options = {"Padding": SAME, "StrideH": 4, "StrideW": 4, "FusedActivationFunction": NONE}
    coarse = convolution(writer, image, (1, 3, 2, 12), (1, 1), **options)
    rows = []
    for level, count in ((fine, 176), (coarse, 24)):
        rows.append(writer.tensor(f"rows{level}", (1, count, 1, 3)))
        writer.operator(
            "RESHAPE", [level, writer.constant(f"to{level}", np.array([1, count, 1, 3], np.int32))], [rows[-1]]
        )
    joined, made = writer.tensor("joined", (1, 200, 1, 3)), writer.tensor("flat", (1, 200, 3))
    writer.operator("CONCATENATION", rows, [joined], Axis=1, FusedActivationFunction=NONE)
    writer.operator("RESHAPE", [joined, writer.constant("to_flat", np.array([1, 200, 3], np.int32))], [made])
    return made


def written(build: Callable[[TfliteWriter, int], int]) -> tuple[bytes, tuple[int, ...], str]:
    """A file with one image in; its bytes, the output's shape without the batch, and its name."""
    writer = TfliteWriter()
    image = writer.tensor("image", (1, *SIZE))
    data = writer.finish([image], [build(writer, image)])
    graph = read_tflite(data)
    return data, graph.tensors[graph.outputs[0]].shape[1:], graph.names[0]


def to_onnx(data: bytes, shape: tuple[int, ...], name: str) -> bytes:
    graph = OnnxGraph()
    (made,) = converted(read_tflite(data), graph, image="image", outputs=[name])
    return graph.finish([TensorShape("image", "float32", SIZE)], [(made, TensorShape("out", "float32", shape))])


BUILDS = [strided, dilated, depthwise, skipped, pooled, padded, resized, connected, two_levels]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_a_converted_graph_says_what_the_makers_runtime_says_for_every_image_of_a_batch(
    build: Callable[[TfliteWriter, int], int],
) -> None:
    data, shape, name = written(build)
    images = noise(3, *SIZE)
    (wanted,) = run_tflite(data, images, (name,))
    session = onnxruntime.InferenceSession(to_onnx(data, shape, name), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"image": images})
    assert got.shape == wanted.shape == (3, *shape)
    np.testing.assert_allclose(got, wanted, atol=2e-5)
    assert float(np.abs(wanted).max()) > 0.1


def test_the_same_file_gives_the_same_bytes() -> None:
    data, shape, name = written(two_levels)
    assert to_onnx(data, shape, name) == to_onnx(data, shape, name)


def test_what_no_wanted_output_needs_is_left_out() -> None:
    writer = TfliteWriter()
    image = writer.tensor("image", (1, *SIZE))
    kept, other = writer.tensor("kept", (1, *SIZE)), writer.tensor("other", (1, *SIZE))
    writer.operator("LOGISTIC", [image], [kept])
    writer.operator("TANH", [image], [other])
    data = writer.finish([image], [kept, other])
    assert to_onnx(data, SIZE, "kept")
    with pytest.raises(NotOffered, match="TANH"):
        to_onnx(data, SIZE, "other")
    with pytest.raises(InvalidInput, match="kept, other"):
        to_onnx(data, SIZE, "third")


def test_a_use_of_an_operator_that_is_not_converted_is_named() -> None:
    def bent(writer: TfliteWriter, image: int) -> int:
        return convolution(writer, image, (1, 11, 8, 3), (1, 1), Padding=SAME, FusedActivationFunction=TANH)

    with pytest.raises(NotOffered, match="CONV_2D has the fused activation 4"):
        to_onnx(*written(bent))


@pytest.mark.parametrize("data", [b"", b"no model at all", b"\x1c\x00\x00\x00TFL3" + bytes(20)])
def test_a_file_that_is_no_model_is_said_to_be_damaged(data: bytes) -> None:
    with pytest.raises(DataCorrupt):
        read_tflite(data)
