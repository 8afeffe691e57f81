"""Scenes on disk: real videos with true times, truth that reads back, the same bytes for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from outsole.errors import DataCorrupt, InvalidInput, NotFound
from outsole.synthesis.scene_files import TRUTH_SUFFIX, main, read_scene, read_truth, write_scene
from outsole.synthesis.scene_pictures import frames_of
from outsole.synthesis.scenes import SceneSettings, plan_scene
from outsole.synthesis.shoes import plan_models

SETTINGS = SceneSettings(walks_per_camera=1, seconds=8, frame_rate=5, size_px=(216, 384), shoe_px=(24, 24))
SCENE = plan_scene(plan_models(9, seed=2), cameras=2, seed=2, settings=SETTINGS)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_scene(SCENE, tmp_path_factory.mktemp("scenes") / "made")


def test_files_are_named_by_camera_and_start_and_carry_it(videos: list[Path]) -> None:
    for video, camera in zip(videos, SCENE.cameras, strict=True):
        assert video.name == f"{camera.camera_id}_{camera.start:%Y%m%dT%H%M%S}.mp4"
        with av.open(str(video)) as container:
            assert container.metadata["creation_time"] == f"{camera.start:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert {path.name for path in videos[0].parent.iterdir()} == {
        "scene.json",
        *(video.name for video in videos),
        *(video.with_suffix(TRUTH_SUFFIX).name for video in videos),
    }


def test_times_in_the_file_are_those_of_the_truth(videos: list[Path]) -> None:
    for video, camera in zip(videos, SCENE.cameras, strict=True):
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            times = [frame.time for frame in container.decode(stream)]
        assert times == pytest.approx([number / 5 for number in range(camera.frames)])
        truth = read_truth(video)
        assert truth
        assert [shoe.time_s for shoe in truth] == pytest.approx([times[shoe.frame] for shoe in truth])


def test_a_video_shows_what_was_drawn(videos: list[Path]) -> None:
    with av.open(str(videos[0])) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for (frame, _), shown in zip(frames_of(SCENE, "cam01"), decoded, strict=True):
        assert np.abs(frame.rgb.astype(int) - shown).mean() < 8


def test_the_truth_and_the_plan_read_back(videos: list[Path]) -> None:
    assert read_scene(videos[0].parent) == SCENE
    drawn = [shoe for _, shoes in frames_of(SCENE, "cam01") for shoe in shoes]
    read = read_truth(videos[0])
    assert [(shoe.frame, shoe.walk_id, shoe.model_id, shoe.foot, shoe.view) for shoe in read] == [
        (shoe.frame, shoe.walk_id, shoe.model_id, shoe.foot, shoe.view) for shoe in drawn
    ]
    for shoe, was in zip(read, drawn, strict=True):
        assert shoe.toe == pytest.approx(was.toe, abs=1e-3)
        assert shoe.box == pytest.approx(was.box, abs=1e-3)


def test_the_same_scene_is_the_same_bytes(videos: list[Path], tmp_path: Path) -> None:
    again = write_scene(SCENE, tmp_path / "again")
    for first, second in zip(videos, again, strict=True):
        for path, other in ((first, second), (first.with_suffix(TRUTH_SUFFIX), second.with_suffix(TRUTH_SUFFIX))):
            assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


def test_a_scene_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    def stop(camera_id: str, done: int, frames: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_scene(SCENE, tmp_path / "broken", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "evidence.txt").write_text("kept")
    with pytest.raises(InvalidInput, match="not empty"):
        write_scene(SCENE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.txt"]


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no scene"):
        read_scene(tmp_path)
    with pytest.raises(NotFound, match="truth"):
        read_truth(tmp_path / "cam01_20260101T000000.mp4")
    (tmp_path / "scene.json").write_text('{"seed": 1}')
    (tmp_path / "a.truth.jsonl").write_text('{"frame": 1}\n')
    with pytest.raises(DataCorrupt):
        read_scene(tmp_path)
    with pytest.raises(DataCorrupt):
        read_truth(tmp_path / "a.mp4")


def test_the_command_writes_a_scene_and_says_what_is_wrong_without_a_trace(tmp_path: Path) -> None:
    plan = ["--cameras", "1", "--models", "3", "--walks", "1", "--seconds", "8"]
    done = CliRunner().invoke(main, [str(tmp_path / "made"), *plan])
    assert done.exit_code == 0
    assert "1 videos with 1 walks" in done.output
    refused = CliRunner().invoke(main, [str(tmp_path / "made"), *plan])
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
