"""An embedding for partial prints: one vector for a whole impression and for any piece of it (torch).

A trunk of EfficientNet-Lite0 sees the print system's canvas at half its resolution. Two of its layers, standardised
over the visible cells, are pooled twice: by an attention-weighted generalised mean (GeM, Radenovic et al., TPAMI 2019,
eq. 3), which says what is there, and by lagged co-occurrence (as ``outsole.matching.candidates``, but of learned
channels), which says what stands beside what. Only cells that show the print take part, so a piece is compared with
a whole. Only ``training`` imports this module.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.efficientnet_lite import MID_GRAY
from outsole.encoders.trunks import LiteTrunk

CANVAS_PX = (672, 352)
CELLS = (84, 44)
DIMENSIONS = 256
# Half resolution, without the outer half of the margin: a print turned by 16 degrees still fits.
VIEW_PX = (320, 160)
VIEW_CELLS = (80, 40)
_CROP_PX = ((CANVAS_PX[0] // 2 - VIEW_PX[0]) // 2, (CANVAS_PX[1] // 2 - VIEW_PX[1]) // 2)
_CROP_CELLS = ((CELLS[0] - VIEW_CELLS[0]) // 2, (CELLS[1] - VIEW_CELLS[1]) // 2)
LAST_BLOCK, FROZEN_BLOCKS = 10, 5
_CHANNELS = 40 + 112
_FIRST_SCALE = 14.0
# (down, right) in cells of 0.8 cm.
_LAGS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1), (2, 0), (0, 2))
_TINY = 1e-6
_CACHED_IMAGES = 8


class PartialPrintNet(nn.Module):
    """Canvas and visible cells to a unit vector.

    Args:
        trunk: EfficientNet-Lite0 for one channel, to block 10; its frozen blocks make the finer map.
        value_scale: Standard deviations a grey level stands for.
        pooled: Channels of the generalised mean.
        paired: Channels of the co-occurrence.
    """

    def __init__(self, trunk: LiteTrunk, *, value_scale: float, pooled: int = 384, paired: int = 24) -> None:
        super().__init__()
        self.trunk = trunk
        self.value_scale = value_scale
        self.expand = nn.Conv2d(_CHANNELS, pooled, 1)
        self.attention = nn.Conv2d(_CHANNELS, 1, 1)
        self.pair = nn.Conv2d(_CHANNELS, paired, 1, bias=False)
        self.from_pooled = nn.Linear(pooled, DIMENSIONS)
        self.from_pairs = nn.Linear(len(_LAGS) * paired * paired, DIMENSIONS)
        # The temperature of the loss, which learns it with the rest.
        self.log_scale = nn.Parameter(torch.tensor(math.log(_FIRST_SCALE)))

    def forward(self, image: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, 672, 352] of which ``cells`` uint8 [N, 84, 44] are visible; float32 [N, 256]."""
        halved = functional.avg_pool2d(image.to(torch.float32).unsqueeze(1), 2)
        down, right = _CROP_PX
        view = halved[:, :, down : down + VIEW_PX[0], right : right + VIEW_PX[1]]
        down, right = _CROP_CELLS
        shown = cells[:, down : down + VIEW_CELLS[0], right : right + VIEW_CELLS[1]]
        return self.embed(view, shown.to(torch.float32))

    def embed(self, view: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """Embed views.

        Args:
            view: float32 [N, 1, 320, 160], grey levels at 10 px/cm, 128 the mean.
            shown: float32 [N, 80, 40], 1 for cells of 4 px that show the print.

        Returns:
            float32 [N, 256], unit length.
        """
        fine, coarse = self._maps((view - MID_GRAY) * self.value_scale)
        weight = functional.avg_pool2d(shown.unsqueeze(1), 2)
        cells = _standardised(torch.cat([fine, functional.interpolate(coarse, scale_factor=2.0)], dim=1), weight)
        pooled = self.from_pooled(self._generalised_mean(cells * weight, weight))
        return functional.normalize(pooled + self.from_pairs(self._cooccurrence(cells, weight)), dim=1)

    def _maps(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs of the two blocks, [N, 40, 40, 20] and [N, 112, 20, 10]."""
        # Edges and strokes are the same everywhere: what finds them stays as it is, which halves the training's work.
        if self.training:
            # A few images at a time stay in the processor's cache.
            with torch.no_grad():
                fine = torch.cat([self._fine(part) for part in torch.split(x, _CACHED_IMAGES)])
        else:
            fine = self._fine(x)
        coarse = fine
        for block in self.trunk.blocks[FROZEN_BLOCKS:]:
            coarse = block(coarse)
        return fine, coarse

    def _fine(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self.trunk.stem(x))
        for block in self.trunk.blocks[:FROZEN_BLOCKS]:
            x = block(x)
        return x

    def _generalised_mean(self, cells: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Attention-weighted cubic mean over blocks of 2 x 2 cells, [N, pooled]."""
        blocks, share = functional.avg_pool2d(cells, 2), functional.avg_pool2d(weight, 2)
        expanded = functional.relu(self.expand(blocks))
        share = share * torch.sigmoid(self.attention(blocks))
        share = share / share.sum((2, 3), keepdim=True).clamp(min=_TINY)
        return (share * expanded * expanded * expanded).sum((2, 3)).clamp(min=_TINY) ** (1 / 3)

    def _cooccurrence(self, cells: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Signed square roots of the mean products of neighbouring cells, [N, lags * K * K]."""
        paired = self.pair(cells) * weight
        height, width = paired.shape[2:]
        parts = []
        for down, right in _LAGS:
            here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
            there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
            first, second = paired[:, :, here[0], here[1]].flatten(2), paired[:, :, there[0], there[1]].flatten(2)
            pairs = (weight[:, :, here[0], here[1]] * weight[:, :, there[0], there[1]]).sum((2, 3)).clamp(min=1.0)
            parts.append((first @ second.transpose(1, 2)).flatten(1) / pairs)
        flat = torch.cat(parts, dim=1)
        rooted = flat * torch.rsqrt(flat.abs() + 1e-3)
        return functional.normalize(rooted, dim=1)


def _standardised(maps: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Channels to mean 0 and deviation 1 over the visible cells of each image, 0 elsewhere."""
    total = weight.sum((2, 3), keepdim=True).clamp(min=1.0)
    mean = (maps * weight).sum((2, 3), keepdim=True) / total
    centred = (maps - mean) * (weight > 0)
    variance = (centred.square() * weight).sum((2, 3), keepdim=True) / total
    return centred * torch.rsqrt(variance + 1e-3)
