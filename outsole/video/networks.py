"""The networks that find shoes: what they are called, what they take, and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outsole.inference.encoder import Encoder

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
