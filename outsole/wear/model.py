"""The wear models as they are served: how prints go in, and how predictions come out.

Training, services, indexer and benchmarks go through it, so there is one preprocessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsole.encoders.network_spec import NetworkSpec, folders_of_kind
from outsole.errors import DataCorrupt
from outsole.inference.encoder import IMAGE, ModelContract, TensorShape
from outsole.wear.canvas import CANVAS_PX, LaidPrint

KIND = "wear_prediction"
WEEKS, PRINT, UNSURE, DIRECTION = "weeks", "print", "unsure", "direction"
_WHITE = 255.0


class Direction(StrEnum):
    """Where in time a model looks."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True)
class PredictedPrint:
    """A print as it is predicted to be after, or to have been before, some weeks of wear.

    Attributes:
        weeks: Weeks between the print that was given and this one.
        gray: uint8 [H, W], the size of the picture that was given; contact dark, 0 .. 255.
        unsure: uint8 [H, W], the error of contact that the model expects of itself, 0 none .. 255 all of the range.
    """

    weeks: int
    gray: NDArray[np.uint8]
    unsure: NDArray[np.uint8]


@dataclass(frozen=True)
class WearModel:
    """One wear model and where it lies.

    Attributes:
        spec: Its specification; its settings name the direction.
        folder: Its model folder.
    """

    spec: NetworkSpec
    folder: Path

    @classmethod
    def load(cls, model_dir: Path) -> WearModel:
        """The wear model of a folder.

        Raises:
            NotFound: There is no model.
            DataCorrupt: It is no wear model, or does not take prints as they are laid here.
        """
        spec = NetworkSpec.load(model_dir)
        tensors = {tensor.name: tensor for tensor in (*spec.inputs, *spec.outputs)}
        wanted = (
            TensorShape(IMAGE, "uint8", CANVAS_PX),
            TensorShape(WEEKS, "uint8", (1,)),
            TensorShape(PRINT, "float16", CANVAS_PX),
            TensorShape(UNSURE, "float16", CANVAS_PX),
        )
        for tensor in wanted:
            if tensor.name not in tensors or not tensor.accepts(tensors[tensor.name]):
                raise DataCorrupt(f"wear model {spec.name!r} should have tensor {tensor}", remedy="export it again")
        if spec.settings.get(DIRECTION) not in tuple(Direction):
            raise DataCorrupt(f"wear model {spec.name!r} names no direction", remedy="export it again")
        return cls(spec, model_dir)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.spec.name

    @property
    def hash(self) -> str:
        """Hex digest of its specification."""
        return self.spec.hash

    @property
    def direction(self) -> Direction:
        """Where in time it looks."""
        return Direction(str(self.spec.settings[DIRECTION]))

    def contract(self) -> ModelContract:
        """What a served model must look like to be this one."""
        return self.spec.contract()


def find_wear_models(repositories: Iterable[Path]) -> dict[Direction, WearModel]:
    """The wear models in model repositories, one a direction.

    Raises:
        NotFound, DataCorrupt: One cannot be used, or two look the same way.
    """
    found: dict[Direction, WearModel] = {}
    for folder in folders_of_kind(repositories, KIND):
        model = WearModel.load(folder)
        if model.direction in found:
            raise DataCorrupt(f"two wear models look {model.direction}", remedy="keep one in the model repository")
        found[model.direction] = model
    return found


def wear_inputs(laid: LaidPrint, weeks: Sequence[int]) -> dict[str, NDArray[Any]]:
    """What a wear model takes to predict a print for N weeks: ``image`` uint8 [N, 640, 256], ``weeks`` uint8 [N, 1]."""
    images = np.broadcast_to(laid.image, (len(weeks), *CANVAS_PX))
    return {IMAGE: images, WEEKS: np.array(weeks, np.uint8).reshape(-1, 1)}


def predicted_prints(
    outputs: Mapping[str, NDArray[Any]], laid: LaidPrint, weeks: Sequence[int]
) -> tuple[PredictedPrint, ...]:
    """The predictions for N weeks in the frame of the picture that was laid.

    Args:
        outputs: ``print`` and ``unsure`` [N, 640, 256], contact and expected error, 0 .. 1.
        laid: The print that was given.
        weeks: The N weeks.
    """
    return tuple(
        PredictedPrint(week, _levels(1 - laid.taken_off(contact)), _levels(laid.taken_off(unsure)))
        for week, contact, unsure in zip(weeks, outputs[PRINT], outputs[UNSURE], strict=True)
    )


def _levels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(values, 0, 1) * np.float32(_WHITE)), np.uint8)
