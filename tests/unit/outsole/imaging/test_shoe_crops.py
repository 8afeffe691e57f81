"""Crops of shoes: level, toe to the right, whatever the picture's turn, side and size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX, level_crop, upright_crop
from outsole.synthesis.shoe_pictures import CameraPlan, surveillance_crop
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper


def _marked(toe: tuple[int, int], heel: tuple[int, int], top: tuple[int, int]) -> np.ndarray:
    picture = np.zeros((200, 300, 3), np.uint8)
    for channel, point in enumerate((toe, heel, top)):
        layer = np.ascontiguousarray(picture[..., channel])
        cv2.circle(layer, point, 6, 255, -1)
        picture[..., channel] = layer
    return picture


def _middle(channel: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(channel > 100)
    return float(columns.mean() / CROP_PX[1]), float(rows.mean() / CROP_PX[0])


@pytest.mark.parametrize(
    ("toe", "heel", "top"),
    [
        ((220, 150), (100, 150), (130, 110)),
        ((100, 150), (220, 150), (190, 110)),
        ((204, 90), (100, 150), (106, 100)),
        ((100, 150), (204, 90), (158, 70)),
    ],
    ids=["right", "left", "right, rising", "left, falling"],
)
def test_toe_heel_and_collar_come_to_lie_where_they_always_do(
    toe: tuple[int, int], heel: tuple[int, int], top: tuple[int, int]
) -> None:
    crop = level_crop(_marked(toe, heel, top), toe=toe, heel=heel)
    assert crop.shape == (*CROP_PX, 3)
    assert _middle(crop[..., 0]) == pytest.approx((0.88, 0.86), abs=0.02)
    assert _middle(crop[..., 1]) == pytest.approx((0.12, 0.86), abs=0.02)
    collar = _middle(crop[..., 2])
    assert collar[0] < 0.5
    assert collar[1] < 0.7


def test_pictures_of_one_shoe_become_alike() -> None:
    upper = draw_upper(design_of(plan_models(4, seed=5)[1]), View.SIDE)
    calm = {"motion": False, "compression": False, "light": False, "trousers": False}
    crops = []
    for seed in range(6):
        seen = surveillance_crop(upper, seed, CameraPlan(length_px=96, **calm))
        crops.append(level_crop(seen.rgb, toe=seen.toe, heel=seen.heel).mean(axis=2))
    shoe = np.s_[55:90, 40:185]
    alike = np.corrcoef([crop[shoe].ravel() for crop in crops])
    assert alike.min() > 0.85


def test_a_box_is_brought_in_whole() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:80, 40:60] = 255
    crop = upright_crop(picture, box=(40, 20, 60, 80))
    rows, columns = np.nonzero(crop[..., 0] > 127)
    assert rows.min() <= 1
    assert rows.max() >= CROP_PX[0] - 2
    assert np.ptp(columns) == pytest.approx(CROP_PX[0] / 3, abs=3)


def test_what_cannot_be_cropped_is_refused() -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(InvalidInput, match=r"3\.0 pixels apart"):
        level_crop(picture, toe=(10, 10), heel=(13, 10))
    with pytest.raises(InvalidInput, match="the box is"):
        upright_crop(picture, box=(10, 10, 10, 20))
    with pytest.raises(InvalidInput, match="the picture is"):
        level_crop(picture[..., 0], toe=(0, 0), heel=(30, 0))
