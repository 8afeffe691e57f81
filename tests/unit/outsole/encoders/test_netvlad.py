"""NetVLAD: residuals by soft assignment, words by k-means, whitened principal components."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch.nn import functional

from outsole.encoders.netvlad import NetVlad, NetVladNet, k_means, whitening_of
from outsole.encoders.trunks import Trunk
from outsole.errors import InvalidInput
from outsole.imaging.shoe_crops import CROP_PX


class _SmallTrunk(Trunk):
    """Means of tiles of 16 pixels, mixed: a map of 7 x 14 cells with eight channels."""

    inputs, channels, stride = 3, 8, 16

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Conv2d(3, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.mix(functional.avg_pool2d(x, 16))
        return mixed


def _crops(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, *CROP_PX, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def _net(**options: int) -> NetVladNet:
    torch.manual_seed(0)
    return NetVladNet(_SmallTrunk(), **{"clusters": 4, "dimensions": 6, **options}).eval()


def test_the_residuals_are_those_of_the_definition() -> None:
    torch.manual_seed(1)
    vlad, maps = NetVlad(5, clusters=3), torch.randn(2, 5, 2, 4)
    cells = functional.normalize(maps, dim=1).flatten(2)
    weights = torch.softmax(vlad.assignment(functional.normalize(maps, dim=1)).flatten(2), dim=1)
    expected = torch.zeros(2, 3, 5)
    for word in range(3):
        for cell in range(8):
            residual = cells[:, :, cell] - vlad.centres[word]
            expected[:, word] += weights[:, word, cell, None] * residual
    expected = functional.normalize(functional.normalize(expected, dim=2).flatten(1), dim=1)
    assert torch.allclose(vlad(maps), expected, atol=1e-6)


def test_every_word_has_the_same_length_in_the_vector() -> None:
    found = NetVlad(5, clusters=4)(torch.randn(3, 5, 6, 6)).reshape(3, 4, 5)
    assert torch.allclose(found.norm(dim=2), torch.full((3, 4), 0.5), atol=1e-5)


def test_cells_are_assigned_to_the_nearest_word_once_it_started_from_words() -> None:
    draw = torch.Generator().manual_seed(2)
    cells = functional.normalize(torch.randn(500, 6, generator=draw), dim=1)
    centres = k_means(cells, 5, seed=0)
    vlad = NetVlad(6, clusters=5)
    vlad.start_from(centres, cells)
    scores = vlad.assignment(cells[:, :, None, None])[:, :, 0, 0]
    assert torch.equal(scores.argmax(dim=1), torch.cdist(cells, centres).argmin(dim=1))
    weights = torch.softmax(scores, dim=1).sort(dim=1, descending=True).values
    ratio = (weights[:, 0] / weights[:, 1]).log().mean().exp()
    assert float(ratio.detach()) == pytest.approx(100, rel=0.05)


def test_k_means_finds_clusters_that_are_there_and_the_same_ones_again() -> None:
    draw = torch.Generator().manual_seed(3)
    truth = 10 * functional.one_hot(torch.arange(4), 6).float()
    points = truth.repeat(30, 1) + 0.1 * torch.randn(120, 6, generator=draw)
    centres = k_means(points, 4, seed=5)
    assert torch.equal(centres, k_means(points, 4, seed=5))
    assert sorted(torch.cdist(centres, truth).argmin(dim=1).tolist()) == [0, 1, 2, 3]
    assert float(torch.cdist(centres, truth).amin(dim=1).max()) < 0.1


def test_k_means_of_equal_points_and_of_too_few() -> None:
    assert torch.allclose(k_means(torch.ones(5, 2), 3, seed=0), torch.ones(3, 2))
    with pytest.raises(InvalidInput, match="2 points have 3 centres"):
        k_means(torch.ones(2, 2), 3, seed=0)


def test_whitened_vectors_are_centred_uncorrelated_and_closer_to_each_other_in_variance() -> None:
    draw = torch.Generator().manual_seed(4)
    spread = torch.tensor([8.0, 4.0, 2.0, 1.0, 0.1, 0.1])
    vectors = torch.randn(400, 6, generator=draw) * spread + 3
    weight, bias = whitening_of(vectors, dimensions=3)
    white = vectors @ weight.T + bias
    assert torch.allclose(white.mean(dim=0), torch.zeros(3), atol=1e-3)
    covariance = white.T @ white / len(white)
    variances = covariance.diagonal()
    off = covariance - variances.diag()
    assert float(off.abs().max()) < 1e-3 * float(variances.max())
    assert 1 < float(variances.max() / variances.min()) < 5 < spread[0] ** 2 / spread[2] ** 2
    assert torch.equal(weight, whitening_of(vectors, dimensions=3)[0])


def test_components_beyond_the_rank_are_zero_and_not_noise() -> None:
    vectors = torch.randn(4, 50, generator=torch.Generator().manual_seed(5))
    weight, bias = whitening_of(vectors, dimensions=8)
    assert bool((weight[:3].norm(dim=1) > 0.5).all())
    assert not bool(weight[3:].any()) and not bool(bias[3:].any())
    with pytest.raises(InvalidInput, match="at least 2"):
        whitening_of(vectors[:1], dimensions=2)


def test_equal_vectors_have_no_components() -> None:
    weight, bias = whitening_of(torch.ones(5, 4), dimensions=3)
    assert bool(torch.isfinite(weight).all()) and bool(torch.isfinite(bias).all())
    assert not bool(weight.any())


def test_a_crop_becomes_a_unit_vector_whatever_else_is_in_the_batch() -> None:
    net, crops = _net(), _crops(3)
    with torch.no_grad():
        together, alone = net(crops), net(crops[1:2])
    assert tuple(together.shape) == (3, 6) and together.dtype == torch.float32
    assert torch.allclose(together.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_the_last_layer_is_set_and_not_learned() -> None:
    net = _net()
    assert not any(parameter.requires_grad for parameter in net.whitening.parameters())
    with torch.no_grad():
        vectors = net.aggregated(_crops(20))
        net.whiten(vectors)
        white = net.whitening(vectors)
    assert torch.allclose(white.mean(dim=0), torch.zeros(6), atol=1e-5)


def test_words_come_from_the_pictures_cells() -> None:
    net = _net()
    before = net.vlad.centres.detach().clone()
    net.start_words(_crops(5), seed=1)
    with torch.no_grad():
        again = _net()
        again.start_words(_crops(5), seed=1)
    assert not torch.allclose(before, net.vlad.centres)
    assert torch.equal(net.vlad.centres, again.vlad.centres)


def test_crops_of_another_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match="112"):
        _net()(torch.zeros(1, 64, 224, 3, dtype=torch.uint8))
