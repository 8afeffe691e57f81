"""Gait: standing feet stand, swinging feet swing, the toe and the heel lift, and nothing sinks into the floor."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from outsole.synthesis.gait import Gait, Pose
from outsole.synthesis.scenes import Walk, Walker, plan_scene
from outsole.synthesis.shoes import plan_models

SCENE = plan_scene(plan_models(20, seed=3), cameras=3, seed=3)
RATE = 50
WALKS = [SCENE.walks_at(camera.camera_id)[0] for camera in SCENE.cameras]


def _poses(walk: Walk, walker: Walker) -> list[Pose]:
    gait = Gait(walk, walker)
    return [gait.pose_at(time) for time in np.arange(walk.start_s, walk.end_s, 1 / RATE)]


@pytest.mark.parametrize(("walk", "walker"), WALKS)
def test_a_standing_foot_does_not_slide(walk: Walk, walker: Walker) -> None:
    poses = _poses(walk, walker)
    stood = 0
    for earlier, later in pairwise(poses):
        for before, after in zip(earlier.feet, later.feet, strict=True):
            if before.is_standing and after.is_standing:
                stood += 1
                assert np.allclose(before.heel, after.heel, atol=1e-9)
                assert np.allclose(before.toe, after.toe, atol=1e-9)
    assert stood > len(poses) / 2


@pytest.mark.parametrize(("walk", "walker"), WALKS)
def test_one_foot_is_always_on_the_floor_and_each_swings_in_turn(walk: Walk, walker: Walker) -> None:
    for pose in _poses(walk, walker):
        lowest = [min(foot.heel[1], foot.toe[1]) for foot in pose.feet]
        assert min(lowest) == pytest.approx(0, abs=1e-6)
        assert min(lowest) >= -1e-6
    for side in (0, 1):
        heights = [pose.feet[side].heel[1] for pose in _poses(walk, walker)]
        assert max(heights) > 0.1


@pytest.mark.parametrize(("walk", "walker"), WALKS)
def test_toes_lift_before_the_strike_and_heels_after_standing(walk: Walk, walker: Walker) -> None:
    drops = np.array([[foot.heel[1] - foot.toe[1] for foot in pose.feet] for pose in _poses(walk, walker)])
    assert drops.max() > 0.1
    assert drops.min() < -0.05


@pytest.mark.parametrize(("walk", "walker"), WALKS)
def test_feet_move_without_jumps_and_keep_their_length(walk: Walk, walker: Walker) -> None:
    poses = _poses(walk, walker)
    heels = np.array([[foot.heel for foot in pose.feet] for pose in poses])
    toes = np.array([[foot.toe for foot in pose.feet] for pose in poses])
    assert np.linalg.norm(np.diff(heels, axis=0), axis=2).max() < 6 * walker.speed / RATE
    assert np.linalg.norm(np.diff(toes, axis=0), axis=2).max() < 6 * walker.speed / RATE
    assert np.allclose(np.linalg.norm(toes - heels, axis=2), walker.shoe_m)


def test_the_body_goes_at_its_speed_and_stays_over_its_feet() -> None:
    for walk, walker in WALKS:
        gait = Gait(walk, walker)
        (first, _), (last, _) = gait.body_at(walk.start_s + 1), gait.body_at(walk.start_s + 1.5)
        assert np.linalg.norm(last - first) == pytest.approx(0.5 * walker.speed, rel=0.05)
        for pose in _poses(walk, walker):
            middle = np.mean([(foot.heel + foot.toe) / 2 for foot in pose.feet], axis=0)
            assert np.hypot(*(pose.hips.mean(axis=0) - middle)[[0, 2]]) < 0.45
