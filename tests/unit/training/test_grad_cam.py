"""The command that shows where the attention encoder looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.errors import InvalidInput, NotFound
from outsole.imaging.shoe_crops import CROP_PX
from training.checkpoints import Checkpoint, save_checkpoint
from training.grad_cam import load_learner, main, read_crop
from training.made_shoes import LEARNED_SEED, MadeUppers
from training.shoe_attention import SYSTEM
from training.system import fingerprint

UPPERS = MadeUppers(3, seed=LEARNED_SEED)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    network = SYSTEM.build()
    save_checkpoint(folder, Checkpoint(0, 0.0, fingerprint(SYSTEM, "smoke"), network.state_dict(), {}))
    return folder


def _picture(folder: Path, model: int = 0) -> Path:
    path = folder / f"shoe{model}.png"
    Image.fromarray(UPPERS.catalogue(model, 1)).save(path)
    return path


def _told(run: Path, folder: Path, *more: str) -> tuple[Result, Path]:
    out = folder / "out.png"
    picture = str(_picture(folder))
    words = ["--checkpoint", str(run), "--image", picture, "--out", str(out), *more]
    return CliRunner().invoke(main, words), out


def test_the_picture_shows_the_crop_and_three_explanations(run_folder: Path, tmp_path: Path) -> None:
    done, out = _told(run_folder, tmp_path)
    assert done.exit_code == 0, done.output
    shown = np.asarray(Image.open(out))
    height, width = CROP_PX
    assert shown.shape == (height, 4 * width + 12, 3)
    assert np.array_equal(shown[:, :width], UPPERS.catalogue(0, 1))
    parts = [shown[:, n * (width + 4) :][:, :width] for n in range(4)]
    assert len({part.tobytes() for part in parts}) == 4


def test_another_shoe_and_a_class_give_other_explanations(run_folder: Path, tmp_path: Path) -> None:
    other = str(_picture(tmp_path, 1))
    found = []
    for more in ((), ("--like", other), ("--class", "7")):
        done, out = _told(run_folder, tmp_path, *more)
        assert done.exit_code == 0, done.output
        found.append(out.read_bytes())
    assert len(set(found)) == 3


def test_both_a_shoe_and_a_class_are_refused_in_one_sentence(run_folder: Path, tmp_path: Path) -> None:
    done, out = _told(run_folder, tmp_path, "--like", str(_picture(tmp_path, 1)), "--class", "7")
    assert done.exit_code == 2 and "one of both" in done.output
    assert not out.exists()


def test_a_run_of_another_system_is_refused(tmp_path: Path) -> None:
    other = dict(fingerprint(SYSTEM, "smoke")) | {"system": "region_codes"}
    save_checkpoint(tmp_path, Checkpoint(0, 0.0, other, {}, {}))
    with pytest.raises(InvalidInput, match="is of region_codes"):
        load_learner(tmp_path)


def test_a_picture_of_any_size_is_taken_with_toe_and_heel(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.fromarray(np.full((200, 400, 3), 90, np.uint8)).save(path)
    assert read_crop(path, toe=(300, 150), heel=(100, 150)).shape == (*CROP_PX, 3)
    with pytest.raises(InvalidInput, match="400 x 200"):
        read_crop(path)
    with pytest.raises(InvalidInput, match="one end alone"):
        read_crop(path, toe=(300, 150))
    with pytest.raises(NotFound, match="there is no file"):
        read_crop(tmp_path / "none.png")


def test_a_grey_picture_is_taken_as_colours(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.fromarray(np.arange(112 * 224, dtype=np.uint16).astype(np.uint8).reshape(CROP_PX)).save(path)
    crop = read_crop(path)
    assert crop.shape == (*CROP_PX, 3)
    assert np.array_equal(crop[..., 0], crop[..., 2])
