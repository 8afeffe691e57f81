"""Attention over the channels of a map: squeeze-and-excitation, CBAM, ECA, and averages and maxima added (torch).

Every module takes float32 [N, C, H, W] and returns the same shape. Fresh ones leave a map as it is, so that a
pretrained trunk begins as what it was: their last layer is zero, and where an equation has one sigmoid, which then is a
half, it is counted twice. The layer that follows could learn that factor as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from outsole.encoders.poolings import average, maximum
from outsole.errors import InvalidInput

REDUCTION = 16
_LEAST_UNITS = 4
_Layer = TypeVar("_Layer", nn.Linear, nn.Conv1d, nn.Conv2d)


class PooledSumAttention(nn.Module):
    """Channel attention of average and maximum through one bottleneck, their sigmoids added.

    Shoe type recognition by attention (2022), equation 1: s = sigmoid(W2 relu(W1 avg)) + sigmoid(W2 relu(W1 max)), both
    with the same W1 and W2; the map is multiplied by s, which lies between 0 and 2.

    Args:
        channels: C.
        reduction: r; the bottleneck has C / r units, at least 4.
    """

    def __init__(self, channels: int, *, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.bottleneck = _bottleneck(channels, reduction)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The map, each channel times its attention."""
        weights = torch.sigmoid(self.bottleneck(average(maps))) + torch.sigmoid(self.bottleneck(maximum(maps)))
        return maps * weights[:, :, None, None]


class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation (Hu et al., CVPR 2018, equations 2 to 4): averages alone, one sigmoid.

    Args:
        channels, reduction: See ``PooledSumAttention``.
    """

    def __init__(self, channels: int, *, reduction: int = REDUCTION) -> None:
        super().__init__()
        self.bottleneck = _bottleneck(channels, reduction)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The map, each channel times its attention, 0 .. 2."""
        return maps * (2 * torch.sigmoid(self.bottleneck(average(maps))))[:, :, None, None]


class Cbam(nn.Module):
    """Convolutional block attention (Woo et al., ECCV 2018, equations 2 and 3): channels first, then places.

    Args:
        channels, reduction: See ``PooledSumAttention``.
        kernel: Side of the convolution over places, odd.
    """

    def __init__(self, channels: int, *, reduction: int = REDUCTION, kernel: int = 7) -> None:
        super().__init__()
        self.bottleneck = _bottleneck(channels, reduction)
        self.places = _zeroed(nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The map, times the attention of its channels and of its places, 0 .. 2 each."""
        weights = 2 * torch.sigmoid(self.bottleneck(average(maps)) + self.bottleneck(maximum(maps)))
        maps = maps * weights[:, :, None, None]
        both = torch.cat([maps.mean(dim=1, keepdim=True), maps.amax(dim=1, keepdim=True)], dim=1)
        return maps * (2 * torch.sigmoid(self.places(both)))


class EfficientChannelAttention(nn.Module):
    """ECA (Wang et al., CVPR 2020, equations 9 and 12): neighbouring channels alone see each other.

    Args:
        channels: C; the kernel has the odd number next to (log2 C + 1) / 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        kernel = int(abs((math.log2(channels) + 1) / 2)) | 1
        self.neighbours = _zeroed(nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The map, each channel times its attention, 0 .. 2."""
        weights = 2 * torch.sigmoid(self.neighbours(average(maps).unsqueeze(1))).squeeze(1)
        return maps * weights[:, :, None, None]


_KINDS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda channels: nn.Identity(),
    "sum": PooledSumAttention,
    "se": SqueezeExcitation,
    "cbam": Cbam,
    "eca": EfficientChannelAttention,
}
KINDS = tuple(_KINDS)


def make_attention(kind: str, channels: int) -> nn.Module:
    """An attention of the named kind (``KINDS``) for maps of so many channels.

    Raises:
        InvalidInput: An unknown kind.
    """
    if kind not in _KINDS:
        raise InvalidInput(f"the attention is {kind!r}", field="attention", remedy=f"one of {', '.join(KINDS)}")
    return _KINDS[kind](channels)


def _bottleneck(channels: int, reduction: int) -> nn.Sequential:
    units = max(channels // reduction, _LEAST_UNITS)
    last = _zeroed(nn.Linear(units, channels, bias=False))
    return nn.Sequential(nn.Linear(channels, units, bias=False), nn.ReLU(inplace=True), last)


def _zeroed(layer: _Layer) -> _Layer:
    nn.init.zeros_(layer.weight)
    return layer
