"""Fine-tuned VGG-16, convolutional features: ``python -m training.vgg16_features --preset smoke|cpu|gpu``.

The features of the last convolution, averaged over the cells, at half the picture's resolution. ImageNet weights are
not shipped by any package: without ``--trunk-weights FILE`` (torchvision's state dictionary) it starts from scratch.
"""

from __future__ import annotations

from torch import nn

from outsole.encoders.poolings import average
from outsole.encoders.survey import PooledNet
from outsole.encoders.trunks import make_trunk
from training.command import command
from training.survey_systems import PLAN, presets, vector_plan, vector_system

_DIMENSIONS = 256


def build_network() -> nn.Module:
    """VGG-16's convolutions, mean over the cells, a linear layer."""
    trunk = make_trunk("vgg16", inputs=PLAN.planes)
    return PooledNet(trunk, pooling=average, pooled=trunk.channels, dimensions=_DIMENSIONS, reduction=2)


SYSTEM = vector_system(
    "vgg16_features",
    "Fine-tuned VGG-16, convolutional features",
    paper="Simonyan & Zisserman, ICLR 2015",
    presets=presets(smoke_items=8, cpu_steps=300, cpu_items=16, trunk_rate=1e-4, head_rate=3e-4),
    build=build_network,
    settings={"trunk": "vgg16"},
)
EXPORT_PLANS = {SYSTEM.name: vector_plan(_DIMENSIONS, summary="VGG-16's last convolution, averaged over the cells.")}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
