"""Selective convolutional descriptors (SCDA): ``python -m training.selective_descriptors --preset smoke|cpu|gpu``.

Cells above the mean activation, the largest component of them, mean and maximum over it (Wei et al., TIP 2017), here
fine-tuned on made shoes.
"""

from __future__ import annotations

from torch import nn

from outsole.encoders.poolings import selective
from outsole.encoders.survey import PooledNet
from outsole.encoders.trunks import make_trunk
from training.command import command
from training.survey_systems import PLAN, presets, vector_plan, vector_system

_DIMENSIONS = 256


def build_network() -> nn.Module:
    """EfficientNet-Lite0, the selected cells' mean and maximum, a linear layer."""
    trunk = make_trunk("lite0", inputs=PLAN.planes, stride=16, frozen_blocks=1)
    return PooledNet(trunk, pooling=selective, pooled=2 * trunk.channels, dimensions=_DIMENSIONS, reduction=2)


SYSTEM = vector_system(
    "selective_descriptors",
    "Selective convolutional descriptors",
    paper="SCDA; Wei et al., TIP 2017",
    presets=presets(smoke_items=8, cpu_steps=600, cpu_items=32, trunk_rate=3e-4, head_rate=1e-3),
    build=build_network,
    settings={"trunk": "lite0"},
)
EXPORT_PLANS = {
    SYSTEM.name: vector_plan(
        _DIMENSIONS, summary="EfficientNet-Lite0 to block 10; mean and maximum over the selected cells."
    )
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
