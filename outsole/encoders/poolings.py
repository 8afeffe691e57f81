"""Poolings of a spatial map to one vector, shared by the systems of the survey (torch).

Every pooling takes float32 [N, C, H, W] and returns float32 [N, D].
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

_TINY = 1e-6


def average(maps: torch.Tensor) -> torch.Tensor:
    """Mean over the cells; [N, C]."""
    return maps.mean(dim=(2, 3))


def maximum(maps: torch.Tensor) -> torch.Tensor:
    """Largest value over the cells; [N, C]."""
    return maps.amax(dim=(2, 3))


def selected_cells(maps: torch.Tensor) -> torch.Tensor:
    """The cells that selective convolutional descriptor aggregation keeps (SCDA; Wei et al., TIP 2017, eq. 1 and 2).

    A cell's activation is the sum over its channels. Cells above the mean activation are kept, and of those the
    largest 8-connected component. Two equally large components: the one that begins higher up.

    Args:
        maps: float32 [N, C, H, W].

    Returns:
        float32 [N, H, W], 1 for kept cells. A map that is constant keeps nothing.
    """
    activation = maps.sum(dim=1)
    high = (activation > activation.mean(dim=(1, 2), keepdim=True)).to(maps.dtype)
    return largest_component(high)


def largest_component(mask: torch.Tensor) -> torch.Tensor:
    """The largest 8-connected component of float masks [N, H, W] of 0 and 1, of the same shape and type.

    Cells that reach each other are found by squaring the matrix of neighbours: each squaring doubles the length of
    the paths. That is a handful of batched matrix products without any loop over items or cells, and exports to ONNX.
    """
    items, height, width = mask.shape
    cells = height * width
    flat = mask.reshape(items, cells)
    near = _neighbours(height, width).to(mask)
    reach = near * flat.unsqueeze(2) * flat.unsqueeze(1)
    for _ in range(math.ceil(math.log2(max(cells, 2)))):
        reach = (reach @ reach).clamp(max=1.0)
    sizes = reach.sum(dim=2)
    seed = sizes.argmax(dim=1)
    row = reach.gather(1, seed.view(items, 1, 1).expand(items, 1, cells))
    return row.reshape(items, height, width)


def selective(maps: torch.Tensor) -> torch.Tensor:
    """SCDA: mean and maximum over the selected cells, each of unit length; [N, 2 C]."""
    kept = selected_cells(maps.detach()).unsqueeze(1)
    mean = (maps * kept).sum(dim=(2, 3)) / kept.sum(dim=(2, 3)).clamp(min=1.0)
    # Values that were not selected must not win: they are moved below every other.
    lowest = maps.amin(dim=(1, 2, 3), keepdim=True)
    peak = ((maps - lowest) * kept + lowest).amax(dim=(2, 3))
    return torch.cat([functional.normalize(mean, dim=1), functional.normalize(peak, dim=1)], dim=1)


class RunningPca(nn.Module):
    """Principal components of the vectors seen in training, for neural codes (Babenko et al., ECCV 2014, section 4).

    In training, vectors pass unchanged and their first two moments are gathered; in evaluation they are centred and
    projected. The projection is made when training mode ends, so that a checkpoint holds all of it.

    Args:
        dimensions: D of the vectors.
        kept: Components kept, at most ``dimensions``.
    """

    count: torch.Tensor
    total: torch.Tensor
    products: torch.Tensor
    centre: torch.Tensor
    projection: torch.Tensor

    def __init__(self, dimensions: int, *, kept: int) -> None:
        super().__init__()
        self.kept = kept
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("total", torch.zeros(dimensions))
        self.register_buffer("products", torch.zeros(dimensions, dimensions))
        self.register_buffer("centre", torch.zeros(dimensions))
        self.register_buffer("projection", torch.eye(dimensions)[:, :kept].clone())

    def train(self, mode: bool = True) -> RunningPca:
        """Switch; leaving training makes the projection from what was gathered, here or in a loaded checkpoint."""
        if not mode and self.count.item() > 1:
            self._project_anew()
        super().train(mode)
        return self

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """[N, dimensions] as they are in training, [N, kept] in evaluation."""
        if self.training:
            self._gather(vectors.detach().to(self.total.dtype))
            return vectors
        return (vectors - self.centre) @ self.projection

    def _gather(self, vectors: torch.Tensor) -> None:
        # The network moves while it learns: old vectors are forgotten at the rate of one in a hundred steps.
        for sums, news in (
            (self.count, len(vectors)),
            (self.total, vectors.sum(0)),
            (self.products, vectors.T @ vectors),
        ):
            sums.mul_(0.99).add_(news)

    def _project_anew(self) -> None:
        mean = self.total / self.count
        covariance = self.products / self.count - torch.outer(mean, mean)
        _, components = torch.linalg.eigh(covariance.double().cpu())
        leading = components.flip(1)[:, : self.kept]
        # The sign of a component is free; its largest entry is made positive.
        largest = leading.gather(0, leading.abs().argmax(0, keepdim=True))
        self.centre.copy_(mean)
        self.projection.copy_((leading * largest.sign()).to(self.projection))


def _neighbours(height: int, width: int) -> torch.Tensor:
    """float32 [H W, H W]: 1 where two cells are the same or touch, corners included."""
    row = torch.arange(height).repeat_interleave(width)
    column = torch.arange(width).repeat(height)
    far = torch.maximum((row[:, None] - row[None]).abs(), (column[:, None] - column[None]).abs())
    return (far <= 1).to(torch.float32)
