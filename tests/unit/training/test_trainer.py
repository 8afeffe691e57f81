from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from outsole.errors import DataCorrupt, InvalidInput, MissingPart, PreconditionFailed
from tests.unit.training.tiny_system import PRESETS, TINY, Stripes, loss, tiny_system
from training.checkpoints import CHECKPOINT_FILE, load_checkpoint, load_network
from training.system import Batch, Preset, StepDataset
from training.trainer import train

_SMOKE = PRESETS["smoke"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of six steps in one go."""
    folder = tmp_path_factory.mktemp("whole")
    train(TINY, "smoke", folder=folder, device="cpu")
    return folder


def _weights(folder: Path) -> Mapping[str, torch.Tensor]:
    return load_checkpoint(folder / CHECKPOINT_FILE).network


class _FailsAt(Stripes):
    """Stripes whose data run out at a step."""

    step = 3

    def __getitem__(self, step: int) -> Batch:
        if step == self.step:
            raise InvalidInput("class 'boot' has one image", field="data", remedy="two or more")
        return super().__getitem__(step)


class _FaultyAt(Stripes):
    """Data whose code has a fault."""

    def __getitem__(self, step: int) -> Batch:
        if step == 3:
            raise IndexError("no such sole")
        return super().__getitem__(step)


def _nan_at(step: int) -> object:
    """A loss that is not a number from a call on."""
    calls = iter(range(step))

    def broken(network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        parts = dict(loss(network, batch))
        return parts if next(calls, None) is not None else parts | {"loss": parts["loss"] * math.nan}

    return broken


def test_a_run_that_is_stopped_and_resumed_ends_with_the_weights_of_one_that_was_not(
    whole: Path, tmp_path: Path
) -> None:
    # A time limit that is over after a step: three sittings of a step each, then the rest in one go.
    for done in (1, 2, 3):
        run = train(TINY, "smoke", folder=tmp_path, device="cpu", minutes=1e-9)
        assert (run.result.steps, run.result.complete) == (done, False)
    assert train(TINY, "smoke", folder=tmp_path, device="cpu").result.complete
    expected, found = _weights(whole), _weights(tmp_path)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_another_seed_ends_with_other_weights(whole: Path, tmp_path: Path) -> None:
    other = tiny_system(presets={"smoke": dataclasses.replace(_SMOKE, seed=2)})
    train(other, "smoke", folder=tmp_path, device="cpu")
    assert not torch.equal(_weights(whole)["head.weight"], _weights(tmp_path)["head.weight"])


def test_a_tiny_system_learns_to_tell_stripes_apart(tmp_path: Path) -> None:
    run = train(TINY, "cpu", folder=tmp_path, device="cpu")
    assert run.result.metrics["accuracy"] > 0.95
    assert run.log[-1]["loss"] < 0.5 * run.log[0]["loss"]


def test_a_run_leaves_a_log_with_every_step_a_curve_and_a_result(whole: Path) -> None:
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert all(set(row) == {"step", "loss", "spread", "rate", "seconds"} for row in rows)
    assert (whole / "loss.png").read_bytes().startswith(b"\x89PNG")
    result = json.loads((whole / "result.json").read_text())
    assert result["metrics"].keys() == {"accuracy"}
    assert (result["preset"], result["seed"], result["steps"], result["complete"]) == ("smoke", 1, 6, True)
    assert result["command"] and result["machine"]


def test_the_rate_rises_linearly_and_falls_as_a_cosine(whole: Path) -> None:
    rates = [json.loads(line)["rate"] for line in (whole / "log.jsonl").read_text().splitlines()]
    expected = [1 / 3, 2 / 3, *(0.5 * (1 + math.cos(math.pi * i / 4)) for i in range(4))]
    assert rates == pytest.approx([0.01 * factor for factor in expected], rel=1e-4)


def test_a_finished_run_is_evaluated_again_without_learning(whole: Path) -> None:
    before = load_checkpoint(whole / CHECKPOINT_FILE)
    run = train(TINY, "smoke", folder=whole, device="cpu")
    assert run.result.steps == 6
    assert len(run.log) == 6
    assert load_checkpoint(whole / CHECKPOINT_FILE).seconds == before.seconds


def test_the_checkpoint_fills_a_new_network(whole: Path) -> None:
    network = TINY.build()
    assert load_network(network, whole / CHECKPOINT_FILE).settings["system"] == "tiny"
    assert torch.equal(network.state_dict()["head.weight"], _weights(whole)["head.weight"])


def test_a_resumed_run_with_another_rate_is_refused_and_the_setting_named(whole: Path) -> None:
    other = tiny_system(presets={"smoke": dataclasses.replace(_SMOKE, head_rate=0.02)})
    with pytest.raises(PreconditionFailed, match=r"head_rate = 0\.01, now it is 0\.02.*--fresh"):
        train(other, "smoke", folder=whole, device="cpu")


def test_the_number_of_workers_may_change(whole: Path) -> None:
    other = tiny_system(presets={"smoke": dataclasses.replace(_SMOKE, workers=2)})
    assert train(other, "smoke", folder=whole, device="cpu").result.steps == 6


def test_fresh_starts_over(whole: Path, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"not a checkpoint")
    train(TINY, "smoke", folder=tmp_path, device="cpu", resume=False)
    assert torch.equal(_weights(whole)["head.weight"], _weights(tmp_path)["head.weight"])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_corrupt_checkpoint_says_how_to_go_on(whole: Path, tmp_path: Path, damage: str) -> None:
    data = (whole / CHECKPOINT_FILE).read_bytes()
    marker = data.index(load_checkpoint(whole / CHECKPOINT_FILE).network["head.weight"].numpy().tobytes())
    flipped = data[:marker] + bytes([data[marker] ^ 1]) + data[marker + 1 :]
    damaged = {"cut": data[: len(data) // 2], "flipped": flipped, "empty": b"", "text": b"step: 3\n"}[damage]
    (tmp_path / CHECKPOINT_FILE).write_bytes(damaged)
    with pytest.raises(DataCorrupt, match="--fresh"):
        train(TINY, "smoke", folder=tmp_path, device="cpu")
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == damaged


@pytest.mark.parametrize("finite_steps", [0, 3])
def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_what_was_saved(tmp_path: Path, finite_steps: int) -> None:
    if finite_steps:
        train(TINY, "smoke", folder=tmp_path, device="cpu", minutes=1e-9)
    with pytest.raises(PreconditionFailed, match="the loss at step"):
        train(tiny_system(loss=_nan_at(finite_steps)), "smoke", folder=tmp_path, device="cpu")
    kept = tmp_path / CHECKPOINT_FILE
    assert kept.exists() == bool(finite_steps)
    assert not finite_steps or load_checkpoint(kept).step == 1


def test_an_error_of_the_data_keeps_its_field_and_remedy_across_processes(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="class 'boot' has one image") as caught:
        train(tiny_system(dataset=_FailsAt), "smoke", folder=tmp_path, device="cpu")
    assert (caught.value.field, caught.value.remedy) == ("data", "two or more")


def test_a_fault_in_the_data_s_code_is_told_with_its_place_and_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"batch of step \d+ cannot be made(.|\n)*IndexError: no such sole"):
        train(tiny_system(dataset=_FaultyAt), "smoke", folder=tmp_path, device="cpu")
    assert not multiprocessing.active_children()


def test_data_for_too_few_steps_are_refused(tmp_path: Path) -> None:
    def short(preset: Preset) -> StepDataset:
        return Stripes(dataclasses.replace(preset, steps=3))

    with pytest.raises(InvalidInput, match="batches for 3 steps"):
        train(tiny_system(dataset=short), "smoke", folder=tmp_path, device="cpu")


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InvalidInput, match="cannot be made"):
        train(TINY, "smoke", folder=tmp_path / "run", device="cpu")


def test_an_unknown_preset_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="one of smoke, cpu"):
        train(TINY, "long", folder=tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_a_missing_part(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="--device cpu"):
        train(TINY, "smoke", folder=tmp_path, device="cuda")
