from __future__ import annotations

import numpy as np

from outsole.answers import Placement
from outsole.matching.features import probe_features, standardised

RNG = np.random.default_rng(3)


def test_channels_have_mean_0_and_deviation_1_over_the_valid_cells_and_are_0_elsewhere() -> None:
    maps = RNG.normal(5, 3, (2, 4, 10, 6)).astype(np.float16)
    valid = RNG.random((2, 10, 6)) < 0.6
    plain = standardised(maps, valid)
    assert plain.shape == (2, 10, 6, 4)
    assert not plain[~valid].any()
    np.testing.assert_allclose(plain[1][valid[1]].mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(plain[1][valid[1]].std(0), 1, atol=1e-3)


def test_a_flat_channel_becomes_0_and_not_noise() -> None:
    maps = np.full((1, 2, 5, 5), 3.0, np.float32)
    maps[0, 1] = RNG.normal(size=(5, 5))
    plain = standardised(maps, np.ones((1, 5, 5), bool))
    assert not plain[..., 0].any()
    assert plain[..., 1].any()


def test_a_probe_is_cut_to_what_any_placement_shows_and_the_rest_is_0() -> None:
    cells = np.zeros((2, 20, 10), bool)
    cells[0, 4:9, 2:5] = True
    cells[1, 6:12, 3:7] = True
    maps = RNG.normal(size=(2, 6, 20, 10))
    features = probe_features(maps, cells, (Placement(),) * 2)
    assert (features.top, features.left) == (4, 2)
    assert features.maps.shape == (2, 8, 5, 6)
    np.testing.assert_allclose(features.maps, standardised(maps, cells)[:, 4:12, 2:7], atol=2e-3)


def test_a_window_is_cut_evenly_at_opposite_sides() -> None:
    cells = np.ones((1, 20, 10), bool)
    features = probe_features(RNG.normal(size=(1, 6, 20, 10)), cells, (Placement(),))
    window = features.window((16, 40))
    assert (window.top, window.left) == (2, 0)
    np.testing.assert_array_equal(window.maps, features.maps[:, 2:18])
    assert features.window((20, 10)) is features
