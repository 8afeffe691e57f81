"""Exports against torch, against what is shipped, and what an export that fails leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("efficientnet_lite_pytorch")

import onnx
import torch
from click.testing import CliRunner, Result
from torch import nn

from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import InvalidInput, PreconditionFailed
from tests.unit.training.exported_system import PLAN, SmallNet, examples
from training import registry
from training.checkpoints import Checkpoint, save_checkpoint
from training.export import export_model, main
from training.export_plan import find_plan
from training.exporting.folder import whole_folder
from training.exporting.graph import PRECISIONS, as_tuple, compacted, to_onnx
from training.exporting.parity import measure, run
from training.exporting.print_encoder import NAME, build_trunk
from training.exporting.print_encoder import PLAN as PRINT_PLAN
from training.exporting.subjects import Subject

MODEL = Path(__file__).parents[3] / "model_repository" / NAME
SYSTEM_PLACE = "tests.unit.training.exported_system:SYSTEM"


@pytest.fixture
def network() -> SmallNet:
    torch.manual_seed(3)
    return SmallNet().eval()


@pytest.fixture
def checkpoint(tmp_path: Path, network: SmallNet, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoint of a run of the system ``small``, its result beside it."""
    monkeypatch.setitem(registry.SYSTEMS, "small", SYSTEM_PLACE)
    folder = tmp_path / "run"
    folder.mkdir()
    result = {"metrics": {"hit_share": 0.25}, "command": "python -m training.small --output /secret/place/run"}
    (folder / "result.json").write_text(json.dumps(result))
    return save_checkpoint(folder, Checkpoint(7, 130.0, {"preset": "cpu", "seed": 5}, network.state_dict(), {}))


def export(tmp_path: Path, *arguments: str) -> Result:
    places = ["--repository", str(tmp_path / "repository"), "--tensorrt", str(tmp_path / "tensorrt")]
    return CliRunner().invoke(main, [*arguments, *places])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_shipped_weights_agree_with_torch_to_1e_4() -> None:
    weights = (MODEL / "1" / "model.onnx").read_bytes()
    assert measure(build_trunk(), weights, PRINT_PLAN, "fp32").difference <= 1e-4


def test_exporting_again_gives_the_same_bytes_and_the_shipped_model_but_for_how_a_processor_rounds(
    tmp_path: Path,
) -> None:
    folders = []
    for name in ("first", "second"):
        result = export(tmp_path / name)
        assert result.exit_code == 0, result.output
        folders.append(tmp_path / name / "repository" / NAME)
    for name in ("1/model.onnx", "spec.json", "config.pbtxt"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    assert (folders[0] / "config.pbtxt").read_bytes() == (MODEL / "config.pbtxt").read_bytes()
    # Folding normalisation into convolutions rounds the last bits otherwise on processors of another maker.
    made, shipped = (onnx.load(folder / "1/model.onnx") for folder in (folders[0], MODEL))
    weights, wanted = (
        {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for model in (made, shipped)
    )
    assert list(weights) == list(wanted)
    for name, array in wanted.items():
        assert weights[name].dtype == array.dtype, name
        np.testing.assert_allclose(weights[name], array, rtol=0, atol=5e-7 * max(float(np.abs(array).max()), 1e-9))
    for model in (made, shipped):
        del model.graph.initializer[:]
    assert made == shipped


def test_a_trained_system_becomes_a_model_folder_that_computes_what_torch_computes(
    tmp_path: Path, checkpoint: Path, network: SmallNet
) -> None:
    result = export(tmp_path, "small", "--checkpoint", str(checkpoint))
    assert result.exit_code == 0, result.output
    folder = tmp_path / "repository/small"
    spec = NetworkSpec.load(folder)
    assert (spec.kind, spec.inputs, spec.outputs) == (PLAN.kind, PLAN.inputs, PLAN.outputs)
    assert spec.settings == {"polarity": "contact is dark", "stored_weights": "fp32"}
    inputs = examples(5)
    with torch.no_grad():
        wanted = as_tuple(network(*map(torch.from_numpy, inputs)))
    embedding, maps = run((folder / "1/model.onnx").read_bytes(), PLAN, inputs)
    assert embedding.dtype == np.float16
    np.testing.assert_allclose(embedding.astype(np.float32), wanted[0], atol=1e-3)
    np.testing.assert_allclose(maps, wanted[1], atol=1e-4)


def test_the_card_tells_the_run_without_a_path_of_this_machine(tmp_path: Path, checkpoint: Path) -> None:
    export(tmp_path, "small", "--checkpoint", str(checkpoint))
    card = (tmp_path / "repository/small/card.md").read_text()
    assert "7 steps in 2 min" in card
    assert "preset cpu, seed 5" in card
    assert "| hit_share | 0.25 |" in card
    assert "--output run" in card
    assert "/secret" not in card
    assert str(tmp_path) not in card
    assert max(map(len, card.splitlines())) <= 120


def test_the_newest_run_is_taken_where_no_checkpoint_is_named(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "no finished run" in export(tmp_path, "small").output
    place = tmp_path / "build/training/small_cpu"
    place.parent.mkdir(parents=True)
    checkpoint.parent.rename(place)
    assert export(tmp_path, "small", "--as", "renamed").exit_code == 0
    assert NetworkSpec.load(tmp_path / "repository/renamed").name == "renamed"


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_weights_stored_small_are_smaller_and_stay_close(network: SmallNet, precision: str) -> None:
    whole = to_onnx(network, PLAN)
    small = compacted(whole, precision)
    assert len(small) < len(whole) * {"fp16": 0.6, "int8": 0.4}[precision]
    parity = measure(network, small, PLAN, precision)
    parity.check("small")
    assert 1e-6 < parity.difference < 0.05


def test_half_weights_compute_exactly_what_torch_computes_with_rounded_weights(network: SmallNet) -> None:
    small = compacted(to_onnx(network, PLAN), "fp16")
    for parameter in (network.wide.weight, network.linear.weight, network.product):
        parameter.data = parameter.data.to(torch.float16).to(torch.float32)
    # The exporter folds the normalisation into the convolution before the weights are rounded.
    assert isinstance(network.norm, nn.BatchNorm2d)
    folded = nn.utils.fuse_conv_bn_eval(network.deep, network.norm)
    folded.weight.data = folded.weight.data.to(torch.float16).to(torch.float32)
    network.deep, network.norm = folded, nn.Identity()
    assert measure(network, small, PLAN, "fp32").difference < 1e-5


def test_exporting_twice_gives_the_same_bytes_and_keeps_files_of_others(
    tmp_path: Path, checkpoint: Path, network: SmallNet
) -> None:
    assert export(tmp_path, "small", "--checkpoint", str(checkpoint)).exit_code == 0
    folder = tmp_path / "repository/small"
    (folder / "candidate_basis.npz").write_bytes(b"made elsewhere")
    before = files(folder)
    assert export(tmp_path, "small", "--checkpoint", str(checkpoint)).exit_code == 0
    assert files(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    result = export(tmp_path, "nonsense")
    assert result.exit_code == 2
    assert all(name in result.output for name in ("nonsense", NAME, *registry.SYSTEMS))


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b"])
def test_a_model_name_that_is_no_folder_name_is_refused(tmp_path: Path, network: SmallNet, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be called"):
        export_model(Subject(PLAN, network, None), name, repository=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("damage", "status"), [("missing", 2), ("cut", 1), ("text", 1), ("other", 1)])
def test_a_checkpoint_that_cannot_be_used_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, checkpoint: Path, damage: str, status: int
) -> None:
    if damage == "missing":
        checkpoint.unlink()
    elif damage == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    elif damage == "text":
        checkpoint.write_text("no checkpoint")
    else:
        save_checkpoint(checkpoint.parent, Checkpoint(1, 1.0, {}, nn.Linear(2, 2).state_dict(), {}))
    result = export(tmp_path, "small", "--checkpoint", str(checkpoint))
    assert result.exit_code == status, result.output
    assert result.output.startswith("Error: ")
    assert len(result.output.splitlines()) == 1
    assert not (tmp_path / "repository").exists()


def test_a_result_that_is_no_json_is_reported(tmp_path: Path, checkpoint: Path) -> None:
    (checkpoint.parent / "result.json").write_text("{")
    result = export(tmp_path, "small", "--checkpoint", str(checkpoint))
    assert result.exit_code == 1
    assert "result.json" in result.output


class BakesTheBatchIn(nn.Module):
    """What a graph must not do: the number of images while tracing becomes a constant."""

    def forward(self, image: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batch = int(image.shape[0])
        vector = image.to(torch.float32).flatten(1)[:, :64] - 128.0 * batch
        return vector, cells.to(torch.float32)[:, None].repeat(1, 16, 1, 1)


def test_a_graph_that_is_not_the_network_is_refused_and_the_old_folder_stays(tmp_path: Path, network: SmallNet) -> None:
    export_model(Subject(PLAN, network, None), "small", repository=tmp_path)
    before = files(tmp_path)
    with pytest.raises(PreconditionFailed, match="differs from torch"):
        export_model(Subject(PLAN, BakesTheBatchIn(), None), "small", repository=tmp_path)
    assert files(tmp_path) == before


def test_a_network_of_nan_is_refused(tmp_path: Path, network: SmallNet) -> None:
    network.product.data[:] = float("nan")
    with pytest.raises(PreconditionFailed, match="nan"):
        export_model(Subject(PLAN, network, None), "small", repository=tmp_path)


def test_a_full_disk_is_one_sentence_and_the_old_folder_stays(tmp_path: Path, network: SmallNet) -> None:
    export_model(Subject(PLAN, network, None), "small", repository=tmp_path)
    before = files(tmp_path)
    with pytest.raises(PreconditionFailed, match="full"), whole_folder(tmp_path, "small") as folder:
        (folder / "spec.json").write_text("half of it")
        Path("/dev/full").write_bytes(b"the other half")
    assert files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_a_repository_that_is_a_file_is_the_callers_error(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "repository").write_text("a file")
    result = export(tmp_path, "small", "--checkpoint", str(checkpoint))
    assert result.exit_code == 2
    assert "cannot write" in result.output


def test_random_bytes_stand_in_where_a_plan_has_no_examples() -> None:
    image, cells = replace(PLAN, examples=None).example_inputs(2)
    assert (image.shape, cells.shape) == ((2, 32, 16), (2, 16, 8))
    assert image.dtype == np.uint8
    assert len(np.unique(image)) > 200


@pytest.mark.parametrize("name", sorted(registry.SYSTEMS))
def test_every_system_says_how_it_is_exported(name: str) -> None:
    place = registry.SYSTEMS[name].partition(":")[0]
    plan = find_plan(name, place)
    assert plan.inputs[0].name == "image"
    assert {tensor.dtype for tensor in plan.inputs} == {"uint8"}
    assert plan.precision in PRECISIONS
    # The print system takes every model of this kind for one of its own.
    takes_canvases = [tensor.name for tensor in plan.inputs] == ["image", "cells"]
    assert takes_canvases == (plan.kind == "print_embedding")


def test_a_system_without_a_plan_is_reported() -> None:
    with pytest.raises(InvalidInput, match="says nothing"):
        find_plan("other", SYSTEM_PLACE.partition(":")[0])
    assert find_plan("small:variant", SYSTEM_PLACE.partition(":")[0]) is PLAN
