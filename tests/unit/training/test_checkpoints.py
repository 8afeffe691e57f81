from __future__ import annotations

from pathlib import Path

import pytest
import torch

from outsole.errors import DataCorrupt, NotFound, PreconditionFailed
from tests.unit.training.tiny_system import TINY, TinyNet
from training.checkpoints import (
    CHECKPOINT_FILE,
    Checkpoint,
    beginning_with,
    check_settings,
    load_checkpoint,
    load_network,
    save_checkpoint,
    write_whole,
)
from training.system import fingerprint


def _checkpoint(step: int = 3) -> Checkpoint:
    network = TinyNet()
    optimiser = torch.optim.AdamW(network.parameters())
    settings: dict[str, str | int | float | bool] = {"system": "tiny", "seed": 1, "head_rate": 0.1, "masks": True}
    return Checkpoint(step, 1.25, settings, network.state_dict(), optimiser.state_dict())


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = _checkpoint()
    found = load_checkpoint(save_checkpoint(tmp_path, saved))
    assert (found.step, found.seconds, found.settings) == (3, 1.25, saved.settings)
    assert all(torch.equal(found.network[name], tensor) for name, tensor in saved.network.items())
    assert found.optimiser == saved.optimiser


def test_a_checkpoint_is_a_plain_file_of_torch_that_needs_no_code(tmp_path: Path) -> None:
    record = torch.load(save_checkpoint(tmp_path, _checkpoint()), weights_only=True)
    assert record["step"] == 3


def test_nothing_but_the_checkpoint_is_left(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, _checkpoint(step))
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]
    assert load_checkpoint(tmp_path / CHECKPOINT_FILE).step == 2


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed, match=r"step 3 .* cannot be written .*there is none before it"):
        save_checkpoint(tmp_path / "gone", _checkpoint())


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(DataCorrupt, match="no checkpoint of this program"):
        load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(NotFound, match=r"gone\.pt"):
        load_checkpoint(tmp_path / "gone.pt")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, _checkpoint())
    with pytest.raises(PreconditionFailed, match="made by tiny"):
        load_network(torch.nn.Linear(2, 2), path)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"seed": 2, "masks": True}, "seed = 1, now it is 2"),
        ({"seed": 1}, "masks = True, now it is nothing"),
        ({"seed": 1, "masks": True, "trunk": "ab"}, "trunk = nothing, now it is ab"),
    ],
)
def test_the_setting_that_differs_is_named(wanted: dict[str, str | int | float | bool], words: str) -> None:
    with pytest.raises(PreconditionFailed, match=words):
        check_settings({"seed": 1, "masks": True}, wanted, Path("run"))
    check_settings(wanted, wanted, Path("run"))


def test_a_run_that_begins_with_anothers_weights_has_them_and_is_another_run(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, _checkpoint())
    system = beginning_with(TINY, path)
    known = load_checkpoint(path).network
    assert all(torch.equal(known[name], tensor) for name, tensor in system.build().state_dict().items())
    assert fingerprint(system, "smoke") != fingerprint(TINY, "smoke")


def test_a_run_cannot_begin_with_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.pt"):
        beginning_with(TINY, tmp_path / "none.pt")
