"""The networks that find shoes: what they are called, what they take, and what their columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from outsole.encoders.network_spec import NetworkSpec
from outsole.inference.encoder import Encoder, ModelContract

DETECTOR, KEY_POINTS, BODY = "footwear_detector", "shoe_key_points", "body_pose"
MODELS = (DETECTOR, KEY_POINTS, BODY)
"""Folders of the model repository."""
DETECTOR_PX, KEY_POINTS_PX, BODY_PX = 300, 224, 256
CLASSES = ("boot", "person", "high_heels", "footwear")
"""What the columns of the detector's scores stand for."""
PERSON = CLASSES.index("person")
FOOTWEAR = tuple(CLASSES.index(name) for name in ("boot", "high_heels", "footwear"))


@dataclass(frozen=True)
class ShoeNetworks:
    """The three networks, through Triton or in this process.

    Attributes:
        detector: Kind ``object_detector``: persons and footwear.
        key_points: Kind ``shoe_key_points``.
        body: Kind ``body_landmarks``.
    """

    detector: Encoder
    key_points: Encoder
    body: Encoder

    @classmethod
    def of(cls, encoders: Mapping[str, Encoder]) -> ShoeNetworks:
        """From encoders by model name, those of ``MODELS`` among them."""
        return cls(encoders[DETECTOR], encoders[KEY_POINTS], encoders[BODY])


def open_networks(
    repository: Path, opened: Callable[[ModelContract, Path], Encoder]
) -> tuple[ShoeNetworks, dict[str, str]]:
    """The networks of a model repository, and the hashes of their specifications by name.

    Args:
        repository: Holds the folders of ``MODELS``.
        opened: Makes the encoder of a contract and its model folder.

    Raises:
        NotFound, DataCorrupt: A model folder is missing or damaged.
    """
    specs = {name: NetworkSpec.load(repository / name) for name in MODELS}
    encoders = {name: opened(spec.contract(), repository / name) for name, spec in specs.items()}
    return ShoeNetworks.of(encoders), {name: spec.hash for name, spec in specs.items()}
