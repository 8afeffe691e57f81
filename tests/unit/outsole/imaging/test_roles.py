"""Roles: soles are left alone, pairs and boxes are doubted, and what cannot be told is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.answers import Role
from outsole.imaging.roles import find_foreground, role_doubt
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.shoes import make_instance, plan_models
from outsole.synthesis.treads import make_tread

Pixels = NDArray[np.uint8]
SEEDS = range(40)


def impression(seed: int) -> Pixels:
    return clean_impression(make_tread(seed, height_px=300), seed)


def margin(gray: Pixels, px: int = 20) -> Pixels:
    return np.asarray(cv2.copyMakeBorder(gray, px, px, px, px, cv2.BORDER_CONSTANT, value=252), np.uint8)


def pair(seed: int) -> Pixels:
    one = margin(impression(seed))
    return np.hstack([one, one[:, ::-1]])


def box(width: int, height: int) -> Pixels:
    gray = np.full((400, 400), 245, np.uint8)
    gray[60 : 60 + height, 60 : 60 + width] = 120
    return gray


def test_made_soles_are_not_doubted() -> None:
    assert [role_doubt(impression(seed), Role.SOLE) for seed in SEEDS] == [""] * len(SEEDS)
    shoes = [make_instance(model, 1, height_px=300) for model in plan_models(20, seed=3)]
    assert [role_doubt(margin(clean_impression(shoe, 2)), Role.SOLE) for shoe in shoes] == [""] * 20


def test_a_lying_sole_is_a_sole_too() -> None:
    lying = [np.ascontiguousarray(margin(impression(seed)).T) for seed in SEEDS]
    assert not any(role_doubt(gray, Role.SOLE) for gray in lying)


def test_most_pairs_that_are_declared_soles_are_doubted() -> None:
    doubts = [role_doubt(pair(seed), Role.SOLE) for seed in SEEDS]
    assert sum("PAIR" in doubt for doubt in doubts) >= 0.6 * len(SEEDS)


def test_pairs_that_are_declared_so_are_not_doubted() -> None:
    assert not any(role_doubt(pair(seed), Role.PAIR) for seed in SEEDS)


def test_a_single_long_part_is_no_pair() -> None:
    assert "3.0 times" in role_doubt(box(100, 300), Role.PAIR)
    assert role_doubt(box(150, 300), Role.PAIR) == ""


def test_toe_and_heel_that_lie_apart_are_one_sole() -> None:
    gray = np.full((400, 200), 250, np.uint8)
    gray[20:180, 60:140] = gray[230:380, 60:140] = 60
    found = find_foreground(gray)
    assert found is not None
    assert found.large_parts == 2 and not found.is_two_beside
    assert role_doubt(gray, Role.SOLE) == ""


def test_a_square_thing_is_no_sole_and_a_long_one_may_be() -> None:
    assert "1.0 times" in role_doubt(box(200, 200), Role.SOLE)
    assert role_doubt(box(110, 280), Role.SOLE) == ""


@pytest.mark.parametrize("role", [Role.BOX, Role.SIDE, Role.OTHER])
def test_nothing_is_said_of_roles_that_cannot_be_told(role: Role) -> None:
    assert role_doubt(box(200, 200), role) == ""
    assert role_doubt(pair(1), role) == ""


@pytest.mark.parametrize("role", list(Role))
def test_a_blank_picture_is_doubted_whatever_it_is_called(role: Role) -> None:
    assert role_doubt(np.full((50, 30), 7, np.uint8), role) == "the picture is blank"


def test_nothing_is_told_of_a_background_that_is_not_plain() -> None:
    rough = np.random.default_rng(1).integers(100, 255, (400, 400)).astype(np.uint8)
    rough[60:260, 60:260] = 20
    assert find_foreground(rough) is None
    assert role_doubt(rough, Role.SOLE) == ""


def test_what_runs_out_of_the_picture_at_both_ends_is_not_judged() -> None:
    gray = np.full((200, 200), 250, np.uint8)
    gray[:, 90:110] = 30
    assert find_foreground(gray) is None


def test_a_foreground_is_measured_in_any_turn_and_size() -> None:
    turned = cv2.warpAffine(
        box(100, 250), cv2.getRotationMatrix2D((110.0, 185.0), 25, 1), (400, 400), borderMode=cv2.BORDER_REPLICATE
    )
    for gray in (np.asarray(turned, np.uint8), np.asarray(cv2.resize(turned, (1600, 1600)), np.uint8)):
        found = find_foreground(gray)
        assert found is not None
        assert found.elongation == pytest.approx(2.5, rel=0.05)
        assert found.fill > 0.9
        assert found.large_parts == 1
