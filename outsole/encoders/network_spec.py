"""``spec.json`` of every served network that is not the correlation encoder: what goes in, what comes out, from where.

``EncoderSpec`` says more about one kind of model, spatial print maps; this record fits any network whose inputs travel
as they are and whose cast and scaling are in the graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from outsole.encoders.spec import EncoderSpec
from outsole.encoders.spec_file import SPEC_FILE, read_spec, spec_hash, write_spec
from outsole.inference.encoder import ModelContract, TensorShape

Setting = str | float | int


@dataclass(frozen=True)
class NetworkSpec:
    """A network, its tensors and its origin.

    Attributes:
        name: The model's name in the repository.
        kind: What its output is used for; clients choose models by it. ``print_embedding``: one vector for the print
            system's canvas and its visible cells, which the print system takes for one of its own.
            ``spatial_embedding``: a unit vector a cell. ``picture_embedding``: one vector for a picture of a whole
            sole. ``shoe_embedding``: one vector for a crop of a shoe. ``depth_map``: pictures out.
            ``object_detector``: boxes and their scores, not yet sifted. ``shoe_key_points``: the corners of a shoe's 3D
            box. ``body_landmarks``: places of a body. ``wear_prediction``: a print after or before weeks of wear.
        inputs: Inputs in the order of the graph, without the batch dimension.
        outputs: Outputs in the order of the graph, without the batch dimension.
        px_per_cm: Resolution of the input images on the sole; 0 where it is not fixed.
        settings: What else must be equal for two outputs to be comparable, by name; texts and numbers.
        trained_on: The data, in words.
        licence: Of the weights.
        weights_sha256: Hex digest of ``model.onnx``.

    Raises:
        TypeError: A field has another type than it says.
    """

    name: str
    kind: str
    inputs: tuple[TensorShape, ...]
    outputs: tuple[TensorShape, ...]
    px_per_cm: float
    settings: Mapping[str, Setting] = field(hash=False)
    trained_on: str
    licence: str
    weights_sha256: str

    def __post_init__(self) -> None:
        for name in ("name", "kind", "trained_on", "licence", "weights_sha256"):
            _require(isinstance(getattr(self, name), str), name, "a text", getattr(self, name))
        _require(_is_number(self.px_per_cm), "px_per_cm", "a number", self.px_per_cm)
        _require(bool(self.inputs) and bool(self.outputs), "inputs and outputs", "lists of at least one tensor", "[]")
        plain = isinstance(self.settings, Mapping) and all(
            isinstance(key, str) and (isinstance(value, str) or _is_number(value))
            for key, value in self.settings.items()
        )
        _require(plain, "settings", "texts and numbers by name", self.settings)

    @classmethod
    def load(cls, model_dir: Path) -> NetworkSpec:
        """Read the specification of a model folder and check the weights against it.

        Raises:
            NotFound: No ``spec.json`` or no weights there.
            DataCorrupt: Unknown or missing keys, values of another type, or weights with another hash.
        """
        return read_spec(model_dir, lambda values: cls(**_with_tensors(values)))

    def dump(self, model_dir: Path) -> None:
        """Write ``spec.json``, keys sorted, so that the same specification is the same file."""
        write_spec(self, model_dir)

    @property
    def hash(self) -> str:
        """Hex sha256 over all fields, the weights' hash among them."""
        return spec_hash(self)

    def contract(self) -> ModelContract:
        """What a served model must look like to be this network; the first input is the image."""
        return ModelContract(self.name, self.inputs[0], self.outputs, self.inputs[1:])


def load_spec(model_dir: Path) -> EncoderSpec | NetworkSpec:
    """The specification of any model folder, of whichever kind it is.

    Raises:
        NotFound, DataCorrupt: As ``NetworkSpec.load``.
    """
    return read_spec(model_dir, _any_spec)


def folders_of_kind(repositories: Iterable[Path], kind: str) -> list[Path]:
    """Model folders that say that they are of a kind, in order; what is wrong with one is found when it is loaded.

    Args:
        repositories: Folders of model folders; one that does not exist holds none.
        kind: See ``NetworkSpec``.
    """
    return sorted(path for repository in repositories for path in repository.glob("*") if _kind(path) == kind)


def _kind(folder: Path) -> object:
    try:
        values = json.loads((folder / SPEC_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values.get("kind") if isinstance(values, dict) else None


def _any_spec(values: Any) -> EncoderSpec | NetworkSpec:
    if isinstance(values, dict) and "inputs" not in values:
        return EncoderSpec(**values)
    return NetworkSpec(**_with_tensors(values))


def _with_tensors(values: Any) -> dict[str, Any]:
    _require(isinstance(values, dict), "the whole", "an object", values)
    tensors = {key: tuple(map(_tensor, values[key])) for key in ("inputs", "outputs") if key in values}
    return {**values, **tensors}


def _tensor(values: Any) -> TensorShape:
    _require(isinstance(values, dict), "a tensor", "an object", values)
    tensor = TensorShape(**{**values, "dims": tuple(values.get("dims", ()))})
    np.dtype(tensor.dtype)  # raises TypeError for a type that numpy does not know
    _require(all(type(size) is int and (size > 0 or size == -1) for size in tensor.dims), "dims", "sizes", tensor.dims)
    return tensor


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(held: bool, name: str, wanted: str, found: object) -> None:
    if not held:
        raise TypeError(f"{name} should be {wanted}, not {found!r}")
