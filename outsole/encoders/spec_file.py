"""Reading and writing ``spec.json`` beside ``1/model.onnx``: what all kinds of specification share."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from outsole.errors import DataCorrupt, NotFound

SPEC_FILE = "spec.json"
WEIGHTS_FILE = Path("1") / "model.onnx"


class Specification(Protocol):
    """A frozen dataclass that names a model and the hash of its weights."""

    @property
    def name(self) -> str:
        """The model's name in the repository."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Hex digest of ``model.onnx``."""
        ...


Spec = TypeVar("Spec", bound=Specification)


def read_spec(model_dir: Path, make: Callable[[dict[str, Any]], Spec]) -> Spec:
    """Read the specification of a model folder and check the weights against it.

    Args:
        model_dir: Folder with ``spec.json`` and ``1/model.onnx``.
        make: From the decoded object to the record; a TypeError of it is a wrong key or value.

    Raises:
        NotFound: No ``spec.json`` or no weights there.
        DataCorrupt: No JSON, unknown or missing keys, or weights with another hash.
    """
    try:
        values = json.loads((model_dir / SPEC_FILE).read_text(encoding="utf-8"))
        weights = hashlib.sha256((model_dir / WEIGHTS_FILE).read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise NotFound(f"encoder folder {model_dir.name!r} has no {Path(error.filename).name}") from error
    except ValueError as error:
        raise DataCorrupt(f"spec.json of encoder {model_dir.name!r} is no JSON: {error}") from error
    try:
        spec = make(values)
    except TypeError as error:
        raise DataCorrupt(f"spec.json of encoder {model_dir.name!r}: {error}") from error
    if spec.weights_sha256 != weights:
        raise DataCorrupt(
            f"weights of encoder {spec.name!r} have sha256 {weights}, spec.json says {spec.weights_sha256}",
            remedy="restore the model folder or export it again",
        )
    return spec


def write_spec(spec: Any, model_dir: Path) -> None:
    """Write ``spec.json``, keys sorted, so that the same specification is the same file."""
    (model_dir / SPEC_FILE).write_text(canonical(spec, indent=2) + "\n", encoding="utf-8")


def spec_hash(spec: Any) -> str:
    """Hex sha256 over all fields of a specification, the weights' hash among them."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()


def canonical(spec: Any, indent: int | None = None) -> str:
    """A specification as JSON with sorted keys."""
    return json.dumps(dataclasses.asdict(spec), sort_keys=True, indent=indent)
