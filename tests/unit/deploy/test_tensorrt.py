"""What is below deploy/tensorrt is what the exporter writes, and the script does what it says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("torch")

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from outsole.encoders.network_spec import load_spec
from outsole.inference.encoder import TensorShape
from tests.unit.deploy.dashboards import ROOT
from training.export_plan import ExportPlan
from training.exporting.served import ServedModel, onnxruntime_config
from training.exporting.tensorrt import shapes, tensorrt_files

REPOSITORY = ROOT / "model_repository"
TENSORRT = ROOT / "deploy" / "tensorrt"
NETWORKS = sorted(path.parent.name for path in REPOSITORY.glob("*/spec.json"))
STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" > "$WORK/arguments"
for word in "$@"; do case "$word" in --saveEngine=*) echo engine > "${word#--saveEngine=}";; esac; done
exit "${STATUS:-0}"
"""


def served(name: str) -> ServedModel:
    """The model as its shipped specification and configuration describe it."""
    config = text_format.Parse((REPOSITORY / name / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    contract = load_spec(REPOSITORY / name).contract()
    merges = config.HasField("dynamic_batching")
    preferred = config.dynamic_batching.preferred_batch_size[0] if merges else ExportPlan.preferred_batch
    return ServedModel(name, contract.inputs, contract.outputs, config.max_batch_size, preferred, merges)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_files_are_what_the_exporter_writes_from_the_specification(name: str) -> None:
    wanted = tensorrt_files(served(name))
    assert {path.name: path.read_text(encoding="utf-8") for path in (TENSORRT / name).iterdir()} == wanted
    assert (REPOSITORY / name / "config.pbtxt").read_text(encoding="utf-8") == onnxruntime_config(served(name))


def test_the_server_puts_requests_together_but_for_encoders_of_shoes_and_models_of_wear() -> None:
    kinds = {name: getattr(load_spec(REPOSITORY / name), "kind", "") for name in NETWORKS}
    assert [name for name in NETWORKS if not served(name).merges] == [
        name for name, kind in kinds.items() if kind in ("shoe_embedding", "wear_prediction")
    ]


def test_there_is_one_folder_a_model() -> None:
    assert sorted(path.name for path in TENSORRT.iterdir() if path.is_dir()) == NETWORKS


def test_shapes_name_every_input_at_the_batch() -> None:
    inputs = (TensorShape("image", "uint8", (672, 352)), TensorShape("cells", "uint8", (84, 44)))
    assert shapes(inputs, 9) == "image:9x672x352,cells:9x84x44"


def run_script(name: str, work: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a model's script with a stand-in that notes its arguments and writes a file where the engine should be."""
    (work / "trtexec").write_text(STAND_IN)
    (work / "trtexec").chmod(0o755)
    places = {
        "PATH": f"{work}{os.pathsep}{os.environ['PATH']}",
        "WORK": str(work),
        "MODELS": str(REPOSITORY),
        "ENGINES": str(work / "engines"),
        "CONFIG": str(TENSORRT / name / "config.pbtxt"),
    }
    script = str(TENSORRT / name / "build.sh")
    return subprocess.run(["sh", script], env=places | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_script_leaves_a_whole_model_repository(name: str, tmp_path: Path) -> None:
    done = run_script(name, tmp_path, TRTEXEC_FLAGS="--fp16")
    assert done.returncode == 0, done.stderr
    engines = tmp_path / "engines"
    assert sorted(path.name for path in (engines / name).iterdir()) == ["1", "config.pbtxt", "spec.json"]
    assert [path.name for path in (engines / name / "1").iterdir()] == ["model.plan"]
    assert (engines / "self_test/1/model.onnx").is_file()
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert f"--onnx={REPOSITORY / name / '1/model.onnx'}" in arguments
    assert f"--timingCacheFile={engines / name / 'timing.cache'}" in arguments
    model = served(name)
    assert f"--maxShapes={shapes(model.inputs, model.max_batch)}" in arguments
    assert arguments[-1] == "--fp16"


def test_a_build_that_fails_leaves_no_engine(tmp_path: Path) -> None:
    assert run_script("print_lite2_b6", tmp_path, STATUS="3").returncode == 3
    assert not (tmp_path / "engines/print_lite2_b6/1/model.plan").exists()
    assert not (tmp_path / "engines/print_lite2_b6/config.pbtxt").exists()
