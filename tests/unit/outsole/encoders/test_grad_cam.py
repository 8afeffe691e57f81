"""Grad-CAM: hot where the distinguishing part is, as covering it confirms; guided gradients; pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch
from torch.nn import functional

from outsole.encoders.grad_cam import (
    _Guided,
    class_score,
    grad_cam,
    gradient_picture,
    guided_grad_cam,
    guided_gradients,
    itself,
    overlay,
    similarity_to,
)
from outsole.encoders.shoe import ShoeNet
from outsole.encoders.trunks import LiteTrunk, make_trunk
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX

Crop = NDArray[np.uint8]
_PATCH = 28
PLACES = [(20, 30), (60, 150), (70, 40), (20, 170)]


@cache
def _net(pooling: str = "max") -> ShoeNet:
    torch.manual_seed(0)
    return ShoeNet(cast(LiteTrunk, make_trunk("lite0", inputs=3, stride=16)), pooling=pooling).eval()


def _plain() -> Crop:
    crop = np.full((*CROP_PX, 3), 200, np.uint8)
    crop[40:90, 20:200] = 120
    return crop


def _marked(place: tuple[int, int]) -> Crop:
    """The plain crop with a mark, by which alone it can be told from it."""
    crop, (row, column) = _plain(), place
    crop[row : row + _PATCH, column : column + _PATCH] = (220, 30, 30)
    crop[row + 7 : row + 21, column + 7 : column + 21] = (250, 250, 0)
    return crop


def _vector(net: ShoeNet, crop: Crop) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.asarray(net.out(net.pooled(torch.from_numpy(crop)[None]))[0].numpy())


def _what_the_mark_adds(net: ShoeNet, place: tuple[int, int]) -> NDArray[np.float32]:
    return _vector(net, _marked(place)) - _vector(net, _plain())


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("place", PLACES)
def test_the_map_is_hot_at_the_part_that_tells_the_shoe(place: tuple[int, int], pooling: str) -> None:
    net = _net(pooling)
    heat = grad_cam(net, _marked(place), similarity_to(_what_the_mark_adds(net, place)))
    assert heat.shape == CROP_PX and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() == pytest.approx(1)
    row, column = place
    inside = heat[row : row + _PATCH, column : column + _PATCH].mean()
    assert inside > 0.5 and inside > 2 * heat.mean()


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("place", PLACES)
def test_covering_the_hot_region_costs_more_than_covering_a_cold_one(place: tuple[int, int], pooling: str) -> None:
    net, crop = _net(pooling), _marked(place)
    wanted = _what_the_mark_adds(net, place)
    heat = grad_cam(net, crop, similarity_to(wanted))
    means = {(r, c): heat[r : r + 56, c : c + 56].mean() for r in (0, 56) for c in (0, 56, 112, 168)}
    hot, cold = max(means, key=lambda at: means[at]), min(means, key=lambda at: means[at])

    def lost(at: tuple[int, int]) -> float:
        covered = crop.copy()
        covered[at[0] : at[0] + 56, at[1] : at[1] + 56] = _plain()[at[0] : at[0] + 56, at[1] : at[1] + 56]
        return float((_vector(net, crop) - _vector(net, covered)) @ wanted)

    assert lost(hot) > 0
    assert lost(hot) > 2 * abs(lost(cold))


def test_a_shoe_has_a_map_of_itself_though_its_unit_vector_has_no_gradient() -> None:
    net, crop = _net(), _marked(PLACES[1])
    assert grad_cam(net, crop, itself(net, crop)).max() == pytest.approx(1)


def test_a_class_is_explained_by_its_proxy() -> None:
    net, crop = _net(), _marked(PLACES[0])
    proxies = torch.stack([torch.ones(256), torch.from_numpy(_what_the_mark_adds(net, PLACES[0]))])
    by_class = grad_cam(net, crop, class_score(proxies, 1))
    assert np.allclose(by_class, grad_cam(net, crop, similarity_to(proxies[1].numpy())), atol=1e-5)
    with pytest.raises(InvalidInput, match="0 to 1"):
        class_score(proxies, 2)


def test_nothing_of_the_network_is_changed() -> None:
    net, crop = _net(), _marked(PLACES[0])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first = grad_cam(net, crop, itself(net, crop))
    guided_grad_cam(net, crop, itself(net, crop))
    assert np.array_equal(first, grad_cam(net, crop, itself(net, crop)))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not net.trunk._forward_hooks


def test_the_maps_are_made_where_gradients_are_switched_off() -> None:
    net, crop = _net(), _marked(PLACES[0])
    with torch.no_grad():
        assert guided_grad_cam(net, crop, itself(net, crop)).any()


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        (functional.relu, [0.0, 1.0, 1.0]),
        (functional.relu6, [0.0, 1.0, 0.0]),
        (torch.nn.ReLU6(), [0.0, 1.0, 0.0]),
        (torch.nn.ReLU(inplace=True), [0.0, 1.0, 1.0]),
    ],
)
def test_guided_gradients_are_positive_and_pass_between_the_bounds(
    activation: Callable[[torch.Tensor], torch.Tensor], slope: list[float]
) -> None:
    x = torch.tensor([-1.0, 2.0, 7.0], requires_grad=True)
    for sign, expected in ((1.0, slope), (-1.0, [0.0, 0.0, 0.0])):
        with _Guided():
            (found,) = torch.autograd.grad((sign * activation(x * 1.0)).sum(), x)
        assert found.tolist() == expected
    (plain,) = torch.autograd.grad((-activation(x * 1.0)).sum(), x)
    assert plain.tolist() == [-part for part in slope]


def test_guided_silu_keeps_its_own_slope() -> None:
    x = torch.tensor([0.5, 3.0], requires_grad=True)
    (plain,) = torch.autograd.grad(functional.silu(x).sum(), x)
    with _Guided():
        (guided,) = torch.autograd.grad((functional.silu(x) * torch.tensor([1.0, -1.0])).sum(), x)
    assert guided[0] == plain[0] and guided[1] == 0


def test_guided_gradients_are_not_the_plain_ones_and_are_strongest_at_the_mark() -> None:
    net, place = _net("average"), PLACES[1]
    crop, target = _marked(place), similarity_to(_what_the_mark_adds(_net("average"), PLACES[1]))
    guided = guided_gradients(net, crop, target)
    image = torch.from_numpy(crop)[None].float().requires_grad_()
    (plain,) = torch.autograd.grad(target(net.out(net.pooled(image))), image)
    assert guided.shape == crop.shape
    assert not np.allclose(guided, plain[0].numpy(), atol=0.1 * float(np.abs(guided).max()))
    row, column = place
    both = np.abs(guided_grad_cam(net, crop, target)).sum(axis=2)
    near = both[row - 8 : row + _PATCH + 8, column - 8 : column + _PATCH + 8]
    assert near.mean() > 2 * both.mean()
    heat = grad_cam(net, crop, target)
    assert np.allclose(guided_grad_cam(net, crop, target), guided * heat[..., None])


def test_an_overlay_is_red_where_it_is_hot_and_blue_where_it_is_cold() -> None:
    heat = np.zeros(CROP_PX, np.float32)
    heat[:, 112:] = 1
    shown = overlay(_plain(), heat)
    assert shown.shape == (*CROP_PX, 3) and shown.dtype == np.uint8
    assert shown[5, 200, 0] > shown[5, 200, 2] and shown[5, 5, 2] > shown[5, 5, 0]
    assert np.array_equal(overlay(_plain(), heat, strength=0.0), _plain())
    with pytest.raises(InvalidInput, match="one size"):
        overlay(_plain(), heat[:50])


def test_no_gradient_is_a_grey_picture() -> None:
    grey = gradient_picture(np.zeros((4, 6, 3), np.float32))
    assert grey.dtype == np.uint8 and set(np.unique(grey)) == {128}


def test_wrong_crops_and_empty_vectors_are_refused() -> None:
    net = _net()
    with pytest.raises(InvalidInput, match="uint8"):
        grad_cam(net, np.zeros((*CROP_PX, 3), np.float32), similarity_to(np.ones(256)))
    with pytest.raises(InvalidInput, match="not all zero"):
        similarity_to(np.zeros(256))
