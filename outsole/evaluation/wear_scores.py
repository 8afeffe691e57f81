"""How well wear is predicted, beside the answers that know nothing of wear."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsole.evaluation.picture_quality import psnr_db, ssim
from outsole.synthesis.wear_pairs import WearPair

Predict = Callable[[WearPair], NDArray[np.floating]]
"""From a pair to the contact that is answered for its target, [640, 256], 0 .. 1."""
_WHITE = 255.0


@dataclass(frozen=True)
class Likeness:
    """How near an answer is to the truth, over N pairs.

    Attributes:
        ssim: float64 [N], -1 .. 1.
        psnr_db: float64 [N], decibels.
    """

    ssim: NDArray[np.float64]
    psnr_db: NDArray[np.float64]

    @property
    def means(self) -> tuple[float, float]:
        """Mean SSIM and mean PSNR in decibels."""
        return float(self.ssim.mean()), float(self.psnr_db.mean())


def likeness(pairs: Iterable[WearPair], predict: Predict) -> Likeness:
    """Compare what is answered for each pair with its target."""
    rows = []
    for pair in pairs:
        answer, truth = predict(pair), pair.target / _WHITE
        rows.append((ssim(answer, truth), psnr_db(answer, truth)))
    table = np.array(rows, np.float64).reshape(-1, 2)
    return Likeness(table[:, 0], table[:, 1])


def unchanged(pair: WearPair) -> NDArray[np.floating]:
    """The print as it was given."""
    return np.asarray(1 - pair.image / _WHITE)


def unchanged_clean(pair: WearPair) -> NDArray[np.floating]:
    """The print as it truly was: what the best denoising could give, and no wear at all."""
    return np.asarray(pair.clean / _WHITE)


def always(mean: NDArray[np.float32]) -> Predict:
    """The same picture for every print."""
    return lambda _: mean


def gains(model: Likeness, trivial: Iterable[Likeness]) -> tuple[float, float]:
    """By how much a model's mean SSIM and mean PSNR lie above the best trivial answer's, each for itself."""
    others = [answer.means for answer in trivial]
    return tuple(mine - max(other[place] for other in others) for place, mine in enumerate(model.means))  # type: ignore[return-value]
