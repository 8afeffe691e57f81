"""Pictures in a report keep the size of the print and use a palette that needs no colour vision."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.report.pictures import heat_overlay, palette_stops, png_bytes


def decoded(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def test_an_image_comes_back_from_its_png_unchanged() -> None:
    image = np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8)
    assert np.array_equal(decoded(png_bytes(image)), image)


def test_the_overlay_is_brighter_where_the_contribution_is_greater() -> None:
    heat = np.full((4, 4), 0.2, np.float32)
    heat[0] = 1.0
    picture = decoded(heat_overlay(np.full((80, 60), 250, np.uint8), heat)).astype(int).sum(axis=2)
    assert picture.shape == (80, 60)
    assert picture[:10].min() > picture[60:].max()


def test_a_common_ceiling_makes_two_overlays_comparable() -> None:
    gray, heat = np.full((40, 40), 250, np.uint8), np.full((2, 2), 0.5, np.float32)
    assert decoded(heat_overlay(gray, heat, top=1.0)).sum() < decoded(heat_overlay(gray, heat, top=0.5)).sum()


def test_where_nothing_contributes_the_print_stays_unpainted() -> None:
    gray = np.arange(100, dtype=np.uint8).reshape(10, 10)
    picture = decoded(heat_overlay(gray, np.array([[-1.0, 0.0], [0.0, -0.5]])))
    assert np.array_equal(picture, np.repeat(gray[:, :, None], 3, axis=2))


def test_the_palettes_lightness_rises_evenly() -> None:
    stops = [tuple(int(stop[i : i + 2], 16) for i in (1, 3, 5)) for stop in palette_stops(9)]
    lightness = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in stops]
    assert lightness == sorted(lightness)


@pytest.mark.parametrize("heat", [np.zeros(3), np.full((2, 2), np.nan), np.zeros((0, 2))])
def test_a_heat_map_that_is_no_finite_table_is_refused(heat: np.ndarray) -> None:
    with pytest.raises(InvalidInput, match="heat"):
        heat_overlay(np.zeros((4, 4), np.uint8), heat)


def test_an_image_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidInput, match="image"):
        png_bytes(np.zeros((4, 4), np.float32))
