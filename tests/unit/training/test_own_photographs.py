"""A catalogue's own photographs: cut out, seen as by a camera, and as batches."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from outsole.answers import View
from outsole.errors import InvalidInput
from outsole.imaging.shoe_photographs import cut_out
from outsole.synthesis.shoe_pictures import retail_photograph
from outsole.synthesis.shoes import plan_models
from outsole.synthesis.upper_designs import design_of
from outsole.synthesis.uppers import draw_upper
from training.made_shoes import view_shares
from training.own_photographs import KeptPhotographs, OwnShoeBatches, Photograph, upper_of

MODELS = plan_models(4, seed=9)


def _photograph(number: int, view: View = View.SIDE, *, seed: int = 0) -> Photograph:
    rgb = retail_photograph(draw_upper(design_of(MODELS[number]), view), seed).rgb
    return Photograph(rgb, view, MODELS[number].model_id, f"{number}-{view.value}-{seed}")


def _kept() -> KeptPhotographs:
    kept, refused = KeptPhotographs.cut(_photograph(number, view) for number in range(4) for view in View)
    assert refused == []
    return kept


def test_a_photograph_becomes_a_drawn_shoe_with_its_heel_on_the_left() -> None:
    seeds = range(6)
    looks_right = []
    for seed in seeds:
        photograph = _photograph(0, seed=seed)
        cut = cut_out(photograph.rgb, View.SIDE)
        looks_right.append(cut.place.toe[0] > cut.place.heel[0])
        upper, drawn = upper_of(photograph, cut), draw_upper(design_of(MODELS[0]), View.SIDE)
        assert upper.toe[0] > upper.heel[0] and upper.inside.shape == upper.rgb.shape[:2]
        assert upper.length_px == pytest.approx(drawn.length_px, rel=0.06)
        assert (upper.inside > 0.5).sum() == pytest.approx((drawn.inside > 0.5).sum(), rel=0.08)
        assert upper.rgb[upper.inside < 0.02].max() <= 5
    assert set(looks_right) == {True, False}


def test_a_front_keeps_the_size_that_its_side_would_have() -> None:
    photograph = _photograph(1, View.FRONT)
    upper = upper_of(photograph, cut_out(photograph.rgb, View.FRONT))
    assert upper.toe == upper.heel and upper.view is View.FRONT
    assert upper.length_px == pytest.approx(256, rel=0.12)


def test_photographs_of_one_model_from_one_side_share_a_label() -> None:
    kept, _ = KeptPhotographs.cut([_photograph(0), _photograph(1), _photograph(0, seed=1), _photograph(0, View.BACK)])
    assert kept.labels.tolist() == [0, 1, 0, 2]
    assert kept.models == (MODELS[0].model_id, MODELS[1].model_id)
    assert len(kept.of_models(lambda name: name == MODELS[0].model_id)) == 3
    assert kept.first(10).labels.tolist() == [0, 1, 0]


def test_what_cannot_be_cut_out_is_named_and_left_out() -> None:
    empty = Photograph(np.full((90, 120, 3), 250, np.uint8), View.SIDE, "9", "an empty one")
    kept, refused = KeptPhotographs.cut([_photograph(0), empty])
    assert len(kept) == 1
    assert len(refused) == 1 and "an empty one" in refused[0] and "nothing stands out" in refused[0]


def test_other_pictures_have_other_parts() -> None:
    first, again, other = (b"".join(KeptPhotographs.cut([_photograph(number)])[0].parts()) for number in (0, 0, 1))
    assert first == again != other


def test_a_batch_shows_photographs_then_the_same_shoes_before_a_camera() -> None:
    batches = OwnShoeBatches(_kept(), steps=2, batch_items=8, seed=5)
    first, again, other = batches[1], batches[1], batches[0]
    assert len(batches) == 2
    assert first["image"].shape == (8, 112, 224, 3) and first["image"].dtype is torch.uint8
    assert torch.equal(first["labels"][:4], first["labels"][4:])
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["image"], other["image"])
    # Shops have light grounds, floors are darker.
    assert first["image"][:4].float().mean() > first["image"][4:].float().mean()


def test_views_are_learned_from_as_often_as_cameras_see_them() -> None:
    kept = _kept()
    chances = kept.chances
    for view, share in view_shares().items():
        of_view = sum(chance for chance, (_, seen) in zip(chances, kept.names, strict=True) if seen is view)
        assert of_view == pytest.approx(share)


def test_nothing_cannot_be_learned_from() -> None:
    with pytest.raises(InvalidInput, match="no photograph"):
        OwnShoeBatches(KeptPhotographs([]), steps=1, batch_items=4, seed=1)
