"""What surveillance pictures share: five floors that can be told apart, and the blur of a straight way."""

from __future__ import annotations

import numpy as np
import pytest

from outsole.errors import InvalidInput
from outsole.synthesis.surveillance import BACKGROUNDS, draw_floor, line_kernel


def test_every_floor_can_be_asked_for_and_they_differ() -> None:
    floors = [draw_floor(np.random.default_rng(3), (80, 120), unit_px=30, kind=kind) for kind in BACKGROUNDS]
    assert {floor.shape for floor in floors} == {(80, 120, 3)}
    assert all(floor.min() > 0 and floor.max() <= 1 for floor in floors)
    assert len({floor.tobytes() for floor in floors}) == 5


def test_an_unknown_floor_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lava"):
        draw_floor(np.random.default_rng(3), (8, 8), unit_px=30, kind="lava")


def test_a_blur_keeps_the_light_and_follows_its_way() -> None:
    level, upright = line_kernel(9, 0.0), line_kernel(9, np.pi / 2)
    for kernel in (level, upright):
        assert kernel.sum() == pytest.approx(1)
    assert level[4].sum() == pytest.approx(1)
    assert upright[:, 4].sum() == pytest.approx(1)
