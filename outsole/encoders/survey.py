"""The survey's encoders: poolings and weightings of shared trunks to one vector a picture (torch).

All see CriSp's planes (``outsole.encoders.crisp.Intake``), so that one data set and one protocol serve them all, and
all return vectors of unit length: the similarity is the inner product.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.crisp import Intake
from outsole.encoders.poolings import RunningPca, average
from outsole.encoders.trunks import Trunk
from outsole.imaging.crisp_pictures import PICTURE_PX

PARTS = ("toe", "ball", "arch", "heel")
_PART_ROWS = 128
# First rows of the four sub-images; neighbours overlap, so that no element is only ever seen cut.
_PART_STARTS = (0, 80, 176, 256)
# The region codes divide a sole where the arch begins.
_TOE_SHARE = 0.5


class PooledNet(nn.Module):
    """Trunk, pooling, and a linear layer: the plain recipe of fine-tuned convolutional features.

    Args:
        trunk: Any trunk.
        pooling: [N, C, H, W] to [N, D].
        pooled: D.
        dimensions: Of the vector.
        reduction: Factor by which the picture is averaged down first, 1 or 2.
    """

    def __init__(
        self,
        trunk: Trunk,
        *,
        pooling: Callable[[torch.Tensor], torch.Tensor],
        pooled: int,
        dimensions: int = 256,
        reduction: int = 1,
    ) -> None:
        super().__init__()
        self.intake = Intake(standardised=True, reduction=reduction)
        self.trunk = trunk
        self.pooling = pooling
        self.out = nn.Linear(pooled, dimensions)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, P, 384, 192]; returns float32 [N, dimensions] of unit length."""
        return functional.normalize(self.out(self.pooling(self.trunk(self.intake(image)))), dim=1)


class PartWeightedNet(nn.Module):
    """Toe, ball, arch and heel as sub-images through one trunk, weighted by what each is worth (MP-CNN).

    The inner product of two vectors is the sum over the parts of the part's weight times the part's cosine. The
    weights are learned, positive, and sum to one.

    Args:
        trunk: Shared by the four sub-images.
        dimensions: Of each part's vector; the whole has four times as many.
        reduction: As ``PooledNet``.
    """

    def __init__(self, trunk: Trunk, *, dimensions: int = 128, reduction: int = 1) -> None:
        super().__init__()
        self.intake = Intake(standardised=True, reduction=reduction)
        self.trunk = trunk
        self.out = nn.Linear(trunk.channels, dimensions)
        self.scores = nn.Parameter(torch.zeros(len(PARTS)))

    @property
    def weights(self) -> torch.Tensor:
        """float32 [4], in the order of ``PARTS``, summing to one."""
        return torch.softmax(self.scores, dim=0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, P, 384, 192]; returns float32 [N, 4 dimensions] of unit length."""
        planes = self.intake(image)
        rows, starts = _PART_ROWS // self.intake.reduction, [row // self.intake.reduction for row in _PART_STARTS]
        parts = torch.cat([planes[:, :, start : start + rows] for start in starts])
        vectors = functional.normalize(self.out(average(self.trunk(parts))), dim=1)
        by_part = vectors.reshape(len(PARTS), -1, vectors.shape[1])
        weighted = by_part * self.weights.sqrt()[:, None, None]
        return weighted.transpose(0, 1).flatten(1)


class RegionCodesNet(nn.Module):
    """Neural codes of the toe and of the heel region, reduced by principal components and weighted.

    A code is the activation of a fully connected layer over one region of the trunk's map (Babenko et al., ECCV 2014).
    The two regions' weights are learned and sum to one; the similarity is the weighted sum of the two cosines.

    Args:
        trunk: Shared by the regions.
        code: Units of the fully connected layer.
        kept: Principal components kept of each region's code.
        reduction: As ``PooledNet``.
    """

    def __init__(self, trunk: Trunk, *, code: int = 512, kept: int = 128, reduction: int = 1) -> None:
        super().__init__()
        self.intake = Intake(standardised=True, reduction=reduction)
        self.trunk = trunk
        self.code = nn.Linear(trunk.channels, code)
        self.toe_pca = RunningPca(code, kept=kept)
        self.heel_pca = RunningPca(code, kept=kept)
        self.score = nn.Parameter(torch.zeros(()))
        self.boundary = round(_TOE_SHARE * PICTURE_PX[0] / (trunk.stride * reduction))

    @property
    def toe_weight(self) -> torch.Tensor:
        """What the toe is worth, 0 .. 1; the heel is worth the rest."""
        return torch.sigmoid(self.score)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, P, 384, 192]; float32 [N, 2 code] in training, [N, 2 kept] after; unit length."""
        maps = self.trunk(self.intake(image))
        toe = self.toe_pca(torch.relu(self.code(average(maps[:, :, : self.boundary]))))
        heel = self.heel_pca(torch.relu(self.code(average(maps[:, :, self.boundary :]))))
        weight = self.toe_weight
        return torch.cat(
            [functional.normalize(toe, dim=1) * weight.sqrt(), functional.normalize(heel, dim=1) * (1 - weight).sqrt()],
            dim=1,
        )
