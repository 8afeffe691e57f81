"""Encoders of shoes as functions of crops, for those who measure them: untrained, or of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from outsole.encoders.poolings import average
from outsole.encoders.shoe_intake import shoe_intake
from outsole.encoders.trunks import make_trunk
from training.checkpoints import load_checkpoint
from training.exporting.subjects import find_subject
from training.made_figures import embedded

ShoeEncoder = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops uint8 [N, 112, 224, 3] to vectors float32 [N, D] of unit length."""


def imagenet_encoder(*, stride: int = 32) -> ShoeEncoder:
    """EfficientNet-Lite0 as ImageNet left it, averaged over its cells: what nothing was learned for."""
    trunk = make_trunk("lite0", inputs=3, stride=stride).eval()
    return _of_torch(lambda image: functional.normalize(average(trunk(shoe_intake(image))), dim=1))


def encoder_of_run(checkpoint: Path) -> ShoeEncoder:
    """The encoder of a system of shoes, as it would be exported from ``checkpoint.pt``.

    Raises:
        NotFound, DataCorrupt, PreconditionFailed, InvalidInput: As ``training.exporting.subjects.find_subject``.
    """
    name = str(load_checkpoint(checkpoint).settings.get("system", ""))
    return _of_torch(find_subject(name, checkpoint).network)


def _of_torch(embed: Callable[[torch.Tensor], torch.Tensor]) -> ShoeEncoder:
    @torch.no_grad()
    def encode(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(embedded(embed, crops, torch.device("cpu")).numpy(), np.float32)

    return encode
