"""Every model that is shipped: its files, their sizes, and its configurations against Triton's own schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from outsole.encoders.network_spec import load_spec
from outsole.inference.encoder import TensorShape
from tests.unit.deploy.dashboards import ROOT

REPOSITORY = ROOT / "model_repository"
TENSORRT = ROOT / "deploy" / "tensorrt"
SELF_TEST = "self_test"
MODELS = sorted(path.parent.name for path in REPOSITORY.glob("*/config.pbtxt"))
NETWORKS = [name for name in MODELS if name != SELF_TEST]
MOST_BYTES_A_FILE = 20_000_000
MOST_BYTES = 60_000_000
DTYPES = {"TYPE_UINT8": "uint8", "TYPE_FP16": "float16", "TYPE_FP32": "float32", "TYPE_INT64": "int64"}


def parsed(path: Path) -> Any:
    return text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())


def tensors(described: Any) -> tuple[TensorShape, ...]:
    names = {value.number: name for name, value in model_config_pb2.DataType.DESCRIPTOR.values_by_name.items()}
    return tuple(TensorShape(t.name, DTYPES[names[t.data_type]], tuple(t.dims)) for t in described)


def test_there_are_models() -> None:
    assert {SELF_TEST, "print_lite2_b6"} <= set(MODELS)
    assert {path.name for path in REPOSITORY.iterdir()} == set(MODELS)


def test_no_file_is_larger_than_20_mb_and_all_together_than_60() -> None:
    sizes = {path: path.stat().st_size for path in REPOSITORY.rglob("*") if path.is_file()}
    assert {path: size for path, size in sizes.items() if size > MOST_BYTES_A_FILE} == {}
    assert sum(sizes.values()) <= MOST_BYTES


@pytest.mark.parametrize("name", NETWORKS)
def test_a_model_has_a_card_that_says_data_licence_and_command(name: str) -> None:
    card = (REPOSITORY / name / "card.md").read_text(encoding="utf-8")
    spec = load_spec(REPOSITORY / name)
    assert card.startswith(f"# {name}\n")
    assert spec.licence in card
    assert "python -m training." in card
    assert "Known limits" in card


@pytest.mark.parametrize("name", NETWORKS)
def test_a_models_configuration_has_the_tensors_of_its_specification(name: str) -> None:
    spec = load_spec(REPOSITORY / name)
    config = parsed(REPOSITORY / name / "config.pbtxt")
    assert (config.name, config.backend, spec.name) == (name, "onnxruntime", name)
    assert config.max_batch_size >= 1
    assert tensors(config.input) == spec.contract().inputs
    assert tensors(config.output) == spec.contract().outputs


def test_the_self_tests_configuration_parses() -> None:
    assert parsed(REPOSITORY / SELF_TEST / "config.pbtxt").backend == "onnxruntime"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_engines_configuration_differs_in_the_back_end_alone(name: str) -> None:
    engine = parsed(TENSORRT / name / "config.pbtxt")
    assert engine.backend == "tensorrt"
    assert engine.instance_group[0].kind == model_config_pb2.ModelInstanceGroup.KIND_GPU
    served = parsed(REPOSITORY / name / "config.pbtxt")
    for each in (engine, served):
        del each.instance_group[:]
        each.backend = each.default_model_filename = ""
    assert engine == served


@pytest.mark.parametrize("name", NETWORKS)
def test_job_and_compose_one_off_run_the_script_that_is_shipped(name: str) -> None:
    folder = TENSORRT / name
    files, job = yaml.safe_load_all((folder / "job.yaml").read_text(encoding="utf-8"))
    for file in ("build.sh", "config.pbtxt"):
        assert files["data"][file] == (folder / file).read_text(encoding="utf-8")
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert pod["volumes"][2]["configMap"]["name"] == files["metadata"]["name"]
    build = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))["services"]["build"]
    assert build["command"] == pod["containers"][0]["command"]
    assert build["image"] == pod["containers"][0]["image"]
    local = [mount.split(":")[0] for mount in build["volumes"] if mount.startswith(".")]
    assert local
    assert all((folder / path).exists() for path in local)


def test_engines_are_built_by_the_release_that_serves_them() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text(encoding="utf-8"))
    serving = compose["services"]["triton"]["image"].rpartition(":")[2]
    for name in NETWORKS:
        build = yaml.safe_load((TENSORRT / name / "compose.yaml").read_text(encoding="utf-8"))["services"]["build"]
        assert build["image"].rpartition(":")[2] == serving
