"""CriSp's encoder (ECCV 2024): prints and tread depth maps to one spatial embedding, compared under a mask (torch).

One network sees both kinds of picture. Channel 0 is for prints, the further ones for what a database holds, tread
depth in channel 1; the channels that a picture does not have are zero. Every cell of the embedding has unit length,
so the masked similarity of a query and a database image is an inner product divided by the visible cells.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.trunks import Trunk
from outsole.imaging.crisp_pictures import PICTURE_PX

CHANNELS = 128
_WHITE = 255.0
# The published code grows a query's mask by five dilations of 8 x 8 pixels before it is brought to the cells.
_DILATION_PX = 2 * ((5 * 7 + 1) // 2) + 1
_TINY = 1e-6


class Intake(nn.Module):
    """uint8 planes to what a trunk takes: the cast and the scaling, which are part of the exported graph.

    Plane 0, the print, shows contact dark on light, and is turned over, so that contact is bright in both kinds of
    picture. A plane that is zero everywhere is one that the picture does not have, and stays zero.

    Args:
        standardised: Each plane to mean 0 and deviation 0.5 over the picture, so that a faint lift and an inked print
            look alike; otherwise to 0 .. 1, as published.
        reduction: Factor by which the picture is averaged down, at least 1. A light trunk at half the resolution works
            four times as fast, and its stride of 16 is then 32 pixels of the picture, as published.
    """

    def __init__(self, *, standardised: bool, reduction: int = 1) -> None:
        super().__init__()
        self.standardised = standardised
        self.reduction = reduction

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """uint8 [N, P, H, W] to float32 [N, P, H / reduction, W / reduction]."""
        x = image.to(torch.float32) / _WHITE
        if self.reduction > 1:
            x = functional.avg_pool2d(x, self.reduction)
        present = (x.amax(dim=(2, 3), keepdim=True) > 0).to(torch.float32)
        x = torch.cat([1 - x[:, :1], x[:, 1:]], dim=1)
        if self.standardised:
            centred = x - x.mean(dim=(2, 3), keepdim=True)
            x = 0.5 * centred / (centred.square().mean(dim=(2, 3), keepdim=True) + 1e-4).sqrt()
        return (x * present).contiguous(memory_format=torch.channels_last)


class CrispNet(nn.Module):
    """Planes to a map of unit vectors.

    Args:
        trunk: Without pooling; its stride decides the cells.
        hidden: Channels between the two 1x1 convolutions.
        standardised, reduction: See ``Intake``.
        channels: C of the embedding.
    """

    def __init__(
        self, trunk: Trunk, *, hidden: int, standardised: bool, reduction: int = 1, channels: int = CHANNELS
    ) -> None:
        super().__init__()
        self.intake = Intake(standardised=standardised, reduction=reduction)
        self.trunk = trunk
        self.head = nn.Sequential(
            nn.Conv2d(trunk.channels, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1),
        )
        self.channels = channels

    @property
    def cells(self) -> tuple[int, int]:
        """(H, W) of the embedding."""
        stride = self.trunk.stride * self.intake.reduction
        return PICTURE_PX[0] // stride, PICTURE_PX[1] // stride

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, P, 384, 192]; returns float32 [N, C, H, W], every cell of unit length."""
        return functional.normalize(self.head(self.trunk(self.intake(image))), dim=1)

    def pooled(self, image: torch.Tensor) -> torch.Tensor:
        """The ablation without space: the trunk's mean over the cells through the same head; [N, C, 1, 1]."""
        mean = self.trunk(self.intake(image)).mean(dim=(2, 3), keepdim=True)
        return functional.normalize(self.head(mean), dim=1)


def visible_cells(mask: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """Which cells a query shows: the mask dilated, resized bilinearly to the cells, above zero.

    Args:
        mask: bool or float [N, H, W], where the print is visible.
        cells: (h, w) of the embedding.

    Returns:
        float32 [N, h, w] of 0 and 1.
    """
    grown = mask.to(torch.float32).unsqueeze(1)
    # A maximum over a square is one over columns of maxima over rows, 18 times less to compare.
    for window in ((1, _DILATION_PX), (_DILATION_PX, 1)):
        grown = functional.max_pool2d(grown, window, stride=1, padding=(window[0] // 2, window[1] // 2))
    resized = functional.interpolate(grown, cells, mode="bilinear", align_corners=False)
    return (resized > 0).to(torch.float32).squeeze(1)


def rectangle_cells(mask: torch.Tensor, cells: tuple[int, int]) -> torch.Tensor:
    """A training mask [N, H, W] resized to the cells: those of which more than half is in it; float32 [N, h, w]."""
    share = functional.adaptive_avg_pool2d(mask.to(torch.float32).unsqueeze(1), cells)
    return (share > 0.5).to(torch.float32).squeeze(1)


def masked_similarity(probes: torch.Tensor, shown: torch.Tensor, gallery: torch.Tensor) -> torch.Tensor:
    """Mean cosine over the cells that each probe shows.

    Args:
        probes: float [Q, C, H, W], cells of unit length.
        shown: float [Q, H, W], 1 where the probe shows the print.
        gallery: float [N, C, H, W], cells of unit length; never masked, so that it can be stored as it is.

    Returns:
        float [Q, N], -1 .. 1.
    """
    count = shown.sum(dim=(1, 2)).clamp(min=1.0)
    masked = (probes * shown.unsqueeze(1)).flatten(1) / count.unsqueeze(1)
    return masked @ gallery.flatten(1).T
