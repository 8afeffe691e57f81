"""The survey's encoders: unit vectors, learned weights, regions that do not see each other."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.poolings import average, selective
from outsole.encoders.survey import PARTS, PartWeightedNet, PooledNet, RegionCodesNet
from outsole.encoders.trunks import make_trunk


def _pictures(seed: int = 0, count: int = 2) -> Any:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.zeros((count, 2, 384, 192), dtype=torch.uint8)
    pictures[:, 1] = torch.randint(1, 256, (count, 384, 192), generator=generator, dtype=torch.uint8)
    return pictures


def _parts() -> PartWeightedNet:
    torch.manual_seed(0)
    return PartWeightedNet(make_trunk("lite0", inputs=2), dimensions=16, reduction=2).eval()


def test_vectors_have_unit_length() -> None:
    trunk = make_trunk("lite0", inputs=2)
    networks = [
        PooledNet(trunk, pooling=average, pooled=trunk.channels, dimensions=32, reduction=2),
        PooledNet(trunk, pooling=selective, pooled=2 * trunk.channels, dimensions=32, reduction=2),
        _parts(),
        RegionCodesNet(trunk, code=32, kept=8, reduction=2),
    ]
    for network, dimensions in zip(networks, (32, 32, 64, 16), strict=True):
        with torch.no_grad():
            vectors = network.eval()(_pictures())
        assert tuple(vectors.shape) == (2, dimensions)
        assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)


def test_the_similarity_is_the_weighted_sum_of_the_parts_cosines() -> None:
    network = _parts()
    with torch.no_grad():
        network.scores.copy_(torch.tensor([1.0, 0.0, -1.0, 0.5]))
        vectors = network(_pictures())
        parts = vectors.reshape(2, len(PARTS), -1)
        lengths = parts.norm(dim=2)
        cosines = torch.nn.functional.cosine_similarity(parts[0], parts[1], dim=1)
        expected = (network.weights * cosines).sum()
    assert torch.allclose(lengths.square(), network.weights.expand(2, -1), atol=1e-5)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(float(expected), abs=1e-5)


def test_the_toe_s_vector_comes_from_the_toe_s_picture_alone() -> None:
    network = _parts()
    network.intake.standardised = False
    pictures = _pictures()
    changed = pictures.clone()
    changed[:, 1, 256:] = 9
    with torch.no_grad():
        before = network(pictures).reshape(2, 4, -1)
        after = network(changed).reshape(2, 4, -1)
    assert torch.allclose(before[:, 0], after[:, 0], atol=1e-5)
    assert not torch.allclose(before[:, 3], after[:, 3], atol=1e-3)


def test_the_weights_are_learned() -> None:
    network = _parts().train()
    vectors = network(_pictures())
    (vectors[0] @ vectors[1]).backward()
    assert network.scores.grad is not None
    assert network.scores.grad.abs().sum() > 0


def test_region_codes_are_reduced_once_training_has_ended() -> None:
    torch.manual_seed(0)
    network = RegionCodesNet(make_trunk("lite0", inputs=2), code=32, kept=8, reduction=2).train()
    assert tuple(network(_pictures(count=4)).shape) == (4, 64)
    assert tuple(network.eval()(_pictures(count=4)).shape) == (4, 16)
