"""Sole photographs to tread depth maps and clean prints: a small U-Net (Ronneberger et al., MICCAI 2015; torch).

Retailers show soles as photographs; CriSp compares prints with depth. One network predicts both the depth and the
print that the sole would leave, so that photographs can be indexed as if they were depth maps.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

_WIDTHS = (24, 48, 96, 160)
_COLOURS = 3
_WHITE = 255.0
_OUTPUTS = 2


class DepthUnet(nn.Module):
    """A photograph to depth and print, both 0 .. 1.

    The first convolution halves the picture and the last doubles it again by rearranging channels: nine tenths of the
    work of a U-Net at full resolution would be in its outermost layers.

    Args:
        widths: Channels at 1/2, 1/4, 1/8 and 1/16 of the picture.
    """

    def __init__(self, widths: tuple[int, ...] = _WIDTHS) -> None:
        super().__init__()
        self.stem = _convolution(_COLOURS, widths[0], kernel=5, stride=2)
        self.downs = nn.ModuleList(
            nn.Sequential(_convolution(before, after, stride=2), _convolution(after, after))
            for before, after in itertools.pairwise(widths)
        )
        self.ups = nn.ModuleList(
            _convolution(below + here, here) for here, below in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.out = nn.Conv2d(widths[0], 4 * _OUTPUTS, 3, padding=1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict from ``image`` uint8 [N, 384, 192, 3], red first.

        Returns:
            depth: float32 [N, 384, 192], 0 far (and outside the sole) .. 1 touching.
            print: float32 [N, 384, 192], 0 no contact .. 1 contact.
        """
        depth, contact = self.logits(image)
        return depth.clamp(0, 1), torch.sigmoid(contact)

    def logits(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``forward``, before the depth is cut to 0 .. 1 and the print goes through its sigmoid: for losses."""
        x = (image.to(torch.float32) / _WHITE).permute(0, 3, 1, 2)
        # Exposure and the colour of the light say nothing about the relief.
        x = (x - x.mean(dim=(2, 3), keepdim=True)) / (x.var(dim=(1, 2, 3), keepdim=True) + 1e-3).sqrt()
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        skips = [x]
        for down in self.downs:
            x = down(x)
            skips.append(x)
        skips.pop()
        for up in self.ups:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = up(torch.cat([x, skips.pop()], dim=1))
        both = functional.pixel_shuffle(self.out(x), 2)
        return both[:, 0], both[:, 1]


def _convolution(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
