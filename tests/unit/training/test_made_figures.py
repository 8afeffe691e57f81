"""Figures of embeddings whose ranks are known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from training.made_figures import embedded, figures


def test_a_probe_that_is_its_own_item_has_full_marks() -> None:
    vectors = torch.eye(5)
    found = figures(vectors[:3], vectors, np.eye(5, dtype=np.bool_)[:3])
    assert found == {"hit100": 1.0, "map100": 1.0}


def test_the_precision_of_a_second_place_is_a_half() -> None:
    gallery = torch.eye(4)
    probe = torch.tensor([[0.9, 0.4, 0.1, 0.0]])
    relevant = np.array([[False, True, False, False]])
    assert figures(probe, gallery, relevant)["map100"] == pytest.approx(0.5)


def test_cells_that_a_probe_does_not_show_do_not_count() -> None:
    gallery = torch.zeros(2, 2, 1, 2)
    gallery[0, 0], gallery[1, 1] = 1.0, 1.0
    probe = torch.zeros(1, 2, 1, 2)
    probe[0, 0, 0, 0] = probe[0, 1, 0, 1] = 1.0
    relevant = np.array([[False, True]])
    right_cell = torch.tensor([[[0.0, 1.0]]])
    assert figures(probe, gallery, relevant, shown=right_cell)["map100"] == 1.0
    assert figures(probe, gallery, relevant, shown=1 - right_cell)["map100"] == 0.5


def test_pictures_are_embedded_in_their_order() -> None:
    pictures = np.arange(70, dtype=np.uint8).reshape(70, 1, 1, 1)
    found = embedded(lambda batch: batch.flatten(1).float(), pictures, torch.device("cpu"))
    assert found.flatten().tolist() == list(range(70))
