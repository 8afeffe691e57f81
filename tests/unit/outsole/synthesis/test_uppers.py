"""Made uppers: one design a model, three views, toe and heel where they are drawn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import PARTS, Motif, UpperDesign, design_of
from outsole.synthesis.uppers import draw_upper

PLAN = plan_models(60, seed=5)


def _difference(first: UpperDesign, second: UpperDesign) -> float:
    drawn = [draw_upper(design, View.SIDE, length_px=64) for design in (first, second)]
    height = min(one.rgb.shape[0] for one in drawn)
    low, high = (one.rgb[-height:].astype(float) for one in drawn)
    return float(np.abs(low - high).mean())


def test_a_model_has_one_upper_and_models_that_share_a_tread_have_others() -> None:
    assert np.array_equal(draw_upper(design_of(PLAN[0]), View.SIDE).rgb, draw_upper(design_of(PLAN[0]), View.SIDE).rgb)
    related = next(
        (one, other)
        for one in PLAN
        for other in PLAN
        if one.model_id < other.model_id and (one.family, one.variant) == (other.family, other.variant)
    )
    assert _difference(*map(design_of, related)) > 3


def test_every_style_has_its_cuts_and_pumps_are_for_women() -> None:
    cuts: dict[str, set[str]] = {model.style: set() for model in plan_models(400, seed=1)}
    for model in plan_models(400, seed=1):
        design = design_of(model)
        cuts[model.style].add(design.cut)
        assert set(design.colours) == set(PARTS)
        if design.cut == "pump":
            assert model.wearer == "women"
    assert cuts["boot"] <= {"boot", "high"}
    assert cuts["formal"] <= {"oxford", "loafer", "pump"}
    assert not cuts["sport"] & cuts["formal"]


@pytest.mark.parametrize("view", View)
def test_a_view_fills_its_frame_and_is_black_outside_the_shoe(view: View) -> None:
    for model in PLAN[:8]:
        made = draw_upper(design_of(model), view, length_px=128)
        assert made.rgb.dtype == np.uint8
        assert made.rgb.shape[:2] == made.inside.shape
        assert made.inside.max() == pytest.approx(1)
        assert not made.rgb[made.inside == 0].any()
        assert made.rgb[made.inside == 1].any(axis=-1).mean() > 0.9
        assert made.inside[-2:].any(axis=1).all()


def test_a_side_view_is_as_long_as_asked_with_heel_left_and_toe_right() -> None:
    made = draw_upper(design_of(PLAN[1]), View.SIDE, length_px=160)
    assert made.rgb.shape[1] == 160
    assert made.heel == (0.0, made.rgb.shape[0] - 1)
    assert made.toe == (159.0, made.rgb.shape[0] - 1)
    # The collar is at the heel's end.
    top = made.inside.argmax(axis=0)
    assert top[10:40].min() < top[110:150].min()


def test_fronts_and_backs_are_as_wide_as_the_shoe_and_their_own_mirror_images() -> None:
    design = dataclasses.replace(design_of(PLAN[2]), mesh=0.0)
    for view in (View.FRONT, View.BACK):
        made = draw_upper(design, view, length_px=200)
        assert made.rgb.shape[1] == pytest.approx(200 * design.breadth, abs=1)
        assert made.toe == made.heel
        assert np.abs(made.inside - made.inside[:, ::-1]).max() < 0.6


@pytest.mark.parametrize(("kind", "count"), [("stripes", 1), ("stripes", 2), ("stripes", 3), ("bars", 2), ("bars", 4)])
def test_a_mark_has_as_many_strokes_as_its_design_says(kind: str, count: int) -> None:
    plain = dataclasses.replace(design_of(PLAN[1]), cut="boot", collar=0.7, panels=frozenset(), laces=0, mesh=0.0)
    motif = Motif(kind, count, middle=(0.25, 0.25), slant=0.0, width=0.03, reach=0.05)
    colours = {**plain.colours, "accent": np.ones(3, np.float32), "upper": np.full(3, 0.2, np.float32)}
    made = draw_upper(dataclasses.replace(plain, motif=motif, colours=colours), View.SIDE, length_px=200)
    bright = made.rgb.mean(axis=2) > 100
    # A line through the mark's middle, across its strokes.
    row = made.rgb.shape[0] - 1 - round(200 * (0.25 + plain.sole[0]))
    line = bright[row, 15:90] if kind == "stripes" else bright[row - 40 : row + 40, 50]
    assert int((np.diff(line.astype(int)) == 1).sum()) == count


def test_too_short_a_shoe_is_refused() -> None:
    with pytest.raises(InvalidInput, match="length_px is 31"):
        draw_upper(design_of(PLAN[0]), View.SIDE, length_px=31)
