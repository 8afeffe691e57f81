"""Photographs of soles: told from impressions, and laid upright."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.photographs import SOLE_HEIGHT_PX, is_photograph, print_of_sole, upright_sole

GROUND = (210, 225, 240)


def sole(angle_deg: float = 0.0, *, length: int = 300, side: int = 600) -> NDArray[np.uint8]:
    """A brown sole, its ball wider than its heel, turned counter-clockwise on a plain ground."""
    picture = np.full((side, side, 3), GROUND, np.uint8)
    middle = side // 2
    ball, heel = (middle, middle - length // 4), (middle, middle + length // 4)
    cv2.ellipse(picture, ball, (length // 5, length // 4), 0, 0, 360, (120, 70, 30), cv2.FILLED)
    cv2.ellipse(picture, heel, (length // 7, length // 4), 0, 0, 360, (120, 70, 30), cv2.FILLED)
    cv2.rectangle(picture, (middle - length // 9, ball[1]), (middle + length // 9, heel[1]), (120, 70, 30), cv2.FILLED)
    turn = cv2.getRotationMatrix2D((middle, middle), angle_deg, 1.0)
    turned = cv2.warpAffine(picture, turn, (side, side), borderValue=GROUND)
    return np.asarray(turned, np.uint8)


def is_sole(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(picture[..., 2] < 130)


@pytest.mark.parametrize("angle_deg", [0, 25, 90, 140, 180, 200, 290])
@pytest.mark.parametrize("length", [180, 420])
def test_a_sole_is_laid_out_toe_up_whatever_way_it_lay(angle_deg: float, length: int) -> None:
    shown, wanted = (is_sole(upright_sole(sole(angle, length=length))) for angle in (angle_deg, 0.0))
    overlap = (shown & wanted).sum() / (shown | wanted).sum()
    assert overlap > 0.93
    rows = np.flatnonzero(shown.any(axis=1))
    assert rows[-1] - rows[0] == pytest.approx(0.95 * 384, abs=8)


def test_colours_make_a_photograph_and_grey_does_not() -> None:
    gray = np.repeat(np.random.default_rng(1).integers(0, 256, (80, 40, 1), np.uint8), 3, axis=2)
    assert not is_photograph(gray)
    assert is_photograph(sole())


def test_the_predicted_print_has_the_size_of_an_impression_and_is_dark_where_it_touches() -> None:
    contact = np.zeros((384, 192), np.float32)
    contact[10:374, 60:130] = 1.0
    impression = print_of_sole(contact)
    rows = np.flatnonzero((impression < 128).any(axis=1))
    assert rows[-1] - rows[0] == pytest.approx(SOLE_HEIGHT_PX, rel=0.02)
    assert impression[impression.shape[0] // 2, impression.shape[1] // 2] == 0
    assert impression[0, 0] == 255


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((200, 100, 3), 200, np.uint8), "nothing stands out"),
        (cv2.circle(np.full((200, 200, 3), 200, np.uint8), (100, 100), 60, (20, 40, 200), cv2.FILLED), "not as long"),
    ],
)
def test_what_shows_no_sole_is_refused_with_the_reason(picture: NDArray[np.uint8], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        upright_sole(picture)
