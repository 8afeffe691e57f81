"""CriSp's encoder: what goes in, what comes out, and the similarity under a mask."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.crisp import CrispNet, Intake, masked_similarity, rectangle_cells, visible_cells
from outsole.encoders.trunks import make_trunk


def _pictures(count: int = 2) -> Any:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.zeros((count, 2, 384, 192), dtype=torch.uint8)
    pictures[:, 1] = torch.randint(1, 256, (count, 384, 192), generator=generator, dtype=torch.uint8)
    return pictures


def _network() -> CrispNet:
    torch.manual_seed(0)
    return CrispNet(make_trunk("lite0", inputs=2), hidden=32, standardised=True, reduction=2).eval()


def _unit(*shape: int) -> Any:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.nn.functional.normalize(torch.randn(shape, generator=generator), dim=1)


def test_every_cell_has_unit_length_and_the_map_has_the_cells_that_the_network_says() -> None:
    network = _network()
    with torch.no_grad():
        maps = network(_pictures())
        vectors = network.pooled(_pictures())
    assert tuple(maps.shape) == (2, 128, *network.cells) == (2, 128, 12, 6)
    assert torch.allclose(maps.norm(dim=1), torch.ones(2, 12, 6), atol=1e-5)
    assert tuple(vectors.shape) == (2, 128, 1, 1)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2, 1, 1), atol=1e-5)


@pytest.mark.parametrize("standardised", [True, False])
def test_a_print_is_turned_over_so_that_contact_is_bright_as_in_depth_and_an_absent_plane_stays_zero(
    standardised: bool,
) -> None:
    depth = _pictures()
    prints = torch.zeros_like(depth)
    prints[:, 0] = 255 - depth[:, 1]
    intake = Intake(standardised=standardised)
    of_print, of_depth = intake(prints), intake(depth)
    assert torch.allclose(of_print[:, 0], of_depth[:, 1], atol=1e-5)
    assert not of_print[:, 1].any()
    assert not of_depth[:, 0].any()


def test_a_faint_print_looks_like_a_strong_one_where_planes_are_standardised() -> None:
    strong = torch.zeros((1, 2, 384, 192), dtype=torch.uint8)
    strong[:, 0, :100, :100] = 200
    faint = torch.zeros_like(strong)
    faint[:, 0] = 120
    faint[:, 0, :100, :100] = 220
    intake = Intake(standardised=True)
    assert torch.allclose(intake(strong), intake(faint), atol=0.01)


def test_masked_similarity_is_the_mean_cosine_over_the_shown_cells() -> None:
    probes, gallery = _unit(3, 8, 4, 2), _unit(5, 8, 4, 2)
    shown = torch.zeros(3, 4, 2)
    shown[0, 1:3] = 1
    shown[1] = 1
    shown[2, 0, 0] = 1
    found = masked_similarity(probes, shown, gallery)
    for probe in range(3):
        for item in range(5):
            cosines = (probes[probe] * gallery[item]).sum(0)
            expected = cosines[shown[probe] > 0].mean()
            assert float(found[probe, item]) == pytest.approx(float(expected), abs=1e-5)


def test_a_probe_that_shows_nothing_is_similar_to_nothing() -> None:
    found = masked_similarity(_unit(1, 8, 4, 2), torch.zeros(1, 4, 2), _unit(5, 8, 4, 2))
    assert not found.any()


def test_the_dilated_mask_shows_the_cells_it_touches_and_none_far_away() -> None:
    mask = torch.zeros(2, 384, 192, dtype=torch.bool)
    mask[0, 100:110, 90:100] = True
    shown = visible_cells(mask, (12, 6))
    assert shown[0, 3, 2] == 1
    assert not shown[0, 6:].any()
    assert not shown[1].any()


def test_a_training_rectangle_keeps_the_cells_of_which_it_covers_most() -> None:
    mask = torch.zeros(1, 384, 192, dtype=torch.bool)
    mask[0, : 32 * 3 + 20, : 32 * 2 + 10] = True
    cells = rectangle_cells(mask, (12, 6))
    assert cells[0, :4, :2].all()
    assert cells.sum() == 8
