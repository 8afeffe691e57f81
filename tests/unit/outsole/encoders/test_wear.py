"""The wear networks' shapes, ranges, time codes."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from outsole.encoders.wear import TimeCode, WearAutoencoder, WearUnet, contact_of_image
from outsole.wear.model import Direction

_WEEKS = torch.tensor([[0], [52]], dtype=torch.uint8)


def _images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 640, 256), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_weeks_to_come_are_one_number_and_weeks_back_one_of_27_places() -> None:
    assert TimeCode(Direction.FORWARD)(_WEEKS).tolist() == [[0.0], [1.0]]
    back = TimeCode(Direction.BACKWARD)(torch.tensor([[0], [4], [52]], dtype=torch.uint8))
    assert tuple(back.shape) == (3, 27)
    assert back.argmax(dim=1).tolist() == [0, 2, 26] and back.sum(dim=1).tolist() == [1.0] * 3


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("network", [WearAutoencoder, WearUnet])
def test_both_networks_give_two_pictures_between_0_and_1(
    network: type[WearAutoencoder | WearUnet], direction: Direction
) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        for part in network(direction).eval()(_images(), _WEEKS):
            assert tuple(part.shape) == (2, 640, 256)
            assert 0 <= float(part.min()) <= float(part.max()) <= 1


def test_the_autoencoder_is_that_of_the_literature() -> None:
    network = WearAutoencoder(Direction.FORWARD)
    assert [layer.out_channels for layer in network.down] == [32, 64, 128, 256, 512]
    assert len(network.up) + 1 == 5
    assert not [part for part in network.modules() if isinstance(part, torch.nn.MaxPool2d | torch.nn.AvgPool2d)]


@pytest.mark.parametrize("direction", Direction)
def test_the_print_reaches_the_end_of_the_autoencoder_before_it_learned_anything(direction: Direction) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        network = WearAutoencoder(direction).eval()
        predicted, _ = network(_images(), _WEEKS)
        blank, _ = network(torch.full((2, 640, 256), 255, dtype=torch.uint8), _WEEKS)
    assert 0.3 < float(torch.logit(predicted).std()) < 3.0
    assert float((predicted - blank).abs().mean()) > 0.05


def test_the_u_net_begins_with_the_print_as_it_is() -> None:
    images = _images()
    with torch.no_grad():
        predicted, _ = WearUnet(Direction.FORWARD).eval()(images, _WEEKS)
    contact = contact_of_image(images)[:, 0]
    assert bool(((predicted > 0.5) == (contact > 0.5)).all())


def test_what_is_learned_of_the_error_teaches_the_autoencoder_nothing() -> None:
    network = WearAutoencoder(Direction.FORWARD)
    _, unsure = network(_images(), _WEEKS)
    unsure.sum().backward()
    assert all(parameter.grad is None for layer in (*network.down, *network.up) for parameter in layer.parameters())
    assert network.error.weight.grad is not None
