"""Poolings, against slow references."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from outsole.encoders.poolings import RunningPca, average, largest_component, maximum, selected_cells, selective


def test_the_largest_component_is_that_of_opencv() -> None:
    rng = np.random.default_rng(0)
    masks = (rng.random((20, 12, 6)) < 0.4).astype(np.uint8)
    found = largest_component(torch.from_numpy(masks).float()).numpy()
    for mask, got in zip(masks, found, strict=True):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        assert got.sum() == areas.max()
        chosen = np.unique(labels[got > 0])
        assert len(chosen) == 1 and chosen[0] > 0
        assert count > 1


def test_a_snake_through_the_whole_map_is_one_component() -> None:
    mask = torch.zeros(1, 9, 9)
    mask[0, ::2] = 1
    mask[0, 1, 8] = mask[0, 3, 0] = mask[0, 5, 8] = mask[0, 7, 0] = 1
    assert torch.equal(largest_component(mask), mask)


def test_an_empty_mask_has_an_empty_component() -> None:
    assert not largest_component(torch.zeros(2, 4, 3)).any()


def test_selected_cells_are_above_the_mean_activation() -> None:
    maps = torch.zeros(1, 3, 6, 4)
    maps[0, :, 1:4, 1:3] = 2.0
    maps[0, :, 5, 3] = 5.0
    kept = selected_cells(maps)
    assert torch.equal(kept[0, 1:4, 1:3], torch.ones(3, 2))
    assert kept.sum() == 6


def test_selective_pooling_takes_mean_and_maximum_over_the_selected_cells_alone() -> None:
    maps = torch.full((1, 2, 6, 4), -1.0)
    maps[0, 0, 1:3, 1:3] = torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    maps[0, 1, 5, 3] = 5.0
    vector = selective(maps)[0]
    mean, peak = torch.tensor([4.5, -1.0]), torch.tensor([6.0, -1.0])
    assert torch.allclose(vector[:2], mean / mean.norm(), atol=1e-5)
    assert torch.allclose(vector[2:], peak / peak.norm(), atol=1e-5)


def test_average_and_maximum_are_over_the_cells() -> None:
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    assert average(maps).tolist() == [[5.5, 17.5]]
    assert maximum(maps).tolist() == [[11.0, 23.0]]


def test_the_running_components_are_those_of_the_vectors_seen_in_training() -> None:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.diag(torch.tensor([5.0, 3.0, 0.1, 0.1]))
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=generator))
    pca = RunningPca(4, kept=2)
    pca.train()
    for _ in range(50):
        vectors = torch.randn(64, 4, generator=generator) @ mixing @ turn + 7.0
        assert torch.equal(pca(vectors), vectors)
    pca.eval()
    projected = pca(vectors)
    assert tuple(projected.shape) == (64, 2)
    assert abs(float(pca.projection[:, 0] @ turn[0])) > 0.99
    assert abs(float(pca.projection[:, 1] @ turn[1])) > 0.99
    assert projected.mean(0).abs().max() < 2.0


def test_a_loaded_checkpoint_projects_as_the_network_that_was_saved() -> None:
    torch.manual_seed(0)
    pca = RunningPca(6, kept=3)
    pca.train()
    pca(torch.randn(100, 6) * torch.arange(1.0, 7.0))
    again = RunningPca(6, kept=3)
    again.load_state_dict(pca.state_dict())
    vectors = torch.randn(5, 6)
    assert torch.allclose(again.eval()(vectors), pca.eval()(vectors), atol=1e-5)
