from __future__ import annotations

import io
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.curves import draw_curves

# The colour of the first curve.
_BLUE = (0x1B, 0x5E, 0x9B)


def _drawn(losses: list[float]) -> NDArray[np.uint8]:
    log = [{"step": i + 1, "loss": loss, "rate": 900.0, "seconds": 900.0} for i, loss in enumerate(losses)]
    image = Image.open(io.BytesIO(draw_curves(log, title="made")))
    assert image.format == "PNG" and image.size == (720, 400)
    return np.asarray(image)


def _heights(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Topmost blue pixel of each column of the frame left of the legend; -1 where there is none."""
    blue = (picture[:, 64:560] == _BLUE).all(axis=2)
    return np.where(blue.any(axis=0), blue.argmax(axis=0), -1)


def test_a_falling_loss_is_a_falling_line() -> None:
    heights = _heights(_drawn(np.linspace(5.0, 1.0, 50).tolist()))
    drawn = heights[heights >= 0]
    assert len(drawn) > 400
    assert (np.diff(drawn) >= 0).all() and drawn[-1] - drawn[0] > 150


def test_rate_and_time_do_not_stretch_the_axis() -> None:
    heights = _heights(_drawn([2.0, 2.0, 2.0]))
    # A constant loss lies near the top of an axis that begins at 0.
    assert 28 < heights[heights >= 0].max() < 60


@pytest.mark.parametrize("losses", [[], [1.0], [math.nan, math.inf], [0.0, 0.0], [-3.0, -5.0]])
def test_odd_logs_are_drawn_too(losses: list[float]) -> None:
    _drawn(losses)


def test_values_that_are_not_finite_are_gaps() -> None:
    assert np.array_equal(_heights(_drawn([1.0, math.nan, 2.0])) >= 0, _heights(_drawn([1.0, 1.5, 2.0])) >= 0)
