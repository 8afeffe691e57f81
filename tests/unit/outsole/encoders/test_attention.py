"""Attention modules against their equations, written out with plain sums."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from outsole.encoders.attention import (
    KINDS,
    Cbam,
    EfficientChannelAttention,
    PooledSumAttention,
    SqueezeExcitation,
    make_attention,
)
from outsole.errors import InvalidInput

MAPS = torch.randn(3, 32, 5, 4, generator=torch.Generator().manual_seed(0))


def _learned(module: nn.Module) -> Any:
    """The module with weights that are not the fresh ones."""
    torch.manual_seed(1)
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.3)
    return module


def _through(module: nn.Module, vectors: torch.Tensor) -> torch.Tensor:
    first, second = (part.weight for part in module.modules() if isinstance(part, nn.Linear))
    return torch.relu(vectors @ first.T) @ second.T


def test_two_sigmoids_of_one_bottleneck_are_added() -> None:
    module = _learned(PooledSumAttention(32, reduction=4))
    mean, peak = MAPS.flatten(2).mean(-1), MAPS.flatten(2).max(-1).values
    weights = torch.sigmoid(_through(module, mean)) + torch.sigmoid(_through(module, peak))
    assert torch.allclose(module(MAPS), MAPS * weights[:, :, None, None], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_weights_leave_a_map_as_it_is(kind: str) -> None:
    assert torch.allclose(make_attention(kind, 32)(MAPS), MAPS, atol=1e-6)


def test_squeeze_and_excitation_sees_averages_alone() -> None:
    module = _learned(SqueezeExcitation(32, reduction=4))
    weights = 2 * torch.sigmoid(_through(module, MAPS.flatten(2).mean(-1)))
    assert torch.allclose(module(MAPS), MAPS * weights[:, :, None, None], atol=1e-6)


def test_cbam_weighs_channels_and_then_places() -> None:
    module = _learned(Cbam(32, reduction=4))
    channels = 2 * torch.sigmoid(
        _through(module, MAPS.flatten(2).mean(-1)) + _through(module, MAPS.flatten(2).max(-1).values)
    )
    weighed = MAPS * channels[:, :, None, None]
    both = torch.stack([weighed.mean(1), weighed.max(1).values], dim=1)
    assert torch.allclose(module(MAPS), weighed * 2 * torch.sigmoid(module.places(both)), atol=1e-6)


@pytest.mark.parametrize(("channels", "kernel"), [(64, 3), (256, 5), (512, 5), (2048, 7)])
def test_eca_has_the_kernel_of_its_paper(channels: int, kernel: int) -> None:
    assert EfficientChannelAttention(channels).neighbours.kernel_size == (kernel,)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_shape_and_lets_gradients_through(kind: str) -> None:
    maps = MAPS.clone().requires_grad_()
    found = make_attention(kind, 32)(maps)
    found.square().sum().backward()
    assert found.shape == MAPS.shape
    assert maps.grad is not None
    assert bool((maps.grad != 0).any())


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'sel'"):
        make_attention("sel", 32)
