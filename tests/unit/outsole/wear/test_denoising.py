"""Denoising: nearer to the clean impression, noise told, treads kept."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.wear.denoising import denoised
from tests.unit.outsole.wear.made_scans import Pixels, impression, psnr_db, scan_of, ssim

PAPER = 235


def grid(*, radius: int, every: int, level: int = 40) -> Pixels:
    """Equal dots all over a paper."""
    gray = np.full((400, 200), PAPER, np.uint8)
    for y in range(20, 390, every):
        for x in range(20, 190, every):
            cv2.circle(gray, (x, y), radius, level, cv2.FILLED)
    return gray


def is_kept(gray: Pixels, dark: NDArray[np.bool_]) -> float:
    """Part of the pixels that are still darker than the paper."""
    return float((denoised(gray).gray[dark] < PAPER - 40).mean())


@pytest.mark.parametrize("seed", [1, 2, 4, 11])
def test_a_noisy_scan_comes_nearer_to_the_clean_impression(seed: int) -> None:
    scan = scan_of(impression(seed), seed)
    found = denoised(scan.gray)
    assert psnr_db(found.gray, scan.clean) > psnr_db(scan.gray, scan.clean) + 2
    assert ssim(found.gray, scan.clean) > ssim(scan.gray, scan.clean) + 0.15


def test_debris_beside_the_print_is_taken_off_and_named() -> None:
    scan = scan_of(impression(3, margin_px=60), 5, hairs=0)
    ink = (scan.clean < 200).view(np.uint8)
    away = scan.debris & (cv2.dilate(ink, np.ones((31, 31), np.uint8)) == 0)
    found = denoised(scan.gray)
    assert away.sum() > 500
    assert (found.gray[away] == found.gray.max()).mean() > 0.9
    assert found.noise[away].mean() > 0.9
    assert found.noise[~cv2.dilate(scan.debris.view(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_)].mean() < 0.002


def test_a_clean_impression_is_hardly_changed_and_a_denoised_one_neither() -> None:
    clean = impression(2)
    once = denoised(clean)
    assert psnr_db(once.gray, clean) > 28
    assert once.noise.mean() < 0.005
    assert psnr_db(denoised(once.gray).gray, once.gray) > 30


def test_how_dark_a_contact_is_comes_back() -> None:
    gray = np.full((300, 200), PAPER, np.uint8)
    gray[40:140, 40:160], gray[170:260, 40:160] = 60, 150
    noisy = np.clip(gray + np.random.default_rng(1).normal(0, 10, gray.shape), 0, 255).astype(np.uint8)
    found = denoised(noisy).gray
    for rows, level in ((slice(45, 135), 60), (slice(175, 255), 150)):
        assert found[rows, 45:155].mean() == pytest.approx(level, abs=4)
        assert found[rows, 45:155].std() < 0.6 * noisy[rows, 45:155].std()


def test_the_paper_has_one_level_whatever_the_light() -> None:
    light = np.linspace(0.7, 1, 200, dtype=np.float32)[None]
    shaded = (grid(radius=8, every=30) * light).astype(np.uint8)
    found = denoised(shaded)
    left, right = found.gray[:, :100], found.gray[:, 100:]
    assert left.max() == right.max() >= PAPER - 15
    assert float(left[left < 100].mean()) == pytest.approx(float(right[right < 100].mean()), abs=8)
    assert "light evened out" in " ".join(found.steps)


def test_small_dots_are_a_tread_where_they_are_many_and_debris_where_they_are_few() -> None:
    many = grid(radius=2, every=12)
    assert is_kept(many, many < 100) > 0.95
    few = grid(radius=2, every=90)
    # A block of the sole, or there would be no print.
    few[100:160, 60:120] = 40
    dots = few < 100
    dots[95:165, 55:125] = False
    assert is_kept(few, dots) == 0


def test_a_hair_between_elements_goes_and_a_tread_of_thin_lines_stays() -> None:
    blocks = grid(radius=20, every=70)
    hairy, hair = blocks.copy(), np.zeros(blocks.shape, np.uint8)
    cv2.line(hair, (20, 90), (90, 90), 1)
    hairy[hair > 0] = np.minimum(hairy, 60)[hair > 0]
    between = (hair > 0) & (cv2.erode(blocks, np.ones((9, 9), np.uint8)) == PAPER)
    assert between.sum() > 15
    assert is_kept(hairy, between) == 0
    assert denoised(hairy).noise[between].mean() > 0.9
    ribs = np.full((400, 200), PAPER, np.uint8)
    ribs[20:380, 20:180:10] = ribs[20:380, 21:180:10] = 60
    assert is_kept(ribs, ribs == 60) > 0.95


def test_a_hair_that_lies_alone_goes_and_the_line_about_a_sole_stays() -> None:
    gray = np.full((586, 230), PAPER, np.uint8)
    cv2.ellipse(gray, (110, 290), (90, 270), 0, 0, 360, 60, 2)
    rim = gray == 60
    cv2.line(gray, (60, 200), (140, 260), 60, 1)
    hair = (gray == 60) & ~rim
    assert is_kept(gray, rim) > 0.95
    assert is_kept(gray, hair) == 0


def test_pinholes_in_the_ink_are_filled_and_holes_of_the_tread_stay() -> None:
    gray = np.full((300, 200), PAPER, np.uint8)
    gray[40:260, 40:160] = 60
    gray[100:102, 100:102] = gray[200:212, 100:112] = PAPER
    found = denoised(gray)
    assert found.noise[100:102, 100:102].any() and not found.noise[202:210, 102:110].any()
    assert (found.gray[202:210, 102:110] == found.gray.max()).all()


def test_a_worn_sole_that_touches_all_over_is_no_paper() -> None:
    gray = np.full((400, 200), 255, np.uint8)
    cv2.ellipse(gray, (100, 200), (80, 180), 0, 0, 360, 175, cv2.FILLED)
    cv2.ellipse(gray, (100, 100), (40, 40), 0, 0, 360, 20, cv2.FILLED)
    weak = cv2.erode((gray == 175).view(np.uint8), np.ones((9, 9), np.uint8)).view(np.bool_)
    assert denoised(gray).gray[weak].mean() == pytest.approx(175, abs=2)


def test_a_corner_that_a_scanner_left_black_becomes_paper() -> None:
    gray = grid(radius=8, every=30)
    cv2.fillPoly(gray, [np.array([[0, 0], [60, 0], [0, 80]], np.int32)], 0)
    found = denoised(gray)
    assert found.gray[:20, :20].min() == found.gray.max()
    assert not found.noise[:20, :20].any()


@pytest.mark.parametrize("shape", [(586, 230), (16, 16), (3, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_stays_blank(shape: tuple[int, int], level: int) -> None:
    blank = np.full(shape, level, np.uint8)
    found = denoised(blank)
    assert np.array_equal(found.gray, blank)
    assert not found.noise.any()


def test_the_picture_that_is_given_is_left_as_it_is() -> None:
    gray = impression(1)
    before = gray.copy()
    found = denoised(gray)
    assert np.array_equal(gray, before)
    assert found.gray.dtype == np.uint8 and found.noise.dtype == np.bool_
    assert found.gray.shape == found.noise.shape == gray.shape
