"""Outliers: those far from their set's median, and never too many of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import indexer.outliers
from indexer.outliers import find_outliers, set_codes
from outsole.errors import InvalidInput

Vectors = NDArray[np.float32]


def units(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def near(centre: Vectors, count: int, spread: float, seed: int) -> Vectors:
    noise = np.random.default_rng(seed).normal(size=(count, len(centre)))
    return units(centre + spread * noise / np.sqrt(len(centre)))


CENTRES = units(np.random.default_rng(1).normal(size=(3, 64)))


def test_the_one_that_shows_something_else_is_found() -> None:
    vectors = np.vstack([near(CENTRES[0], 5, 0.2, seed=2), CENTRES[1:2]])
    found = find_outliers(vectors, np.zeros(6, np.int64))
    assert found.is_outlier.tolist() == [False] * 5 + [True]
    assert found.distances[5] > 0.5 > found.distances[:5].max()


def test_the_margin_is_above_the_sets_middle_distance() -> None:
    # Angles about one axis, where the median is the middle angle: distances are known.
    angles = np.radians([-20.0, 0.0, 0.0, 0.0, 30.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = find_outliers(vectors, np.zeros(5, np.int64))
    middle = np.median(vectors, axis=0)
    expected = 1 - vectors @ (middle / np.linalg.norm(middle))
    assert found.distances == pytest.approx(expected, abs=1e-6)
    limit = float(found.distances[4] - np.median(expected))
    assert find_outliers(vectors, np.zeros(5, np.int64), margin=limit - 1e-3).is_outlier.tolist() == [False] * 4 + [
        True
    ]
    assert not find_outliers(vectors, np.zeros(5, np.int64), margin=limit + 1e-3).is_outlier.any()


def test_a_loose_set_is_not_emptied() -> None:
    vectors = near(CENTRES[0], 9, 3.0, seed=3)
    found = find_outliers(vectors, np.zeros(9, np.int64))
    assert found.distances.min() > 0.3
    assert found.is_outlier.sum() <= 2


def test_sets_below_three_are_not_judged() -> None:
    found = find_outliers(np.vstack([CENTRES, CENTRES[:1]]), np.array([7, 7, 3, 9]))
    assert not found.is_outlier.any()
    assert np.isnan(found.distances).all()


@pytest.mark.parametrize("size", [3, 4, 5, 6, 11])
def test_more_than_half_of_a_set_always_stays(size: int) -> None:
    rng = np.random.default_rng(size)
    vectors = units(rng.normal(size=(500 * size, 8)) ** 3)
    found = find_outliers(vectors, np.repeat(np.arange(500), size), margin=1e-6)
    left = size - found.is_outlier.reshape(500, size).sum(axis=1)
    assert left.min() * 2 > size
    assert found.is_outlier.any()


@pytest.mark.parametrize("block_values", [1, 50, 1 << 22])
def test_sets_of_many_sizes_in_any_order_and_block_give_what_each_gives_alone(
    block_values: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(indexer.outliers, "_BLOCK_VALUES", block_values)
    rng = np.random.default_rng(6)
    codes = rng.permutation(np.repeat(np.arange(30) * 1000 - 5, rng.integers(1, 9, 30)))
    np.save(tmp_path / "v.npy", units(rng.normal(size=(len(codes), 24))).astype(np.float16))
    vectors = np.load(tmp_path / "v.npy", mmap_mode="r")
    found = find_outliers(vectors, codes)
    for code in np.unique(codes):
        mine = codes == code
        one = np.asarray(vectors[mine], np.float32)
        if len(one) < 3:
            assert not found.is_outlier[mine].any()
            continue
        median = np.median(one, axis=0)
        distances = 1 - one @ median / np.linalg.norm(median) / np.linalg.norm(one, axis=1)
        assert found.distances[mine] == pytest.approx(distances, abs=1e-5)
        limit = np.sort(distances)[len(one) // 2] + 0.1
        clear = np.abs(distances - limit) > 1e-4
        assert np.array_equal(found.is_outlier[mine][clear], (distances > limit)[clear])


def test_sets_are_of_one_model_and_role() -> None:
    codes = set_codes(["M", "N", "M", "M"], ["SOLE", "SOLE", "SIDE", "SOLE"])
    assert codes.tolist() == [0, 1, 2, 0]


def test_nothing_gives_nothing() -> None:
    assert find_outliers(np.zeros((0, 8), np.float32), np.zeros(0, np.int64)).is_outlier.shape == (0,)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="codes"):
        find_outliers(CENTRES, np.zeros(2, np.int64))
    with pytest.raises(InvalidInput, match="margin"):
        find_outliers(CENTRES, np.zeros(3, np.int64), margin=0.0)
