"""The three networks that find shoes in frames: where they come from, how they see, and what they are served as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.inference.encoder import IMAGE, TensorShape
from outsole.video.networks import BODY, BODY_PX, CLASSES, DETECTOR, DETECTOR_PX, KEY_POINTS, KEY_POINTS_PX
from training.detectors.boxes import decoded, decoded_in_numpy, sigmoid
from training.detectors.figures import figures
from training.detectors.onnx_graph import OnnxGraph
from training.detectors.packages import MEDIAPIPE, OBJECTRON, PublishedFile
from training.export_plan import ExportPlan

_POINTS, _LANDMARKS = 9, 33
# The network tells 39 places with five numbers each; the last six are for its own tracking.
_LANDMARKS_TOLD, _NUMBERS_TOLD = 39, 5
_AROUND_A_SHOE = (132.0, 214.0, 42.0)
_ORIGIN = "Its makers do not say on which pictures; nothing was trained here."
_LICENCE = "Apache-2.0 by its package's licence field"
_SOURCE = "Weights of {package} as they are shipped there (sha256 `{sha256}`), unchanged: {what}"


@dataclass(frozen=True)
class PublishedNetwork:
    """A network that others published.

    Attributes:
        file: Where its weights are.
        raw: TFLite's names of the outputs that ``head`` takes, in its order.
        low, high: What the bytes 0 and 255 stand for where the network was trained.
        head: From the raw outputs to what is served, as nodes.
        head_in_numpy: The same in numpy, which the graph is measured against.
        plan: How it is served.
    """

    file: PublishedFile
    raw: tuple[str, ...]
    low: float
    high: float
    head: Callable[[OnnxGraph, Sequence[str]], list[str]]
    head_in_numpy: Callable[[Sequence[NDArray[np.float32]]], list[NDArray[np.float64]]]
    plan: ExportPlan


def _points(graph: OnnxGraph, raw: Sequence[str]) -> list[str]:
    pairs = graph.add("Reshape", [raw[0], graph.numbers([-1, _POINTS, 2])])
    return [graph.add("Mul", [pairs, graph.constant(np.float32(1 / KEY_POINTS_PX))]), raw[1]]


def _points_in_numpy(raw: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
    points, score = (array.astype(np.float64) for array in raw)
    return [points.reshape(-1, _POINTS, 2) / KEY_POINTS_PX, score]


def _landmarks(graph: OnnxGraph, raw: Sequence[str]) -> list[str]:
    rows = graph.add("Reshape", [raw[0], graph.numbers([-1, _LANDMARKS_TOLD, _NUMBERS_TOLD])])
    body = graph.add("Slice", [rows, graph.numbers([0]), graph.numbers([_LANDMARKS]), graph.numbers([1])])
    places = graph.add("Mul", [graph.columns(body, 0, 2), graph.constant(np.float32(1 / BODY_PX))])
    seen = graph.add("Sigmoid", [graph.columns(body, 3, 5)])
    return [graph.add("Concat", [places, seen], axis=2), raw[1]]


def _landmarks_in_numpy(raw: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
    rows, score = (array.astype(np.float64) for array in raw)
    body = rows.reshape(-1, _LANDMARKS_TOLD, _NUMBERS_TOLD)[:, :_LANDMARKS]
    return [np.concatenate([body[:, :, :2] / BODY_PX, sigmoid(body[:, :, 3:])], 2), score]


def _image(side_px: int) -> tuple[TensorShape, ...]:
    return (TensorShape(IMAGE, "uint8", (side_px, side_px, 3)),)


_DETECTOR_FILE = PublishedFile(
    OBJECTRON,
    "package/objectron_solution_packed_assets.data",
    "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6",
    first_byte=184,
)
_SHOE_FILE = PublishedFile(
    OBJECTRON,
    "package/object_detection_3d_sneakers.tflite",
    "4eb1633d646a43ae979ba497487e95dbf89f97406ed02200ae39ae46b0a0543d",
)
_BODY_FILE = PublishedFile(
    MEDIAPIPE,
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)


def _summary(file: PublishedFile, what: str) -> str:
    return _SOURCE.format(package=file.package, sha256=file.sha256, what=what)


_DETECTOR = PublishedNetwork(
    file=_DETECTOR_FILE,
    raw=("raw_outputs/box_encodings", "raw_outputs/class_predictions"),
    low=-1.0,
    high=1.0,
    head=decoded,
    head_in_numpy=decoded_in_numpy,
    plan=ExportPlan(
        kind="object_detector",
        inputs=_image(DETECTOR_PX),
        outputs=(TensorShape("boxes", "float32", (1917, 4)), TensorShape("scores", "float32", (1917, len(CLASSES)))),
        px_per_cm=0.0,
        summary=_summary(
            _DETECTOR_FILE,
            "an SSD on MobileNetV2. `image` is a picture stretched to 300 x 300, red first; `boxes` are (left, top, "
            "right, bottom) as parts of it, one for each of 1,917 anchors and not yet sifted; `scores` are 0 .. 1 for "
            f"{', '.join(CLASSES)}, four of its 24 classes of Open Images. Scaling, the anchors' decoding and the "
            "sigmoid are in the graph.",
        ),
        trained_on=_ORIGIN,
        licence=_LICENCE,
        limits=(
            "Sees pictures at 300 x 300: a shoe of less than some 12 px there is lost, so shoes are looked for in "
            "windows around legs. Takes feet of chairs for shoes; `outsole.video.finding` checks with the "
            "body's pose."
        ),
        settings={"classes": ",".join(CLASSES), "resize_rule": "stretched to 300 x 300"},
        examples=lambda count: (figures(count, DETECTOR_PX),),
        precision="fp16",
    ),
)
_KEY_POINTS = PublishedNetwork(
    file=_SHOE_FILE,
    raw=("Identity_1", "Identity"),
    low=0.0,
    high=1.0,
    head=_points,
    head_in_numpy=_points_in_numpy,
    plan=ExportPlan(
        kind="shoe_key_points",
        inputs=_image(KEY_POINTS_PX),
        outputs=(TensorShape("points", "float32", (_POINTS, 2)), TensorShape("score", "float32", (1,))),
        px_per_cm=0.0,
        summary=_summary(
            _SHOE_FILE,
            "the 3D box of a shoe (Objectron, 2021). `image` is a square of 1.5 times a shoe's box at 224 x 224, red "
            "first; `points` are (x, y) as parts of the square, which they may leave: the middle, then eight corners, "
            "those with odd numbers at the heel, 1, 2, 5 and 6 on the ground; `score`: whether there is a shoe at all.",
        ),
        trained_on=_ORIGIN,
        licence=_LICENCE,
        limits="Tells left from right shoe not at all, and takes toe for heel at times; the body's pose is asked too.",
        settings={"resize_rule": "a square of 1.5 times the longer side of the shoe's box, to 224 x 224"},
        examples=lambda count: (figures(count, KEY_POINTS_PX, window=_AROUND_A_SHOE),),
        precision="fp16",
    ),
)
_BODY = PublishedNetwork(
    file=_BODY_FILE,
    raw=("Identity", "Identity_1"),
    low=0.0,
    high=1.0,
    head=_landmarks,
    head_in_numpy=_landmarks_in_numpy,
    plan=ExportPlan(
        kind="body_landmarks",
        inputs=_image(BODY_PX),
        outputs=(TensorShape("landmarks", "float32", (_LANDMARKS, 4)), TensorShape("score", "float32", (1,))),
        px_per_cm=0.0,
        summary=_summary(
            _BODY_FILE,
            "33 places of one body (BlazePose, 2020). `image` is a square around a person at 256 x 256, red first; "
            "`landmarks` are x and y as parts of the square, how likely the place is seen, and how likely it is inside "
            "the square; 29 and 30 are the heels, 31 and 32 the toes, left before right; `score`: whether there is a "
            "body at all. Its mask of the body and its places in metres are left out.",
        ),
        trained_on=_ORIGIN,
        licence=_LICENCE,
        limits=(
            "One body a square: where two overlap it may take the other's legs. What is out of the picture is guessed."
        ),
        settings={"resize_rule": "a square around the person's box, to 256 x 256"},
        examples=lambda count: (figures(count, BODY_PX),),
        precision="fp16",
    ),
)
NETWORKS: Mapping[str, PublishedNetwork] = {
    DETECTOR: _DETECTOR,
    KEY_POINTS: _KEY_POINTS,
    BODY: _BODY,
}
