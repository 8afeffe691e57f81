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


def test_every_placement_of_a_probe_has_norm_1() -> None:
    cells = RNG.random((3, 8, 8)) < 0.5
    features = probe_features(RNG.normal(size=(3, 6, 8, 8)), cells, (Placement(),) * 3)
    np.testing.assert_allclose(np.square(features.maps).sum((1, 2, 3)), 1, atol=1e-5)
