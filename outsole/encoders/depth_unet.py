"""Sole photographs to tread depth maps and clean prints: a small U-Net (Ronneberger et al., MICCAI 2015; torch).

Retailers show soles as photographs; CriSp compares prints with depth. One network predicts both the depth and the
print that the sole would leave, so that photographs can be indexed as if they were depth maps.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.trunks import LiteTrunk

COLOURS = 3
_WHITE = 255.0
_OUTPUTS = 2
# EfficientNet-Lite0's last blocks at 1/2, 1/4, 1/8 and 1/16 of the picture, and their channels.
_LEVELS = {0: 16, 2: 24, 4: 40, 10: 112}
LAST_BLOCK = max(_LEVELS)
_WIDTHS = (24, 32, 48)


class DepthUnet(nn.Module):
    """A photograph to depth and print, both 0 .. 1.

    The way down is an ImageNet trunk, which has seen what light does to relief. The first convolution halves the
    picture and the last doubles it again by rearranging channels: nine tenths of the work of a U-Net at full resolution
    would be in its outermost layers.

    Args:
        trunk: EfficientNet-Lite0 for three colours, to block 10.
        widths: Channels of the way up at 1/2, 1/4 and 1/8 of the picture.
    """

    def __init__(self, trunk: LiteTrunk, *, widths: tuple[int, ...] = _WIDTHS) -> None:
        super().__init__()
        self.trunk = trunk
        *finer, coarsest = _LEVELS.values()
        below = (*widths[1:], coarsest)
        self.ups = nn.ModuleList(
            _convolution(under + here, width)
            for under, here, width in reversed(list(zip(below, finer, widths, strict=True)))
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
        skips = self._levels(x.contiguous(memory_format=torch.channels_last))
        x = skips.pop()
        for up in self.ups:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = up(torch.cat([x, skips.pop()], dim=1))
        both = functional.pixel_shuffle(self.out(x), 2)
        return both[:, 0], both[:, 1]

    def _levels(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The trunk's maps at 1/2, 1/4, 1/8 and 1/16 of the picture."""
        x = functional.relu6(self.trunk.stem(x))
        maps = []
        for number, block in enumerate(self.trunk.blocks):
            x = block(x)
            if number in _LEVELS:
                maps.append(x)
        return maps


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
