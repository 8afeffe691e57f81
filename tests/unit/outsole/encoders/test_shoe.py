"""The attention encoder of shoes: unit vectors, attention where it was asked for, colour of the light taken off."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch
from torch import nn

from outsole.encoders.attention import KINDS, PooledSumAttention
from outsole.encoders.shoe import POOLINGS, ShoeNet
from outsole.encoders.shoe_intake import shoe_intake
from outsole.encoders.trunks import LiteTrunk, ResNetTrunk, make_trunk
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX


def _crops(count: int = 2) -> torch.Tensor:
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 220, (count, 7, 14, 3), dtype=np.uint8)
    return torch.from_numpy(coarse.repeat(16, axis=1).repeat(16, axis=2))


def _lite(*, attention: str = "sum", places: str = "block", pooling: str = "max") -> ShoeNet:
    torch.manual_seed(0)
    trunk = cast(LiteTrunk, make_trunk("lite0", inputs=3, stride=32))
    return ShoeNet(trunk, attention=attention, places=places, pooling=pooling).eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("places", ["block", "stage"])
def test_crops_become_unit_vectors_with_every_attention(kind: str, places: str) -> None:
    net = _lite(attention=kind, places=places)
    with torch.no_grad():
        found, pooled = net(_crops()), net.pooled(_crops())
    assert tuple(found.shape) == (2, 256) and found.dtype == torch.float32
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)
    assert not torch.equal(pooled[0], pooled[1])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_row_does_not_depend_on_its_batch(pooling: str) -> None:
    net, crops = _lite(pooling=pooling), _crops(3)
    with torch.no_grad():
        assert torch.allclose(net(crops)[1:2], net(crops[1:2]), atol=1e-5)


def test_both_is_the_sum_of_average_and_maximum() -> None:
    crops = _crops()
    with torch.no_grad():
        average, maximum, both = (_lite(pooling=name).pooled(crops) for name in ("average", "max", "both"))
    assert torch.allclose(both, average + maximum, atol=1e-5)


def test_every_block_has_its_attention_and_every_stage_one() -> None:
    blocks, stages = _lite(places="block"), _lite(places="stage")
    trunk = cast(LiteTrunk, blocks.trunk)
    assert len(blocks.attentions) == len(trunk.blocks)
    # Seven widths: 16, 24, 40, 80, 112, 192, 320.
    assert len(stages.attentions) == 7


def test_a_resnet_has_one_in_each_of_its_sixteen_blocks_and_four_stages() -> None:
    for places, count in (("block", 16), ("stage", 4)):
        torch.manual_seed(0)
        net = ShoeNet(ResNetTrunk(inputs=3), places=places).eval()
        assert len(net.attentions) == count
    with torch.no_grad():
        assert tuple(net(_crops(1)).shape) == (1, 256)


@pytest.mark.parametrize("places", ["block", "stage"])
def test_the_attention_takes_part_and_learns(places: str) -> None:
    net = _lite(attention="sum", places=places)
    crops = _crops()
    with torch.no_grad():
        before = net.pooled(crops)
        for part in net.attentions:
            bottleneck = cast(PooledSumAttention, part).bottleneck
            cast(nn.Linear, bottleneck[2]).weight.normal_(std=0.3)
        assert not torch.allclose(before, net.pooled(crops), atol=1e-3)
    torch.autograd.backward(net(crops).sum())
    for part in net.attentions:
        assert all(p.grad is not None for p in part.parameters())


def test_without_attention_the_trunk_is_what_it_was() -> None:
    net = _lite(attention="none", pooling="average")
    plain = make_trunk("lite0", inputs=3, stride=32).eval()
    with torch.no_grad():
        assert torch.allclose(net.pooled(_crops()), plain(shoe_intake(_crops())).mean(dim=(2, 3)), atol=1e-5)


@pytest.mark.parametrize("places", ["block", "stage"])
def test_fresh_attention_leaves_a_pretrained_trunk_what_it_was(places: str) -> None:
    with torch.no_grad():
        plain, fresh = (_lite(attention=kind, places=places).pooled(_crops()) for kind in ("none", "sum"))
    assert torch.allclose(plain, fresh, atol=1e-4)


def test_the_state_holds_the_attention_once() -> None:
    net = _lite()
    keys = [key for key in net.state_dict() if "bottleneck" in key]
    assert len(keys) == 2 * len(net.attentions)
    assert all(key.startswith("attentions.") for key in keys)


def test_the_strength_and_colour_of_the_light_are_taken_off() -> None:
    plain = _crops(1).float()
    lit = plain * torch.tensor([0.7, 0.5, 0.6])
    first, second = shoe_intake(plain), shoe_intake(lit)
    assert float((first - plain.permute(0, 3, 1, 2)).abs().mean()) > 1
    assert float((first - second).abs().mean()) < 0.15 * float(first.abs().mean())


def test_a_crop_comes_in_with_mean_0_and_deviation_1() -> None:
    found = shoe_intake(_crops())
    assert torch.allclose(found.mean(dim=(2, 3)), torch.zeros(2, 3), atol=0.1)
    assert torch.allclose(found.var(dim=(1, 2, 3)), torch.ones(2), atol=0.05)


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_crop_gives_finite_numbers(level: int) -> None:
    even = torch.full((1, *CROP_PX, 3), level, dtype=torch.uint8)
    with torch.no_grad():
        assert bool(torch.isfinite(_lite()(even)).all())


@pytest.mark.parametrize("options", [{"pooling": "median"}, {"places": "everywhere"}, {"attention": "self"}])
def test_unknown_names_are_refused_with_those_there_are(options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="one of"):
        _lite(**options)


def test_crops_of_another_size_or_layout_are_refused() -> None:
    for shape in ((1, 3, 112, 224), (1, 224, 112, 3), (112, 224, 3)):
        with pytest.raises(InvalidInput, match="112"):
            shoe_intake(torch.zeros(shape, dtype=torch.uint8))
