"""Pairs of worn prints as batches."""

from __future__ import annotations

import numpy as np
import torch

from outsole.inference.encoder import IMAGE
from outsole.synthesis.wear_pairs import MadeWearPairs
from outsole.wear.model import WEEKS
from training.system import Batch

TARGET = "target"


class WearBatches:
    """Batches by step (``training.system.StepDataset``).

    Batches hold ``image`` uint8 [N, 640, 256], ``weeks`` uint8 [N, 1] and ``target`` uint8 [N, 640, 256].

    Args:
        pairs: What they are made of.
        steps: How many batches there are.
    """

    def __init__(self, pairs: MadeWearPairs, *, steps: int) -> None:
        self._pairs, self._steps = pairs, steps

    def __len__(self) -> int:
        """Steps that there are batches for."""
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        pairs = self._pairs.pairs(step)
        return {
            IMAGE: torch.from_numpy(np.stack([pair.image for pair in pairs])),
            WEEKS: torch.tensor([[pair.weeks] for pair in pairs], dtype=torch.uint8),
            TARGET: torch.from_numpy(np.stack([pair.target for pair in pairs])),
        }
