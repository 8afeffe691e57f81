"""NetVLAD of shoes: a crop to a vector of residuals to visual words (torch).

NetVLAD (Arandjelovic et al., CVPR 2016) on the last map of a trunk, as the weakly supervised work on shop photographs
has it on VGG-16's conv5_3: soft assignment to 64 words, intra-normalisation, principal components whitened.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from outsole.encoders.shoe_intake import shoe_intake
from outsole.encoders.trunks import Trunk
from outsole.errors import InvalidInput

CLUSTERS = 64
DIMENSIONS = 512
_ROUNDS = 25
# A word next to a cell weighs a hundred times as much as the second nearest, on the average.
_DOMINANCE = 100.0
# Directions in which few pictures differ are mostly noise: they are not blown up to the size of the others. Measured on
# an untrained light trunk, 600 made crops, 100 unseen models: rank-1 is 0.12 unwhitened, 0.27 with a tenth of the mean
# variance, 0.30 with a half, 0.29 with the whole.
_SHRINKAGE = 0.5
_RANK_TOLERANCE = 1e-6
_TINY = 1e-6


class NetVlad(nn.Module):
    """Residuals of a map's cells to the centres of words, summed by soft assignment (NetVLAD, equation 4).

    Args:
        channels: C of the map.
        clusters: K, the number of words.
    """

    def __init__(self, channels: int, *, clusters: int = CLUSTERS) -> None:
        super().__init__()
        self.assignment = nn.Conv2d(channels, clusters, 1)
        self.centres = nn.Parameter(functional.normalize(torch.randn(clusters, channels), dim=1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Aggregate ``maps`` float32 [N, C, H, W]; returns float32 [N, K C], each word and the whole of unit length."""
        cells = functional.normalize(maps, dim=1)
        weights = torch.softmax(self.assignment(cells), dim=1).flatten(2)
        sums = weights @ cells.flatten(2).transpose(1, 2)
        residuals = sums - weights.sum(dim=2, keepdim=True) * self.centres
        words = functional.normalize(residuals, dim=2)
        return functional.normalize(words.flatten(1), dim=1)

    @torch.no_grad()
    def start_from(self, centres: torch.Tensor, cells: torch.Tensor) -> None:
        """Set centres and assignment (weights 2 a c, bias -a |c|^2) from words that were found beforehand.

        Args:
            centres: float32 [K, C].
            cells: float32 [M, C] of unit length; they say how sharp the assignment a is to be.
        """
        near = torch.cdist(cells, centres).square().topk(2, dim=1, largest=False).values
        sharpness = math.log(_DOMINANCE) / max(float((near[:, 1] - near[:, 0]).mean()), _TINY)
        self.centres.copy_(centres)
        self.assignment.weight.copy_(2 * sharpness * centres[:, :, None, None])
        bias = self.assignment.bias
        assert bias is not None
        bias.copy_(-sharpness * centres.square().sum(dim=1))


class NetVladNet(nn.Module):
    """A level crop to a unit vector by NetVLAD.

    The last layer whitens principal components. It is no part of what is learned by descent: ``whiten`` sets it from
    the vectors of many pictures when the learning is done; until then it is a random projection.

    Args:
        trunk: Any trunk for three colours; its map should have more cells than there are words.
        clusters: K, the number of words.
        dimensions: Of the vector.
    """

    def __init__(self, trunk: Trunk, *, clusters: int = CLUSTERS, dimensions: int = DIMENSIONS) -> None:
        super().__init__()
        self.trunk = trunk
        self.vlad = NetVlad(trunk.channels, clusters=clusters)
        self.whitening = nn.Linear(clusters * trunk.channels, dimensions)
        nn.init.zeros_(self.whitening.bias)
        self.whitening.requires_grad_(False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Embed ``image`` uint8 [N, 112, 224, 3], red first; returns float32 [N, dimensions] of unit length."""
        return functional.normalize(self.whitening(self.aggregated(image)), dim=1)

    def aggregated(self, image: torch.Tensor) -> torch.Tensor:
        """The vectors before they are whitened, which the loss sees: float32 [N, K C] of unit length."""
        found: torch.Tensor = self.vlad(self.trunk(shoe_intake(image)))
        return found

    @torch.no_grad()
    def start_words(self, image: torch.Tensor, *, seed: int) -> None:
        """Find the words by k-means over the cells of pictures.

        Args:
            image: uint8 [N, 112, 224, 3]; at least as many cells as words.
            seed: Of the first centres.
        """
        maps = torch.cat([self.trunk(shoe_intake(part)) for part in torch.split(image, 16)])
        cells = functional.normalize(maps, dim=1).permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
        self.vlad.start_from(k_means(cells, len(self.vlad.centres), seed=seed), cells)

    @torch.no_grad()
    def whiten(self, vectors: torch.Tensor) -> None:
        """Set the last layer from ``vectors`` float [M, K C], see ``whitening_of``; M at least 2."""
        weight, bias = whitening_of(vectors, dimensions=self.whitening.out_features)
        self.whitening.weight.copy_(weight)
        self.whitening.bias.copy_(bias)


def k_means(points: torch.Tensor, count: int, *, seed: int) -> torch.Tensor:
    """Centres of clusters (Lloyd's rounds from k-means++ seeds); the same points and seed give the same centres.

    Args:
        points: float32 [M, C].
        count: K, at most M.
        seed: Of the first centres.

    Returns:
        float32 [K, C]. A cluster that loses all of its points keeps its centre.

    Raises:
        InvalidInput: Fewer points than centres.
    """
    if not 1 <= count <= len(points):
        raise InvalidInput(f"{len(points)} points have {count} centres", field="count", remedy="1 to the points")
    centres = _seeds(points, count, torch.Generator().manual_seed(seed))
    for _ in range(_ROUNDS):
        member = functional.one_hot(torch.cdist(points, centres).argmin(dim=1), count).to(points.dtype)
        size = member.sum(dim=0)[:, None]
        centres = torch.where(size > 0, member.T @ points / size.clamp(min=1), centres)
    return centres


def _seeds(points: torch.Tensor, count: int, draw: torch.Generator) -> torch.Tensor:
    """Points far from each other: each is drawn in proportion to its squared distance to those before (k-means++)."""
    first = int(torch.randint(len(points), (1,), generator=draw))
    chosen = [first]
    nearest = (points - points[first]).square().sum(dim=1)
    for _ in range(count - 1):
        place = torch.rand((), generator=draw, dtype=torch.float64) * nearest.double().sum()
        chosen.append(min(int(torch.searchsorted(nearest.double().cumsum(0).cpu(), place)), len(points) - 1))
        nearest = torch.minimum(nearest, (points - points[chosen[-1]]).square().sum(dim=1))
    return points[chosen]


def whitening_of(vectors: torch.Tensor, *, dimensions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear layer that projects on principal components and brings them to about equal variance.

    Each component is divided by the root of its variance and half of the mean one (Jegou & Chum, ECCV 2012, with
    that shrinkage). Found by way of the inner products [M, M], since there are fewer vectors than coordinates.

    Args:
        vectors: float [M, D], M at least 2.
        dimensions: Components wanted; those beyond the vectors' rank are zero.

    Returns:
        weight float32 [dimensions, D] and bias float32 [dimensions].

    Raises:
        InvalidInput: Fewer than two vectors.
    """
    if vectors.ndim != 2 or len(vectors) < 2:
        raise InvalidInput(f"vectors are {tuple(vectors.shape)}", field="vectors", remedy="[M, D], M at least 2")
    values = vectors.float()
    mean = values.mean(dim=0)
    centred = values - mean
    products = (centred @ centred.T).double().cpu() / len(values)
    variances, turns = (part.flip(-1) for part in torch.linalg.eigh(products))
    kept = int((variances[:dimensions] > _RANK_TOLERANCE * variances[0].clamp(min=_TINY)).sum())
    variances, turns = variances[:kept].to(centred), turns[:, :kept].to(centred)
    components = turns.T @ centred / (variances * len(values)).sqrt()[:, None]
    # The sign of a component is free; its largest entry is made positive.
    components *= components.gather(1, components.abs().argmax(dim=1, keepdim=True)).sign()
    floor = _SHRINKAGE * variances.mean() if kept else variances.sum()
    weight = torch.zeros(dimensions, values.shape[1], device=values.device)
    # Against the largest, so that the numbers stay small enough for half precision.
    weight[:kept] = components * ((variances[:1] + floor) / (variances + floor)).sqrt()[:, None]
    return weight, -weight @ mean
