"""Export the print encoder to ONNX: ``python -m training.export [NAME] [--repository DIR]``.

Writes ``<repository>/<name>/{1/model.onnx, spec.json, config.pbtxt}``. The same packages give the same bytes, hence
the same specification hash.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from pathlib import Path

import click
import numpy as np
import onnx
import torch
from torch import nn

from outsole.encoders.efficientnet_lite import GrayTrunk, load_lite2
from outsole.encoders.spec import WEIGHTS_FILE, EncoderSpec

NAME = "print_lite2_b6"
_BLOCK = 6
_VALUE_SCALE = 1.5 / 127
_OUTPUT = "map"
_CONFIG = """\
# Written by python -m training.export
name: "{name}"
backend: "onnxruntime"
max_batch_size: 16
input [ {{ name: "image" data_type: TYPE_UINT8 dims: [ {height}, {width} ] }} ]
output [ {{ name: "{output}" data_type: TYPE_FP16 dims: [ {channels}, {rows}, {columns} ] }} ]
dynamic_batching {{
  preferred_batch_size: [ 9 ]
  max_queue_delay_microseconds: 500
  default_queue_policy {{ max_queue_size: 64 }}
}}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""


class HalfOutput(nn.Module):
    """A network whose output is cast to float16: the map is compared after normalisation, and travels half as far."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Encode ``image`` uint8 [N, H, W]; returns float16 [N, C, h, w]."""
        result: torch.Tensor = self.network(image).to(torch.float16)
        return result


def build_trunk() -> GrayTrunk:
    """The default print encoder as a torch module, float32 out."""
    return GrayTrunk(load_lite2(), last_block=_BLOCK, value_scale=_VALUE_SCALE).eval()


def specification(weights: bytes) -> EncoderSpec:
    """The specification of the default print encoder with these ``model.onnx`` bytes."""
    return EncoderSpec(
        name=NAME,
        canvas_height_px=672,
        canvas_width_px=352,
        margin_px=32,
        px_per_cm=20.0,
        stride_px=8,
        channels=48,
        output=_OUTPUT,
        output_dtype="float16",
        value_scale=_VALUE_SCALE,
        resize_rule="none: images come at px_per_cm; taller than 608 px are reduced to it by area averaging",
        polarity="contact is dark",
        layer=f"EfficientNet-Lite2, MBConv block {_BLOCK} (0-based), after projection and skip",
        normalisation="each channel to mean 0 and deviation 1 over the valid cells of an image",
        licence="Apache-2.0",
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )


def to_onnx(trunk: nn.Module, canvas: tuple[int, int]) -> bytes:
    """The network as ONNX bytes with a dynamic batch and a fixed canvas (TensorRT builds one engine for it)."""
    example = torch.zeros((2, *canvas), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "model.onnx"
        # The tracing exporter is deprecated, but it needs no further package and its output is stable.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            HalfOutput(trunk).eval(),
            (example,),
            path,
            input_names=["image"],
            output_names=[_OUTPUT],
            dynamic_axes={"image": {0: "batch"}, _OUTPUT: {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        model = onnx.load(path)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def config_text(spec: EncoderSpec) -> str:
    """Triton's ``config.pbtxt`` for a specification."""
    rows, columns = spec.canvas_cells
    return _CONFIG.format(
        name=spec.name,
        height=spec.canvas_height_px,
        width=spec.canvas_width_px,
        output=spec.output,
        channels=spec.channels,
        rows=rows,
        columns=columns,
    )


def largest_difference(trunk: nn.Module, weights: bytes, canvas: tuple[int, int]) -> float:
    """Largest absolute difference between torch and ONNX Runtime on a random canvas, relative to the largest value.

    Compared before the cast to float16, on a float32 twin of the exported graph.
    """
    import onnxruntime

    model = onnx.load_from_string(weights)
    cast = next(node for node in model.graph.node if _OUTPUT in node.output)
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(cast.input[0], onnx.TensorProto.FLOAT, None))
    model.graph.node.remove(cast)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).integers(0, 256, (2, *canvas), dtype=np.uint8)
    with torch.no_grad():
        expected = trunk(torch.from_numpy(image)).numpy()
    got = session.run(None, {"image": image})[0]
    return float(np.abs(got - expected).max() / np.abs(expected).max())


@click.command()
@click.argument("name", type=click.Choice([NAME]), default=NAME)
@click.option("--repository", type=click.Path(path_type=Path), default=Path("model_repository"), show_default=True)
def main(name: str, repository: Path) -> None:
    """Export encoder NAME into a model repository."""
    torch.manual_seed(0)
    trunk = build_trunk()
    spec = specification(b"")
    canvas = (spec.canvas_height_px, spec.canvas_width_px)
    weights = to_onnx(trunk, canvas)
    difference = largest_difference(trunk, weights, canvas)
    if difference > 1e-4:
        raise click.ClickException(f"ONNX differs from torch by {difference:.2e} of the largest value; at most 1e-4")
    folder = repository / name
    (folder / WEIGHTS_FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(weights)
    spec = specification(weights)
    spec.dump(folder)
    (folder / "config.pbtxt").write_text(config_text(spec))
    click.echo(f"{name}: {len(weights)} bytes, differs from torch by {difference:.1e}, specification {spec.hash[:12]}")


if __name__ == "__main__":
    main()
