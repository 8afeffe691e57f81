"""Planned scenes: deterministic, within their limits, walkers come back in the same shoes at later times."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from outsole.errors import InvalidInput, NotFound
from outsole.synthesis.scenes import WALK_KINDS, SceneSettings, plan_scene
from outsole.synthesis.shoes import plan_models

MODELS = plan_models(200, seed=3)
SCENE = plan_scene(MODELS, cameras=10, seed=3)


def test_the_same_seed_plans_the_same_scene_and_another_seed_another() -> None:
    assert plan_scene(MODELS, cameras=10, seed=3) == SCENE
    assert plan_scene(MODELS, cameras=10, seed=4).walks != SCENE.walks


def test_a_scene_has_the_cameras_and_walks_that_were_asked_for() -> None:
    settings = SceneSettings(walks_per_camera=3, seconds=20)
    scene = plan_scene(MODELS, cameras=4, seed=1, settings=settings)
    assert [len(scene.walks_at(camera.camera_id)) for camera in scene.cameras] == [3, 3, 3, 3]
    assert {camera.frames for camera in scene.cameras} == {300}
    assert set(WALK_KINDS) == {walk.kind for walk in SCENE.walks}


def test_shoes_on_the_lanes_are_as_large_as_asked() -> None:
    for camera in SCENE.cameras:
        for walk, walker in SCENE.walks_at(camera.camera_id):
            z = walk.path[1][1]
            assert 47 <= walker.shoe_m * camera.focal_px / z <= 122


def test_walkers_come_past_other_cameras_later_in_the_same_shoes() -> None:
    starts = {camera.camera_id: camera.start for camera in SCENE.cameras}
    seen: dict[str, list[tuple[datetime, datetime, str, str]]] = {}
    for walk in SCENE.walks:
        times = [starts[walk.camera_id] + timedelta(seconds=at) for at in (walk.start_s, walk.end_s)]
        seen.setdefault(walk.walker_id, []).append((times[0], times[1], walk.camera_id, walk.model_id))
    again = [sorted(rows) for rows in seen.values() if len(rows) > 1]
    assert len(again) >= 10
    for rows in again:
        assert len({model for *_, model in rows}) == 1
        assert len({camera for _, _, camera, _ in rows}) == len(rows)
        assert all(later[0] > earlier[1] for earlier, later in pairwise(rows))


def test_some_walkers_meet() -> None:
    pairs = pairwise(SCENE.walks)
    meet = [one for one, other in pairs if one.camera_id == other.camera_id and other.start_s < one.end_s - 1]
    assert len(meet) >= 10


def test_every_walk_ends_within_its_video_or_is_cut_by_its_end_alone() -> None:
    for camera in SCENE.cameras:
        for walk, _ in SCENE.walks_at(camera.camera_id):
            assert 0 <= walk.start_s < walk.end_s
            assert walk.start_s <= camera.seconds - 5


def test_what_a_camera_projects_onto_the_floor_lies_on_that_row() -> None:
    camera = SCENE.cameras[0]
    seen = camera.project(np.array([[0.0, 0.0, 4.0], [camera.half_width_m(4.0), 1.0, 4.0]]))
    assert seen[0].tolist() == pytest.approx([camera.size_px[1] / 2, camera.floor_row(4.0)])
    assert seen[1, 0] == pytest.approx(camera.size_px[1])


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="cam99"):
        SCENE.camera("cam99")


@pytest.mark.parametrize(
    "given",
    [
        {"walks_per_camera": 0},
        {"seconds": 2.0},
        {"frame_rate": 0},
        {"revisits": 1.5},
        {"shoe_px": (60, 40)},
        {"size_px": (431, 768)},
        {"start": datetime(2026, 1, 1)},
    ],
)
def test_settings_out_of_range_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        SceneSettings(**given)  # type: ignore[arg-type]
    assert caught.value.field == next(iter(given))


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no models"):
        plan_scene([])
    with pytest.raises(InvalidInput, match="cameras is 0"):
        plan_scene(MODELS, cameras=0)
    with pytest.raises(InvalidInput, match="the seed is -1"):
        plan_scene(MODELS, seed=-1)
