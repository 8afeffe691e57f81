"""Part-weighted CNN (MP-CNN): ``python -m training.part_weighted --preset smoke|cpu|gpu``.

Toe, ball, arch and heel as sub-images through one trunk; what each part is worth is learned.
"""

from __future__ import annotations

from torch import nn

from outsole.encoders.survey import PartWeightedNet
from outsole.encoders.trunks import make_trunk
from training.command import command
from training.survey_systems import PLAN, presets, vector_plan, vector_system

_DIMENSIONS = 128


def build_network() -> nn.Module:
    """Four sub-images through EfficientNet-Lite0, weighted."""
    trunk = make_trunk("lite0", inputs=PLAN.planes, stride=16, frozen_blocks=1)
    return PartWeightedNet(trunk, dimensions=_DIMENSIONS, reduction=2)


SYSTEM = vector_system(
    "part_weighted",
    "Part-weighted CNN (toe, ball, arch, heel)",
    paper="MP-CNN, as in the survey",
    presets=presets(smoke_items=8, cpu_steps=600, cpu_items=32, trunk_rate=3e-4, head_rate=1e-3),
    build=build_network,
    settings={"trunk": "lite0"},
)
EXPORT_PLANS = {
    SYSTEM.name: vector_plan(
        4 * _DIMENSIONS,
        summary="Toe, ball, arch and heel as sub-images through EfficientNet-Lite0; learned weights of the parts.",
        limits="A baseline of the survey: the parts are those of a placed, whole sole.",
    )
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
