"""The intake of the wear models: prints pass, and what is none is refused with field, value and remedy."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.imaging.decode import DecodeLimits
from outsole.synthesis.photographs import photograph
from outsole.synthesis.prints import Degradation, scene_print
from outsole.synthesis.treads import make_tread
from outsole.wear.intake import LEAST_SIDE_PX, print_from_bytes
from tests.unit.outsole.wear.made_scans import Pixels, impression, png

RNG = np.random.default_rng(1)


def text_of(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        print_from_bytes(data, field="print")
    assert caught.value.field == "print"
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize("height_px", [300, 586])
def test_made_prints_pass_whatever_a_scene_does_to_them(height_px: int) -> None:
    treads = [make_tread(seed, height_px=height_px) for seed in range(3)]
    for seed in range(12):
        plan = Degradation(strength=2.0 if seed % 2 else 1.0)
        made = scene_print(treads[seed % 3], seed, degradation=plan, other=treads[(seed + 1) % 3]).gray
        assert np.array_equal(print_from_bytes(png(made)).gray, made)


def test_a_clean_impression_passes_with_its_hash_and_without_colours() -> None:
    gray = impression(1)
    data = png(np.repeat(gray[..., None], 3, axis=2))
    found = print_from_bytes(data)
    assert np.array_equal(found.gray, gray)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.color is None
    assert any("decoded PNG" in step for step in found.steps)


@pytest.mark.parametrize("ink", [0, 150])
def test_a_print_of_one_level_on_white_passes(ink: int) -> None:
    gray = np.full((586, 230), 255, np.uint8)
    gray[100:300, 60:170] = gray[400:500, 80:150] = ink
    print_from_bytes(png(gray))


def test_a_print_on_yellowed_paper_is_no_photograph() -> None:
    tinted = np.rint(impression(1)[..., None] * np.array((0.7, 0.9, 1.0))).astype(np.uint8)
    print_from_bytes(png(tinted))


def test_a_photograph_in_colours_is_refused() -> None:
    assert "photograph in colours" in text_of(png(photograph(make_tread(3), 3).rgb[..., ::-1]))


def dark(level: float) -> Pixels:
    return np.asarray(np.rint(impression(1) * (level / 251)), np.uint8)


def test_a_picture_that_is_too_dark_is_refused_with_its_level() -> None:
    assert "grey level 40" in text_of(png(dark(40)))
    assert "level 64 or more" in text_of(png(np.zeros((300, 150), np.uint8)))
    print_from_bytes(png(dark(80)))


@pytest.mark.parametrize("grain", [0, 5, 20])
def test_a_blank_paper_is_refused_whatever_its_grain(grain: float) -> None:
    paper = np.clip(RNG.normal(220, grain, (586, 230)), 0, 255).astype(np.uint8)
    assert "nothing stands out" in text_of(png(paper))


def test_a_picture_that_is_too_small_is_refused_with_its_size() -> None:
    whole = impression(1)
    small = cv2.resize(whole, (LEAST_SIDE_PX - 1, 150))
    assert "63 x 150 px" in text_of(png(np.asarray(small, np.uint8)))
    print_from_bytes(png(np.asarray(cv2.resize(whole, (LEAST_SIDE_PX, 150)), np.uint8)))


def test_a_strip_of_which_the_canvas_leaves_nothing_is_refused() -> None:
    strip = np.asarray(cv2.resize(impression(1), (100, 3200)), np.uint8)
    assert "of which 20 px are left" in text_of(png(strip))


def test_what_cannot_be_decoded_and_what_is_too_large_is_refused_as_everywhere() -> None:
    assert "accepted format" in text_of(b"no picture")
    with pytest.raises(InvalidInput, match="at most 1000 pixels"):
        print_from_bytes(png(impression(1)), limits=DecodeLimits(max_pixels=1000))


def test_sixteen_bits_pass() -> None:
    deep = impression(1).astype(np.uint16) * 257
    assert print_from_bytes(png(deep)).gray.shape == deep.shape
