"""``spec.json`` beside the weights: everything that must be equal for two embeddings to be comparable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from outsole.encoders.spec_file import SPEC_FILE, WEIGHTS_FILE, read_spec, spec_hash, write_spec
from outsole.inference.encoder import ModelContract, TensorShape

__all__ = ["SPEC_FILE", "WEIGHTS_FILE", "EncoderSpec"]


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder and the preprocessing that belongs to it.

    Attributes:
        name: The model's name in the repository.
        canvas_height_px, canvas_width_px: The canvas that images are laid on; multiples of ``stride_px``.
        margin_px: Canvas border whose cells are dropped from item maps: convolutions see the padding there.
        px_per_cm: Resolution of the canvas.
        stride_px: Canvas pixels a cell.
        channels: Channels of a cell.
        output: Name of the output, ``[N, channels, H, W]``.
        output_dtype: numpy's name of the output's element type.
        value_scale: Standard deviations that one grey level of a canvas stands for; 128 is the mean.
        resize_rule: How images come to ``px_per_cm``.
        polarity: Which way contact is shown.
        layer: The cut through the network.
        normalisation: What is done to a map before it is compared.
        licence: Of the weights.
        weights_sha256: Hex digest of ``model.onnx``.
    """

    name: str
    canvas_height_px: int
    canvas_width_px: int
    margin_px: int
    px_per_cm: float
    stride_px: int
    channels: int
    output: str
    output_dtype: str
    value_scale: float
    resize_rule: str
    polarity: str
    layer: str
    normalisation: str
    licence: str
    weights_sha256: str

    @classmethod
    def load(cls, model_dir: Path) -> EncoderSpec:
        """Read the specification of a model folder and check the weights against it.

        Raises:
            NotFound: No ``spec.json`` or no weights there.
            DataCorrupt: Unknown or missing keys, or weights with another hash.
        """
        return read_spec(model_dir, lambda values: cls(**values))

    def dump(self, model_dir: Path) -> None:
        """Write ``spec.json``, keys sorted, so that the same specification is the same file."""
        write_spec(self, model_dir)

    @property
    def hash(self) -> str:
        """Hex sha256 over all fields, the weights' hash among them."""
        return spec_hash(self)

    @property
    def canvas_cells(self) -> tuple[int, int]:
        """(H, W) of the output's map."""
        return self.canvas_height_px // self.stride_px, self.canvas_width_px // self.stride_px

    @property
    def item_cells(self) -> tuple[int, int]:
        """(h, w) of an item's map, the margin dropped."""
        margin = 2 * (self.margin_px // self.stride_px)
        rows, columns = self.canvas_cells
        return rows - margin, columns - margin

    def contract(self) -> ModelContract:
        """What a served model must look like to be this encoder."""
        return ModelContract(
            model=self.name,
            image=TensorShape("image", "uint8", (self.canvas_height_px, self.canvas_width_px)),
            outputs=(TensorShape(self.output, self.output_dtype, (self.channels, *self.canvas_cells)),),
        )
