"""Networks that predict how a print changes with wear (torch): the literature's autoencoder, and a residual U-Net.

Both see a print on the canvas of ``outsole.wear.canvas`` and a number of weeks, and return the print after (or before)
them, with a map of the error that they expect of themselves. What is said of the weeks differs by direction, as in the
literature: one number for wear to come, one of 27 places (every even week from 0 to 52) for wear to be taken back.
"""

from __future__ import annotations

import itertools
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from outsole.wear.canvas import CANVAS_PX
from outsole.wear.model import Direction
from outsole.wear.weeks import LONGEST_WEEKS, MOST_WEEKS, STEP_WEEKS

_WHITE = 255.0
_PAPER_MAPS = (32, 64, 128, 256, 512)
_TIME_MAPS = 8
_TIME_UNITS = 64
_WIDTHS = (32, 64, 128, 160)
# The U-Net works on pixels of four by four; its outermost layers would else be nine tenths of its work.
_BLOCK_PX = 4
_OUTPUTS = 2
# How sure the input alone is of itself, in logits: it is where the prediction starts from.
_TRUST = 5.0


class TimeCode(nn.Module):
    """Weeks uint8 [N, 1] as a network is told them.

    Args:
        direction: Forward: weeks / 52, float32 [N, 1]. Backward: one of 27 places, float32 [N, 27].
    """

    def __init__(self, direction: Direction) -> None:
        super().__init__()
        self.direction = direction
        self.size = 1 if direction is Direction.FORWARD else MOST_WEEKS
        places = STEP_WEEKS * torch.arange(MOST_WEEKS, dtype=torch.float32)
        self.places: torch.Tensor
        self.register_buffer("places", places, persistent=False)

    def forward(self, weeks: torch.Tensor) -> torch.Tensor:
        """The code, float32 [N, 1] or [N, 27]."""
        time = weeks.to(torch.float32)
        if self.direction is Direction.FORWARD:
            return time / LONGEST_WEEKS
        return torch.eq(time, self.places).to(torch.float32)


class WearAutoencoder(nn.Module):
    """The network of the literature (wear prediction and outsole reconstruction, 2019).

    Five convolutions, 32 to 512 maps, that halve the picture each and pool nothing; two fully connected layers that
    turn the weeks into maps beside the last of them; five transposed convolutions; a sigmoid. Its second output is
    ours: a convolution beside the last one that learns the error, and teaches the rest nothing. Weights begin as in He
    et al., ICCV 2015: with smaller ones nothing of the print reaches the end, and the sigmoid saturates.
    """

    def __init__(self, direction: Direction) -> None:
        super().__init__()
        self.time = TimeCode(direction)
        sizes = (1, *_PAPER_MAPS)
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1) for before, after in itertools.pairwise(sizes)
        )
        self.grid = (CANVAS_PX[0] >> len(_PAPER_MAPS), CANVAS_PX[1] >> len(_PAPER_MAPS))
        cells = self.grid[0] * self.grid[1]
        self.when = nn.Sequential(
            nn.Linear(self.time.size, _TIME_UNITS), nn.ReLU(), nn.Linear(_TIME_UNITS, _TIME_MAPS * cells), nn.ReLU()
        )
        backwards = (_PAPER_MAPS[-1] + _TIME_MAPS, *_PAPER_MAPS[-2::-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1) for before, after in itertools.pairwise(backwards)
        )
        self.out = nn.ConvTranspose2d(_PAPER_MAPS[0], 1, 4, stride=2, padding=1)
        self.error = nn.ConvTranspose2d(_PAPER_MAPS[0], 1, 4, stride=2, padding=1)
        self.apply(_keep_variance)

    def forward(self, image: torch.Tensor, weeks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict from ``image`` uint8 [N, 640, 256], 255 no contact, and ``weeks`` uint8 [N, 1].

        Returns:
            print: float32 [N, 640, 256], contact 0 .. 1.
            unsure: float32 [N, 640, 256], expected absolute error of contact, 0 .. 1.
        """
        x = contact_of_image(image)
        for layer in self.down:
            x = functional.relu(layer(x))
        when = self.when(self.time(weeks)).reshape(-1, _TIME_MAPS, *self.grid)
        x = torch.cat([x, when], dim=1)
        for layer in self.up:
            x = functional.relu(layer(x))
        return torch.sigmoid(self.out(x))[:, 0], torch.sigmoid(self.error(x.detach()))[:, 0]


def _keep_variance(layer: nn.Module) -> None:
    """Weights with which a layer of rectified inputs gives outputs that vary as much (He et al., equation 10)."""
    if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        return
    inputs = layer.weight[0].numel()
    if isinstance(layer, nn.ConvTranspose2d):
        # Each output is reached by one in stride x stride of the kernel's places, of every map before.
        inputs = layer.in_channels * layer.weight[0, 0].numel() // (layer.stride[0] * layer.stride[1])
    nn.init.normal_(layer.weight, std=(2 / inputs) ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class WearUnet(nn.Module):
    """A U-Net (Ronneberger et al., MICCAI 2015) that adds to the print what the weeks change of it.

    What stays as it is costs nothing: the input, as logits, goes around the network. The weeks scale and shift the maps
    of every block (feature-wise linear modulation; Perez et al., AAAI 2018). Where a place lies on the sole
    decides how fast it wears, so the network is told its row and column.
    """

    def __init__(self, direction: Direction, *, widths: tuple[int, ...] = _WIDTHS) -> None:
        super().__init__()
        self.time = TimeCode(direction)
        self.when = nn.Sequential(
            nn.Linear(self.time.size, _TIME_UNITS), nn.ReLU(), nn.Linear(_TIME_UNITS, _TIME_UNITS), nn.ReLU()
        )
        rows, columns = (torch.linspace(-1, 1, side // _BLOCK_PX) for side in CANVAS_PX)
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))[None]
        self.places: torch.Tensor
        self.register_buffer("places", places, persistent=False)
        self.stem = nn.Conv2d(_BLOCK_PX**2, widths[0], 3, padding=1)
        self.where = nn.Conv2d(2, widths[0], 1)
        self.finer = nn.ModuleList(TimedBlock(width) for width in widths[:-1])
        self.down = nn.ModuleList(_convolution(before, after, stride=2) for before, after in itertools.pairwise(widths))
        self.coarsest = nn.ModuleList(TimedBlock(widths[-1]) for _ in range(2))
        self.join = nn.ModuleList(
            _convolution(below + here, here, kernel=1) for here, below in reversed(list(itertools.pairwise(widths)))
        )
        self.back = nn.ModuleList(TimedBlock(width) for width in widths[-2::-1])
        self.out = nn.Conv2d(widths[0], _OUTPUTS * _BLOCK_PX**2, 3, padding=1)
        # It begins with the print as it is.
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(cast(nn.Parameter, self.out.bias), 0.0)

    def forward(self, image: torch.Tensor, weeks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``WearAutoencoder.forward``."""
        contact = contact_of_image(image)
        when = self.when(self.time(weeks))
        x = functional.relu(self.stem(functional.pixel_unshuffle(contact, _BLOCK_PX)) + self.where(self.places))
        skips = []
        for block, down in zip(self.finer, self.down, strict=True):
            x = block(x, when)
            skips.append(x)
            x = down(x)
        for block in self.coarsest:
            x = block(x, when)
        for join, block in zip(self.join, self.back, strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(join(torch.cat([x, skips.pop()], dim=1)), when)
        changed, error = functional.pixel_shuffle(self.out(x), _BLOCK_PX).chunk(2, dim=1)
        predicted = torch.sigmoid(_TRUST * (2 * contact - 1) + changed)
        # Errors are small: half a sigmoid of two below its middle begins at 0.06.
        return predicted[:, 0], torch.sigmoid(error - 2.0)[:, 0] / 2


class TimedBlock(nn.Module):
    """Two convolutions around which the maps go, scaled and shifted by what the time code says of them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.change = nn.Linear(_TIME_UNITS, 2 * width)

    def forward(self, x: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        """Maps [N, C, H, W] and code [N, 64] to maps [N, C, H, W]."""
        scale, shift = self.change(when)[:, :, None, None].chunk(2, dim=1)
        return functional.relu(x + self.second(self.first(x)) * (1 + scale) + shift)


def contact_of_image(image: torch.Tensor) -> torch.Tensor:
    """``image`` uint8 [N, 640, 256], 255 no contact, as contact float32 [N, 1, 640, 256], 0 .. 1."""
    return (1 - image.to(torch.float32) / _WHITE)[:, None]


def _convolution(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
