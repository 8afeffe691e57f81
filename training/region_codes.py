"""Toe and heel region weighting of neural codes with PCA: ``python -m training.region_codes --preset smoke|cpu|gpu``.

Neural codes (Babenko et al., ECCV 2014) of two regions of one map, each reduced to its principal components, weighted
by what each region is worth.
"""

from __future__ import annotations

from torch import nn

from outsole.encoders.survey import RegionCodesNet
from outsole.encoders.trunks import make_trunk
from training.command import command
from training.survey_systems import PLAN, presets, vector_plan, vector_system

_CODE, _KEPT = 512, 128


def build_network() -> nn.Module:
    """EfficientNet-Lite0, a code of the toe and one of the heel."""
    trunk = make_trunk("lite0", inputs=PLAN.planes, stride=16, frozen_blocks=1)
    return RegionCodesNet(trunk, code=_CODE, kept=_KEPT, reduction=2)


SYSTEM = vector_system(
    "region_codes",
    "Toe / heel weighting of neural codes, PCA",
    paper="neural codes; Babenko et al., ECCV 2014",
    presets=presets(smoke_items=8, cpu_steps=600, cpu_items=32, trunk_rate=3e-4, head_rate=1e-3),
    build=build_network,
    settings={"trunk": "lite0", "code": _CODE, "kept": _KEPT},
)
EXPORT_PLANS = {
    SYSTEM.name: vector_plan(
        2 * _KEPT,
        summary="EfficientNet-Lite0 to block 10; codes of toe and heel, principal components, learned weights.",
        limits="A baseline of the survey: the regions are those of a placed, whole sole.",
    )
}

main = command(SYSTEM)

if __name__ == "__main__":
    main()
