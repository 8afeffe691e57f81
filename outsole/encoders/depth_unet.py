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
_LIGHT = 64
_REACH_PX = 2.0


class DepthUnet(nn.Module):
    """A photograph to depth and print, both 0 .. 1.

    The way down is an ImageNet trunk, which has seen what light does to relief. The first convolution halves the
    picture and the last doubles it again by rearranging channels: nine tenths of the work of a U-Net at full resolution
    would be in its outermost layers.

    A lamp from the side makes edges bright on one flank, so that relief read off brightness lies up to a pixel off,
    towards the lamp. Where the lamp is, is one thing for the whole picture: the coarsest maps, pooled, scale
    and shift what the finer ones hand over (feature-wise linear modulation; Perez et al., AAAI 2018), and say by how
    many pixels both outputs are moved. The picture itself joins at the end, for edges finer than the first convolution.

    Args:
        trunk: EfficientNet-Lite0 for three colours, to block 10.
        widths: Channels of the way up at 1/2, 1/4 and 1/8 of the picture.
    """

    def __init__(self, trunk: LiteTrunk, *, widths: tuple[int, ...] = _WIDTHS) -> None:
        super().__init__()
        self.trunk = trunk
        *finer, coarsest = _LEVELS.values()
        below = (*widths[1:], coarsest)
        # The picture comes in by pixels of two by two.
        joined = (finer[0] + 4 * COLOURS, *finer[1:])
        self.ups = nn.ModuleList(
            _convolution(under + here, width)
            for under, here, width in reversed(list(zip(below, joined, widths, strict=True)))
        )
        self.out = nn.Conv2d(widths[0], 4 * _OUTPUTS, 3, padding=1)
        self._finer = finer
        self.pieces = nn.Conv2d(coarsest, _LIGHT, 1)
        self.lamp = nn.Linear(_LIGHT, 2)
        first, last = nn.Linear(_LIGHT + 2, _LIGHT), nn.Linear(_LIGHT, 2 * sum(finer) + 2)
        # It begins as a U-Net that knows nothing of the light.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.light = nn.Sequential(first, nn.ReLU(), last)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict from ``image`` uint8 [N, 384, 192, 3], red first.

        Returns:
            depth: float32 [N, 384, 192], 0 far (and outside the sole) .. 1 touching.
            print: float32 [N, 384, 192], 0 no contact .. 1 contact.
        """
        depth, contact, _ = self.logits(image)
        return depth.clamp(0, 1), torch.sigmoid(contact)

    def logits(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """For losses: as ``forward``, before the depth is cut to 0 .. 1 and the print goes through its sigmoid.

        The third is the lamp, float32 [N, 2]: right and down parts of a unit vector towards it.
        """
        x = (image.to(torch.float32) / _WHITE).permute(0, 3, 1, 2)
        # Exposure and the colour of the light say nothing about the relief.
        x = (x - x.mean(dim=(2, 3), keepdim=True)) / (x.var(dim=(1, 2, 3), keepdim=True) + 1e-3).sqrt()
        picture = x.contiguous(memory_format=torch.channels_last)
        skips = self._levels(picture)
        x = skips.pop()
        lamp, offset, skips = self._lit(skips, x)
        skips[0] = torch.cat([skips[0], functional.pixel_unshuffle(picture, 2)], dim=1)
        for up in self.ups:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = up(torch.cat([x, skips.pop()], dim=1))
        both = _moved(functional.pixel_shuffle(self.out(x), 2), offset)
        return both[:, 0], both[:, 1], lamp

    def _lit(
        self, skips: list[torch.Tensor], coarsest: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """What the coarsest maps say of the light.

        Returns:
            The lamp float32 [N, 2]; by how many pixels outputs are to be moved [N, 2]; the finer maps as it asks.
        """
        # Every piece of the sole has an opinion; their mean is the picture's.
        pooled = functional.relu(self.pieces(coarsest)).mean(dim=(2, 3))
        lamp = self.lamp(pooled)
        *parts, offset = self.light(torch.cat([pooled, lamp], dim=1)).split([*self._finer, *self._finer, 2], dim=1)
        scales, shifts = (
            [part[:, :, None, None] for part in half] for half in (parts[: len(skips)], parts[len(skips) :])
        )
        lit = [skip * (1 + scale) + shift for skip, scale, shift in zip(skips, scales, shifts, strict=True)]
        return lamp, _REACH_PX * torch.tanh(offset), lit

    def _levels(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The trunk's maps at 1/2, 1/4, 1/8 and 1/16 of the picture."""
        x = functional.relu6(self.trunk.stem(x))
        maps = []
        for number, block in enumerate(self.trunk.blocks):
            x = block(x)
            if number in _LEVELS:
                maps.append(x)
        return maps


def _moved(maps: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Maps [N, C, H, W] with every pixel taken from (x, y) ``offset`` [N, 2] pixels away, between pixels linearly."""
    height, width = maps.shape[-2:]
    x = torch.linspace(-1, 1, width, device=maps.device)[None, None, :] + (2 / (width - 1)) * offset[:, 0, None, None]
    y = torch.linspace(-1, 1, height, device=maps.device)[None, :, None] + (2 / (height - 1)) * offset[:, 1, None, None]
    grid = torch.stack([x.expand(-1, height, -1), y.expand(-1, -1, width)], dim=-1)
    return functional.grid_sample(maps, grid.to(maps.dtype), padding_mode="border", align_corners=True)


def _convolution(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
