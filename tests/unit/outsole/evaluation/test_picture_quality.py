"""SSIM and PSNR of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.evaluation.picture_quality import BEST_PSNR_DB, psnr_db, ssim

_TRUTH = np.random.default_rng(0).random((24, 20))


def test_equal_pictures_are_as_good_as_can_be() -> None:
    assert ssim(_TRUTH, _TRUTH) == pytest.approx(1.0)
    assert psnr_db(_TRUTH, _TRUTH) == BEST_PSNR_DB


def test_a_tenth_of_the_range_everywhere_is_20_db() -> None:
    assert psnr_db(np.full((12, 12), 0.6), np.full((12, 12), 0.5)) == pytest.approx(20.0)


def test_ssim_of_flat_pictures_is_that_of_the_formula() -> None:
    dark, light = 0.2, 0.8
    wanted = (2 * dark * light + 1e-4) / (dark**2 + light**2 + 1e-4)
    assert ssim(np.full((16, 16), dark), np.full((16, 16), light)) == pytest.approx(wanted, abs=1e-6)


def test_noise_costs_likeness() -> None:
    rng = np.random.default_rng(1)
    little, much = (np.clip(_TRUTH + part * rng.standard_normal(_TRUTH.shape), 0, 1) for part in (0.05, 0.3))
    assert ssim(little, _TRUTH) > ssim(much, _TRUTH)
    assert psnr_db(little, _TRUTH) > psnr_db(much, _TRUTH)


@pytest.mark.parametrize("shape", [(24, 21), (8, 20), (24, 20, 1)])
def test_pictures_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="one size"):
        ssim(np.zeros(shape), _TRUTH)
