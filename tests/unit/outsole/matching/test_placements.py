from __future__ import annotations

import math

import pytest

from outsole.answers import Placement
from outsole.errors import InvalidInput
from outsole.matching.placements import placements


def test_the_default_is_nine_rotations_from_minus_to_plus_sixteen_degrees() -> None:
    assert [p.rotation_deg for p in placements()] == [-16, -12, -8, -4, 0, 4, 8, 12, 16]


def test_mirroring_polarity_and_scales_multiply_the_rotations() -> None:
    tried = placements(mirrored=True, inverted=True, scales=(0.95, 1.0, 1.05))
    assert len(set(tried)) == len(tried) == 9 * 2 * 2 * 3


def test_a_pinned_placement_is_tried_alone() -> None:
    pinned = Placement(rotation_deg=90, mirrored=True)
    assert placements(pinned=pinned) == (pinned,)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"min_deg": 10.0, "max_deg": 5.0}, "placements.max_rotation_deg"),
        ({"step_deg": 0.0}, "placements.rotation_step_deg"),
        ({"step_deg": math.nan}, "placements.rotation_step_deg"),
        ({"min_deg": -math.inf}, "placements.min_rotation_deg"),
        ({"scales": ()}, "placements.scales"),
        ({"scales": (5.0,)}, "placements.scales"),
        ({"min_deg": -180.0, "max_deg": 180.0, "step_deg": 1.0}, "placements"),
        ({"pinned": Placement(scale=0.0)}, "placement.scale"),
    ],
)
def test_nonsense_is_refused_with_its_field(options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        placements(**options)  # type: ignore[arg-type]
    assert caught.value.field == field
