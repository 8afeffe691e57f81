"""How near a predicted picture is to the true one: SSIM and PSNR, by scikit-image."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from outsole.errors import InvalidInput

# Pictures that are equal have no error to divide by; anything better than this is as good as equal.
BEST_PSNR_DB = 100.0


def ssim(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Structural similarity (Wang et al., IEEE TIP 2004, eq. 13; Gaussian window, sigma 1.5), -1 .. 1.

    Args:
        predicted, truth: [H, W] of one shape, at least 11 px a side, 0 .. 1.

    Raises:
        InvalidInput: The shapes differ, or are too small for the window.
    """
    from skimage.metrics import structural_similarity

    _check(predicted, truth)
    pair = (predicted.astype(np.float32), truth.astype(np.float32))
    value = structural_similarity(*pair, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    return float(value)


def psnr_db(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Peak signal-to-noise ratio, decibels, at most 100; arguments and errors as of ``ssim``."""
    from skimage.metrics import mean_squared_error

    _check(predicted, truth)
    error = float(mean_squared_error(predicted.astype(np.float64), truth.astype(np.float64)))
    return min(BEST_PSNR_DB, -10 * math.log10(error)) if error > 0 else BEST_PSNR_DB


def _check(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
    if predicted.shape != truth.shape or predicted.ndim != 2 or min(predicted.shape) < 11:
        raise InvalidInput(
            f"pictures of {predicted.shape} and {truth.shape}",
            field="predicted",
            remedy="two pictures of one size, at least 11 px a side",
        )
