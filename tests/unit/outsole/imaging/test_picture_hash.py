"""Picture hashes: copies stay near, other soles are far, and the mirror image needs no picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from outsole.errors import InvalidInput
from outsole.imaging.picture_hash import (
    HASH_BITS,
    NEAR_DISTANCE,
    hamming_distance,
    hash_from_text,
    hash_text,
    mirrored_hash,
    picture_hash,
)
from outsole.synthesis.photographs import photograph
from outsole.synthesis.shoes import make_instance, plan_models

Pixels = NDArray[np.uint8]


def photographs(seed: int) -> list[Pixels]:
    shoes = [make_instance(model, 1, height_px=320) for model in plan_models(40, seed=8)]
    shots = [photograph(shoe, 1000 * seed + number).rgb for number, shoe in enumerate(shoes)]
    return [np.asarray(cv2.cvtColor(shot, cv2.COLOR_RGB2GRAY), np.uint8) for shot in shots]


SHOWN = photographs(1)


def hashes(pictures: list[Pixels]) -> NDArray[np.uint64]:
    return np.array([picture_hash(picture) for picture in pictures], np.uint64)


HASHES = hashes(SHOWN)


def jpeg(gray: Pixels) -> Pixels:
    packed = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def smaller(gray: Pixels) -> Pixels:
    return np.asarray(cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def bordered(value: int) -> Callable[[Pixels], Pixels]:
    def change(gray: Pixels) -> Pixels:
        px = round(0.03 * len(gray))
        return np.asarray(cv2.copyMakeBorder(gray, px, px, px, px, cv2.BORDER_CONSTANT, value=value), np.uint8)

    return change


def darker(gray: Pixels) -> Pixels:
    return np.asarray(gray * 0.7 + 10, np.uint8)


def brighter(gray: Pixels) -> Pixels:
    return np.asarray(np.clip(gray * 1.1 + 5, 0, 255), np.uint8)


@pytest.mark.parametrize("change", [jpeg, smaller, bordered(255), bordered(0), darker, brighter])
def test_a_changed_copy_stays_near(change: Callable[[Pixels], Pixels]) -> None:
    distances = hamming_distance(HASHES, hashes([change(gray) for gray in SHOWN]))
    assert (distances <= NEAR_DISTANCE).mean() >= 0.95


def test_other_models_are_far() -> None:
    pairs = hamming_distance(HASHES[:, None], HASHES)[np.triu_indices(len(HASHES), 1)]
    assert (pairs <= NEAR_DISTANCE).mean() < 0.01
    assert np.median(pairs) > 20


def test_another_photograph_of_the_same_sole_is_mostly_far() -> None:
    assert (hamming_distance(HASHES, hashes(photographs(2))) > NEAR_DISTANCE).mean() >= 0.85


def test_the_hash_of_the_mirror_image_needs_no_picture() -> None:
    flipped = hashes([np.ascontiguousarray(gray[:, ::-1]) for gray in SHOWN])
    assert hamming_distance(mirrored_hash(HASHES), flipped).max() <= 2
    assert np.array_equal(mirrored_hash(mirrored_hash(HASHES)), HASHES)
    assert (hamming_distance(HASHES, mirrored_hash(HASHES)) > NEAR_DISTANCE).mean() > 0.8


def test_a_distance_counts_differing_bits_of_every_pair() -> None:
    a, b = np.array([1, 3, 2**64 - 1], np.uint64), np.array([1, 2**63], np.uint64)
    assert hamming_distance(a[:, None], b).tolist() == [[0, 2], [1, 3], [63, 63]]
    assert hamming_distance(a[:, None], b).dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (40, 20)])
def test_a_picture_that_shows_nothing_is_near_to_none(shape: tuple[int, int]) -> None:
    nothing = picture_hash(np.full(shape, 140, np.uint8))
    assert nothing == 0
    assert hamming_distance(nothing, nothing) == HASH_BITS
    assert mirrored_hash(nothing) == 0


def test_small_pictures_with_flat_borders_have_a_hash() -> None:
    for height in (1, 2, 5, 9):
        gray = np.full((height, 11), 250, np.uint8)
        gray[height // 2, 4:7] = (10, 90, 30)
        assert picture_hash(gray) != 0


def test_a_hash_is_written_and_read() -> None:
    assert hash_text(HASHES[0]) == f"{int(HASHES[0]):016x}"
    assert [hash_from_text(hash_text(value)) for value in HASHES] == HASHES.tolist()
    assert hash_text(np.uint64(0)) == ""
    assert int(hash_from_text("")) == 0


@pytest.mark.parametrize("text", ["12", "g" * 16, "0x" + "1" * 14, "1" * 17, "1_1" + "1" * 13])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no picture hash"):
        hash_from_text(text)


@pytest.mark.parametrize(
    "gray", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8)]
)
def test_only_grey_pictures_are_hashed(gray: Pixels) -> None:
    with pytest.raises(InvalidInput, match="the picture is"):
        picture_hash(gray)
