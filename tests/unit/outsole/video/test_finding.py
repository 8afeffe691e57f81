"""The shipped detectors on drawn people, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("onnxruntime")

from outsole.answers import View
from outsole.encoders.network_spec import NetworkSpec
from outsole.errors import BudgetSpent
from outsole.inference.in_process import InProcessEncoder
from outsole.video.finding import DetectedShoes, FinderSettings, FoundShoes
from outsole.video.grading import GradeSettings
from outsole.video.networks import CLASSES, MODELS, ShoeNetworks
from outsole.video.records import Frame
from training.detectors.figures import SHOE_BOXES, clouds, figures

REPOSITORY = Path(__file__).parents[4] / "model_repository"
SIDE = 400


@pytest.fixture(scope="module")
def networks() -> ShoeNetworks:
    return ShoeNetworks.of(
        {
            name: InProcessEncoder(
                REPOSITORY / name, contract=NetworkSpec.load(REPOSITORY / name).contract(), threads=1
            )
            for name in MODELS
        }
    )


@pytest.fixture(scope="module")
def scenes() -> list[Frame]:
    """Two people side by side, nobody, and one person in a frame of another size."""
    pair = np.hstack(list(figures(2, SIDE)))
    nobody = clouds(np.random.default_rng(5), SIDE)
    return [Frame(number, number / 5, picture) for number, picture in enumerate([pair, nobody, figures(1, 300)[0]])]


def find(networks: ShoeNetworks, frames: Sequence[Frame], settings: FinderSettings | None = None) -> list[FoundShoes]:
    return asyncio.run(DetectedShoes(networks, settings).find(frames, timeout_s=60))


def drawn_boxes(scale: float, lefts: Sequence[float]) -> NDArray[np.float64]:
    return np.array([[*np.multiply(box, scale)] + np.array([left, 0, left, 0]) for left in lefts for box in SHOE_BOXES])


def test_every_drawn_shoe_is_found_once_from_left_to_right_and_none_where_nobody_is(
    networks: ShoeNetworks, scenes: list[Frame]
) -> None:
    pair, nobody, single = find(networks, scenes)
    assert [found.frame for found in (pair, nobody, single)] == [0, 1, 2]
    assert (pair.persons, nobody.persons, single.persons) == (2, 0, 1)
    np.testing.assert_allclose([s.box for s in pair.sightings], drawn_boxes(SIDE / 256, [0, SIDE]), atol=10)
    np.testing.assert_allclose([s.box for s in single.sightings], drawn_boxes(300 / 256, [0]), atol=7)
    assert nobody.sightings == ()


def test_toes_point_outwards_as_they_were_drawn(networks: ShoeNetworks, scenes: list[Frame]) -> None:
    for found in find(networks, scenes):
        assert all(not sighting.doubts for sighting in found.sightings)
        for sighting, outwards in zip(found.sightings, [-1, 1] * found.persons, strict=True):
            assert sighting.view in (View.SIDE, View.FRONT)
            assert outwards * (sighting.toe[0] - sighting.heel[0]) > 5
            assert sighting.person is not None
            assert sighting.person[0] < sighting.box[0] < sighting.box[2] < sighting.person[2]


def test_one_frame_alone_gives_what_it_gives_among_others(networks: ShoeNetworks, scenes: list[Frame]) -> None:
    together, alone = find(networks, scenes)[2], find(networks, scenes[2:])[0]
    assert len(together.sightings) == len(alone.sightings) == 2
    for first, second in zip(together.sightings, alone.sightings, strict=True):
        np.testing.assert_allclose(first.box, second.box, atol=0.01)
        np.testing.assert_allclose(first.toe, second.toe, atol=0.01)


def test_shoes_below_the_setting_are_counted_as_too_small(networks: ShoeNetworks, scenes: list[Frame]) -> None:
    large = FinderSettings(grading=GradeSettings(min_length_px=200, min_height_px=200))
    small = FinderSettings(grading=GradeSettings(min_length_px=10, min_height_px=10))
    assert find(networks, scenes[2:], large)[0].too_small == 2
    assert find(networks, scenes[2:], small)[0].too_small == 0


def test_in_a_large_frame_people_are_found_that_the_whole_frame_is_too_small_for(networks: ShoeNetworks) -> None:
    picture = np.tile(clouds(np.random.default_rng(1), 480), (2, 4, 1))
    picture[400:475, 700:775] = figures(1, 75)[0]
    picture[500:900, 1400:1800] = figures(2, 400)[1]
    frame = Frame(0, 0.0, picture)
    (found,) = find(networks, [frame])
    assert found.persons == 2
    expected = drawn_boxes(400 / 256, [1400]) + (0, 500, 0, 500)
    np.testing.assert_allclose([sighting.box for sighting in found.sightings[-2:]], expected, atol=12)
    assert all(sighting.box[0] < 775 and not sighting.grade.is_large_enough for sighting in found.sightings[:-2])
    (whole,) = find(networks, [frame], FinderSettings(tile_px=3000))
    assert whole.persons == 1


def test_no_frames_are_no_answers_and_no_time_is_an_error(networks: ShoeNetworks, scenes: list[Frame]) -> None:
    assert find(networks, []) == []
    with pytest.raises(BudgetSpent):
        asyncio.run(DetectedShoes(networks).find(scenes, timeout_s=0))


def test_the_columns_of_the_scores_are_those_that_the_shipped_detector_has() -> None:
    spec = NetworkSpec.load(REPOSITORY / MODELS[0])
    assert spec.settings["classes"] == ",".join(CLASSES)
    assert [NetworkSpec.load(REPOSITORY / name).kind for name in MODELS] == [
        "object_detector",
        "shoe_key_points",
        "body_landmarks",
    ]
