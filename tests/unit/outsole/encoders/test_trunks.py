"""The shared trunks against the published networks that they are cut from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite_pytorch")

import torch

from outsole.encoders.trunks import LiteTrunk, adapted_stem, load_lite, load_published, make_trunk
from outsole.errors import DataCorrupt, InvalidInput, NotFound


def _pictures(planes: int, size: tuple[int, int] = (64, 32)) -> Any:
    generator = torch.Generator().manual_seed(3)
    return torch.randn((2, planes, *size), generator=generator)


def test_folding_the_normalisation_leaves_the_maps_as_they_are() -> None:
    network, pictures = load_lite("lite0"), _pictures(3)
    with torch.no_grad():
        expected = network._swish(network._bn0(network._conv_stem(pictures)))
        for block in list(network._blocks)[:11]:
            expected = block(expected)
        found = LiteTrunk(load_lite("lite0"), inputs=3, last_block=10)(pictures)
    assert torch.allclose(found, expected, atol=1e-4 * float(expected.abs().max()))


def test_a_grey_picture_in_one_of_two_planes_gives_what_the_colour_network_gives_for_it() -> None:
    gray = _pictures(1)
    nothing = torch.zeros_like(gray)
    with torch.no_grad():
        colour = make_trunk("lite0", inputs=3)(gray.expand(-1, 3, -1, -1))
        two = make_trunk("lite0", inputs=2)
        first, second = two(torch.cat([gray, nothing], 1)), two(torch.cat([nothing, gray], 1))
    assert torch.allclose(first, colour, atol=1e-4 * float(colour.abs().max()))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("name", "stride"), [("lite0", 8), ("lite0", 16), ("lite0", 32), ("lite2", 16), ("resnet50", 32), ("vgg16", 16)]
)
def test_maps_have_the_channels_and_the_stride_that_the_trunk_says(name: str, stride: int) -> None:
    trunk = make_trunk(name, inputs=2, stride=stride)
    with torch.no_grad():
        maps = trunk(_pictures(2))
    assert trunk.stride == stride
    assert tuple(maps.shape) == (2, trunk.channels, 64 // stride, 32 // stride)


def test_frozen_blocks_and_the_stem_are_not_trained_and_the_rest_is() -> None:
    trunk = make_trunk("lite0", inputs=2, frozen_blocks=3)
    trained = {name for name, parameter in trunk.named_parameters() if parameter.requires_grad}
    assert trained
    assert not [name for name in trained if name.startswith(("stem", "blocks.0.", "blocks.1.", "blocks.2."))]
    assert any(name.startswith("blocks.3.") for name in trained)


@pytest.mark.parametrize(("name", "first"), [("vgg16", "features.0.weight"), ("resnet50", "conv1.weight")])
def test_weights_of_a_file_for_colours_are_adapted_to_the_planes(name: str, first: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    published = make_trunk(name, inputs=3).state_dict()
    torch.save(published | {"classifier.weight": torch.zeros(10)}, tmp_path / "published.pt")
    trunk = make_trunk(name, inputs=2)
    load_published(trunk, tmp_path / "published.pt")
    loaded = trunk.state_dict()
    assert torch.equal(loaded[first], adapted_stem(published[first], 2))
    assert all(torch.equal(value, published[key]) for key, value in loaded.items() if key != first)


@pytest.mark.parametrize(("name", "millions"), [("resnet50", 23.508), ("vgg16", 14.715)])
def test_trunks_have_the_published_number_of_parameters(name: str, millions: float) -> None:
    parameters = sum(parameter.numel() for parameter in make_trunk(name, inputs=3).parameters())
    assert parameters / 1e6 == pytest.approx(millions, abs=5e-4)


def test_a_lite_trunk_takes_a_file_of_the_package(tmp_path: Path) -> None:
    network = load_lite("lite0")
    with torch.no_grad():
        network._blocks[5]._project_conv.weight.zero_()
    torch.save(network.state_dict(), tmp_path / "lite.pt")
    trunk = make_trunk("lite0", inputs=2)
    load_published(trunk, tmp_path / "lite.pt")
    assert not trunk.state_dict()["blocks.5._project_conv.weight"].any()


def test_a_file_of_another_network_is_refused_in_one_sentence(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(DataCorrupt, match=r"other\.pt holds the weights of another network"):
        load_published(make_trunk("vgg16", inputs=2), tmp_path / "other.pt")


def test_a_file_that_is_no_weights_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"no weights at all")
    with pytest.raises(DataCorrupt, match=r"broken\.pt"):
        load_published(make_trunk("lite0", inputs=2), tmp_path / "broken.pt")
    with pytest.raises(NotFound, match=r"absent\.pt"):
        load_published(make_trunk("lite0", inputs=2), tmp_path / "absent.pt")


@pytest.mark.parametrize(
    ("name", "options"), [("lite9", {"inputs": 2}), ("lite0", {"inputs": 0}), ("lite0", {"inputs": 2, "stride": 4})]
)
def test_unknown_trunks_are_refused(name: str, options: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        make_trunk(name, **options)
