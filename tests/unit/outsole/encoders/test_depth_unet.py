"""The depth network's shapes, ranges and size."""

from __future__ import annotations

from typing import cast

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from outsole.encoders.depth_unet import LAST_BLOCK, DepthUnet
from outsole.encoders.trunks import LiteTrunk, load_lite


def _network() -> DepthUnet:
    return DepthUnet(LiteTrunk(load_lite("lite0"), inputs=3, last_block=LAST_BLOCK))


def test_depth_and_print_have_the_photographs_size_and_lie_between_0_and_1() -> None:
    torch.manual_seed(0)
    network = _network().eval()
    image = torch.randint(0, 256, (2, 384, 192, 3), dtype=torch.uint8)
    with torch.no_grad():
        depth, contact = network(image)
    for part in (depth, contact):
        assert tuple(part.shape) == (2, 384, 192)
        assert 0 <= float(part.min()) <= float(part.max()) <= 1


def test_exposure_does_not_change_the_depth() -> None:
    torch.manual_seed(0)
    network = _network().eval()
    image = torch.randint(0, 100, (1, 384, 192, 3), dtype=torch.uint8)
    with torch.no_grad():
        dark, bright = network.logits(image)[0], network.logits(image + image)[0]
    assert float((dark - bright).abs().mean()) < 0.02 * float(dark.std())


def test_both_outputs_are_moved_where_the_light_says() -> None:
    torch.manual_seed(0)
    network = _network().eval()
    image = torch.randint(0, 256, (1, 384, 192, 3), dtype=torch.uint8)
    with torch.no_grad():
        before, contact, _ = network.logits(image)
        cast(nn.Linear, network.light[-1]).bias[-2:] = torch.atanh(torch.tensor([0.5, -0.5]))
        after, contact_after, _ = network.logits(image)
    # One pixel of at most two: to the left, and down.
    for old, new in ((before, after), (contact, contact_after)):
        assert torch.allclose(new[:, 1:, :-1], old[:, :-1, 1:], atol=2e-3 * float(old.abs().max()))


def test_it_is_small() -> None:
    assert sum(parameter.numel() for parameter in _network().parameters()) <= 2_000_000
