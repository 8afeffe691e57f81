"""The command on a small network in a made package, and on the real packages where they are at hand."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite")
pytest.importorskip("onnx")
pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

from click.testing import CliRunner, Result

from outsole.encoders.network_spec import NetworkSpec
from outsole.inference.encoder import TensorShape
from tests.unit.training.detectors.tflite_writer import TfliteWriter
from training.detectors import __main__ as command
from training.detectors.packages import OBJECTRON, PublishedFile
from training.detectors.published import NETWORKS, PublishedNetwork
from training.export_plan import ExportPlan
from training.exporting.parity import run

REPOSITORY = Path(__file__).parents[4] / "model_repository"
REAL_PACKAGES = ("OUTSOLE_TEST_OBJECTRON", "OUTSOLE_TEST_MEDIAPIPE")
SIDE = 8
PLAN = ExportPlan(
    kind="object_detector",
    inputs=(TensorShape("image", "uint8", (SIDE, SIDE, 3)),),
    outputs=(TensorShape("odds", "float32", (40,)),),
    px_per_cm=0.0,
    summary="Small.",
    trained_on="nothing",
    licence="Apache-2.0",
    limits="All.",
    precision="fp16",
)
WEIGHTS = np.random.default_rng(0).normal(size=(40, SIDE * SIDE * 3)).astype(np.float16)


def small_model() -> bytes:
    """A TFLite file: an image [1, 8, 8, 3] to 40 odds, weights stored as half floats."""
    writer = TfliteWriter()
    image = writer.tensor("image", (1, SIDE, SIDE, 3))
    row, sums, odds = (
        writer.tensor(name, (1, size)) for name, size in (("row", SIDE * SIDE * 3), ("s", 40), ("o", 40))
    )
    writer.operator("RESHAPE", [image, writer.constant("to", np.array([1, SIDE * SIDE * 3], np.int32))], [row])
    weights, bias = writer.tensor("weights", WEIGHTS.shape), writer.constant("bias", np.zeros(40, np.float32))
    writer.operator("DEQUANTIZE", [writer.constant("stored", WEIGHTS)], [weights])
    writer.operator("FULLY_CONNECTED", [row, weights, bias], [sums], FusedActivationFunction=0)
    writer.operator("LOGISTIC", [sums], [odds])
    return writer.finish([image], [odds])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with that file; the command knows this one network alone."""
    path = tmp_path / "secret_place" / "small.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("model", small_model())
    network = PublishedNetwork(
        file=PublishedFile(OBJECTRON, "model", hashlib.sha256(small_model()).hexdigest()),
        raw=("o",),
        low=-1.0,
        high=1.0,
        head=lambda graph, raw: list(raw),
        head_in_numpy=lambda raw: [raw[0].astype(np.float64)],
        plan=PLAN,
    )
    monkeypatch.setattr(command, "NETWORKS", {"small": network})
    return path


def convert(objectron: Path, mediapipe: Path, repository: Path) -> Result:
    arguments = ["--objectron", str(objectron), "--mediapipe", str(mediapipe), "--repository", str(repository)]
    return CliRunner().invoke(command.main, arguments)


def test_a_published_network_becomes_a_model_folder_whose_half_floats_lose_nothing(
    package: Path, tmp_path: Path
) -> None:
    result = convert(package, package, tmp_path / "repository")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "repository/small"
    spec = NetworkSpec.load(folder)
    assert (spec.kind, spec.settings["stored_weights"]) == ("object_detector", "fp16")
    image = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)
    (got,) = run((folder / "1/model.onnx").read_bytes(), PLAN, (image,))
    seen = image.reshape(3, -1) / 127.5 - 1
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-seen @ WEIGHTS.astype(np.float64).T)), atol=1e-5)
    assert (tmp_path / "tensorrt/small/build.sh").is_file()


def test_the_card_tells_the_distance_from_the_makers_runtime_and_no_path(package: Path, tmp_path: Path) -> None:
    convert(package, package, tmp_path / "repository")
    card = (tmp_path / "repository/small/card.md").read_text()
    assert "Against ai-edge-litert: largest difference" in card
    assert "python -m training.detectors --objectron small.whl --mediapipe small.whl" in card
    assert "secret_place" not in card


def test_another_package_is_one_sentence_and_leaves_nothing(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("model", b"another")
    result = convert(package, package, tmp_path / "repository")
    assert result.exit_code == 1
    assert "has sha256" in result.output
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "repository").exists()


def test_the_real_packages_give_the_shipped_models_bit_for_bit(tmp_path: Path) -> None:
    paths = [os.environ.get(name) for name in REAL_PACKAGES]
    if not all(paths):
        pytest.skip(f"{' and '.join(REAL_PACKAGES)} do not name the packages that the detectors come from")
    result = convert(Path(str(paths[0])), Path(str(paths[1])), tmp_path / "repository")
    assert result.exit_code == 0, result.output
    for name in NETWORKS:
        for file in ("1/model.onnx", "spec.json", "config.pbtxt"):
            made = tmp_path / "repository" / name / file
            assert made.read_bytes() == (REPOSITORY / name / file).read_bytes(), made
    differences = [float(words.split(",")[0]) for words in result.output.split("litert by ")[1:]]
    assert len(differences) == len(NETWORKS)
    assert max(differences) <= 1e-4
