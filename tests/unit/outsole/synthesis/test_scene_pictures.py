"""Frames of made cameras: deterministic, the truth on the drawn shoe, standing shoes still, hidden shoes known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import NotFound
from outsole.synthesis.scene_pictures import ShoeTruth, frames_of
from outsole.synthesis.scenes import Scene, SceneSettings, plan_scene
from outsole.synthesis.shoes import plan_models
from outsole.video.records import Frame

SETTINGS = SceneSettings(walks_per_camera=3, seconds=14, frame_rate=6, size_px=(216, 384), shoe_px=(26, 26))
SCENE = plan_scene(plan_models(20, seed=5), cameras=2, seed=5, settings=SETTINGS)
Seen = list[tuple[Frame, tuple[ShoeTruth, ...]]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    return list(frames_of(SCENE, "cam01"))


def test_the_same_scene_gives_the_same_frames_and_truth(seen: Seen) -> None:
    for (frame, shoes), (again, same) in zip(seen, frames_of(SCENE, "cam01"), strict=True):
        assert np.array_equal(frame.rgb, again.rgb)
        assert shoes == same


def test_frames_are_numbered_timed_and_of_the_camera_s_size(seen: Seen) -> None:
    assert [frame.number for frame, _ in seen] == list(range(84))
    assert [frame.time_s for frame, _ in seen] == pytest.approx(np.arange(84) / 6)
    assert {frame.rgb.shape for frame, _ in seen} == {(216, 384, 3)}


def test_the_truth_lies_in_the_frame_and_around_its_points(seen: Seen) -> None:
    rows = [shoe for _, shoes in seen for shoe in shoes]
    assert len(rows) > 50
    for shoe in rows:
        left, top, right, bottom = shoe.box
        assert left < 384 and top < 216 and right > 0 and bottom > 0
        assert 0 <= shoe.visible <= 1
        assert shoe.person[0] - 1 <= left and right <= shoe.person[2] + 1
        if shoe.visible > 0.99:
            for x, y in (shoe.toe, shoe.heel):
                assert left - 2 <= x <= right + 2 and top - 2 <= y <= bottom + 2


def test_a_standing_shoe_stays_where_it_is(seen: Seen) -> None:
    stood = 0
    for (_, before), (_, after) in pairwise(seen):
        earlier = {(shoe.walk_id, shoe.foot): shoe for shoe in before if shoe.is_standing}
        for shoe in after:
            old = earlier.get((shoe.walk_id, shoe.foot))
            if shoe.is_standing and old:
                stood += 1
                assert np.allclose(shoe.toe, old.toe, atol=1) and np.allclose(shoe.heel, old.heel, atol=1)
    assert stood > 8


def test_walkers_are_seen_from_the_side_and_from_an_end(seen: Seen) -> None:
    rows = [shoe for camera in ("cam01", "cam02") for _, shoes in frames_of(SCENE, camera) for shoe in shoes]
    assert View.SIDE in {shoe.view for shoe in rows}
    assert {shoe.view for shoe in rows} & {View.FRONT, View.BACK}
    for shoe in rows:
        if shoe.view is View.SIDE:
            assert shoe.length_px == pytest.approx(np.hypot(*np.subtract(shoe.toe, shoe.heel)))
        else:
            assert shoe.toe == shoe.heel


def test_pixels_change_where_a_visible_shoe_stands_and_hardly_elsewhere(seen: Seen) -> None:
    empty = next(frame.rgb for frame, shoes in reversed(seen) if not shoes).astype(int)
    checked = 0
    for frame, shoes in seen:
        for shoe in shoes:
            left, top, right, bottom = (round(value) for value in shoe.box)
            if shoe.visible > 0.95 and left > 0 and right < 384 and bottom < 216:
                checked += 1
                changed = np.abs(frame.rgb[top:bottom, left:right].astype(int) - empty[top:bottom, left:right])
                assert (changed.max(axis=2) > 12).mean() > 0.25
    assert checked > 20


def test_a_shoe_behind_something_is_known_to_be_hidden() -> None:
    crowd = plan_scene(
        plan_models(20, seed=5), cameras=1, seed=2, settings=replace(SETTINGS, walks_per_camera=8, seconds=16)
    )
    rows = [shoe for _, shoes in frames_of(crowd, "cam01") for shoe in shoes]
    inside = [shoe for shoe in rows if shoe.box[0] > 0 and shoe.box[2] < 384 and shoe.box[3] < 216]
    assert any(shoe.visible < 0.3 for shoe in inside)
    assert np.mean([shoe.visible > 0.9 for shoe in inside]) > 0.5


def test_an_unknown_camera_is_refused_before_the_first_frame() -> None:
    with pytest.raises(NotFound, match="cam77"):
        frames_of(SCENE, "cam77")


def test_a_camera_that_nobody_passes_shows_its_room_and_noise_alone() -> None:
    quiet = Scene(SCENE.seed, SCENE.cameras, (), ())
    frames = frames_of(quiet, "cam01")
    (first, none), (second, also_none) = next(frames), next(frames)
    assert none == also_none == ()
    apart = np.abs(first.rgb.astype(int) - second.rgb)
    assert 0 < apart.mean() < 6
