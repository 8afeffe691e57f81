"""Every system that learns, by name. A module is loaded when its system is asked for."""

from __future__ import annotations

import importlib

from outsole.errors import NotFound
from training.system import System

SYSTEMS = {
    "partial_print": "training.partial_print:SYSTEM",
    "crisp_lite": "training.crisp:CRISP_LITE",
    "crisp_resnet50": "training.crisp:CRISP_RESNET50",
    "depth_unet": "training.depth:SYSTEM",
    "vgg16_features": "training.vgg16_features:SYSTEM",
    "part_weighted": "training.part_weighted:SYSTEM",
    "selective_descriptors": "training.selective_descriptors:SYSTEM",
    "region_codes": "training.region_codes:SYSTEM",
    "shoe_attention": "training.shoe_attention:SYSTEM",
    "netvlad_lite": "training.netvlad:NETVLAD_LITE",
    "netvlad_vgg16": "training.netvlad:NETVLAD_VGG16",
    "wear_forward": "training.wear:FORWARD",
    "wear_backward": "training.wear:BACKWARD",
}


def find_system(name: str) -> System:
    """The system of a name, or of ``name:variant``.

    Raises:
        NotFound: There is none; the message names those that there are.
        InvalidInput: It has no such variant.
    """
    base, _, variant = name.partition(":")
    if base not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise NotFound(f"there is no system {base!r}", field="name", remedy=f"one of {known}")
    module, _, attribute = SYSTEMS[base].partition(":")
    system: System = getattr(importlib.import_module(module), attribute)
    return system.variant(variant)
