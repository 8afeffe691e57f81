"""What the shipped detectors say about drawn people, and that decoding in the graph is what numpy computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("torch")

import onnxruntime
from numpy.typing import NDArray

from outsole.inference.encoder import TensorShape
from outsole.video.networks import CLASSES
from training.detectors.boxes import anchors, decoded, decoded_in_numpy
from training.detectors.figures import SHOE_BOXES, figures
from training.detectors.onnx_graph import OnnxGraph
from training.detectors.published import NETWORKS
from training.exporting.parity import run

REPOSITORY = Path(__file__).parents[4] / "model_repository"
FIGURE_BOX = (77, 13, 179, 248)


def answers(name: str, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """What a shipped model says; boxes and points as parts of the picture."""
    return run((REPOSITORY / name / "1/model.onnx").read_bytes(), NETWORKS[name].plan, (images,))


def test_the_anchors_tile_the_picture_at_six_levels() -> None:
    laid = anchors()
    assert laid.shape == (1917, 4)
    np.testing.assert_allclose(laid[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(laid[1083], [0.05, 0.05, 0.35, 0.35], rtol=1e-6)
    np.testing.assert_allclose(laid[-1], [0.5, 0.5, np.sqrt(0.95), np.sqrt(0.95)], rtol=1e-6)
    assert np.all((laid[:, :2] > 0) & (laid[:, :2] < 1))


def test_boxes_decoded_in_the_graph_are_those_that_numpy_computes() -> None:
    generator = np.random.default_rng(0)
    raw = [generator.normal(size=(2, 1917, size)).astype(np.float32) * 3 for size in (4, 24)]
    graph = OnnxGraph()
    kinds = [TensorShape("encodings", "float32", (1917, 4)), TensorShape("logits", "float32", (1917, 24))]
    outputs = zip(decoded(graph, ["encodings", "logits"]), NETWORKS["footwear_detector"].plan.outputs, strict=True)
    session = onnxruntime.InferenceSession(graph.finish(kinds, list(outputs)), providers=["CPUExecutionProvider"])
    got = session.run(["boxes", "scores"], {"encodings": raw[0], "logits": raw[1]})
    for found, wanted in zip(got, decoded_in_numpy(raw), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_the_detector_finds_drawn_persons_and_both_of_their_shoes() -> None:
    boxes, scores = answers("footwear_detector", figures(2, 300))
    for places, odds in zip(boxes * 256, scores, strict=True):
        person = places[odds[:, CLASSES.index("person")].argmax()]
        np.testing.assert_allclose(person, FIGURE_BOX, atol=8)
        sure = places[odds[:, CLASSES.index("footwear")] > 0.3]
        for shoe in SHOE_BOXES:
            assert np.abs(sure - shoe).max(1).min() < 5


def test_key_points_lie_on_the_drawn_shoe_toe_outwards() -> None:
    left, top, side = 132.0, 214.0, 42.0
    points, score = answers("shoe_key_points", figures(2, 224, window=(left, top, side)))
    assert score.min() > 0.9
    middle = points[:, 0] * side + (left, top)
    np.testing.assert_allclose(middle, np.tile([153.0, 236.0], (2, 1)), atol=6)
    heel, toe = points[:, [1, 3, 5, 7]].mean(1), points[:, [2, 4, 6, 8]].mean(1)
    assert np.all(toe[:, 0] - heel[:, 0] > 0.05)


def test_the_pose_has_heels_and_toes_where_they_were_drawn() -> None:
    landmarks, score = answers("body_pose", figures(2, 256))
    assert score.min() > 0.99
    # The drawn person looks at us: its left is on the right.
    wanted = {29: (146, 235), 30: (110, 235), 31: (159, 241), 32: (97, 241)}
    for number, place in wanted.items():
        np.testing.assert_allclose(landmarks[:, number, :2] * 256, [place, place], atol=9)
    assert landmarks[:, list(wanted), 2].min() > 0.5


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_card_says_where_the_weights_are_from_and_what_is_not_known_of_them(name: str) -> None:
    card = " ".join((REPOSITORY / name / "card.md").read_text().split())
    network = NETWORKS[name]
    assert network.file.sha256 in card
    assert network.file.package in card
    assert "makers do not say on which pictures" in card
    assert "Against ai-edge-litert" in card
