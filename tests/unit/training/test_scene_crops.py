"""Crops of made scenes: what is found is labelled with the truth, kept a camera a file, and mixed into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from outsole.errors import DataCorrupt, NotFound
from outsole.synthesis.scenes import SceneSettings, plan_scene
from training.made_shoes import LEARNED_MODELS, LEARNED_SEED, VIEWS, FoundCrops, MadeUppers, ShoeBatches
from training.scene_crops import camera_scene, found_crops, opened_finder, read_scene_crops


def _crops(count: int, *, models: int = 4) -> FoundCrops:
    numbers = np.arange(count)
    images = np.repeat(numbers, 112 * 224 * 3).reshape(-1, 112, 224, 3).astype(np.uint8)
    return FoundCrops(images, numbers % models, np.zeros(count, np.int64))


def _save(folder: Path, camera: int, crops: FoundCrops) -> None:
    file = folder / f"camera_{camera:04d}.npz"
    np.savez_compressed(file, images=crops.images, models=crops.models, views=crops.views)


def test_shoes_found_in_a_scene_have_the_model_that_its_walker_wears() -> None:
    uppers = MadeUppers(LEARNED_MODELS, seed=LEARNED_SEED)
    settings = SceneSettings(walks_per_camera=1, seconds=8, frame_rate=5, shoe_px=(84, 84))
    scene = plan_scene(uppers.models, cameras=1, seed=4, settings=settings)
    assert scene.walks[0].kind == "across"
    found = found_crops(scene, opened_finder())
    assert found.images.shape[1:] == (112, 224, 3)
    assert len(found.images) >= 4
    assert {uppers.models[number].model_id for number in found.models.tolist()} == {scene.walks[0].model_id}
    assert (found.views == VIEWS.index(VIEWS[0])).mean() > 0.5


def test_a_camera_is_always_the_same_scene_and_no_other_cameras() -> None:
    assert camera_scene(3) == camera_scene(3)
    assert camera_scene(3).seed != camera_scene(4).seed


def test_cameras_are_read_in_their_order(tmp_path: Path) -> None:
    _save(tmp_path, 1, _crops(3))
    _save(tmp_path, 0, _crops(2))
    found = read_scene_crops(tmp_path, cameras=2)
    assert found.images[:, 0, 0, 0].tolist() == [0, 1, 0, 1, 2]
    assert [walker.tolist() for walker in found.walkers] == [[0, 2], [1, 3], [4]]


def test_a_missing_camera_and_a_damaged_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="camera_0000"):
        read_scene_crops(tmp_path, cameras=1)
    (tmp_path / "camera_0000.npz").write_bytes(b"no archive")
    with pytest.raises(DataCorrupt, match="camera_0000"):
        read_scene_crops(tmp_path, cameras=1)


def test_half_of_what_cameras_show_is_crops_of_scenes_with_their_labels() -> None:
    found = _crops(6)
    batches = ShoeBatches(MadeUppers(8, seed=LEARNED_SEED), steps=2, batch_items=8, seed=1, found=found)
    batch = batches[1]
    camera, labels = batch["image"][4:].numpy(), batch["labels"].numpy()
    values = camera[:2, 0, 0, 0].tolist()
    assert all((crop == value).all() for crop, value in zip(camera[:2], values, strict=True))
    assert labels[:2].tolist() == [found.models[value] * len(VIEWS) for value in values]
    assert labels[:4].tolist() == labels[4:].tolist()
    assert len(set(labels[:2].tolist())) == 2
    assert (batches[1]["image"] == batch["image"]).all()
