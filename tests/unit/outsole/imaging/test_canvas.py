from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from outsole.answers import Placement
from outsole.encoders.spec import EncoderSpec
from outsole.imaging.canvas import place_item, place_probe
from outsole.synthesis.prints import clean_impression
from outsole.synthesis.treads import make_tread

MODEL = Path(__file__).parents[4] / "model_repository" / "print_lite2_b6"


@pytest.fixture(scope="module")
def spec() -> EncoderSpec:
    return EncoderSpec.load(MODEL)


@pytest.fixture(scope="module")
def print_gray() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return clean_impression(make_tread(4), 4)


def test_an_item_lies_in_the_middle_and_its_valid_cells_are_those_it_covers(spec: EncoderSpec) -> None:
    gray = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (150, 80))
    item = place_item(gray, spec)
    assert item.image.shape == (672, 352)
    assert (item.height_px, item.width_px) == (300, 160)
    assert (item.image[:180] == 128).all()
    assert (item.image[190:480, 100:250] != 128).all()
    # 300 px from 186 on: rows 192 .. 480 are whole cells; 24 .. 60, less the margin of 4.
    assert np.flatnonzero(item.valid.any(1)).tolist() == list(range(20, 56))


def test_an_item_larger_than_the_canvas_is_reduced_to_fit(spec: EncoderSpec) -> None:
    item = place_item(np.random.default_rng(0).integers(0, 256, (2400, 900), dtype=np.uint8), spec)
    rows = np.flatnonzero((item.image != 128).any(1))
    assert (rows[0], rows[-1]) == (32, 639)


def test_black_scanner_corners_do_not_become_edges(spec: EncoderSpec) -> None:
    gray = np.full((400, 200), 200, np.uint8)
    gray[100:300, 50:150] = 90
    dark = gray.copy()
    dark[:40, :40] = 0
    np.testing.assert_array_equal(place_item(dark, spec).image, place_item(gray, spec).image)


def test_placements_turn_mirror_and_invert_the_probe(
    spec: EncoderSpec, print_gray: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    mask = np.ones_like(print_gray, bool)
    wanted = [Placement(), Placement(mirrored=True), Placement(inverted=True), Placement(rotation_deg=180)]
    placed = place_probe(print_gray, mask, spec, wanted)
    plain, mirrored, inverted, turned = placed.images.astype(int)
    # The probe has an odd or even width, so a mirrored canvas may lie half a pixel beside it.
    assert np.abs(mirrored[:, ::-1] - plain).mean() < 1
    assert np.abs(turned[::-1, ::-1] - plain).mean() < 1
    inside = plain != 128
    assert np.abs(255 - inverted - plain)[inside].max() <= 1


def test_a_positive_rotation_turns_counter_clockwise(spec: EncoderSpec) -> None:
    gray = np.full((300, 100), 255, np.uint8)
    gray[::8] = 0
    gray[:60, 30:70] = 0
    placed = place_probe(gray, np.ones_like(gray, bool), spec, [Placement(rotation_deg=16)])
    rows, columns = np.nonzero(placed.cells[0])
    assert columns[rows < rows.mean()].mean() < columns[rows > rows.mean()].mean()


def test_only_cells_wholly_under_the_mask_count_and_a_tiny_mask_leaves_one(
    spec: EncoderSpec, print_gray: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    mask = np.zeros_like(print_gray, bool)
    mask[100:200, 40:120] = True
    placed = place_probe(print_gray, mask, spec, [Placement()])
    assert 0.7 < placed.cells.sum() * 64 / mask.sum() <= 1.1
    assert placed.visible_fraction == pytest.approx(mask.sum() / (586 * 215))
    mask[:] = False
    mask[150, 100] = True
    assert place_probe(print_gray, mask, spec, [Placement()]).cells.sum() == 1
